//! What a learner's player asks for.

use akademi_api::{Body, Caller, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::{
    course::VideoSource,
    ids::{CourseId, LessonId},
    time::Timestamp,
};
use akademi_progress::openings::must_be_open;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::{
    Playback, expiry,
    names::{HandedOut, INITIALISATION, Linked, SEGMENTS},
    playlist::{initialisation, renamed, segment},
    store::{Delivery, Lesson, Playable, VideoLesson, find_lesson, save_delivery},
    text,
};

const THUMBNAILS: &str = "thumbnails.vtt";
/// What the folders of sound begin with: a segment of one shows nothing.
const SOUND: &str = "audio";
/// How long a link to one segment opens it, in seconds: a player follows it at once.
const SEGMENT_SECONDS: i64 = 60;

/// How a lesson's video plays.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Playing {
    /// A video of the academy.
    Asset {
        /// Address of its master playlist (RFC 8216 §4.3.4), for the signed-in person.
        playlist: String,
        /// Address of the list of its small pictures (WebVTT), if it has some.
        thumbnails: Option<String>,
        /// Link to the picture that stands for it.
        poster: Option<String>,
        /// When the links in its playlists end: a player asks for the playlist again.
        links_end_at: Timestamp,
        duration_ms: i64,
        /// Where in the video the lesson begins and ends, in seconds; null for the video's start and end.
        start_seconds: Option<u32>,
        end_seconds: Option<u32>,
        /// Whether seconds count only where this session was handed their segments.
        delivery_bound: bool,
    },
    Youtube {
        /// Address of a frame that plays it and sets no cookie before it is played.
        embed_url: String,
        start_seconds: Option<u32>,
        end_seconds: Option<u32>,
    },
}

