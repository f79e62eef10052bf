//! Files of pictures: where they lie, those of an image, and their end.
//!
//! A file is there once in an academy, under the SHA-256 of its content, however many images show it. Whoever makes an image
//! commits its rows first and stores the files then; so a file that no row names is nobody's.

use akademi_domain::{
    ids::{ImageId, TenantId},
    picture::{PictureFile, PictureName},
};
use sqlx::Row;
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::{
    error::StoreError,
    object_key::{InvalidKey, ObjectKey},
    objects::{ObjectError, Objects},
    postgres::{Postgres, TenantTransaction},
};

/// Where a picture's file lies.
pub fn key(tenant: TenantId, name: &PictureName) -> Result<ObjectKey, InvalidKey> {
    ObjectKey::new(tenant, ["pictures", name.as_str()])
}

/// Why files stay.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Storage(#[from] ObjectError),
    #[error(transparent)]
    Key(#[from] InvalidKey),
}

impl PictureError {
    /// For the log.
    pub fn with_source(&self) -> String {
        match self {
            Self::Store(error) => error.with_source(),
            Self::Storage(error) => error.with_source(),
            Self::Key(error) => error.to_string(),
        }
    }
}

/// The files of these images, the smallest size first; an image that is not there, or not whole yet, has none.
pub async fn files_of(
    tx: &mut TenantTransaction,
    images: &[ImageId],
) -> Result<BTreeMap<ImageId, Vec<PictureFile>>, StoreError> {
    let rows = sqlx::query(
        // Of one size in the order in which a page offers them.
        "SELECT image_id, image_file.name, width, height, bytes
         FROM image_file
              JOIN image ON image.tenant_id = $1 AND image.id = image_id AND ready_at IS NOT NULL
              JOIN picture ON picture.tenant_id = $1 AND picture.name = image_file.name
         WHERE image_file.tenant_id = $1 AND image_id = ANY ($2)
         ORDER BY width, height, array_position(ARRAY['avif', 'webp', 'jpg'], split_part(image_file.name, '.', 2))",
    )
    .bind(tx.tenant().as_uuid())
    .bind(images.iter().map(ImageId::as_uuid).collect::<Vec<_>>())
    .fetch_all(tx.connection())
    .await?;
    let mut files: BTreeMap<ImageId, Vec<PictureFile>> = BTreeMap::new();
    for row in rows {
        let size = (
            row.try_get::<i32, _>("width")?.cast_unsigned(),
            row.try_get::<i32, _>("height")?.cast_unsigned(),
        );
        let file = PictureFile::new(
            &name(row.try_get("name")?)?,
            size,
            row.try_get::<i64, _>("bytes")?.cast_unsigned(),
        );
        files.entry(ImageId::from_uuid(row.try_get::<Uuid, _>("image_id")?)).or_default().push(file);
    }
    Ok(files)
}

/// Deletes those of these files that no image shows any more; how many.
///
/// Their rows are locked before anybody looks who shows them, and until they are gone: whoever makes an image of the same
/// content meanwhile waits, and stores it again.
pub async fn delete_unused(
    postgres: &Postgres,
    objects: &Objects,
    tenant: TenantId,
    names: &[PictureName],
) -> Result<u64, PictureError> {
    let mut tx = postgres.tenant(tenant).await?;
    lock(&mut tx, names).await?;
    let unused = unused(&mut tx, names).await?;
    for name in &unused {
        objects.delete(&key(tenant, name)?).await?;
    }
    let deleted = delete(&mut tx, &unused).await?;
    tx.commit().await?;
    Ok(deleted)
}

async fn lock(tx: &mut TenantTransaction, names: &[PictureName]) -> Result<(), StoreError> {
    sqlx::query("SELECT FROM picture WHERE tenant_id = $1 AND name = ANY ($2) ORDER BY name FOR UPDATE")
        .bind(tx.tenant().as_uuid())
        .bind(texts(names))
        .execute(tx.connection())
        .await?;
    Ok(())
}

async fn unused(tx: &mut TenantTransaction, names: &[PictureName]) -> Result<Vec<PictureName>, StoreError> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM picture WHERE tenant_id = $1 AND name = ANY ($2) AND NOT EXISTS (
             SELECT FROM image_file WHERE image_file.tenant_id = $1 AND image_file.name = picture.name)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(texts(names))
    .fetch_all(tx.connection())
    .await?;
    found.into_iter().map(name).collect()
}

async fn delete(tx: &mut TenantTransaction, names: &[PictureName]) -> Result<u64, StoreError> {
    let deleted = sqlx::query("DELETE FROM picture WHERE tenant_id = $1 AND name = ANY ($2)")
        .bind(tx.tenant().as_uuid())
        .bind(texts(names))
        .execute(tx.connection())
        .await?;
    Ok(deleted.rows_affected())
}

fn texts(names: &[PictureName]) -> Vec<&str> {
    names.iter().map(PictureName::as_str).collect()
}

/// A name that was valid when it was written.
pub(crate) fn name(text: String) -> Result<PictureName, StoreError> {
    text.try_into().map_err(|source| {
        StoreError::Internal(sqlx::Error::ColumnDecode { index: "name".to_owned(), source: Box::new(source) })
    })
}
