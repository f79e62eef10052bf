//! The function's SQL: one function a statement.

use akademi_domain::{
    ids::{PasskeyId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{Row, StoreError, TenantDatabase, TenantSql, TenantStatement};
use akademi_identity::{Granted, roles_of_person};
use serde_json::Value;

use crate::ceremony::Purpose;

/// How many passkeys somebody has at most.
pub const MAX_PASSKEYS: usize = 20;

pub fn insert_challenge(hash: &[u8; 32], purpose: Purpose, expires_at: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO passkey_challenge (tenant_id, challenge, person_id, expires_at) VALUES (?1, ?2, ?3, ?4)",
    );
    SQL.with([hash.as_slice().into(), purpose.person().into(), expires_at.into()])
}

/// Those whose time is over.
pub fn forget_expired(now: Timestamp) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM passkey_challenge WHERE tenant_id = ?1 AND expires_at <= ?2");
    SQL.with([now.into()])
}

pub fn forget_challenges_of(person: UserId) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM passkey_challenge WHERE tenant_id = ?1 AND person_id = ?2");
    SQL.with([person.into()])
}

/// A batch's condition: it waits for this.
pub fn challenge_waits(hash: &[u8; 32], purpose: Purpose, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM passkey_challenge \
         WHERE tenant_id = ?1 AND challenge = ?2 AND person_id IS ?3 AND expires_at > ?4))",
    );
    SQL.with([hash.as_slice().into(), purpose.person().into(), now.into()])
}

pub fn delete_challenge(hash: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM passkey_challenge WHERE tenant_id = ?1 AND challenge = ?2");
    SQL.with([hash.as_slice().into()])
}

/// A passkey as its owner's list has it.
pub struct Kept {
    pub id: PasskeyId,
    pub host: String,
    pub credential_id: Vec<u8>,
    pub name: Vec<u8>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// Oldest first; somebody has few.
pub async fn list_passkeys(database: &TenantDatabase<'_>, person: UserId) -> Result<Vec<Kept>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, host, credential_id, name, created_at, last_used_at FROM passkey \
         WHERE tenant_id = ?1 AND person_id = ?2 ORDER BY created_at, id LIMIT 100",
    );
    let rows = database.rows(SQL.with([person.into()])).await?;
    let kept = |row: &Row| {
        Ok(Kept {
            id: row.parse(0)?,
            host: row.text(1)?.to_owned(),
            credential_id: row.blob(2)?.to_vec(),
            name: row.blob(3)?.to_vec(),
            created_at: row.timestamp(4)?,
            last_used_at: row.optional_timestamp(5)?,
        })
    };
    rows.iter().map(kept).collect()
}

/// A batch's condition: the person has fewer than [`MAX_PASSKEYS`].
pub fn has_room(person: UserId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE \
         (SELECT count(*) FROM passkey WHERE tenant_id = ?1 AND person_id = ?2) < ?3))",
    );
    SQL.with([person.into(), (MAX_PASSKEYS as i64).into()])
}

pub struct NewPasskey<'a> {
    pub id: PasskeyId,
    pub person: UserId,
    pub host: &'a str,
    pub credential_id: &'a [u8],
    pub public_key: &'a Value,
    pub counter: u32,
    /// Sealed.
    pub name: &'a [u8],
    pub now: Timestamp,
}

pub fn insert_passkey(new: NewPasskey<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO passkey (tenant_id, id, person_id, host, credential_id, public_key, counter, name, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    );
    SQL.with([
        new.id.into(),
        new.person.into(),
        new.host.into(),
        new.credential_id.into(),
        new.public_key.to_string().into(),
        i64::from(new.counter).into(),
        new.name.into(),
        new.now.into(),
    ])
}

pub fn delete_passkey(person: UserId, passkey: PasskeyId) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM passkey WHERE tenant_id = ?1 AND person_id = ?2 AND id = ?3");
    SQL.with([person.into(), passkey.into()])
}

/// A passkey that somebody wants to sign in with, and whose it is.
pub struct Found {
    pub passkey: PasskeyId,
    pub person: UserId,
    pub active: bool,
    pub wrapped_key: Vec<u8>,
    pub public_key: Value,
    pub counter: i64,
    pub granted: Granted,
}

pub async fn find_passkey(
    database: &TenantDatabase<'_>,
    credential_id: &[u8],
    host: &str,
) -> Result<Option<Found>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        "SELECT passkey.id, person.id, state = 'active' AS active, wrapped, public_key, counter, ",
        roles_of_person!(),
        " FROM passkey \
         JOIN person ON person.tenant_id = passkey.tenant_id AND person.id = passkey.person_id \
         JOIN person_key ON person_key.tenant_id = person.tenant_id AND person_key.person_id = person.id \
         WHERE passkey.tenant_id = ?1 AND credential_id = ?2 AND host = ?3",
    ));
    let row = database.row(SQL.with([credential_id.into(), host.into()])).await?;
    row.map(|row| {
        Ok(Found {
            passkey: row.parse(0)?,
            person: row.parse(1)?,
            active: row.boolean(2)?,
            wrapped_key: row.blob(3)?.to_vec(),
            public_key: serde_json::from_str(row.text(4)?)
                .map_err(|error| StoreError::Engine(error.to_string()))?,
            counter: row.integer(5)?,
            granted: Granted::read(&row, 6)?,
        })
    })
    .transpose()
}

/// A batch's condition: it has signed nothing since it was read.
pub fn has_counted(passkey: PasskeyId, counter: i64) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM passkey \
         WHERE tenant_id = ?1 AND id = ?2 AND counter = ?3))",
    );
    SQL.with([passkey.into(), counter.into()])
}

pub fn set_used(passkey: PasskeyId, public_key: &Value, counter: u32, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE passkey SET public_key = ?3, counter = ?4, last_used_at = ?5 WHERE tenant_id = ?1 AND id = ?2",
    );
    SQL.with([passkey.into(), public_key.to_string().into(), i64::from(counter).into(), now.into()])
}
