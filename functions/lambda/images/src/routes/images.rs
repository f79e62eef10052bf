//! Images of an academy: made of uploads, listed, deleted.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    ids::{ImageId, UploadId},
    picture::PictureFile,
    time::Timestamp,
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    error::{ConstraintKind, StoreError},
    pictures::{delete_unused, files_of},
    postgres::TenantTransaction,
};
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Images,
    error::ImagesError,
    store::{self, Image, NewImage},
};
use crate::{Crop, Preset};

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageRequest {
    /// One's own, an image, complete.
    upload: UploadId,
    /// What it is for: all but `avatar`, which people make of their own pictures.
    preset: Preset,
    /// Around the middle, if it is not sent.
    #[serde(default)]
    crop: Crop,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Image)]
pub struct ImageAnswer {
    pub id: ImageId,
    /// What it was made of, which may be gone.
    pub upload: UploadId,
    pub preset: Preset,
    pub crop: Crop,
    /// The smallest size first, each as AVIF, WebP and JPEG.
    pub variants: Vec<PictureFile>,
    pub created_at: Timestamp,
}

impl ImageAnswer {
    fn new(image: Image, variants: Vec<PictureFile>) -> Self {
        let Image { id, upload, preset, crop, created_at } = image;
        Self { id, upload, preset, crop, variants, created_at }
    }
}

/// As what an image stands in the log.
fn target(id: ImageId) -> String {
    format!("image:{id}")
}

/// Make an image of an upload
///
/// Cropped, upright, without metadata, in three sizes as AVIF, WebP and JPEG. Asking again answers the same image. The upload
/// stays, so that it can be cropped again; its own bytes are free once it is deleted, and the image is not touched by that.
#[utoipa::path(post, path = "/api/v1/images", tag = "images", request_body = ImageRequest,
    responses((status = 201, description = "The image", body = ImageAnswer, headers(("Location" = String))),
              (status = 200, description = "It is there already", body = ImageAnswer),
              (status = 404, description = "There is no such upload of one's own", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The upload is not complete (`upload-incomplete`), or the academy's storage is full (`storage-full`)", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 422, description = "The upload is no picture that an image can be made of (`image-refused`), or the crop is no part of it", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(images): State<Images>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(request): Body<ImageRequest>,
) -> Result<Response, ImagesError> {
    let ImageRequest { upload, preset, crop } = request;
    if preset == Preset::Avatar {
        return Err(Problem::field("preset", "is for people's own pictures").into());
    }
    let now = images.ports.now();
    let text = serde_json::to_string(&crop).map_err(Problem::broken)?;
    let id = ImageId::new(now, images.ports.random());
    let new = NewImage { id, maker: caller.user, upload, preset, crop: &text, now };

    let mut tx = images.postgres.tenant(caller.tenant).await?;
    let source = store::find_source(&mut tx, upload, caller.user).await?.ok_or_else(Problem::not_found)?;
    if let Some((same, true)) = store::find_same(&mut tx, &new).await? {
        let answer = answer(&mut tx, same).await?;
        tx.commit().await?;
        return Ok(Body(answer).into_response());
    }
    tx.commit().await?;
    if !source.is_image {
        return Err(Problem::field("upload", "is no image").into());
    }
    if !source.is_complete {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "upload-incomplete",
            "This upload is not complete: send what is missing, and complete it.",
        )
        .into());
    }

    let content = images.source(caller.tenant, upload, source.parts).await?;
    let files = images.make(content, preset, crop).await?;
    let id = images.keep(&caller, &new, &files).await?;

    let mut tx = images.postgres.tenant(caller.tenant).await?;
    let is_new = store::finish(&mut tx, id, images.ports.now()).await?;
    let answer = answer(&mut tx, id).await?;
    if is_new {
        let created = Write {
            action: Action::ImageCreated,
            target: target(id),
            before: Value::Null,
            after: json!({ "upload": upload, "preset": preset, "crop": crop }),
        };
        images.auditor.record(&mut tx, Actor::new(&caller, &call), created).await?;
    }
    tx.commit().await?;
    if !is_new {
        return Ok(Body(answer).into_response());
    }
    let location = format!("/api/v1/images/{id}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Body(answer)).into_response())
}

