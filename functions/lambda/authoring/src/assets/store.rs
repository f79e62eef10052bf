//! The assets' SQL: one function a statement.

use akademi_domain::ids::{AssetId, CourseId, JobId, UserId};
use akademi_lambda_store::{
    content_type::ContentType,
    error::StoreError,
    media::TRANSCODE,
    object_key::{InvalidKey, ObjectKey},
    postgres::TenantTransaction,
    uploads::part_key,
};
use sqlx::{Row, postgres::PgRow};
use std::collections::BTreeMap;
use uuid::Uuid;

use super::transcoding::{AssetState, DraftVideo};

/// An asset for whoever asks for it.
pub struct Media {
    /// Of the file itself; none of a video that was an upload, which may lie in several parts.
    pub key: Option<ObjectKey>,
    /// What it is saved as.
    pub file_name: String,
    pub content_type: ContentType,
    pub is_enrolled: bool,
    /// What its segments are encrypted with.
    pub content_key: Option<Vec<u8>>,
}

/// The asset, and whether this person is enrolled in its course.
pub async fn find_media(
    tx: &mut TenantTransaction,
    id: AssetId,
    person: UserId,
) -> Result<Option<Media>, StoreError> {
    let row = sqlx::query(
        "SELECT object_key, path, upload_id IS NOT NULL AS was_upload, content_type, content_key,
                EXISTS (SELECT FROM enrolment WHERE tenant_id = $1 AND course_id = asset.course_id AND user_id = $3)
                    AS is_enrolled
         FROM asset WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(person.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(media).transpose()
}

fn media(row: &PgRow) -> Result<Media, StoreError> {
    let stored = key("object_key", row.try_get("object_key")?)?;
    let content_type: &str = row.try_get("content_type")?;
    let key = match (row.try_get("was_upload")?, content_type.starts_with("video/")) {
        (true, true) => None,
        (true, false) => Some(part_key(&stored, 1).map_err(|source| decode("object_key", source))?),
        (false, _) => Some(stored),
    };
    let file_name = file_name(row.try_get("path")?).to_owned();
    let content_type = content_type.parse().unwrap_or_else(|_| ContentType::unknown());
    let (is_enrolled, content_key) = (row.try_get("is_enrolled")?, row.try_get("content_key")?);
    Ok(Media { key, file_name, content_type, is_enrolled, content_key })
}

/// The newest 100 videos of the course that do not play, or never will; newest first.
pub async fn videos_that_do_not_play(
    tx: &mut TenantTransaction,
    course: CourseId,
) -> Result<Vec<DraftVideo>, StoreError> {
    let rows = sqlx::query(
        "SELECT asset.id, path, asset.state, COALESCE(failure, message, '') AS message, job.id AS job,
                COALESCE(progress_permille, 0) AS progress_permille
         FROM asset LEFT JOIN job ON job.tenant_id = $1 AND kind = $3 AND dedupe_key = asset.id::text
         WHERE asset.tenant_id = $1 AND course_id = $2 AND asset.state <> 'ready'
         ORDER BY asset.id DESC LIMIT 100",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(TRANSCODE)
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(DraftVideo {
                asset: AssetId::from_uuid(row.try_get("id")?),
                file_name: file_name(row.try_get("path")?).to_owned(),
                state: AssetState::from_name(row.try_get("state")?),
                progress_permille: row.try_get("progress_permille")?,
                message: row.try_get("message")?,
                job: row.try_get::<Option<Uuid>, _>("job")?.map(JobId::from_uuid),
            })
        })
        .collect()
}

/// How long the course's videos are that play, in milliseconds.
pub async fn lengths_of_videos(
    tx: &mut TenantTransaction,
    course: CourseId,
) -> Result<BTreeMap<AssetId, i64>, StoreError> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT id, duration_ms FROM asset WHERE tenant_id = $1 AND course_id = $2 AND duration_ms IS NOT NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(|(id, length)| (AssetId::from_uuid(id), length)).collect())
}

/// The name at the end of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A key that was valid when it was written.
fn key(column: &str, text: &str) -> Result<ObjectKey, StoreError> {
    text.parse().map_err(|source| decode(column, source))
}

fn decode(column: &str, source: InvalidKey) -> StoreError {
    StoreError::Internal(sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) })
}
