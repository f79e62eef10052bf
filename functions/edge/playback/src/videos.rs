//! A video as staff see it, whether or not a lesson of a published course plays it.

use akademi_api::{Caller, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::ids::AssetId;
use axum::{extract::State, response::Response};

use crate::{Playback, expiry, names::Linked, playlist::renamed, store::find_video, text};

/// A playlist of a video of the academy
///
/// As learners get it, of any video that has been read.
#[utoipa::path(get, path = "/api/v1/authoring/videos/{asset_id}/playback/{*path}", tag = "authoring",
    params(("asset_id" = AssetId, Path, description = "The video's file"),
           ("*path" = String, Path, description = "`master.m3u8`, a playlist that it names, or `thumbnails.vtt`")),
    responses((status = 200, description = "The playlist, or the list of small pictures",
               content((String = "application/vnd.apple.mpegurl"), (String = "text/vtt"))),
              (status = 404, description = "There is no such playlist, or the video does not play yet", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn file(
    State(playback): State<Playback>,
    caller: Caller,
    PathParam((asset, path)): PathParam<(AssetId, String)>,
) -> Result<Response, Problem> {
    let database = playback.edge.tenant(caller.tenant);
    let video = find_video(&database, asset, &path).await?.ok_or_else(Problem::not_found)?;
    let playlist = video.playlist.as_deref().ok_or_else(Problem::not_found)?;
    let policy =
        playback.links.folder(&video.folder, caller.session, expiry(&video, playback.edge.ports.now()));
    Ok(text(&path, renamed(&path, playlist, &Linked { asset, policy })))
}
