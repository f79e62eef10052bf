//! The assets' SQL: one function a statement.

use akademi_domain::ids::{AssetId, UserId};
use akademi_lambda_store::{error::StoreError, object_key::ObjectKey, postgres::TenantTransaction};
use serde::Deserialize;
use sqlx::{Row, postgres::PgRow, types::Json};

/// An asset for whoever asks for it.
pub struct Media {
    pub key: ObjectKey,
    pub is_enrolled: bool,
    /// Of a video that has been transcoded.
    pub playback: Option<Playback>,
}

/// A transcoded video.
pub struct Playback {
    pub folder: ObjectKey,
    pub duration_ms: i64,
    /// What its segments are encrypted with.
    pub content_key: Option<Vec<u8>>,
    manifest: Manifest,
}

/// What of the transcoder's manifest is needed here.
#[derive(Deserialize)]
struct Manifest {
    files: Vec<PlaybackFile>,
}

#[derive(Deserialize)]
pub struct PlaybackFile {
    path: String,
    pub content_type: String,
}

impl Playback {
    /// The file of this path below the folder.
    pub fn file(&self, path: &str) -> Option<&PlaybackFile> {
        self.manifest.files.iter().find(|file| file.path == path)
    }
}

/// The asset, and whether this person is enrolled in its course.
pub async fn find_media(
    tx: &mut TenantTransaction,
    id: AssetId,
    person: UserId,
) -> Result<Option<Media>, StoreError> {
    let row = sqlx::query(
        "SELECT object_key, playback_key, manifest, duration_ms, content_key,
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
    let folder: Option<String> = row.try_get("playback_key")?;
    let playback = match folder {
        None => None,
        Some(folder) => {
            let Json(manifest) = row.try_get("manifest")?;
            Some(Playback {
                folder: key("playback_key", &folder)?,
                duration_ms: row.try_get("duration_ms")?,
                content_key: row.try_get("content_key")?,
                manifest,
            })
        }
    };
    let is_enrolled = row.try_get("is_enrolled")?;
    Ok(Media { key: key("object_key", row.try_get("object_key")?)?, is_enrolled, playback })
}

/// A key that was valid when it was written.
fn key(column: &str, text: &str) -> Result<ObjectKey, StoreError> {
    text.parse().map_err(|source| {
        StoreError::Internal(sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) })
    })
}
