//! The function's SQL: one function a statement.

use akademi_domain::{
    academy::{Features, HostName},
    ids::TenantId,
    time::Timestamp,
};
use akademi_edge_store::{
    Edge, Platform, PlatformSql, Row, Statement, StoreError, TenantDatabase, TenantSql, TenantStatement,
    operations::{self, NewAcademy},
};
use serde_json::{Value as Json, json};

pub use operations::{set_academy_state, tell_academy};

/// An academy's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcademyRow {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    pub locale: String,
    pub languages: Vec<String>,
    pub brand_colour: String,
    pub logo_url: Option<String>,
    pub time_zone: String,
    pub origins: Vec<String>,
    pub features_off: Features,
    pub reviews_need_approval: bool,
    pub watch_rate_percent: i64,
    pub session_idle_seconds: i64,
    pub session_absolute_seconds: i64,
    pub people: i64,
    pub people_limit: Option<i64>,
    pub storage_limit: Option<i64>,
    pub is_active: bool,
    pub delete_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub version: i64,
}

macro_rules! academy_columns {
    () => {
        "SELECT id, slug, name, locale, languages, brand_colour, logo_url, time_zone, origins, features_off, \
         session_idle_seconds, session_absolute_seconds, people, people_limit, storage_limit, \
         state = 'active' AS active, delete_at, created_at, version, reviews_need_approval, \
         watch_rate_percent FROM tenant "
    };
}

impl AcademyRow {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let words =
            |column| Ok::<_, StoreError>(row.text(column)?.split_whitespace().map(str::to_owned).collect());
        Ok(Self {
            id: row.parse(0)?,
            slug: row.text(1)?.to_owned(),
            name: row.text(2)?.to_owned(),
            locale: row.text(3)?.to_owned(),
            languages: words(4)?,
            brand_colour: row.text(5)?.to_owned(),
            logo_url: row.optional_text(6)?.map(str::to_owned),
            time_zone: row.text(7)?.to_owned(),
            origins: words(8)?,
            reviews_need_approval: row.boolean(19)?,
            watch_rate_percent: row.integer(20)?,
            features_off: Features::from_bits(u32::try_from(row.integer(9)?).unwrap_or_default()),
            session_idle_seconds: row.integer(10)?,
            session_absolute_seconds: row.integer(11)?,
            people: row.integer(12)?,
            people_limit: row.optional_integer(13)?,
            storage_limit: row.optional_integer(14)?,
            is_active: row.boolean(15)?,
            delete_at: row.optional_timestamp(16)?,
            created_at: row.timestamp(17)?,
            version: row.integer(18)?,
        })
    }

    /// As the store makes it.
    pub fn new(new: &NewAcademy<'_>, now: Timestamp) -> Self {
        Self {
            id: new.id,
            slug: new.slug.to_owned(),
            name: new.name.to_owned(),
            locale: new.locale.to_owned(),
            languages: vec!["tr".to_owned(), "en".to_owned()],
            brand_colour: new.brand_colour.to_owned(),
            logo_url: None,
            time_zone: "Europe/Istanbul".to_owned(),
            origins: Vec::new(),
            features_off: Features::default(),
            reviews_need_approval: false,
            watch_rate_percent: 200,
            session_idle_seconds: 2_592_000,
            session_absolute_seconds: 15_552_000,
            people: 0,
            people_limit: None,
            storage_limit: None,
            is_active: true,
            delete_at: None,
            created_at: now,
            version: 1,
        }
    }

    /// What an academy decides and the platform allows, as the audit log tells it.
    fn facts(&self) -> [(&'static str, Json); 15] {
        [
            ("name", json!(self.name)),
            ("locale", json!(self.locale)),
            ("languages", json!(self.languages)),
            ("brand_colour", json!(self.brand_colour)),
            ("logo_url", json!(self.logo_url)),
            ("time_zone", json!(self.time_zone)),
            ("origins", json!(self.origins)),
            ("features_off", json!(self.features_off.iter().collect::<Vec<_>>())),
            ("reviews_need_approval", json!(self.reviews_need_approval)),
            ("watch_rate_percent", json!(self.watch_rate_percent)),
            ("session_idle_seconds", json!(self.session_idle_seconds)),
            ("session_absolute_seconds", json!(self.session_absolute_seconds)),
            ("people_limit", json!(self.people_limit)),
            ("storage_limit", json!(self.storage_limit)),
            ("active", json!(self.is_active)),
        ]
    }

    /// What differs, before and after.
    pub fn differences(&self, after: &Self) -> (Json, Json) {
        let changed = self.facts().into_iter().zip(after.facts()).filter(|(before, after)| before != after);
        let (before, after): (Vec<_>, Vec<_>) = changed.unzip();
        let object = |facts: Vec<(&str, Json)>| {
            facts.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect()
        };
        (Json::Object(object(before)), Json::Object(object(after)))
    }
}

pub async fn find_academy(database: &TenantDatabase<'_>) -> Result<Option<AcademyRow>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(academy_columns!(), "WHERE id = ?1"));
    database.row(SQL.with([])).await?.map(|row| AcademyRow::read(&row)).transpose()
}

