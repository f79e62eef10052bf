//! The local folder of files behind HTTP, as S3 is behind its own: what a signed link permits, and nothing else.
//!
//! It answers on one host that is no academy's, so that a stored page or drawing runs in no academy's origin, and pages
//! of all academies may read it (CORS): who holds a link needs no cookie and no token.

use akademi_api::{Ports, Problem};
use akademi_authoring::Storage;
use akademi_domain::time::Timestamp;
use akademi_lambda_store::{
    content_type::ContentType,
    links::{Access, Grant, content_disposition},
    object_key::ObjectKey,
    objects::{Announced, Object, ObjectError, Objects},
    signed_url::{LinkRefused, LinkSigner},
};
use akademi_playback::signed_policy::PolicyRefused;
pub use akademi_playback::signed_policy::PolicyVerifier;
use akademi_site::assets::{ASSETS, FOLDER};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::TryStreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::sync::Arc;

use crate::byte_range::{Asked, asked_range};

/// Where files are on the storage's host.
pub const PATH: &str = "/storage";

/// A folder of files, and what its links are made and checked with.
#[derive(Clone)]
pub struct Folder {
    pub objects: Objects,
    pub links: LinkSigner,
}

impl Folder {
    /// The folder as functions see it.
    pub fn storage(&self) -> Storage {
        Storage { objects: self.objects.clone(), links: Arc::new(self.links.clone()) }
    }
}

/// Where videos are on the storage's host, as behind a CDN.
pub const MEDIA_PATH: &str = "/media";

#[derive(Clone)]
pub struct Served {
    pub storage: Folder,
    /// The links of the edge that open videos.
    pub media: PolicyVerifier,
    /// Host and port.
    pub authority: String,
    pub ports: Ports,
}

/// The files of the storage, for requests to its host.
pub fn router(served: Served) -> Router {
    Router::new()
        .route(&format!("{PATH}/{{*key}}"), get(answer).put(answer).options(answer))
        .route(&format!("{MEDIA_PATH}/{{*key}}"), get(answer).options(answer))
        .with_state(served)
}

async fn answer(State(served): State<Served>, request: Request) -> Response {
    let (started, method) = (served.ports.now(), request.method().clone());
    let request_id = format!("{:032x}", u128::from_be_bytes(served.ports.random()));
    let (mut response, cause) = match served.serve(request).await {
        Ok(response) => (response, None),
        Err(problem) => (problem.render(&request_id), problem.cause().map(str::to_owned)),
    };
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "content-length, content-range, etag"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let line = serde_json::json!({
        "at": started, "request_id": request_id, "function": "storage", "method": method.as_str(),
        "status": response.status().as_u16(), "milliseconds": served.ports.now().millis_since(started), "cause": cause,
    });
    served.ports.log.line(&line.to_string());
    response
}

impl Served {
    async fn serve(&self, request: Request) -> Result<Response, Problem> {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        if host != Some(self.authority.as_str()) {
            return Err(Problem::not_found());
        }
        if request.method() == Method::OPTIONS {
            return Ok(preflight());
        }
        let uri = request.uri();
        if let Some(key) = uri.path().strip_prefix(MEDIA_PATH).and_then(|path| path.strip_prefix('/')) {
            if let Some(asset) = asset_of_pages(key) {
                return Ok(asset);
            }
            let query = uri.query().unwrap_or_default();
            let verified = self.media.verify(key, query, self.ports.now());
            let expires_at =
                verified.map_err(|refused| not_opened(refused == PolicyRefused::Expired, refused))?;
            let key: ObjectKey = key.parse().map_err(|_| Problem::not_found())?;
            return self.hand_out(&key, &type_of_media(&key), request.headers(), expires_at).await;
        }
        let key = uri.path().strip_prefix(PATH).and_then(|path| path.strip_prefix('/')).unwrap_or_default();
        let (method, query) = (request.method().as_str(), uri.query().unwrap_or_default());
        let grant = self.storage.links.verify(method, key, query, self.ports.now());
        let grant = grant.map_err(|refused| not_opened(refused == LinkRefused::Expired, refused))?;
        let Grant { key, access, expires_at } = grant;
        match access {
            Access::Download { content_type, file_name } => {
                let mut response = self.hand_out(&key, &content_type, request.headers(), expires_at).await?;
                if let Some(name) = file_name {
                    let inline = HeaderValue::try_from(content_disposition("inline", &name));
                    response
                        .headers_mut()
                        .insert(header::CONTENT_DISPOSITION, inline.map_err(Problem::broken)?);
                }
                Ok(response)
            }
            Access::Upload { bytes, .. } | Access::UploadPart(Announced { bytes, .. })
                if announced_length(request.headers()).is_some_and(|length| length != bytes) =>
            {
                Err(Problem::field("content-length", format!("is not {bytes}")))
            }
            Access::Upload { bytes, content_type } => {
                let sent = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
                if sent != Some(content_type.as_str().as_bytes()) {
                    let detail = format!("The link is for a file of the type {content_type}.");
                    return Err(Problem::forbidden().with_detail(detail));
                }
                let body = request.into_body().into_data_stream();
                let stored = self.storage.objects.put_stream(&key, &content_type, bytes, body).await;
                stored.map_err(not_stored)?;
                Ok(StatusCode::OK.into_response())
            }
            Access::UploadPart(announced) => {
                let body = request.into_body().into_data_stream();
                let stored = self.storage.objects.put_announced(&key, &announced, body).await;
                stored.map_err(not_stored)?;
                Ok(StatusCode::OK.into_response())
            }
        }
    }

