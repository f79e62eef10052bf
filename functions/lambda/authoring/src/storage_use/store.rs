//! The meter's SQL: one function a statement.

use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row;

/// Bytes.
pub struct Stored {
    pub used: u64,
    pub files: u64,
    pub playback: u64,
    pub uploads: u64,
    pub pictures: u64,
    pub limit: Option<u64>,
}

/// What the academy stores; nothing before its first file.
pub async fn find_storage_use(tx: &mut TenantTransaction) -> Result<Stored, StoreError> {
    let row = sqlx::query(
        "SELECT COALESCE(sum(files), 0)::bigint AS files, COALESCE(sum(playback), 0)::bigint AS playback,
                COALESCE(sum(uploads), 0)::bigint AS uploads, COALESCE(sum(pictures), 0)::bigint AS pictures,
                COALESCE(sum(bytes), 0)::bigint AS used,
                (SELECT storage_limit FROM tenant WHERE id = $1) AS storage_limit
         FROM storage_use WHERE tenant_id = $1",
    )
    .bind(tx.tenant().as_uuid())
    .fetch_one(tx.connection())
    .await?;
    // The schema lets nothing below zero in.
    let bytes = |column| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
    Ok(Stored {
        used: bytes("used")?,
        files: bytes("files")?,
        playback: bytes("playback")?,
        uploads: bytes("uploads")?,
        pictures: bytes("pictures")?,
        limit: row.try_get::<Option<i64>, _>("storage_limit")?.map(i64::cast_unsigned),
    })
}
