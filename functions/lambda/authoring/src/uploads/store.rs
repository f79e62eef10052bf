//! The uploads' SQL: one function a statement.

use akademi_domain::{
    ids::{AssetId, CourseId, JobId, UploadId, UserId},
    time::Timestamp,
    upload::{FileKind, Parts},
};
use akademi_lambda_store::{
    error::StoreError, media::TRANSCODE, object_key::ObjectKey, objects::Announced,
    postgres::TenantTransaction,
};
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};
use std::collections::BTreeMap;
use uuid::Uuid;

use super::attaching::Attached;
use crate::assets::transcoding::AssetState;

pub struct NewUpload<'a> {
    pub id: UploadId,
    pub owner: UserId,
    pub file_name: &'a str,
    pub kind: FileKind,
    pub parts: Parts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// Parts may be sent.
    Open,
    /// Held back, until a virus scanner has found nothing.
    Scanning,
    Complete,
    /// It is a file of a course.
    Attached,
}

/// An upload that nobody has given up.
pub struct Upload {
    pub file_name: String,
    pub kind: FileKind,
    pub parts: Parts,
    pub state: UploadState,
    /// Once it is complete.
    pub content_type: Option<String>,
    /// The file of a course that it has become.
    pub asset: Option<AssetId>,
    pub created_at: Timestamp,
}

/// A file of a course that is made of an upload.
pub struct NewAsset<'a> {
    pub id: AssetId,
    pub course: CourseId,
    pub upload: UploadId,
    /// Of its parts.
    pub folder: &'a ObjectKey,
    pub state: AssetState,
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
        "SELECT file_name, kind, bytes, part_bytes, state, content_type, created_at,
                (SELECT id FROM asset WHERE tenant_id = $1 AND upload_id = $2) AS asset
         FROM upload WHERE tenant_id = $1 AND id = $2 AND user_id = $3 AND state <> 'given_up'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(owner.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(upload).transpose()
}

