//! The uploads' SQL: one function a statement.

use akademi_domain::{
    ids::{UploadId, UserId},
    time::Timestamp,
    upload::{FileKind, Parts},
};
use akademi_lambda_store::{error::StoreError, objects::Announced, postgres::TenantTransaction};
use sqlx::Row;
use std::collections::BTreeMap;

pub struct NewUpload<'a> {
    pub id: UploadId,
    pub owner: UserId,
    pub file_name: &'a str,
    pub kind: FileKind,
    pub parts: Parts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadState {
    Open,
    Complete,
}

/// An upload that nobody has given up.
pub struct Upload {
    pub file_name: String,
    pub kind: FileKind,
    pub parts: Parts,
    pub state: UploadState,
    /// Once it is complete.
    pub content_type: Option<String>,
    pub created_at: Timestamp,
}

/// Reserves its bytes.
///
/// # Errors
/// [`StoreError::is_storage_full`] where they are more than the academy may store.
pub async fn insert_upload(
    tx: &mut TenantTransaction,
    new: &NewUpload<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO upload (tenant_id, id, user_id, file_name, kind, bytes, part_bytes, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(new.id.as_uuid())
    .bind(new.owner.as_uuid())
    .bind(new.file_name)
    .bind(new.kind.name())
    .bind(new.parts.bytes().cast_signed())
    .bind(new.parts.part_bytes().cast_signed())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// This person's upload.
pub async fn find_upload(
    tx: &mut TenantTransaction,
    id: UploadId,
    owner: UserId,
) -> Result<Option<Upload>, StoreError> {
    let row = sqlx::query(
        "SELECT file_name, kind, bytes, part_bytes, state, content_type, created_at FROM upload
         WHERE tenant_id = $1 AND id = $2 AND user_id = $3 AND state <> 'given_up'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(owner.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        let kind = row.try_get::<&str, _>("kind")?.parse().map_err(|source| {
            StoreError::Internal(sqlx::Error::ColumnDecode { index: "kind".into(), source: Box::new(source) })
        })?;
        let (bytes, part_bytes) = (row.try_get::<i64, _>("bytes")?, row.try_get::<i64, _>("part_bytes")?);
        let is_complete = row.try_get::<&str, _>("state")? == "complete";
        Ok(Upload {
            file_name: row.try_get("file_name")?,
            kind,
            parts: Parts::new(bytes.cast_unsigned(), part_bytes.cast_unsigned()),
            state: if is_complete { UploadState::Complete } else { UploadState::Open },
            content_type: row.try_get("content_type")?,
            created_at: Timestamp::from_millis(row.try_get("created_at")?),
        })
    })
    .transpose()
}

/// Keeps the checksums of parts that have none yet; of how many.
pub async fn announce_parts(
    tx: &mut TenantTransaction,
    id: UploadId,
    parts: &BTreeMap<u64, Announced>,
) -> Result<u64, StoreError> {
    let kept = sqlx::query(
        "INSERT INTO upload_part (tenant_id, upload_id, number, sha256)
         SELECT $1, $2, sent.* FROM UNNEST($3::bigint[], $4::bytea[]) AS sent ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(parts.keys().map(|number| number.cast_signed()).collect::<Vec<_>>())
    .bind(parts.values().map(|part| part.sha256.as_slice()).collect::<Vec<_>>())
    .execute(tx.connection())
    .await?;
    Ok(kept.rows_affected())
}

/// Whether all of these were announced with these checksums.
pub async fn are_announced(
    tx: &mut TenantTransaction,
    id: UploadId,
    parts: &BTreeMap<u64, Announced>,
) -> Result<bool, StoreError> {
    let as_sent: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM upload_part JOIN UNNEST($3::bigint[], $4::bytea[]) AS sent (number, sha256)
             USING (number, sha256)
         WHERE tenant_id = $1 AND upload_id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(parts.keys().map(|number| number.cast_signed()).collect::<Vec<_>>())
    .bind(parts.values().map(|part| part.sha256.as_slice()).collect::<Vec<_>>())
    .fetch_one(tx.connection())
    .await?;
    Ok(usize::try_from(as_sent).is_ok_and(|count| count == parts.len()))
}

/// Whether it was open until now.
pub async fn complete_upload(
    tx: &mut TenantTransaction,
    id: UploadId,
    content_type: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let completed = sqlx::query(
        "UPDATE upload SET state = 'complete', content_type = $3, completed_at = $4
         WHERE tenant_id = $1 AND id = $2 AND state = 'open'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(content_type)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(completed.rows_affected() == 1)
}

/// Frees what it took; whether nobody else had. The row stays until no link to its parts is open any more.
pub async fn give_up(tx: &mut TenantTransaction, id: UploadId) -> Result<bool, StoreError> {
    let given_up = sqlx::query(
        "UPDATE upload SET state = 'given_up', content_type = NULL, completed_at = NULL
         WHERE tenant_id = $1 AND id = $2 AND state <> 'given_up'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(given_up.rows_affected() == 1)
}
