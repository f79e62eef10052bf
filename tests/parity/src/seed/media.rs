//! Files of the academy: a transcoded video, and an upload whose only part is there.

use akademi_domain::ids::UploadId;
use akademi_lambda_store::{
    object_key::ObjectKey,
    uploads::{self, part_key},
};
use serde_json::json;
use sqlx::PgConnection;
use uuid::{Uuid, uuid};

use super::{
    Deployment,
    lambda::{COURSE, StoredFile},
};

pub const VIDEO_FILE: Uuid = uuid!("01890000-0000-7000-8000-000000000102");
pub const UPLOADED: Uuid = uuid!("01890000-0000-7000-8000-00000000010a");
const DOCUMENT: &[u8] = b"%PDF-1.7\n%%EOF\n";
/// What the video is encrypted with.
const CONTENT_KEY: &[u8] = b"sixteen letters!";

/// The files that must lie in storage; those of the video in `folder`.
///
/// # Errors
/// When the database refuses.
pub async fn seed_media(
    superuser: &mut PgConnection,
    deployment: &Deployment,
    folder: &ObjectKey,
) -> anyhow::Result<Vec<StoredFile>> {
    transcoded_video(superuser, deployment, folder).await?;
    sent_upload(superuser, deployment).await?;
    let upload = UploadId::from_uuid(UPLOADED);
    Ok(vec![StoredFile {
        key: part_key(&uploads::folder(deployment.umraniye, upload)?, 1)?,
        content_type: "application/octet-stream",
        bytes: DOCUMENT.into(),
    }])
}

async fn sent_upload(superuser: &mut PgConnection, deployment: &Deployment) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO upload (tenant_id, id, user_id, file_name, kind, bytes, part_bytes, state, created_at)
         VALUES ($1, $2, $3, 'not.pdf', 'document', $4, $4, 'open', $5)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(UPLOADED)
    .bind(deployment.staff.as_uuid())
    .bind(i64::try_from(DOCUMENT.len())?)
    .bind(deployment.now.as_millis())
    .execute(superuser)
    .await?;
    Ok(())
}

async fn transcoded_video(
    superuser: &mut PgConnection,
    deployment: &Deployment,
    folder: &ObjectKey,
) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO asset (tenant_id, id, course_id, path, content_type, bytes, sha256, object_key, state, playback_key,
                            manifest, duration_ms, content_key, created_at, updated_at)
         VALUES ($1, $2, $3, 'film.mp4', 'video/mp4', 1, $4, $5, 'ready', $6, $7, 6000, $8, 0, 0)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(VIDEO_FILE)
    .bind(COURSE)
    .bind([0_u8; 32].as_slice())
    .bind(folder.join("film.mp4")?.as_str())
    .bind(folder.join("hls")?.as_str())
    .bind(json!({ "files": [] }))
    .bind(CONTENT_KEY)
    .execute(superuser)
    .await?;
    Ok(())
}