/// How a lesson's video plays
#[utoipa::path(get, path = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/playback", tag = "learning",
    params(("course_id" = CourseId, Path, description = "The course"), ("lesson_id" = LessonId, Path, description = "The lesson")),
    responses((status = 200, description = "What plays it", body = Playing),
              (status = 403, description = "The lesson is not open yet", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The lesson has no video, or it does not play yet", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn show(
    State(playback): State<Playback>,
    caller: Caller,
    PathParam((course, lesson)): PathParam<(CourseId, LessonId)>,
) -> Result<Body<Playing>, Problem> {
    let found = find_open(&playback, &caller, course, lesson, THUMBNAILS).await?;
    let VideoLesson { source, start_seconds, end_seconds, delivery_bound } = found.video;
    if let VideoSource::Youtube { id } = source {
        let embed_url = embedded(id.as_str(), start_seconds, end_seconds);
        return Ok(Body(Playing::Youtube { embed_url, start_seconds, end_seconds }));
    }
    let video = found.playable.ok_or_else(not_ready)?;
    let links_end_at = expiry(&video, playback.edge.ports.now());
    let policy = playback.links.folder(&video.folder, caller.session, links_end_at);
    let beside = |path: &str| format!("/api/v1/learning/courses/{course}/lessons/{lesson}/playback/{path}");
    Ok(Body(Playing::Asset {
        playlist: beside("master.m3u8"),
        thumbnails: video.playlist.is_some().then(|| beside(THUMBNAILS)),
        poster: video.poster.as_deref().map(|path| policy.link(path)),
        links_end_at,
        duration_ms: video.duration_ms,
        start_seconds,
        end_seconds,
        delivery_bound,
    }))
}

/// A playlist or a segment of a lesson's video
///
/// What its playlists name are links to the CDN that all end at the same moment. Of a delivery-bound lesson they name
/// segments here, `segments/` and a number: each is a 302 to a link of a minute, and its seconds may count from then on.
#[utoipa::path(get, path = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/playback/{*path}", tag = "learning",
    params(("course_id" = CourseId, Path, description = "The course"), ("lesson_id" = LessonId, Path, description = "The lesson"),
           ("*path" = String, Path, description = "`master.m3u8`, what playlists name, or `thumbnails.vtt`")),
    responses((status = 200, description = "The playlist, or the list of small pictures",
               content((String = "application/vnd.apple.mpegurl"), (String = "text/vtt"))),
              (status = 302, description = "Where the segment is", headers(("Location" = String))),
              (status = 403, description = "The lesson is not open yet", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The lesson has no video, or it does not play yet", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn file(
    State(playback): State<Playback>,
    caller: Caller,
    PathParam((course, lesson, path)): PathParam<(CourseId, LessonId, String)>,
) -> Result<Response, Problem> {
    let number = path.rsplit_once('/').and_then(|(folder, number)| {
        let folder = folder.strip_suffix(SEGMENTS)?.strip_suffix('/')?;
        Some((format!("{folder}/index.m3u8"), number))
    });
    let playlist_path = number.as_ref().map_or(path.as_str(), |(playlist, _)| playlist);
    let found = find_open(&playback, &caller, course, lesson, playlist_path).await?;
    if matches!(found.video.source, VideoSource::Youtube { .. }) {
        return Err(nothing_to_play());
    }
    let is_bound = found.video.delivery_bound;
    let video = found.playable.ok_or_else(not_ready)?;
    let playlist = video.playlist.as_deref().ok_or_else(Problem::not_found)?;
    let now = playback.edge.ports.now();
    match &number {
        Some((_, number)) if is_bound => {
            hand_out(&playback, &caller, lesson, &video, (playlist_path, playlist), number).await
        }
        Some(_) => Err(Problem::not_found()),
        None if is_bound && path.ends_with("/index.m3u8") => {
            Ok(text(&path, renamed(&path, playlist, &HandedOut(video.asset))))
        }
        None => {
            let policy = playback.links.folder(&video.folder, caller.session, expiry(&video, now));
            Ok(text(&path, renamed(&path, playlist, &Linked { asset: video.asset, policy })))
        }
    }
}

/// Keeps that a segment is handed to the session, and leads to it.
async fn hand_out(
    playback: &Playback,
    caller: &Caller,
    lesson: LessonId,
    video: &Playable,
    (path, playlist): (&str, &str),
    number: &str,
) -> Result<Response, Problem> {
    let now = playback.edge.ports.now();
    let file = if number == INITIALISATION {
        initialisation(path, playlist).ok_or_else(Problem::not_found)?
    } else {
        let number = number.parse().map_err(|_| Problem::not_found())?;
        let segment = segment(path, playlist, number).ok_or_else(Problem::not_found)?;
        if !path.starts_with(SOUND) {
            let second = |ms: u64| u32::try_from(ms).map_err(Problem::broken);
            let delivery = Delivery {
                person: caller.user,
                lesson,
                session: caller.session,
                from_second: second(segment.from_ms / 1000)?,
                to_second: second(segment.to_ms.div_ceil(1000))?,
                at: now,
            };
            playback.edge.tenant(caller.tenant).batch(vec![save_delivery(&delivery)]).await?;
        }
        segment.path
    };
    let path = format!("{}/{file}", video.folder);
    let link = playback.links.file(&path, caller.session, now.plus_seconds(SEGMENT_SECONDS));
    let location = HeaderValue::try_from(link).map_err(Problem::broken)?;
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}

/// A lesson that has a video and is open.
struct Open {
    video: VideoLesson,
    playable: Option<Playable>,
}

/// # Errors
/// `not-found` when the learner is not enrolled or the lesson is not of the course; `lesson-closed`; `nothing-to-play`.
async fn find_open(
    playback: &Playback,
    caller: &Caller,
    course: CourseId,
    lesson: LessonId,
    path: &str,
) -> Result<Open, Problem> {
    let database = playback.edge.tenant(caller.tenant);
    let found = find_lesson(&database, caller.user, course, lesson, path).await?;
    let Lesson { enrolled_at, opens, video, playable } = found.ok_or_else(Problem::not_found)?;
    let now = playback.edge.ports.now();
    must_be_open(&database, caller.user, course, opens.as_ref(), enrolled_at, now).await?;
    Ok(Open { video: video.ok_or_else(nothing_to_play)?, playable })
}

fn nothing_to_play() -> Problem {
    Problem::new(StatusCode::CONFLICT, "nothing-to-play", "This lesson has no video of the academy.")
}

fn not_ready() -> Problem {
    Problem::new(StatusCode::CONFLICT, "video-not-ready", "The video is being prepared.").retry_after(30)
}

/// YouTube's player in its mode without cookies ("YouTube embedded players and player parameters").
fn embedded(id: &str, start: Option<u32>, end: Option<u32>) -> String {
    let from = start.map(|start| format!("&start={start}")).unwrap_or_default();
    let to = end.map(|end| format!("&end={end}")).unwrap_or_default();
    format!("https://www.youtube-nocookie.com/embed/{id}?enablejsapi=1&rel=0{from}{to}")
}
