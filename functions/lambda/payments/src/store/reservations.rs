//! Reservations: a part of something that ends is held, then confirmed or released. The ceiling is the database's.

use akademi_domain::time::Timestamp;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use uuid::Uuid;

/// What is reserved from, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Reservation {
    /// `refund`: a payment's money that may go back.
    pub kind: &'static str,
    pub subject: Uuid,
    pub holder: Uuid,
}

/// Makes the budget unless there is one.
pub async fn open_budget(
    tx: &mut TenantTransaction,
    kind: &str,
    subject: Uuid,
    ceiling: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO budget (tenant_id, kind, subject_id, ceiling) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(kind)
    .bind(subject)
    .bind(ceiling)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Holds `amount` for the holder; whether so much was left.
pub async fn hold(
    tx: &mut TenantTransaction,
    of: Reservation,
    amount: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let held = sqlx::query(
        "WITH taken AS (
             UPDATE budget SET held = held + $5
             WHERE tenant_id = $1 AND kind = $2 AND subject_id = $3 AND held + used + $5 <= ceiling
             RETURNING subject_id
         )
         INSERT INTO reservation (tenant_id, kind, subject_id, holder_id, amount, state, updated_at)
         SELECT $1, $2, subject_id, $4, $5, 'held', $6 FROM taken",
    )
    .bind(tx.tenant().as_uuid())
    .bind(of.kind)
    .bind(of.subject)
    .bind(of.holder)
    .bind(amount)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(held.rows_affected() == 1)
}

/// What was held is used for good; how much of the budget is used now. `None` if nothing was held.
pub async fn confirm(
    tx: &mut TenantTransaction,
    of: Reservation,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let used = sqlx::query_scalar(
        "WITH ended AS (
             UPDATE reservation SET state = 'confirmed', updated_at = $5
             WHERE tenant_id = $1 AND kind = $2 AND subject_id = $3 AND holder_id = $4 AND state = 'held'
             RETURNING amount
         )
         UPDATE budget SET held = held - ended.amount, used = used + ended.amount FROM ended
         WHERE tenant_id = $1 AND kind = $2 AND subject_id = $3 RETURNING used",
    )
    .bind(tx.tenant().as_uuid())
    .bind(of.kind)
    .bind(of.subject)
    .bind(of.holder)
    .bind(now.as_millis())
    .fetch_optional(tx.connection())
    .await?;
    Ok(used)
}

/// What was held is free again; whether anything was.
pub async fn release(
    tx: &mut TenantTransaction,
    of: Reservation,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let freed = sqlx::query(
        "WITH ended AS (
             UPDATE reservation SET state = 'released', updated_at = $5
             WHERE tenant_id = $1 AND kind = $2 AND subject_id = $3 AND holder_id = $4 AND state = 'held'
             RETURNING amount
         )
         UPDATE budget SET held = held - ended.amount FROM ended
         WHERE tenant_id = $1 AND kind = $2 AND subject_id = $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(of.kind)
    .bind(of.subject)
    .bind(of.holder)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(freed.rows_affected() == 1)
}
