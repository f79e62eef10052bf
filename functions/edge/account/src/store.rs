//! The function's SQL: one function a statement.

use akademi_api::paging::Cursor;
use akademi_domain::{
    ids::{SessionId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement};

/// Staff's next search finds them by the new name.
pub fn update_profile(person: UserId, profile: &[u8]) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE person SET profile = ?3, version = version + 1, name_indexed = 0 WHERE tenant_id = ?1 AND id = ?2",
    );
    SQL.with([person.into(), profile.into()])
}

/// What the name was found by.
pub fn forget_name(person: UserId) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM person_name_prefix WHERE tenant_id = ?1 AND person_id = ?2");
    SQL.with([person.into()])
}

/// The sealed secret, or none, and the step of the code that it was confirmed with.
pub fn set_totp(person: UserId, secret: Option<&[u8]>, step: i64) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE person SET totp_secret = ?3, totp_step = ?4, version = version + 1 WHERE tenant_id = ?1 AND id = ?2",
    );
    SQL.with([person.into(), secret.map(<[u8]>::to_vec).into(), step.into()])
}

pub fn insert_recovery_code(person: UserId, hash: &[u8; 32]) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("INSERT INTO recovery_code (tenant_id, person_id, hash) VALUES (?1, ?2, ?3)");
    SQL.with([person.into(), hash.as_slice().into()])
}

pub fn delete_recovery_codes(person: UserId) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM recovery_code WHERE tenant_id = ?1 AND person_id = ?2");
    SQL.with([person.into()])
}
/// The person has proved on that device who they are.
pub fn set_authenticated(session: SessionId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "UPDATE session SET authenticated_at = ?3 WHERE tenant_id = ?1 AND id = ?2 AND revoked_at IS NULL",
    );
    SQL.with([session.into(), now.into()])
}

pub struct ListedSession {
    pub id: SessionId,
    pub device: String,
    pub country: Option<String>,
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
        "SELECT id, device, created_at, rotated_at, country FROM session \
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
                country: row.optional_text(4)?.map(str::to_owned),
            })
        })
        .collect()
}

/// Whether it is a session of that person.
pub async fn is_session_of(
    database: &TenantDatabase<'_>,
    session: SessionId,
    person: UserId,
) -> Result<bool, StoreError> {
    const SQL: TenantSql =
        TenantSql::new("SELECT 1 AS found FROM session WHERE tenant_id = ?1 AND id = ?2 AND person_id = ?3");
    Ok(database.row(SQL.with([session.into(), person.into()])).await?.is_some())
}
