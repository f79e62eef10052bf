//! Attempts to pay.

use akademi_domain::{
    ids::{OrderId, PaymentId},
    money::Money,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row;

use super::money;
use crate::provider::{BegunAttempt, Reference};

/// An attempt to pay an order.
pub struct Payment {
    pub id: PaymentId,
    /// `begun`, `abandoned`, `captured`, `failed`, `refund_due` or `refunded`.
    pub state: String,
    /// The provider's name.
    pub provider: String,
    /// What was asked.
    pub amount: Money,
    /// What the provider calls the attempt, where it gave a name.
    pub provider_reference: Option<String>,
    /// Whether the order has no newer attempt.
    pub is_latest: bool,
}

impl Payment {
    /// As the provider is asked about it.
    pub fn attempt(&self) -> BegunAttempt {
        BegunAttempt {
            reference: Reference::from(self.id),
            provider_reference: self.provider_reference.clone(),
        }
    }
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

/// The provider's page of an attempt, and the provider's name for it.
pub async fn save_page(
    tx: &mut TenantTransaction,
    id: PaymentId,
    page: &str,
    provider_reference: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE payment SET page = $3, provider_reference = $4, updated_at = $5 WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(page)
    .bind(provider_reference)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What this provider calls an attempt of ours; `None` if there is no such attempt there.
pub async fn find_begun_attempt(
    tx: &mut TenantTransaction,
    provider: &str,
    id: PaymentId,
) -> Result<Option<BegunAttempt>, StoreError> {
    let provider_reference: Option<Option<String>> = sqlx::query_scalar(
        "SELECT provider_reference FROM payment WHERE tenant_id = $1 AND id = $2 AND provider = $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(provider)
    .fetch_optional(tx.connection())
    .await?;
    Ok(provider_reference
        .map(|provider_reference| BegunAttempt { reference: Reference::from(id), provider_reference }))
}

/// The order's attempt that its provider calls by one of these names, and that provider.
pub async fn find_attempt_of_return(
    tx: &mut TenantTransaction,
    order: OrderId,
    names: &[String],
) -> Result<Option<(String, BegunAttempt)>, StoreError> {
    let row = sqlx::query(
        "SELECT id, provider, provider_reference FROM payment
         WHERE tenant_id = $1 AND order_id = $2 AND provider_reference = ANY ($3)
         ORDER BY created_at DESC, id DESC LIMIT 1",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .bind(names)
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        let reference = Reference::from(PaymentId::from_uuid(row.try_get("id")?));
        let provider_reference = row.try_get("provider_reference")?;
        Ok((row.try_get("provider")?, BegunAttempt { reference, provider_reference }))
    })
    .transpose()
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
        "SELECT state, provider, provider_reference, amount, currency, NOT EXISTS (
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
            provider_reference: row.try_get("provider_reference")?,
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

/// Takes an attempt that is to be asked about, so that nobody else does before the next time; whether it was.
pub async fn claim_ask(
    tx: &mut TenantTransaction,
    id: PaymentId,
    again_before: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let claimed = sqlx::query(
        "UPDATE payment SET asks = asks + 1, asked_at = $4
         WHERE tenant_id = $1 AND id = $2 AND state IN ('begun', 'abandoned') AND (asked_at IS NULL OR asked_at <= $3)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(again_before.as_millis())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(claimed.rows_affected() == 1)
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
