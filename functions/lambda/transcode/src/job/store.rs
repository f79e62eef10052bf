//! The job's SQL: one function a statement.

use akademi_domain::{
    course::ModuleOutline,
    ids::{AssetId, CourseId, JobId, LessonId},
    time::Timestamp,
    upload::Parts,
};
use akademi_lambda_store::{
    error::StoreError, jobs, media::TRANSCODE_PART, object_key::ObjectKey, postgres::TenantTransaction,
};
use sqlx::{Row, types::Json};
use std::collections::BTreeSet;
use uuid::Uuid;

use crate::{Made, Manifest, Part, Plan, encryption::ContentKey};

/// Where a video lies.
#[derive(Debug, Clone)]
pub enum Source {
    Object(ObjectKey),
    /// An upload: in the folder of its parts.
    Parts(ObjectKey, Parts),
}

/// A video that waits to be transcoded.
pub struct Video {
    pub course: CourseId,
    pub source: Source,
    /// Whether the academy has its videos encrypted.
    pub is_encrypted: bool,
    /// What this one is encrypted with, once it was begun.
    pub content_key: Option<ContentKey>,
}

pub async fn find_video(tx: &mut TenantTransaction, id: AssetId) -> Result<Option<Video>, StoreError> {
    let row = sqlx::query(
        "SELECT course_id, object_key, content_key, asset.bytes, part_bytes,
                EXISTS (SELECT FROM video_settings WHERE tenant_id = $1 AND encrypted) AS is_encrypted
         FROM asset LEFT JOIN upload ON upload.tenant_id = $1 AND upload.id = asset.upload_id
         WHERE asset.tenant_id = $1 AND asset.id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        let key: &str = row.try_get("object_key")?;
        let key = key.parse().map_err(|source| {
            StoreError::Internal(sqlx::Error::ColumnDecode {
                index: "object_key".into(),
                source: Box::new(source),
            })
        })?;
        let bytes: i64 = row.try_get("bytes")?;
        let part_bytes: Option<i64> = row.try_get("part_bytes")?;
        let content_key: Option<Vec<u8>> = row.try_get("content_key")?;
        Ok(Video {
            course: CourseId::from_uuid(row.try_get("course_id")?),
            source: match part_bytes {
                None => Source::Object(key),
                Some(size) => Source::Parts(key, Parts::new(bytes.cast_unsigned(), size.cast_unsigned())),
            },
            is_encrypted: row.try_get("is_encrypted")?,
            // The schema lets no other length in.
            content_key: content_key.and_then(|bytes| bytes.try_into().ok()).map(ContentKey::new),
        })
    })
    .transpose()
}