/// An image of whoever made it.
///
/// # Errors
/// 409 if it was deleted meanwhile.
async fn answer(tx: &mut TenantTransaction, id: ImageId) -> Result<ImageAnswer, ImagesError> {
    let image = store::find_image(tx, id, None).await?.ok_or_else(Problem::conflict)?;
    let variants = files_of(tx, &[id]).await?.remove(&id).unwrap_or_default();
    Ok(ImageAnswer::new(image, variants))
}

/// The images that one made, newest first
///
/// One's own; everybody's for those who may see all courses.
#[utoipa::path(get, path = "/api/v1/images", tag = "images", params(PageParams),
    responses((status = 200, description = "A page of images", body = Page<ImageAnswer>)))]
pub async fn list(
    State(images): State<Images>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<ImageAnswer>>, ImagesError> {
    let after = page.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let mut tx = images.postgres.tenant(caller.tenant).await?;
    let found = store::list_images(&mut tx, caller.courses_of(), after, page.limit.and_one()).await?;
    let page = Page::of(found, page.limit, |image| Cursor::at(image.created_at, image.id));
    let ids: Vec<ImageId> = page.data.iter().map(|image| image.id).collect();
    let mut files = files_of(&mut tx, &ids).await?;
    tx.commit().await?;
    Ok(Body(page.map(|image| {
        let variants = files.remove(&image.id).unwrap_or_default();
        ImageAnswer::new(image, variants)
    })))
}

/// An image
#[utoipa::path(get, path = "/api/v1/images/{image_id}", tag = "images",
    params(("image_id" = ImageId, Path, description = "The image: one's own, or anybody's for those who may see all courses")),
    responses((status = 200, description = "The image", body = ImageAnswer)))]
pub async fn show(
    State(images): State<Images>,
    caller: Caller,
    PathParam(id): PathParam<ImageId>,
) -> Result<Body<ImageAnswer>, ImagesError> {
    let mut tx = images.postgres.tenant(caller.tenant).await?;
    let image = store::find_image(&mut tx, id, caller.courses_of()).await?.ok_or_else(Problem::not_found)?;
    let variants = files_of(&mut tx, &[id]).await?.remove(&id).unwrap_or_default();
    tx.commit().await?;
    Ok(Body(ImageAnswer::new(image, variants)))
}

/// Delete an image
///
/// Its files go too, if no other image has the same, and what they took of the academy's storage is free again. Caches may show
/// them for longer.
#[utoipa::path(delete, path = "/api/v1/images/{image_id}", tag = "images",
    params(("image_id" = ImageId, Path, description = "The image: one's own, or anybody's for those who may see all courses")),
    responses((status = 204, description = "It is gone"),
              (status = 409, description = "It is shown somewhere (`image-used`)", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn delete(
    State(images): State<Images>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<ImageId>,
) -> Result<StatusCode, ImagesError> {
    let mut tx = images.postgres.tenant(caller.tenant).await?;
    let image = store::find_image(&mut tx, id, caller.courses_of()).await?.ok_or_else(Problem::not_found)?;
    let names = store::delete_files(&mut tx, id).await?;
    store::delete_image(&mut tx, id).await.map_err(used)?;
    let deleted = Write {
        action: Action::ImageDeleted,
        target: target(id),
        before: json!({ "upload": image.upload, "preset": image.preset, "crop": image.crop }),
        after: Value::Null,
    };
    images.auditor.record(&mut tx, Actor::new(&caller, &call), deleted).await?;
    tx.commit().await?;
    if let Err(error) = delete_unused(&images.postgres, &images.objects, caller.tenant, &names).await {
        // The night deletes what is left.
        let line = json!({
            "at": images.ports.now(), "function": "images", "level": "error", "files_left_by": target(id),
            "cause": error.with_source(),
        });
        images.ports.log.line(&line.to_string());
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Where an image is shown, a foreign key holds it.
fn used(error: StoreError) -> ImagesError {
    if matches!(error, StoreError::Constraint { kind: ConstraintKind::ForeignKey, .. }) {
        let detail = "This image is shown somewhere: take it away there first.";
        return Problem::new(StatusCode::CONFLICT, "image-used", detail).into();
    }
    error.into()
}
