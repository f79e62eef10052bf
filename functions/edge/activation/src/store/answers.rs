//! Answers that are given again.

use akademi_api::idempotency::StoredResponse;
use akademi_domain::{ids::UserId, time::Timestamp};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement};

/// Whose `Idempotency-Key`, and for what: on another route, or another person's, it is another key.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub person: UserId,
    pub route: &'a str,
    pub key: &'a str,
}

/// What a request with that key was answered, and the fingerprint of its body.
pub async fn find_answer(
    database: &TenantDatabase<'_>,
    scope: Scope<'_>,
) -> Result<Option<(Vec<u8>, StoredResponse)>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT fingerprint, status, headers, body FROM idempotency \
         WHERE tenant_id = ?1 AND person_id = ?2 AND route = ?3 AND key = ?4",
    );
    let row = database.row(SQL.with([scope.person.into(), scope.route.into(), scope.key.into()])).await?;
    row.map(|row| {
        let broken = |error: serde_json::Error| StoreError::Engine(error.to_string());
        let response = StoredResponse {
            status: u16::try_from(row.integer(1)?).unwrap_or_default(),
            headers: serde_json::from_str(row.text(2)?).map_err(broken)?,
            body: row.blob(3)?.to_vec(),
        };
        Ok((row.blob(0)?.to_vec(), response))
    })
    .transpose()
}

/// Keeps an answer; refused, and with it the batch, when there is one under that key.
pub fn insert_answer(
    scope: Scope<'_>,
    fingerprint: &[u8; 32],
    response: &StoredResponse,
    now: Timestamp,
) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO idempotency (tenant_id, person_id, route, key, fingerprint, status, headers, body, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    );
    SQL.with([
        scope.person.into(),
        scope.route.into(),
        scope.key.into(),
        fingerprint.as_slice().into(),
        u32::from(response.status).into(),
        serde_json::json!(response.headers).to_string().into(),
        response.body.as_slice().into(),
        now.into(),
    ])
}
