//! The files that everybody sees.

use akademi_api::{
    PathParam, Problem, conditional::immutable_answer, gate::PLANE_BODY_LIMIT, signed::CallContext,
};
use akademi_domain::picture::PictureName;
use akademi_lambda_store::{objects::ObjectError, pictures::key};
use axum::{Extension, extract::State, response::Response};
use http::{HeaderMap, HeaderValue, header};

use super::{Images, error::ImagesError};

/// A picture in one size and format
///
/// Of the academy whose host is asked. Its name is the digest of its content, so that it may be kept for ever. No database is
/// asked.
#[utoipa::path(get, path = "/api/v1/pictures/{name}", tag = "images",
    params(("name" = String, Path, description = "As the `url` of a picture's file ends")),
    responses((status = 200, description = "The picture", body = Vec<u8>, content_type = "image/*",
                headers(("ETag" = String), ("Cache-Control" = String))),
              (status = 304, description = "Unchanged")))]
pub async fn show(
    State(images): State<Images>,
    Extension(call): Extension<CallContext>,
    headers: HeaderMap,
    PathParam(name): PathParam<PictureName>,
) -> Result<Response, ImagesError> {
    let tenant = call.tenant.ok_or_else(Problem::not_found)?;
    let key = key(tenant, &name).map_err(Problem::broken)?;
    let content = match images.objects.read(&key, PLANE_BODY_LIMIT as u64).await {
        Err(ObjectError::NotFound) => return Err(Problem::not_found().into()),
        content => content?,
    };
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(name.content_type()))];
    Ok(immutable_answer(&headers, name.as_str(), (kind, content))?)
}