fn upload(row: &PgRow) -> Result<Upload, StoreError> {
    let kind = row.try_get::<&str, _>("kind")?.parse().map_err(|source| {
        StoreError::Internal(sqlx::Error::ColumnDecode { index: "kind".into(), source: Box::new(source) })
    })?;
    let (bytes, part_bytes) = (row.try_get::<i64, _>("bytes")?, row.try_get::<i64, _>("part_bytes")?);
    let state = match row.try_get("state")? {
        "open" => UploadState::Open,
        "scanning" => UploadState::Scanning,
        "attached" => UploadState::Attached,
        _ => UploadState::Complete,
    };
    Ok(Upload {
        file_name: row.try_get("file_name")?,
        kind,
        parts: Parts::new(bytes.cast_unsigned(), part_bytes.cast_unsigned()),
        state,
        content_type: row.try_get("content_type")?,
        asset: row.try_get::<Option<Uuid>, _>("asset")?.map(AssetId::from_uuid),
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

/// This person's uploads after this one that are no files of courses, newest first.
pub async fn list_uploads(
    tx: &mut TenantTransaction,
    owner: UserId,
    after: Option<(Timestamp, UploadId)>,
    limit: i64,
) -> Result<Vec<(UploadId, Upload)>, StoreError> {
    let (created_at, id) =
        after.unwrap_or((Timestamp::from_millis(i64::MAX), UploadId::from_uuid(Uuid::max())));
    let rows = sqlx::query(
        "SELECT id, file_name, kind, bytes, part_bytes, state, content_type, created_at, NULL::uuid AS asset
         FROM upload
         WHERE tenant_id = $1 AND user_id = $2 AND state NOT IN ('given_up', 'attached') AND (created_at, id) < ($3, $4)
         ORDER BY created_at DESC, id DESC LIMIT $5",
    )
    .bind(tx.tenant().as_uuid())
    .bind(owner.as_uuid())
    .bind(created_at.as_millis())
    .bind(id.as_uuid())
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(|row| Ok((UploadId::from_uuid(row.try_get("id")?), upload(row)?))).collect()
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

/// Keeps what an open upload is, until it has been scanned.
pub async fn hold_back(
    tx: &mut TenantTransaction,
    id: UploadId,
    content_type: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE upload SET state = 'scanning', content_type = $3
         WHERE tenant_id = $1 AND id = $2 AND state = 'open'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(content_type)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Whether it was open or held back until now.
pub async fn complete_upload(
    tx: &mut TenantTransaction,
    id: UploadId,
    content_type: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let completed = sqlx::query(
        "UPDATE upload SET state = 'complete', content_type = $3, completed_at = $4
         WHERE tenant_id = $1 AND id = $2 AND state IN ('open', 'scanning')",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(content_type)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(completed.rows_affected() == 1)
}

/// Whether the draft is there, `owner`'s or anybody's; it stays until this transaction ends. Comes before what counts files.
pub async fn hold_course(
    tx: &mut TenantTransaction,
    id: CourseId,
    owner: Option<UserId>,
) -> Result<bool, StoreError> {
    let held = sqlx::query(
        "SELECT FROM course_draft WHERE tenant_id = $1 AND id = $2 AND ($3::uuid IS NULL OR owner_id = $3) FOR KEY SHARE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_optional(tx.connection())
    .await?;
    Ok(held.is_some())
}

/// Ends a complete upload, whose bytes its file has from now on; whether nobody else had.
pub async fn attach_upload(tx: &mut TenantTransaction, id: UploadId) -> Result<bool, StoreError> {
    let attached = sqlx::query(
        "UPDATE upload SET state = 'attached' WHERE tenant_id = $1 AND id = $2 AND state = 'complete'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(attached.rows_affected() == 1)
}

/// Makes an attached upload a file of a course.
pub async fn insert_asset(
    tx: &mut TenantTransaction,
    new: &NewAsset<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO asset (tenant_id, id, course_id, path, content_type, bytes, object_key, state, upload_id, created_at,
                            updated_at)
         SELECT $1, $2, $3, 'uploads/' || id || '/' || file_name, content_type, bytes, $5, $6, id, $7, $7
         FROM upload WHERE tenant_id = $1 AND id = $4",
    )
    .bind(tx.tenant().as_uuid())
    .bind(new.id.as_uuid())
    .bind(new.course.as_uuid())
    .bind(new.upload.as_uuid())
    .bind(new.folder.as_str())
    .bind(new.state.name())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The file that an upload has become, and its course.
pub async fn find_attached(
    tx: &mut TenantTransaction,
    upload: UploadId,
) -> Result<Option<(CourseId, Attached)>, StoreError> {
    let row = sqlx::query(
        "SELECT asset.id, course_id, file_name, asset.content_type, asset.bytes, asset.state, job.id AS job
         FROM asset JOIN upload ON upload.tenant_id = $1 AND upload.id = upload_id
              LEFT JOIN job ON job.tenant_id = $1 AND job.kind = $3 AND dedupe_key = asset.id::text
         WHERE asset.tenant_id = $1 AND upload_id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(upload.as_uuid())
    .bind(TRANSCODE)
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        let attached = Attached {
            id: AssetId::from_uuid(row.try_get("id")?),
            file_name: row.try_get("file_name")?,
            content_type: row.try_get("content_type")?,
            bytes: row.try_get::<i64, _>("bytes")?.cast_unsigned(),
            state: AssetState::from_name(row.try_get("state")?),
            job: row.try_get::<Option<Uuid>, _>("job")?.map(JobId::from_uuid),
        };
        Ok((CourseId::from_uuid(row.try_get("course_id")?), attached))
    })
    .transpose()
}

/// Frees what it took; whether nobody else had and it is no file of a course. The row stays until no link to its parts is open any more.
pub async fn give_up(tx: &mut TenantTransaction, id: UploadId) -> Result<bool, StoreError> {
    let given_up = sqlx::query(
        "UPDATE upload SET state = 'given_up', content_type = NULL, completed_at = NULL
         WHERE tenant_id = $1 AND id = $2 AND state NOT IN ('given_up', 'attached')",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(given_up.rows_affected() == 1)
}
