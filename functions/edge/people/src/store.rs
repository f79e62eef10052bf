//! The function's SQL: one function a statement.

mod imports;
mod names;

pub use imports::*;
pub use names::*;

use akademi_api::paging::Cursor;
use akademi_domain::{
    ids::{RoleId, SessionId, UserId},
    permission::Permissions,
    time::Timestamp,
};
use akademi_edge_store::{MAX_INTEGER, Row, StoreError, TenantDatabase, TenantSql, TenantStatement};
use akademi_identity::{Granted, roles_of_person};
use serde::{Deserialize, Serialize};

/// Whether somebody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Active,
    Suspended,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// A person as the store has it.
pub struct Found {
    pub id: UserId,
    pub profile: Vec<u8>,
    pub wrapped_key: Vec<u8>,
    pub state: State,
    pub has_second_factor: bool,
    pub created_at: Timestamp,
    pub last_seen_at: Option<Timestamp>,
    pub granted: Granted,
}

macro_rules! person_columns {
    () => {
        concat!(
            "SELECT person.id, profile, wrapped, state = 'active' AS active, totp_secret IS NOT NULL AS second, \
             person.created_at, (SELECT max(rotated_at) FROM session WHERE session.tenant_id = person.tenant_id \
             AND session.person_id = person.id) AS seen, ",
            roles_of_person!(),
            " FROM person \
             JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_key.person_id = person.id ",
        )
    };
}

fn found(row: &Row) -> Result<Found, StoreError> {
    Ok(Found {
        id: row.parse(0)?,
        profile: row.blob(1)?.to_vec(),
        wrapped_key: row.blob(2)?.to_vec(),
        state: if row.boolean(3)? { State::Active } else { State::Suspended },
        has_second_factor: row.boolean(4)?,
        created_at: row.timestamp(5)?,
        last_seen_at: row.optional_timestamp(6)?,
        granted: Granted::read(row, 7)?,
    })
}

pub async fn find_person(database: &TenantDatabase<'_>, person: UserId) -> Result<Option<Found>, StoreError> {
    const SQL: TenantSql =
        TenantSql::new(concat!(person_columns!(), "WHERE person.tenant_id = ?1 AND person.id = ?2"));
    database.row(SQL.with([person.into()])).await?.map(|row| found(&row)).transpose()
}

/// Who has this address.
pub async fn find_by_email(
    database: &TenantDatabase<'_>,
    email_lookup: &[u8; 32],
) -> Result<Option<Found>, StoreError> {
    const SQL: TenantSql =
        TenantSql::new(concat!(person_columns!(), "WHERE person.tenant_id = ?1 AND email_lookup = ?2"));
    database.row(SQL.with([email_lookup.as_slice().into()])).await?.map(|row| found(&row)).transpose()
}

/// Those with a role, in a state.
pub struct Wanted<'a> {
    /// Any without one.
    pub role: Option<&'a str>,
    /// Any without one.
    pub state: Option<State>,
}

/// What [`Wanted`] asks: the state is `?2`, the role `?3`.
macro_rules! wanted {
    () => {
        "(?2 IS NULL OR state = ?2) \
         AND (?3 IS NULL OR EXISTS (SELECT 1 FROM role_assignment WHERE role_assignment.tenant_id = person.tenant_id \
         AND role_assignment.person_id = person.id AND role_assignment.role = ?3)) "
    };
}

/// People after this place, newest first.
pub async fn list_people(
    database: &TenantDatabase<'_>,
    wanted: &Wanted<'_>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Found>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        person_columns!(),
        "WHERE person.tenant_id = ?1 AND ",
        wanted!(),
        "AND (created_at, person.id) < (?4, ?5) ORDER BY created_at DESC, person.id DESC LIMIT ?6",
    ));
    let after = after.unwrap_or(Cursor { key: MAX_INTEGER, id: String::new() });
    let rows = database
        .rows(SQL.with([
            wanted.state.map(State::name).into(),
            wanted.role.map(str::to_owned).into(),
            after.key.into(),
            after.id.into(),
            limit.into(),
        ]))
        .await?;
    rows.iter().map(found).collect()
}

/// People after this place, newest first, whose names have words that begin so: one to three numbers of the index.
pub async fn find_by_name(
    database: &TenantDatabase<'_>,
    prefixes: &[i64],
    wanted: &Wanted<'_>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Found>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        person_columns!(),
        "JOIN person_name_prefix AS named ON named.tenant_id = person.tenant_id AND named.person_id = person.id \
         WHERE person.tenant_id = ?1 AND ",
        wanted!(),
        "AND named.tenant_id = ?1 AND named.prefix = ?4 AND (named.created_at, named.person_id) < (?7, ?8) \
         AND (?5 IS NULL OR EXISTS (SELECT 1 FROM person_name_prefix AS second WHERE second.tenant_id = ?1 \
         AND second.prefix = ?5 AND second.created_at = named.created_at AND second.person_id = named.person_id)) \
         AND (?6 IS NULL OR EXISTS (SELECT 1 FROM person_name_prefix AS third WHERE third.tenant_id = ?1 \
         AND third.prefix = ?6 AND third.created_at = named.created_at AND third.person_id = named.person_id)) \
         ORDER BY named.created_at DESC, named.person_id DESC LIMIT ?9",
    ));
    let after = after.unwrap_or(Cursor { key: MAX_INTEGER, id: String::new() });
    let prefix = |place: usize| prefixes.get(place).copied().into();
    let rows = database
        .rows(SQL.with([
            wanted.state.map(State::name).into(),
            wanted.role.map(str::to_owned).into(),
            prefix(0),
            prefix(1),
            prefix(2),
            after.key.into(),
            after.id.into(),
            limit.into(),
        ]))
        .await?;
    rows.iter().map(found).collect()
}