    /// The file, or its part, for as long as its link lives.
    async fn hand_out(
        &self,
        key: &ObjectKey,
        content_type: &ContentType,
        headers: &HeaderMap,
        expires_at: Timestamp,
    ) -> Result<Response, Problem> {
        let mut response = self.read(key, content_type, headers).await?;
        let seconds = expires_at.millis_since(self.ports.now()).max(0) / 1000;
        let cache = HeaderValue::try_from(format!("private, max-age={seconds}"));
        response.headers_mut().insert(header::CACHE_CONTROL, cache.map_err(Problem::broken)?);
        Ok(response)
    }

    async fn read(
        &self,
        key: &ObjectKey,
        content_type: &ContentType,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let info = self.storage.objects.head(key).await.map_err(refusal)?;
        let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
        let (status, object) = match asked_range(range, info.size) {
            Asked::Whole => (StatusCode::OK, self.storage.objects.get(key).await),
            Asked::Part(part) => {
                (StatusCode::PARTIAL_CONTENT, self.storage.objects.get_range(key, part).await)
            }
            Asked::Beyond => {
                let size = format!("bytes */{}", info.size);
                return Ok(
                    (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, size)]).into_response()
                );
            }
        };
        let Object { info, range, bytes } = object.map_err(refusal)?;
        let mut response = (status, Body::from_stream(bytes.into_stream())).into_response();
        describe(response.headers_mut(), content_type, info.etag.as_deref())?;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
        if status == StatusCode::PARTIAL_CONTENT {
            let part = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), info.size);
            headers.insert(header::CONTENT_RANGE, HeaderValue::try_from(part).map_err(Problem::broken)?);
        }
        Ok(response)
    }
}

/// A file of the academies' pages, which needs no signature.
fn asset_of_pages(key: &str) -> Option<Response> {
    let name = key.strip_prefix(FOLDER)?.strip_prefix('/')?;
    let asset = ASSETS.into_iter().find(|asset| asset.name == name)?;
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Some((headers, asset.content).into_response())
}

/// A bucket keeps the type that each file of a video was stored with; a folder has its name.
fn type_of_media(key: &ObjectKey) -> ContentType {
    let content_type = match key.file_name().rsplit_once('.') {
        Some((_, "mp4" | "m4s")) => "video/mp4",
        Some((_, "jpg")) => "image/jpeg",
        _ => return ContentType::unknown(),
    };
    content_type.parse().unwrap_or_else(|_| ContentType::unknown())
}

fn not_opened(expired: bool, refused: impl std::fmt::Display) -> Problem {
    let detail =
        if expired { "The link has expired: ask for a new one." } else { "The link does not open this." };
    Problem::forbidden().with_detail(detail).because(refused)
}

/// What is sent, and how a browser is to treat it.
fn describe(headers: &mut HeaderMap, content_type: &ContentType, etag: Option<&str>) -> Result<(), Problem> {
    let value = HeaderValue::try_from(content_type.as_str()).map_err(Problem::broken)?;
    headers.insert(header::CONTENT_TYPE, value);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(etag) = etag.and_then(|etag| HeaderValue::try_from(format!("\"{etag}\"")).ok()) {
        headers.insert(header::ETAG, etag);
    }
    if content_type.is_active() {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    }
    Ok(())
}

/// The body's length, where the request says it before.
fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn not_stored(error: ObjectError) -> Problem {
    match error {
        ObjectError::TooLarge { .. } => Problem::too_large(),
        ObjectError::NotAnnounced => {
            Problem::invalid().with_detail("These are not the bytes that the link is for.")
        }
        ObjectError::Interrupted(_) => Problem::malformed_body().because(error),
        error => Problem::broken(error),
    }
}

fn refusal(error: ObjectError) -> Problem {
    match error {
        ObjectError::NotFound => Problem::not_found(),
        error => Problem::broken(error),
    }
}

/// What a page of another origin may send (Fetch standard, CORS preflight).
fn preflight() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, PUT"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, range"),
        (header::ACCESS_CONTROL_MAX_AGE, "3600"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}
