//! Files of the academy: a transcoded video, an upload whose only part is there, and one that is a picture.

use akademi_domain::ids::UploadId;
use akademi_lambda_store::{
    object_key::ObjectKey,
    uploads::{self, part_key},
};
use flate2::{Compression, Crc, write::ZlibEncoder};
use serde_json::json;
use sqlx::PgConnection;
use std::io::Write;
use uuid::{Uuid, uuid};

use super::{
    Deployment,
    lambda::{COURSE, StoredFile},
};

pub const VIDEO_FILE: Uuid = uuid!("01890000-0000-7000-8000-000000000102");
pub const UPLOADED: Uuid = uuid!("01890000-0000-7000-8000-00000000010a");
/// A picture that is complete.
pub const PHOTO: Uuid = uuid!("01890000-0000-7000-8000-00000000010b");
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
    let photo = grey(320, 240)?;
    sent_upload(superuser, deployment, UPLOADED, ("document", "open"), DOCUMENT.len()).await?;
    sent_upload(superuser, deployment, PHOTO, ("image", "complete"), photo.len()).await?;
    let only_part = |upload| part_key(&uploads::folder(deployment.umraniye, UploadId::from_uuid(upload))?, 1);
    Ok(vec![
        StoredFile {
            key: only_part(UPLOADED)?,
            content_type: "application/octet-stream",
            bytes: DOCUMENT.into(),
        },
        StoredFile { key: only_part(PHOTO)?, content_type: "application/octet-stream", bytes: photo.into() },
    ])
}

/// A picture of one grey, as a PNG (ISO 15948, 5.3).
fn grey(width: u32, height: u32) -> std::io::Result<Vec<u8>> {
    // A line is its filter, none, and its pixels.
    let lines = vec![0; (width as usize + 1) * height as usize];
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::default());
    pixels.write_all(&lines)?;
    // Eight bits of grey.
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in [(b"IHDR", header), (b"IDAT", pixels.finish()?), (b"IEND", Vec::new())] {
        let named = [&name[..], &content].concat();
        let mut checksum = Crc::new();
        checksum.update(&named);
        file.extend((named.len() as u32 - 4).to_be_bytes());
        file.extend(named);
        file.extend(checksum.sum().to_be_bytes());
    }
    Ok(file)
}

async fn sent_upload(
    superuser: &mut PgConnection,
    deployment: &Deployment,
    id: Uuid,
    (kind, state): (&str, &str),
    bytes: usize,
) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO upload (tenant_id, id, user_id, file_name, kind, bytes, part_bytes, state, created_at, content_type,
                             completed_at)
         VALUES ($1, $2, $3, $4 || '.file', $4, $5, $5, $6, $7, CASE $6 WHEN 'complete' THEN 'image/png' END,
                 CASE $6 WHEN 'complete' THEN $7 END)",
    )
    .bind(deployment.umraniye.as_uuid())
    .bind(id)
    .bind(deployment.staff.as_uuid())
    .bind(kind)
    .bind(i64::try_from(bytes)?)
    .bind(state)
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
