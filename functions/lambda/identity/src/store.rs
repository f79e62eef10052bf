//! The function's SQL: one function a statement.

use akademi_domain::time::Timestamp;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};

pub struct StoredProvider {
    pub id: String,
    pub name: String,
    pub sealed_settings: Vec<u8>,
    pub updated_at: Timestamp,
}

fn stored(row: &PgRow) -> Result<StoredProvider, StoreError> {
    Ok(StoredProvider {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        sealed_settings: row.try_get("sealed_settings")?,
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
    })
}

pub async fn find_provider(
    tx: &mut TenantTransaction,
    id: &str,
) -> Result<Option<StoredProvider>, StoreError> {
    let row = sqlx::query(
        "SELECT id, name, sealed_settings, updated_at FROM identity_provider WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id)
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(stored).transpose()
}

/// By name; an academy has few.
pub async fn list_providers(tx: &mut TenantTransaction) -> Result<Vec<StoredProvider>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, name, sealed_settings, updated_at FROM identity_provider WHERE tenant_id = $1 ORDER BY name, id",
    )
    .bind(tx.tenant().as_uuid())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(stored).collect()
}

pub async fn save_provider(
    tx: &mut TenantTransaction,
    id: &str,
    name: &str,
    sealed_settings: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO identity_provider (tenant_id, id, name, sealed_settings, updated_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, id) DO UPDATE
         SET name = excluded.name, sealed_settings = excluded.sealed_settings, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id)
    .bind(name)
    .bind(sealed_settings)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn delete_provider(tx: &mut TenantTransaction, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM identity_provider WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(id)
        .execute(tx.connection())
        .await?;
    Ok(())
}
