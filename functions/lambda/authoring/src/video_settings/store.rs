//! The settings' SQL: one function a statement.

use akademi_domain::time::Timestamp;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row;

/// Whether videos are encrypted, and when that was said.
pub async fn find_settings(tx: &mut TenantTransaction) -> Result<Option<(bool, Timestamp)>, StoreError> {
    let row = sqlx::query("SELECT encrypted, updated_at FROM video_settings WHERE tenant_id = $1")
        .bind(tx.tenant().as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| Ok((row.try_get("encrypted")?, Timestamp::from_millis(row.try_get("updated_at")?))))
        .transpose()
}

/// Whether videos are encrypted so far; nobody else says so before this transaction ends.
pub async fn lock_settings(tx: &mut TenantTransaction, now: Timestamp) -> Result<bool, StoreError> {
    let encrypted = sqlx::query_scalar(
        "INSERT INTO video_settings (tenant_id, encrypted, updated_at) VALUES ($1, false, $2)
         ON CONFLICT (tenant_id) DO UPDATE SET updated_at = excluded.updated_at RETURNING encrypted",
    )
    .bind(tx.tenant().as_uuid())
    .bind(now.as_millis())
    .fetch_one(tx.connection())
    .await?;
    Ok(encrypted)
}

pub async fn set_encrypted(tx: &mut TenantTransaction, encrypted: bool) -> Result<(), StoreError> {
    sqlx::query("UPDATE video_settings SET encrypted = $2 WHERE tenant_id = $1")
        .bind(tx.tenant().as_uuid())
        .bind(encrypted)
        .execute(tx.connection())
        .await?;
    Ok(())
}
