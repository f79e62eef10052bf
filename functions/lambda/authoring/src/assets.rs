//! The files of courses, as learners and authors read them: a signed link to storage.

mod store;
pub mod transcoding;

use akademi_api::{Caller, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::{ids::AssetId, permission::Permission};
use akademi_lambda_store::links::Access;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Authoring, AuthoringError};
use store::find_media;
pub use store::{lengths_of_videos, videos_that_do_not_play};

/// How long a link to a file opens it, in seconds: a browser follows it at once.
const LINK_SECONDS: i64 = 5 * 60;
/// Where the edge's playlists say that the key of an encrypted video is (RFC 8216 §5).
const KEY: &str = "hls/key";

/// What stays as it is in one segment of a path (RFC 3986 §2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where an asset is read; `name` is what a browser saves it as.
pub(crate) fn media_path(asset: AssetId, name: &str) -> String {
    format!("/api/v1/media/{asset}/{}", utf8_percent_encode(name, SEGMENT))
}

/// A file of a course
///
/// For whoever is enrolled in the course, or may write courses. Any name stands for the file itself: 302 to a link that
/// opens it for five minutes, and under which a browser saves it by its own name; not of a video that was sent as an upload.
/// `hls/key` are the 16 bytes that an encrypted video's segments are opened with; its playlists are the edge's.
#[utoipa::path(get, path = "/api/v1/media/{asset_id}/{*path}", tag = "media",
    params(("asset_id" = AssetId, Path, description = "The file"),
           ("*path" = String, Path, description = "A name, or `hls/key`")),
    responses((status = 302, description = "Where the file is", headers(("Location" = String))),
              (status = 200, description = "The key", body = String, content_type = "application/octet-stream"),
              (status = 403, description = "The person is not enrolled", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn show(
    State(authoring): State<Authoring>,
    caller: Caller,
    PathParam((asset, path)): PathParam<(AssetId, String)>,
) -> Result<Response, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let media = find_media(&mut tx, asset, caller.user).await?.ok_or(AuthoringError::NotFound)?;
    tx.commit().await?;
    if !media.is_enrolled && !caller.may(Permission::CoursesWrite) {
        return Err(Problem::forbidden()
            .with_detail("This file is for those enrolled in its course.")
            .into());
    }
    if path == KEY {
        let key = media.content_key.ok_or(AuthoringError::NotFound)?;
        let binary = HeaderValue::from_static("application/octet-stream");
        return Ok(([(header::CONTENT_TYPE, binary)], key).into_response());
    }
    if path.contains('/') {
        return Err(AuthoringError::NotFound);
    }
    let key = media.key.ok_or(AuthoringError::NotFound)?;
    let access = Access::Download { content_type: media.content_type, file_name: Some(media.file_name) };
    let link = authoring.storage.download(key, access, LINK_SECONDS, authoring.ports.now())?;
    let location = HeaderValue::try_from(link).map_err(Problem::broken)?;
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}
