//! Consent: what is asked, and who gave it.

use akademi_domain::{academy::PageLanguage, consent::ConsentKind, ids::UserId, time::Timestamp};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement};

pub struct NewText<'a> {
    pub kind: &'a ConsentKind,
    pub version: i64,
    pub language: &'static str,
    pub text: &'a str,
    /// SHA-256 of it.
    pub digest: [u8; 32],
    pub required: bool,
    pub by: UserId,
    pub now: Timestamp,
}

pub fn insert_text(new: NewText<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO consent_text (tenant_id, kind, version, language, text, digest, required, created_by, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    );
    SQL.with([
        new.kind.as_str().into(),
        new.version.into(),
        new.language.into(),
        new.text.into(),
        new.digest.as_slice().into(),
        new.required.into(),
        new.by.into(),
        new.now.into(),
    ])
}

pub fn bump_generation() -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("UPDATE tenant SET generation = generation + 1 WHERE id = ?1");
    SQL.with([])
}

pub struct TextRow {
    pub kind: ConsentKind,
    pub version: i64,
    pub language: PageLanguage,
    pub text: String,
    pub digest: Vec<u8>,
    pub required: bool,
    pub since: Timestamp,
}

/// The texts of the newest version of each kind.
pub async fn list_newest_texts(database: &TenantDatabase<'_>) -> Result<Vec<TextRow>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT kind, version, language, text, digest, required, created_at FROM consent_text WHERE tenant_id = ?1 \
         AND version = (SELECT max(newest.version) FROM consent_text AS newest \
         WHERE newest.tenant_id = ?1 AND newest.kind = consent_text.kind) ORDER BY kind, language DESC",
    );
    let rows = database.rows(SQL.with([])).await?;
    rows.iter()
        .map(|row| {
            Ok(TextRow {
                kind: row.parse(0)?,
                version: row.integer(1)?,
                language: row.parse(2)?,
                text: row.text(3)?.to_owned(),
                digest: row.blob(4)?.to_vec(),
                required: row.boolean(5)?,
                since: row.timestamp(6)?,
            })
        })
        .collect()
}

pub async fn is_asked(database: &TenantDatabase<'_>, kind: &ConsentKind) -> Result<bool, StoreError> {
    const SQL: TenantSql =
        TenantSql::new("SELECT 1 AS found FROM consent_text WHERE tenant_id = ?1 AND kind = ?2 LIMIT 1");
    Ok(database.row(SQL.with([kind.as_str().into()])).await?.is_some())
}

pub struct NewChoice<'a> {
    pub person: UserId,
    pub kind: &'a ConsentKind,
    pub version: i64,
    pub language: &'static str,
    pub given: bool,
    /// Sealed.
    pub origin: Vec<u8>,
    pub now: Timestamp,
}

/// Adds a choice about the newest version; whether it is that, and there in this language.
pub async fn add_choice(database: &TenantDatabase<'_>, new: NewChoice<'_>) -> Result<bool, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO consent (tenant_id, person_id, kind, number, version, language, digest, given, origin, at) \
         SELECT ?1, ?2, ?3, (SELECT count(*) + 1 FROM consent WHERE tenant_id = ?1 AND person_id = ?2 AND kind = ?3), \
         version, language, digest, ?6, ?7, ?8 FROM consent_text \
         WHERE tenant_id = ?1 AND kind = ?3 AND version = ?4 AND language = ?5 \
         AND version = (SELECT max(version) FROM consent_text WHERE tenant_id = ?1 AND kind = ?3) RETURNING number",
    );
    let added = SQL.with([
        new.person.into(),
        new.kind.as_str().into(),
        new.version.into(),
        new.language.into(),
        new.given.into(),
        new.origin.into(),
        new.now.into(),
    ]);
    let rows = database.batch(vec![added]).await?;
    Ok(rows.first().is_some_and(|rows| !rows.is_empty()))
}

pub struct OwnChoice {
    pub given: bool,
    pub version: i64,
    pub language: PageLanguage,
    pub digest: Vec<u8>,
    pub at: Timestamp,
}

pub struct OwnRow {
    pub kind: ConsentKind,
    /// The newest.
    pub version: i64,
    pub required: bool,
    pub choice: Option<OwnChoice>,
}

/// What is asked, with the person's last choice.
pub async fn list_own(database: &TenantDatabase<'_>, person: UserId) -> Result<Vec<OwnRow>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT asked.kind, asked.version, asked.required, consent.given, consent.version AS chosen, \
         consent.language, consent.digest, consent.at FROM \
         (SELECT kind, max(version) AS version, required FROM consent_text WHERE tenant_id = ?1 GROUP BY kind) AS asked \
         LEFT JOIN consent ON consent.tenant_id = ?1 AND consent.person_id = ?2 AND consent.kind = asked.kind \
         AND consent.number = (SELECT max(number) FROM consent AS newer \
         WHERE newer.tenant_id = ?1 AND newer.person_id = ?2 AND newer.kind = asked.kind) ORDER BY asked.kind",
    );
    let rows = database.rows(SQL.with([person.into()])).await?;
    rows.iter()
        .map(|row| {
            let choice = match row.optional_integer(3)? {
                Some(given) => Some(OwnChoice {
                    given: given != 0,
                    version: row.integer(4)?,
                    language: row.parse(5)?,
                    digest: row.blob(6)?.to_vec(),
                    at: row.timestamp(7)?,
                }),
                None => None,
            };
            Ok(OwnRow { kind: row.parse(0)?, version: row.integer(1)?, required: row.boolean(2)?, choice })
        })
        .collect()
}
