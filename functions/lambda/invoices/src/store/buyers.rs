//! Whose order it is, and whom its invoice names.

use akademi_domain::{
    ids::{OrderId, UserId},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};

/// Sealed bytes of a person, and the person's key as this plane wraps it.
pub struct Sealed {
    pub bytes: Vec<u8>,
    pub wrapped_key: Vec<u8>,
}

fn sealed(row: PgRow) -> Result<Sealed, StoreError> {
    Ok(Sealed { bytes: row.try_get("sealed")?, wrapped_key: row.try_get("wrapped")? })
}

pub async fn owns_order(
    tx: &mut TenantTransaction,
    person: UserId,
    order: OrderId,
) -> Result<bool, StoreError> {
    let owns = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM customer_order WHERE tenant_id = $1 AND id = $2 AND user_id = $3)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .bind(person.as_uuid())
    .fetch_one(tx.connection())
    .await?;
    Ok(owns)
}

/// Whether it is this person's order, which nobody else changes then before the transaction ends.
pub async fn lock_own_order(
    tx: &mut TenantTransaction,
    person: UserId,
    order: OrderId,
) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM customer_order WHERE tenant_id = $1 AND id = $2 AND user_id = $3 FOR UPDATE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .bind(person.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.is_some())
}

/// A person's profile, unless the person was erased.
pub async fn find_profile(tx: &mut TenantTransaction, person: UserId) -> Result<Option<Sealed>, StoreError> {
    let row = sqlx::query(
        "SELECT sealed_profile AS sealed, wrapped FROM person
         JOIN person_key ON person_key.tenant_id = $1 AND person_key.user_id = person.id
         WHERE person.tenant_id = $1 AND person.id = $2 AND sealed_profile IS NOT NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(sealed).transpose()
}

/// Where the academy's people reach it, and in which language it writes.
pub struct Site {
    pub host: String,
    pub locale: String,
}

/// `None` for an academy that has no host.
pub async fn find_site(tx: &mut TenantTransaction) -> Result<Option<Site>, StoreError> {
    let row = sqlx::query("SELECT domains[1] AS host, locale FROM tenant WHERE id = $1 AND domains <> '{}'")
        .bind(tx.tenant().as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| Ok(Site { host: row.try_get("host")?, locale: row.try_get("locale")? })).transpose()
}

pub async fn find_wrapped_key(
    tx: &mut TenantTransaction,
    person: UserId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let wrapped = sqlx::query_scalar("SELECT wrapped FROM person_key WHERE tenant_id = $1 AND user_id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(person.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    Ok(wrapped)
}

/// Whom the buyer of an order named, unless the buyer was erased.
pub async fn find_details(
    tx: &mut TenantTransaction,
    person: UserId,
    order: OrderId,
) -> Result<Option<Sealed>, StoreError> {
    let row = sqlx::query(
        "SELECT sealed_details AS sealed, wrapped FROM invoice_details
         JOIN person_key ON person_key.tenant_id = $1 AND person_key.user_id = $2
         WHERE invoice_details.tenant_id = $1 AND order_id = $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .bind(order.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(sealed).transpose()
}

pub async fn save_details(
    tx: &mut TenantTransaction,
    order: OrderId,
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO invoice_details (tenant_id, order_id, sealed_details, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, order_id) DO UPDATE
         SET sealed_details = excluded.sealed_details, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .bind(sealed)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn delete_details(tx: &mut TenantTransaction, order: OrderId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM invoice_details WHERE tenant_id = $1 AND order_id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(order.as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}
