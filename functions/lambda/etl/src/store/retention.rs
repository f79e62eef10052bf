//! Who was erased.

use akademi_domain::{ids::UserId, time::Timestamp};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row;

/// Whom the edge must not bring back, and when they were erased.
pub async fn erased_since(
    tx: &mut TenantTransaction,
    since: Timestamp,
) -> Result<Vec<(UserId, Timestamp)>, StoreError> {
    let rows = sqlx::query(
        "SELECT person_id, erased_at FROM tombstone WHERE tenant_id = $1 AND erased_at > $2 ORDER BY erased_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(since.as_millis())
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let at = Timestamp::from_millis(row.try_get("erased_at")?);
            Ok((UserId::from_uuid(row.try_get("person_id")?), at))
        })
        .collect()
}