/// A batch's condition: nobody has changed the row since it was read.
pub fn academy_has_version(version: i64) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM tenant WHERE id = ?1 AND version = ?2))",
    );
    SQL.with([version.into()])
}

/// Public pages show it from then on.
pub fn update_settings(row: &AcademyRow) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE tenant SET name = ?2, locale = ?3, languages = ?4, brand_colour = ?5, logo_url = ?6, time_zone = ?7, \
         origins = ?8, features_off = ?9, session_idle_seconds = ?10, session_absolute_seconds = ?11, \
         reviews_need_approval = ?12, watch_rate_percent = ?13, generation = generation + 1, version = version + 1 WHERE id = ?1",
    );
    SQL.with([
        row.name.as_str().into(),
        row.locale.as_str().into(),
        row.languages.join(" ").into(),
        row.brand_colour.as_str().into(),
        row.logo_url.clone().into(),
        row.time_zone.as_str().into(),
        row.origins.join(" ").into(),
        row.features_off.bits().into(),
        row.session_idle_seconds.into(),
        row.session_absolute_seconds.into(),
        row.reviews_need_approval.into(),
        row.watch_rate_percent.into(),
    ])
}

pub fn move_generation() -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("UPDATE tenant SET generation = generation + 1 WHERE id = ?1");
    SQL.with([])
}

pub async fn list_domains(database: &TenantDatabase<'_>) -> Result<Vec<String>, StoreError> {
    const SQL: TenantSql = TenantSql::new("SELECT host FROM domain WHERE tenant_id = ?1 ORDER BY host");
    let rows = database.rows(SQL.with([])).await?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Whether some academy answers on `host`.
pub async fn is_taken(edge: &Edge, host: &HostName) -> Result<bool, StoreError> {
    const SQL: PlatformSql = PlatformSql::new("SELECT 1 AS taken FROM domain WHERE host = ?1");
    let row = Platform::new(edge.database.as_ref()).row(SQL.with([host.as_str().into()])).await?;
    Ok(row.is_some())
}

/// A batch's condition: the academy answers on this host, or says that it is its own.
pub fn has_host(host: &HostName) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM domain WHERE tenant_id = ?1 AND host = ?2 \
         UNION ALL SELECT 1 FROM domain_claim WHERE tenant_id = ?1 AND host = ?2 LIMIT 1))",
    );
    SQL.with([host.as_str().into()])
}

pub fn insert_domain(host: &HostName) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("INSERT INTO domain (host, tenant_id) VALUES (?2, ?1)");
    SQL.with([host.as_str().into()])
}

pub fn delete_domain(host: &HostName) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("DELETE FROM domain WHERE tenant_id = ?1 AND host = ?2");
    SQL.with([host.as_str().into()])
}

/// A host that an academy says is its own.
pub struct Claim {
    pub host: String,
    pub challenge: String,
    pub created_at: Timestamp,
}

pub async fn list_claims(database: &TenantDatabase<'_>) -> Result<Vec<Claim>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT host, challenge, created_at FROM domain_claim WHERE tenant_id = ?1 ORDER BY host",
    );
    let rows = database.rows(SQL.with([])).await?;
    rows.iter()
        .map(|row| {
            Ok(Claim {
                host: row.text(0)?.to_owned(),
                challenge: row.text(1)?.to_owned(),
                created_at: row.timestamp(2)?,
            })
        })
        .collect()
}

pub fn insert_claim(claim: &Claim) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO domain_claim (tenant_id, host, challenge, created_at) VALUES (?1, ?2, ?3, ?4)",
    );
    SQL.with([claim.host.as_str().into(), claim.challenge.as_str().into(), claim.created_at.into()])
}

pub fn delete_claim(host: &HostName) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("DELETE FROM domain_claim WHERE tenant_id = ?1 AND host = ?2");
    SQL.with([host.as_str().into()])
}

/// All academies but the platform itself, the newest first.
pub async fn list_academies(
    edge: &Edge,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<AcademyRow>, StoreError> {
    const SQL: PlatformSql = PlatformSql::new(concat!(
        academy_columns!(),
        "WHERE slug <> 'platform' AND (?1 IS NULL OR id < ?1) ORDER BY id DESC LIMIT ?2"
    ));
    let rows = Platform::new(edge.database.as_ref()).rows(SQL.with([after.into(), limit.into()])).await?;
    rows.iter().map(AcademyRow::read).collect()
}

/// What the platform allows an academy.
pub fn update_limits(row: &AcademyRow) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE tenant SET people_limit = ?2, storage_limit = ?3, version = version + 1 WHERE id = ?1",
    );
    SQL.with([row.people_limit.into(), row.storage_limit.into()])
}

/// The statements as a platform's batch over one academy.
pub fn of_academy(id: TenantId, statements: impl IntoIterator<Item = TenantStatement>) -> Vec<Statement> {
    statements.into_iter().map(|statement| Platform::of_tenant(id, statement)).collect()
}
