//! The function's SQL: one function a statement.

use akademi_api::paging::Cursor;
use akademi_domain::{
    identity::SessionFacts,
    ids::{SessionId, UserId},
    permission::Role,
    time::Timestamp,
};
use akademi_edge_store::{Row, StoreError, TenantDatabase, TenantSql, TenantStatement};

use crate::refresh_token::SessionNonce;

pub struct NewPerson<'a> {
    pub id: UserId,
    pub email_lookup: &'a [u8; 32],
    pub profile: &'a [u8],
    pub password_hash: String,
    pub now: Timestamp,
}

pub fn insert_person(new: NewPerson<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, 'active', 1, ?6)",
    );
    SQL.with([
        new.id.into(),
        new.email_lookup.as_slice().into(),
        new.profile.into(),
        new.password_hash.into(),
        new.now.into(),
    ])
}

pub fn insert_person_key(person: UserId, wrapped: &[u8]) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("INSERT INTO person_key (tenant_id, person_id, wrapped) VALUES (?1, ?2, ?3)");
    SQL.with([person.into(), wrapped.into()])
}

pub fn assign_role(person: UserId, role: Role) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO role_assignment (tenant_id, person_id, role) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    );
    SQL.with([person.into(), role.name().into()])
}

/// What sign-in needs of a person.
pub struct Credentials {
    pub id: UserId,
    pub password_hash: String,
    pub active: bool,
    pub roles: Vec<Role>,
}

pub async fn find_credentials(
    database: &TenantDatabase<'_>,
    email_lookup: &[u8; 32],
) -> Result<Option<Credentials>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, password_hash, state = 'active' AS active, \
         (SELECT group_concat(role) FROM role_assignment \
          WHERE role_assignment.tenant_id = person.tenant_id AND person_id = person.id) AS roles \
         FROM person WHERE tenant_id = ?1 AND email_lookup = ?2",
    );
    let row = database.row(SQL.with([email_lookup.as_slice().into()])).await?;
    row.map(|row| {
        Ok(Credentials {
            id: row.parse(0)?,
            password_hash: row.text(1)?.to_owned(),
            active: row.boolean(2)?,
            roles: roles(&row, 3),
        })
    })
    .transpose()
}

/// The column's roles; NULL and unknown names give none.
fn roles(row: &Row, column: usize) -> Vec<Role> {
    row.text(column).map(|names| names.split(',').filter_map(Role::parse).collect()).unwrap_or_default()
}

pub struct Person {
    pub profile: Vec<u8>,
    pub wrapped_key: Vec<u8>,
    pub version: i64,
    pub created_at: Timestamp,
    pub roles: Vec<Role>,
}

pub async fn find_person(
    database: &TenantDatabase<'_>,
    person: UserId,
) -> Result<Option<Person>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT profile, wrapped, version, created_at, \
         (SELECT group_concat(role) FROM role_assignment \
          WHERE role_assignment.tenant_id = person.tenant_id AND person_id = person.id) AS roles \
         FROM person JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_id = person.id \
         WHERE person.tenant_id = ?1 AND person.id = ?2 AND state = 'active'",
    );
    let row = database.row(SQL.with([person.into()])).await?;
    row.map(|row| {
        Ok(Person {
            profile: row.blob(0)?.to_vec(),
            wrapped_key: row.blob(1)?.to_vec(),
            version: row.integer(2)?,
            created_at: row.timestamp(3)?,
            roles: roles(&row, 4),
        })
    })
    .transpose()
}

/// A batch's condition: nobody has changed the person since it was read.
pub fn person_has_version(person: UserId, version: i64) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES \
         ((SELECT 1 FROM person WHERE tenant_id = ?1 AND id = ?2 AND version = ?3))",
    );
    SQL.with([person.into(), version.into()])
}

pub fn update_profile(person: UserId, profile: &[u8]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE person SET profile = ?3, version = version + 1 WHERE tenant_id = ?1 AND id = ?2",
    );
    SQL.with([person.into(), profile.into()])
}

pub struct NewSession<'a> {
    pub id: SessionId,
    pub person: UserId,
    pub nonce: &'a SessionNonce,
    pub device: String,
    pub now: Timestamp,
}

pub fn insert_session(new: NewSession<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at) \
         VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?6)",
    );
    SQL.with([
        new.id.into(),
        new.person.into(),
        new.nonce.as_slice().into(),
        new.device.into(),
        new.now.into(),
    ])
}

pub struct Session {
    pub person: UserId,
    pub nonce: SessionNonce,
    pub facts: SessionFacts,
    pub person_active: bool,
    pub roles: Vec<Role>,
}

pub async fn find_session(
    database: &TenantDatabase<'_>,
    session: SessionId,
) -> Result<Option<Session>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT person_id, nonce, generation, rotated_at, session.created_at AS started_at, \
         revoked_at IS NOT NULL AS revoked, person.state = 'active' AS active, \
         (SELECT group_concat(role) FROM role_assignment \
          WHERE role_assignment.tenant_id = person.tenant_id AND role_assignment.person_id = person.id) AS roles \
         FROM session JOIN person ON person.tenant_id = session.tenant_id AND person.id = session.person_id \
         WHERE session.tenant_id = ?1 AND session.id = ?2",
    );
    let row = database.row(SQL.with([session.into()])).await?;
    row.map(|row| {
        let nonce = row.blob(1)?.try_into().map_err(|_| StoreError::Engine("a nonce has 16 bytes".into()))?;
        Ok(Session {
            person: row.parse(0)?,
            nonce,
            facts: SessionFacts {
                generation: row.integer(2)?,
                rotated_at: row.timestamp(3)?,
                created_at: row.timestamp(4)?,
                revoked: row.boolean(5)?,
            },
            person_active: row.boolean(6)?,
            roles: roles(&row, 7),
        })
    })
    .transpose()
}

/// Moves the session from `generation` to the next, unless somebody else has.
pub async fn rotate_session(
    database: &TenantDatabase<'_>,
    session: SessionId,
    generation: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE session SET generation = generation + 1, rotated_at = ?4 \
         WHERE tenant_id = ?1 AND id = ?2 AND generation = ?3 AND revoked_at IS NULL RETURNING generation",
    );
    let rows = database.batch(vec![SQL.with([session.into(), generation.into(), now.into()])]).await?;
    Ok(rows.first().is_some_and(|rows| !rows.is_empty()))
}

pub fn revoke_session(session: SessionId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE session SET revoked_at = ?3 WHERE tenant_id = ?1 AND id = ?2 AND revoked_at IS NULL",
    );
    SQL.with([session.into(), now.into()])
}

pub struct ListedSession {
    pub id: SessionId,
    pub device: String,
    pub created_at: Timestamp,
    pub rotated_at: Timestamp,
}

pub async fn list_sessions(
    database: &TenantDatabase<'_>,
    person: UserId,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<ListedSession>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, device, created_at, rotated_at FROM session \
         WHERE tenant_id = ?1 AND person_id = ?2 AND revoked_at IS NULL AND (rotated_at, id) < (?3, ?4) \
         ORDER BY rotated_at DESC, id DESC LIMIT ?5",
    );
    let after = after.unwrap_or(Cursor { key: akademi_edge_store::MAX_INTEGER, id: String::new() });
    let rows =
        database.rows(SQL.with([person.into(), after.key.into(), after.id.into(), limit.into()])).await?;
    rows.iter()
        .map(|row| {
            Ok(ListedSession {
                id: row.parse(0)?,
                device: row.text(1)?.to_owned(),
                created_at: row.timestamp(2)?,
                rotated_at: row.timestamp(3)?,
            })
        })
        .collect()
}
