//! The pictures' SQL: one function a statement.

use akademi_domain::{
    course::VideoSource,
    ids::{CourseId, ImageId},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, types::Json};
use std::collections::BTreeMap;
use uuid::Uuid;

use super::{ChosenPictures, Place};

/// What the draft shows.
pub async fn find_chosen(tx: &mut TenantTransaction, course: CourseId) -> Result<ChosenPictures, StoreError> {
    let rows = sqlx::query(
        "SELECT gallery_video, place, image_id
         FROM course_draft LEFT JOIN course_image
              ON course_image.tenant_id = $1 AND course_image.course_id = $2 AND NOT is_published
         WHERE course_draft.tenant_id = $1 AND course_draft.id = $2
         ORDER BY position",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .fetch_all(tx.connection())
    .await?;
    let mut chosen = ChosenPictures::default();
    for row in rows {
        chosen.video = row.try_get::<Option<Json<VideoSource>>, _>("gallery_video")?.map(|Json(video)| video);
        let Some(image) = row.try_get::<Option<Uuid>, _>("image_id")?.map(ImageId::from_uuid) else {
            continue;
        };
        match row.try_get("place")? {
            "card" => chosen.card = Some(image),
            "banner" => chosen.banner = Some(image),
            _ => chosen.gallery.push(image),
        }
    }
    Ok(chosen)
}

/// By what those of these images were made that are there; nobody deletes them before this transaction ends.
pub async fn hold_images(
    tx: &mut TenantTransaction,
    images: &[ImageId],
) -> Result<BTreeMap<ImageId, String>, StoreError> {
    let held: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT id, preset FROM image WHERE tenant_id = $1 AND id = ANY ($2) AND ready_at IS NOT NULL
         ORDER BY id FOR KEY SHARE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(images.iter().map(ImageId::as_uuid).collect::<Vec<_>>())
    .fetch_all(tx.connection())
    .await?;
    Ok(held.into_iter().map(|(id, preset)| (ImageId::from_uuid(id), preset)).collect())
}

/// Takes the images out of the draft, or out of what is published.
pub async fn clear(
    tx: &mut TenantTransaction,
    course: CourseId,
    is_published: bool,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM course_image WHERE tenant_id = $1 AND course_id = $2 AND is_published = $3")
        .bind(tx.tenant().as_uuid())
        .bind(course.as_uuid())
        .bind(is_published)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Puts images into a draft that has none.
pub async fn insert(
    tx: &mut TenantTransaction,
    course: CourseId,
    images: impl Iterator<Item = (Place, ImageId)>,
) -> Result<(), StoreError> {
    let (mut places, mut positions, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for (place, image) in images {
        places.push(place.name());
        positions.push(i16::try_from(place.position()).unwrap_or(i16::MAX));
        ids.push(image.as_uuid());
    }
    sqlx::query(
        "INSERT INTO course_image (tenant_id, course_id, is_published, place, position, image_id)
         SELECT $1, $2, false, chosen.* FROM UNNEST($3::text[], $4::smallint[], $5::uuid[]) AS chosen",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(places)
    .bind(positions)
    .bind(ids)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Writes the gallery's video, and that the draft has changed; its new revision.
pub async fn save_video(
    tx: &mut TenantTransaction,
    course: CourseId,
    video: Option<&VideoSource>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let revision = sqlx::query_scalar(
        "UPDATE course_draft SET gallery_video = $3, updated_at = $4, revision = revision + 1
         WHERE tenant_id = $1 AND id = $2 RETURNING revision",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(video.map(Json))
    .bind(now.as_millis())
    .fetch_one(tx.connection())
    .await?;
    Ok(revision)
}

/// Holds the draft's images for what is published.
pub async fn copy_to_publication(tx: &mut TenantTransaction, course: CourseId) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO course_image (tenant_id, course_id, is_published, place, position, image_id)
         SELECT tenant_id, course_id, true, place, position, image_id FROM course_image
         WHERE tenant_id = $1 AND course_id = $2 AND NOT is_published",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(())
}