pub async fn set_content_key(
    tx: &mut TenantTransaction,
    id: AssetId,
    key: Option<&ContentKey>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE asset SET content_key = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .bind(key.map(|key| key.as_bytes().as_slice()))
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub async fn make_ready(
    tx: &mut TenantTransaction,
    id: AssetId,
    folder: &ObjectKey,
    manifest: &Manifest,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE asset SET state = 'ready', failure = NULL, playback_key = $3, manifest = $4, duration_ms = $5,
                updated_at = $6
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(folder.as_str())
    .bind(Json(manifest))
    .bind(manifest.duration_ms.cast_signed())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The asset of a job that has failed says why, and what was planned for it is forgotten; `None` if it has been ready
/// before.
pub async fn fail_asset_of_job(
    tx: &mut TenantTransaction,
    job: JobId,
    reason: &str,
    now: Timestamp,
) -> Result<Option<AssetId>, StoreError> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "UPDATE asset SET state = 'failed', failure = $3, updated_at = $4
         FROM job
         WHERE asset.tenant_id = $1 AND job.tenant_id = $1 AND job.id = $2
           AND asset.id = (job.payload ->> 'asset')::uuid AND asset.state = 'transcoding'
         RETURNING asset.id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(job.as_uuid())
    .bind(reason)
    .bind(now.as_millis())
    .fetch_optional(tx.connection())
    .await?;
    let Some(id) = id.map(AssetId::from_uuid) else { return Ok(None) };
    fail_queued_parts(tx, id, reason, now).await?;
    if let Some(film) = delete_plan(tx, id).await? {
        jobs::fail_aside(tx, film, reason, now).await?;
    }
    Ok(Some(id))
}

/// Ends the jobs of the asset's parts that no worker has. Their dedupe key says which they are.
async fn fail_queued_parts(
    tx: &mut TenantTransaction,
    asset: AssetId,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE job SET state = 'failed', message = $4, updated_at = $5
         FROM transcode_part AS part
         WHERE part.tenant_id = $1 AND part.asset_id = $2
           AND job.tenant_id = $1 AND job.kind = $3 AND job.state = 'queued'
           AND job.dedupe_key = part.asset_id::text || '/' || part.number::text",
    )
    .bind(tx.tenant().as_uuid())
    .bind(asset.as_uuid())
    .bind(TRANSCODE_PART)
    .bind(reason)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The draft's structure; nobody else changes it before this transaction ends.
pub async fn lock_structure(
    tx: &mut TenantTransaction,
    course: CourseId,
) -> Result<Vec<ModuleOutline>, StoreError> {
    let Json(structure) =
        sqlx::query_scalar("SELECT structure FROM course_draft WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
            .bind(tx.tenant().as_uuid())
            .bind(course.as_uuid())
            .fetch_one(tx.connection())
            .await?;
    Ok(structure)
}

/// The lessons of the draft that play the asset.
pub async fn lessons_of_asset(
    tx: &mut TenantTransaction,
    course: CourseId,
    asset: AssetId,
) -> Result<BTreeSet<LessonId>, StoreError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM lesson_draft
         WHERE tenant_id = $1 AND course_id = $2 AND body ->> 'kind' = 'video' AND body -> 'source' ->> 'asset' = $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(asset.to_string())
    .fetch_all(tx.connection())
    .await?;
    Ok(ids.into_iter().map(LessonId::from_uuid).collect())
}

pub async fn save_structure(
    tx: &mut TenantTransaction,
    course: CourseId,
    structure: &[ModuleOutline],
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE course_draft SET structure = $3, updated_at = $4, revision = revision + 1
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(Json(structure))
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn insert_plan(
    tx: &mut TenantTransaction,
    asset: AssetId,
    job: JobId,
    plan: &Plan,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO transcode_plan (tenant_id, asset_id, job_id, plan) VALUES ($1, $2, $3, $4)")
        .bind(tx.tenant().as_uuid())
        .bind(asset.as_uuid())
        .bind(job.as_uuid())
        .bind(Json(plan))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// What is to be made of a long video whose parts are made.
pub async fn find_plan(tx: &mut TenantTransaction, asset: AssetId) -> Result<Option<Plan>, StoreError> {
    let plan = sqlx::query_scalar("SELECT plan FROM transcode_plan WHERE tenant_id = $1 AND asset_id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(asset.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    Ok(plan.map(|Json(plan)| plan))
}

/// The video's own job. No other part ends before this transaction does.
pub async fn lock_plan(tx: &mut TenantTransaction, asset: AssetId) -> Result<Option<JobId>, StoreError> {
    let job = sqlx::query_scalar(
        "SELECT job_id FROM transcode_plan WHERE tenant_id = $1 AND asset_id = $2 FOR UPDATE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(asset.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(job.map(JobId::from_uuid))
}

/// Forgets the plan and its parts; the video's own job, if there was a plan.
pub async fn delete_plan(tx: &mut TenantTransaction, asset: AssetId) -> Result<Option<JobId>, StoreError> {
    lock_plan(tx, asset).await?;
    delete_parts(tx, asset).await?;
    let job = sqlx::query_scalar(
        "DELETE FROM transcode_plan WHERE tenant_id = $1 AND asset_id = $2 RETURNING job_id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(asset.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(job.map(JobId::from_uuid))
}

async fn delete_parts(tx: &mut TenantTransaction, asset: AssetId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM transcode_part WHERE tenant_id = $1 AND asset_id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(asset.as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub async fn insert_part(
    tx: &mut TenantTransaction,
    asset: AssetId,
    number: i32,
    part: &Part,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO transcode_part (tenant_id, asset_id, number, part) VALUES ($1, $2, $3, $4)")
        .bind(tx.tenant().as_uuid())
        .bind(asset.as_uuid())
        .bind(number)
        .bind(Json(part))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// A part that is to be made; `None` if it has been made, or nobody wants it any more.
pub async fn find_part(
    tx: &mut TenantTransaction,
    asset: AssetId,
    number: i32,
) -> Result<Option<Part>, StoreError> {
    let part = sqlx::query_scalar(
        "SELECT part FROM transcode_part WHERE tenant_id = $1 AND asset_id = $2 AND number = $3 AND made IS NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(asset.as_uuid())
    .bind(number)
    .fetch_optional(tx.connection())
    .await?;
    Ok(part.map(|Json(part)| part))
}

pub async fn keep_part(
    tx: &mut TenantTransaction,
    asset: AssetId,
    number: i32,
    folder: &str,
    made: &Made,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE transcode_part SET folder = $4, made = $5 WHERE tenant_id = $1 AND asset_id = $2 AND number = $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(asset.as_uuid())
    .bind(number)
    .bind(folder)
    .bind(Json(made))
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// How many parts are done, and how many there are.
pub async fn count_parts(tx: &mut TenantTransaction, asset: AssetId) -> Result<(i64, i64), StoreError> {
    Ok(sqlx::query_as(
        "SELECT count(made), count(*) FROM transcode_part WHERE tenant_id = $1 AND asset_id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(asset.as_uuid())
    .fetch_one(tx.connection())
    .await?)
}

/// All parts in their order: their folders, and what was made; none for those that are not done.
pub async fn find_parts(
    tx: &mut TenantTransaction,
    asset: AssetId,
) -> Result<Vec<Option<(String, Made)>>, StoreError> {
    let rows: Vec<(Option<String>, Option<Json<Made>>)> = sqlx::query_as(
        "SELECT folder, made FROM transcode_part WHERE tenant_id = $1 AND asset_id = $2 ORDER BY number",
    )
    .bind(tx.tenant().as_uuid())
    .bind(asset.as_uuid())
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(|(folder, made)| Some((folder?, made?.0))).collect())
}
