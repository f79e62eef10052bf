//! How an academy invoices, and the keys of its years.

use akademi_domain::time::Timestamp;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row;

/// The sealed settings, and since when they are so.
pub async fn find_settings(tx: &mut TenantTransaction) -> Result<Option<(Vec<u8>, Timestamp)>, StoreError> {
    let row = sqlx::query("SELECT sealed_settings, updated_at FROM invoice_settings WHERE tenant_id = $1")
        .bind(tx.tenant().as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| Ok((row.try_get("sealed_settings")?, Timestamp::from_millis(row.try_get("updated_at")?))))
        .transpose()
}

pub async fn save_settings(
    tx: &mut TenantTransaction,
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO invoice_settings (tenant_id, sealed_settings, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id) DO UPDATE
         SET sealed_settings = excluded.sealed_settings, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(sealed)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The sealed key of a year.
pub async fn find_key(tx: &mut TenantTransaction, year: u16) -> Result<Option<Vec<u8>>, StoreError> {
    let sealed = sqlx::query_scalar("SELECT sealed_key FROM invoice_key WHERE tenant_id = $1 AND year = $2")
        .bind(tx.tenant().as_uuid())
        .bind(i32::from(year))
        .fetch_optional(tx.connection())
        .await?;
    Ok(sealed)
}

/// Keeps this key unless the year has one; the one that it has, then.
pub async fn keep_key(
    tx: &mut TenantTransaction,
    year: u16,
    sealed: &[u8],
    year_ended_at: Timestamp,
) -> Result<Vec<u8>, StoreError> {
    insert_key(tx, year, sealed, year_ended_at).await?;
    let kept = find_key(tx, year).await?;
    kept.ok_or(StoreError::Internal(sqlx::Error::RowNotFound))
}

/// Waits for a transaction that has just inserted it.
async fn insert_key(
    tx: &mut TenantTransaction,
    year: u16,
    sealed: &[u8],
    year_ended_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO invoice_key (tenant_id, year, sealed_key, year_ended_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(i32::from(year))
    .bind(sealed)
    .bind(year_ended_at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}
