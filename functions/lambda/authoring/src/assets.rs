//! The files of courses, as learners and authors read them: a signed link to storage, or a playlist of such links.

mod playlist;
mod store;
pub mod transcoding;

use akademi_api::{Caller, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::{ids::AssetId, permission::Permission};
use akademi_lambda_store::{links::Access, object_key::ObjectKey};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Authoring, AuthoringError};
use playlist::{linked, names_segments};
use store::{Media, find_media};
pub use store::{lengths_of_videos, videos_that_do_not_play};

/// How long a link to a file opens it, in seconds: a browser follows it at once.
const LINK_SECONDS: i64 = 5 * 60;
/// A paused player asks for its next segment by the playlist that it has: twice the video and an hour.
const PAUSE_SECONDS: i64 = 60 * 60;
/// The largest playlist, in bytes: of 12 hours it has some 300 KB.
const MAX_PLAYLIST_BYTES: u64 = 1 << 20;
const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";
/// The list of a video's small pictures names them beside itself, so it is answered here as a playlist is.
const WEBVTT_TYPE: &str = "text/vtt";
/// Where playlists say that the key of an encrypted video is (RFC 8216 §5).
const KEY: &str = "key";
/// What begins the paths of a transcoded video's own files.
const PLAYBACK: &str = "hls/";

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
/// A video that has been transcoded plays from `hls/master.m3u8` (RFC 8216): media playlists come
/// with links to their segments, `hls/key` are the 16 bytes that an encrypted video's segments are opened with,
/// `hls/thumbnails.vtt` is the list of its small pictures, and anything else under `hls/` is a 302.
#[utoipa::path(get, path = "/api/v1/media/{asset_id}/{*path}", tag = "media",
    params(("asset_id" = AssetId, Path, description = "The file"),
           ("*path" = String, Path, description = "A name, or `hls/` and a path of the transcoded video")),
    responses((status = 302, description = "Where the file is", headers(("Location" = String))),
              (status = 200, description = "A playlist, a key, or a list of small pictures",
               content((String = "application/vnd.apple.mpegurl"), (String = "application/octet-stream"),
                       (String = "text/vtt"))),
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
    match path.strip_prefix(PLAYBACK) {
        Some(path) => playback(&authoring, &media, path).await,
        None if path.contains('/') => Err(AuthoringError::NotFound),
        None => {
            let key = media.key.ok_or(AuthoringError::NotFound)?;
            let access =
                Access::Download { content_type: media.content_type, file_name: Some(media.file_name) };
            redirect(&authoring, key, access)
        }
    }
}

async fn playback(authoring: &Authoring, media: &Media, path: &str) -> Result<Response, AuthoringError> {
    let playback = media.playback.as_ref().ok_or(AuthoringError::NotFound)?;
    if path == KEY {
        let key = playback.content_key.clone().ok_or(AuthoringError::NotFound)?;
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        return Ok((headers, key).into_response());
    }
    let file = playback.file(path).ok_or(AuthoringError::NotFound)?;
    let key = below(&playback.folder, path)?;
    let content_type = match file.content_type.as_str() {
        PLAYLIST_TYPE => PLAYLIST_TYPE,
        WEBVTT_TYPE => WEBVTT_TYPE,
        _ => return redirect(authoring, key, file.access()),
    };
    let storage = &authoring.storage;
    let text = storage.objects.read(&key, MAX_PLAYLIST_BYTES).await.map_err(Problem::broken)?;
    let text = std::str::from_utf8(&text).map_err(Problem::broken)?;
    let playlist = if names_segments(text) {
        let now = authoring.ports.now();
        let seconds = playback.duration_ms.saturating_mul(2) / 1000 + PAUSE_SECONDS;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        linked(text, |name| {
            let path = beside(folder, name);
            let Some(file) = playback.file(&path) else { return Ok(None) };
            let key = below(&playback.folder, &path)?;
            storage.download(key, file.access(), seconds, now).map(Some)
        })?
    } else {
        // Its playlists stand beside it, and are asked for here.
        text.to_owned()
    };
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], playlist).into_response())
}

/// The path that a playlist in this folder means by a name (RFC 3986 §5.2, of which the transcoder writes this much).
fn beside(folder: &str, name: &str) -> String {
    match name.strip_prefix("../") {
        Some(above) => above.to_owned(),
        None if folder.is_empty() => name.to_owned(),
        None => format!("{folder}/{name}"),
    }
}

fn below(folder: &ObjectKey, path: &str) -> Result<ObjectKey, Problem> {
    path.split('/').try_fold(folder.clone(), |key, part| key.join(part)).map_err(Problem::broken)
}

fn redirect(authoring: &Authoring, key: ObjectKey, access: Access) -> Result<Response, AuthoringError> {
    let link = authoring.storage.download(key, access, LINK_SECONDS, authoring.ports.now())?;
    let location = HeaderValue::try_from(link).map_err(Problem::broken)?;
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}
