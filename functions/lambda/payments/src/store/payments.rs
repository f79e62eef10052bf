//! Attempts to pay, callbacks, alarms.

use akademi_domain::{
    ids::{OrderId, PaymentId},
    money::Money,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row;

use super::money;

/// An attempt to pay an order.
pub struct Payment {
    pub id: PaymentId,
    /// `begun`, `abandoned`, `captured`, `failed`, `refund_due` or `refunded`.
    pub state: String,
    /// The provider's name.
    pub provider: String,
    /// What was asked.
    pub amount: Money,
    /// Whether the order has no newer attempt.
    pub is_latest: bool,
}

pub async fn insert_payment(
    tx: &mut TenantTransaction,
    id: PaymentId,
    order: OrderId,
    provider: &str,
    amount: Money,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payment (tenant_id, id, order_id, provider, state, amount, currency, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'begun', $5, $6, $7, $7)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(order.as_uuid())
    .bind(provider)
    .bind(amount.amount)
    .bind(amount.currency.code())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The provider's page of an attempt.
pub async fn save_page(
    tx: &mut TenantTransaction,
    id: PaymentId,
    page: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE payment SET page = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .bind(page)
        .bind(now.as_millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// An attempt whose page was not had. One that was captured nevertheless stays so.
pub async fn abandon_payment(
    tx: &mut TenantTransaction,
    id: PaymentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE payment SET state = 'abandoned', updated_at = $3
         WHERE tenant_id = $1 AND id = $2 AND state = 'begun'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The page where a pending order's newest attempt is paid.
pub async fn find_page(tx: &mut TenantTransaction, order: OrderId) -> Result<Option<String>, StoreError> {
    let page: Option<Option<String>> = sqlx::query_scalar(
        "SELECT page FROM payment WHERE tenant_id = $1 AND order_id = $2 AND state = 'begun'
         ORDER BY created_at DESC, id DESC LIMIT 1",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(page.flatten())
}

/// The order that an attempt at this provider is for.
pub async fn find_order_of_payment(
    tx: &mut TenantTransaction,
    provider: &str,
    id: PaymentId,
) -> Result<Option<OrderId>, StoreError> {
    let order: Option<uuid::Uuid> =
        sqlx::query_scalar("SELECT order_id FROM payment WHERE tenant_id = $1 AND id = $2 AND provider = $3")
            .bind(tx.tenant().as_uuid())
            .bind(id.as_uuid())
            .bind(provider)
            .fetch_optional(tx.connection())
            .await?;
    Ok(order.map(OrderId::from_uuid))
}

/// An attempt; after its order was locked, so that nobody else changes it.
pub async fn find_payment(tx: &mut TenantTransaction, id: PaymentId) -> Result<Option<Payment>, StoreError> {
    let row = sqlx::query(
        "SELECT state, provider, amount, currency, NOT EXISTS (
             SELECT FROM payment AS newer
             WHERE newer.tenant_id = $1 AND newer.order_id = payment.order_id
               AND (newer.created_at, newer.id) > (payment.created_at, payment.id)) AS is_latest
         FROM payment WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(Payment {
            id,
            state: row.try_get("state")?,
            provider: row.try_get("provider")?,
            amount: money(&row, "amount")?,
            is_latest: row.try_get("is_latest")?,
        })
    })
    .transpose()
}

/// An attempt to pay as staff sees it.
pub struct Attempt {
    pub id: PaymentId,
    pub provider: String,
    pub state: String,
    pub amount: Money,
    /// Why nothing was taken, in the provider's words.
    pub failure: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The attempts to pay an order, the newest first.
pub async fn list_payments(tx: &mut TenantTransaction, order: OrderId) -> Result<Vec<Attempt>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, provider, state, amount, currency, failure_message, created_at, updated_at FROM payment
         WHERE tenant_id = $1 AND order_id = $2 ORDER BY created_at DESC, id DESC",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Attempt {
                id: PaymentId::from_uuid(row.try_get("id")?),
                provider: row.try_get("provider")?,
                state: row.try_get("state")?,
                amount: money(row, "amount")?,
                failure: row.try_get("failure_message")?,
                created_at: Timestamp::from_millis(row.try_get("created_at")?),
                updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
            })
        })
        .collect()
}

/// Stores that money was taken: `captured`, or `refund_due` if it must go back. `total_paid` in minor units.
pub async fn save_capture(
    tx: &mut TenantTransaction,
    id: PaymentId,
    state: &str,
    total_paid: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE payment SET state = $3, total_paid = $4, updated_at = $5 WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(state)
    .bind(total_paid)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Stores that all of a payment went back.
pub async fn save_payment_refunded(
    tx: &mut TenantTransaction,
    id: PaymentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE payment SET state = 'refunded', updated_at = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .bind(now.as_millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Stores that the provider took nothing, and why, in its words.
pub async fn save_failure(
    tx: &mut TenantTransaction,
    id: PaymentId,
    code: &str,
    message: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE payment SET state = 'failed', failure_code = $3, failure_message = $4, updated_at = $5
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(code)
    .bind(message)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A callback as it came.
pub struct ReceivedCallback<'a> {
    pub provider: &'a str,
    /// SHA-256 of the body.
    pub digest: [u8; 32],
    pub body: &'a [u8],
    /// `verified`, `wrong_signature` or `malformed`.
    pub verification: &'a str,
}

/// Keeps a callback, or counts it if the same has come before.
pub async fn save_callback(
    tx: &mut TenantTransaction,
    callback: &ReceivedCallback<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payment_callback AS known
             (tenant_id, provider, digest, body, verification, first_at, last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)
         ON CONFLICT (tenant_id, provider, digest) DO UPDATE
         SET times = known.times + 1, last_at = excluded.last_at, verification = excluded.verification",
    )
    .bind(tx.tenant().as_uuid())
    .bind(callback.provider)
    .bind(callback.digest.as_slice())
    .bind(callback.body)
    .bind(callback.verification)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What the first of a callback's copies led to.
pub async fn save_callback_outcome(
    tx: &mut TenantTransaction,
    provider: &str,
    digest: &[u8; 32],
    outcome: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE payment_callback SET outcome = $4
         WHERE tenant_id = $1 AND provider = $2 AND digest = $3 AND outcome IS NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(digest.as_slice())
    .bind(outcome)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Something that a person must look at; once for each subject.
pub async fn raise_alarm(
    tx: &mut TenantTransaction,
    kind: &str,
    subject: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payment_alarm (tenant_id, kind, subject, raised_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(kind)
    .bind(subject)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}