pub fn take_roles(person: UserId) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM role_assignment WHERE tenant_id = ?1 AND person_id = ?2");
    SQL.with([person.into()])
}

/// From the next second on: tokens tell whole seconds, and one of this second may show what was before.
fn next_second(now: Timestamp) -> Timestamp {
    Timestamp::from_millis((now.as_seconds() + 1) * 1000)
}

/// Tokens from before have to be refreshed.
pub fn set_permissions_since(person: UserId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE person SET permissions_since = ?3, version = version + 1 WHERE tenant_id = ?1 AND id = ?2",
    );
    SQL.with([person.into(), next_second(now).into()])
}

/// The same for all who have a role.
pub fn set_permissions_since_of_role(role: RoleId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE person SET permissions_since = ?3, version = version + 1 WHERE tenant_id = ?1 AND id IN \
         (SELECT person_id FROM role_assignment WHERE tenant_id = ?1 AND role = ?2)",
    );
    SQL.with([role.into(), next_second(now).into()])
}

pub fn set_state(person: UserId, state: State) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE person SET state = ?3, version = version + 1 WHERE tenant_id = ?1 AND id = ?2",
    );
    SQL.with([person.into(), state.name().into()])
}

pub struct OwnRole {
    pub id: RoleId,
    pub name: String,
    pub permissions: Permissions,
}

/// The academy's own roles, by name.
pub async fn list_roles(database: &TenantDatabase<'_>) -> Result<Vec<OwnRole>, StoreError> {
    const SQL: TenantSql =
        TenantSql::new("SELECT id, name, permissions FROM role WHERE tenant_id = ?1 ORDER BY name, id");
    let rows = database.rows(SQL.with([])).await?;
    rows.iter()
        .map(|row| {
            let bits = u32::try_from(row.integer(2)?).unwrap_or_default();
            let permissions = Permissions::from_bits(bits).intersection(Permissions::OF_ACADEMIES);
            Ok(OwnRole { id: row.parse(0)?, name: row.text(1)?.to_owned(), permissions })
        })
        .collect()
}

pub fn insert_role(role: &OwnRole, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO role (tenant_id, id, name, permissions, version, created_at) VALUES (?1, ?2, ?3, ?4, 1, ?5)",
    );
    SQL.with([role.id.into(), role.name.as_str().into(), role.permissions.bits().into(), now.into()])
}

pub fn update_role(role: &OwnRole) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE role SET name = ?3, permissions = ?4, version = version + 1 WHERE tenant_id = ?1 AND id = ?2",
    );
    SQL.with([role.id.into(), role.name.as_str().into(), role.permissions.bits().into()])
}

/// The statements that take it from everybody and remove it.
pub fn delete_role(role: RoleId) -> [TenantStatement; 2] {
    const ASSIGNMENTS: TenantSql =
        TenantSql::new("DELETE FROM role_assignment WHERE tenant_id = ?1 AND role = ?2");
    const ROLE: TenantSql = TenantSql::new("DELETE FROM role WHERE tenant_id = ?1 AND id = ?2");
    [ASSIGNMENTS, ROLE].map(|sql| sql.with([role.into()]))
}

pub struct SignInRow {
    pub id: SessionId,
    pub device: String,
    pub country: Option<String>,
    pub at: Timestamp,
    pub last_seen_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

pub async fn list_sign_ins(
    database: &TenantDatabase<'_>,
    person: UserId,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<SignInRow>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, device, country, created_at, rotated_at, revoked_at FROM session \
         WHERE tenant_id = ?1 AND person_id = ?2 AND (rotated_at, id) < (?3, ?4) \
         ORDER BY rotated_at DESC, id DESC LIMIT ?5",
    );
    let after = after.unwrap_or(Cursor { key: MAX_INTEGER, id: String::new() });
    let rows =
        database.rows(SQL.with([person.into(), after.key.into(), after.id.into(), limit.into()])).await?;
    rows.iter()
        .map(|row| {
            Ok(SignInRow {
                id: row.parse(0)?,
                device: row.text(1)?.to_owned(),
                country: row.optional_text(2)?.map(str::to_owned),
                at: row.timestamp(3)?,
                last_seen_at: row.timestamp(4)?,
                ended_at: row.optional_timestamp(5)?,
            })
        })
        .collect()
}
