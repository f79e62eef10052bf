//! The function's SQL: one function a statement.

use akademi_domain::{
    ids::{ImageId, UploadId, UserId},
    picture::PictureName,
    time::Timestamp,
    upload::Parts,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use serde::de::DeserializeOwned;
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::making::MadeFile;
use crate::{Crop, Preset};

/// An upload, as far as images are made of it.
pub struct Source {
    pub parts: Parts,
    pub is_image: bool,
    pub is_complete: bool,
}

pub struct NewImage<'a> {
    pub id: ImageId,
    pub maker: UserId,
    pub upload: UploadId,
    pub preset: Preset,
    /// As JSON.
    pub crop: &'a str,
    pub now: Timestamp,
}

/// An image that is ready.
pub struct Image {
    pub id: ImageId,
    pub upload: UploadId,
    pub preset: Preset,
    pub crop: Crop,
    pub created_at: Timestamp,
}

/// This person's upload.
pub async fn find_source(
    tx: &mut TenantTransaction,
    id: UploadId,
    owner: UserId,
) -> Result<Option<Source>, StoreError> {
    let row = sqlx::query(
        "SELECT bytes, part_bytes, kind = 'image' AS is_image, state = 'complete' AS is_complete
         FROM upload WHERE tenant_id = $1 AND id = $2 AND user_id = $3 AND state <> 'given_up'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(owner.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        let bytes = |column| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
        Ok(Source {
            parts: Parts::new(bytes("bytes")?, bytes("part_bytes")?),
            is_image: row.try_get("is_image")?,
            is_complete: row.try_get("is_complete")?,
        })
    })
    .transpose()
}

/// The image of the same upload, preset and crop, and whether it is ready.
pub async fn find_same(
    tx: &mut TenantTransaction,
    new: &NewImage<'_>,
) -> Result<Option<(ImageId, bool)>, StoreError> {
    let row: Option<(Uuid, bool)> = sqlx::query_as(
        "SELECT id, ready_at IS NOT NULL FROM image
         WHERE tenant_id = $1 AND upload_id = $2 AND preset = $3 AND crop = $4",
    )
    .bind(tx.tenant().as_uuid())
    .bind(new.upload.as_uuid())
    .bind(new.preset.name())
    .bind(new.crop)
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.map(|(id, is_ready)| (ImageId::from_uuid(id), is_ready)))
}

/// Whether it is new.
pub async fn insert_image(tx: &mut TenantTransaction, new: &NewImage<'_>) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO image (tenant_id, id, user_id, upload_id, preset, crop, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ON CONSTRAINT image_once DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(new.id.as_uuid())
    .bind(new.maker.as_uuid())
    .bind(new.upload.as_uuid())
    .bind(new.preset.name())
    .bind(new.crop)
    .bind(new.now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Reserves what is not stored yet. Locks what is: nobody deletes it before this transaction ends, and whom somebody deletes
/// just now it waits for.
///
/// # Errors
/// [`StoreError::is_storage_full`] where it is more than the academy may store.
pub async fn insert_pictures(tx: &mut TenantTransaction, files: &[MadeFile]) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO picture (tenant_id, name, bytes)
         SELECT $1, made.* FROM UNNEST($2::text[], $3::bigint[]) AS made (name, bytes) ORDER BY name
         ON CONFLICT (tenant_id, name) DO UPDATE SET bytes = excluded.bytes",
    )
    .bind(tx.tenant().as_uuid())
    .bind(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>())
    .bind(files.iter().map(|file| (file.content.len() as u64).cast_signed()).collect::<Vec<_>>())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn insert_files(
    tx: &mut TenantTransaction,
    image: ImageId,
    files: &[MadeFile],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO image_file (tenant_id, image_id, name, width, height)
         SELECT $1, $2, made.* FROM UNNEST($3::text[], $4::int[], $5::int[]) AS made",
    )
    .bind(tx.tenant().as_uuid())
    .bind(image.as_uuid())
    .bind(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>())
    .bind(files.iter().map(|file| file.size.width.cast_signed()).collect::<Vec<_>>())
    .bind(files.iter().map(|file| file.size.height.cast_signed()).collect::<Vec<_>>())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Makes an image ready whose files are stored; whether it was not before.
pub async fn finish(tx: &mut TenantTransaction, id: ImageId, now: Timestamp) -> Result<bool, StoreError> {
    let finished =
        sqlx::query("UPDATE image SET ready_at = $3 WHERE tenant_id = $1 AND id = $2 AND ready_at IS NULL")
            .bind(tx.tenant().as_uuid())
            .bind(id.as_uuid())
            .bind(now.as_millis())
            .execute(tx.connection())
            .await?;
    Ok(finished.rows_affected() == 1)
}

/// An image that is ready, this person's or anybody's.
pub async fn find_image(
    tx: &mut TenantTransaction,
    id: ImageId,
    maker: Option<UserId>,
) -> Result<Option<Image>, StoreError> {
    let row = sqlx::query(
        "SELECT id, upload_id, preset, crop, created_at FROM image
         WHERE tenant_id = $1 AND id = $2 AND ready_at IS NOT NULL AND ($3::uuid IS NULL OR user_id = $3)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(maker.map(|maker| maker.as_uuid()))
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(image).transpose()
}

/// Images after this one that are ready, newest first: somebody's, or all.
pub async fn list_images(
    tx: &mut TenantTransaction,
    maker: Option<UserId>,
    after: Option<(Timestamp, ImageId)>,
    limit: i64,
) -> Result<Vec<Image>, StoreError> {
    let (created_at, id) =
        after.unwrap_or((Timestamp::from_millis(i64::MAX), ImageId::from_uuid(Uuid::max())));
    let rows = sqlx::query(
        "SELECT id, upload_id, preset, crop, created_at FROM image
         WHERE tenant_id = $1 AND ready_at IS NOT NULL AND (created_at, id) < ($3, $4)
           AND ($2::uuid IS NULL OR user_id = $2)
         ORDER BY created_at DESC, id DESC LIMIT $5",
    )
    .bind(tx.tenant().as_uuid())
    .bind(maker.map(|maker| maker.as_uuid()))
    .bind(created_at.as_millis())
    .bind(id.as_uuid())
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(image).collect()
}

fn image(row: &PgRow) -> Result<Image, StoreError> {
    Ok(Image {
        id: ImageId::from_uuid(row.try_get("id")?),
        upload: UploadId::from_uuid(row.try_get("upload_id")?),
        preset: json("preset", &format!("\"{}\"", row.try_get::<&str, _>("preset")?))?,
        crop: json("crop", row.try_get("crop")?)?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

/// A value that was valid when it was written.
fn json<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| {
        StoreError::Internal(sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) })
    })
}

/// Takes its files from an image; their names.
pub async fn delete_files(
    tx: &mut TenantTransaction,
    image: ImageId,
) -> Result<Vec<PictureName>, StoreError> {
    let names: Vec<String> =
        sqlx::query_scalar("DELETE FROM image_file WHERE tenant_id = $1 AND image_id = $2 RETURNING name")
            .bind(tx.tenant().as_uuid())
            .bind(image.as_uuid())
            .fetch_all(tx.connection())
            .await?;
    // They were names when they were written.
    Ok(names.into_iter().filter_map(|name| name.try_into().ok()).collect())
}

/// # Errors
/// [`StoreError::Constraint`] of a foreign key while it is shown somewhere.
pub async fn delete_image(tx: &mut TenantTransaction, id: ImageId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM image WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}
