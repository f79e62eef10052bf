//! The job's SQL: one function a statement.

use akademi_domain::{
    course::ModuleOutline,
    ids::{AssetId, CourseId, JobId, LessonId},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, object_key::ObjectKey, postgres::TenantTransaction};
use sqlx::{Row, types::Json};
use std::collections::BTreeSet;
use uuid::Uuid;

use crate::Manifest;

/// A video that waits to be transcoded.
pub struct Video {
    pub course: CourseId,
    pub key: ObjectKey,
}

pub async fn find_video(tx: &mut TenantTransaction, id: AssetId) -> Result<Option<Video>, StoreError> {
    let row = sqlx::query("SELECT course_id, object_key FROM asset WHERE tenant_id = $1 AND id = $2")
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
        Ok(Video { course: CourseId::from_uuid(row.try_get("course_id")?), key })
    })
    .transpose()
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

/// The asset of a job that has failed says why; `None` if it has been ready before.
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
    Ok(id.map(AssetId::from_uuid))
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
