//! Who may watch a video, and by which addresses.
//!
//! One statement decides: whoever is enrolled, in a lesson that is open, whose video plays. Its playlists are a read copy
//! here ([`playlist`]); what they name are links to the CDN, all with the one policy that was signed for them
//! ([`signed_policy`]): for this video, this session, and a while.
//!
//! # What must have been handed out
//! The segments of a lesson that is delivery-bound are asked for here. Each request keeps which seconds were handed to the
//! session, and is sent on to a link for that file alone, of a minute. Heartbeats then count those seconds only. This shows
//! that the session has fetched what it says it has watched. It does not show that anybody looked: a program that fetches
//! segments at the pace of the clock, or a player without an audience, is counted; and whoever shares a sign-in shares its
//! seconds.

mod lessons;
mod names;
mod playlist;
pub mod signed_policy;
mod store;
mod videos;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_domain::time::Timestamp;
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, header};
use signed_policy::PolicySigner;
use store::Playable;
use utoipa::OpenApi;

/// How much longer than the video its links live: whoever pauses for longer asks again.
const PAUSE_SECONDS: i64 = 30 * 60;
/// Links of one playback end at the same moment: at the next whole ten minutes.
const STEP_SECONDS: i64 = 10 * 60;

/// What the function stands on.
#[derive(Clone)]
pub struct Playback {
    edge: Edge,
    tokens: TokenVerifier,
    links: PolicySigner,
}

impl Playback {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        let base = config.read(akademi_functions::MEDIA_URL, |base| {
            let is_http = base.starts_with("http://") || base.starts_with("https://");
            if is_http { Ok(base.to_owned()) } else { Err("must begin with http:// or https://") }
        })?;
        let links = config
            .read(akademi_functions::MEDIA_SIGNING_KEYS, |keys| PolicySigner::from_config(&base, keys))?;
        Ok(Self { edge, tokens, links })
    }
}

/// Until when a video's links live that are asked for now.
fn expiry(video: &Playable, now: Timestamp) -> Timestamp {
    let seconds = now.as_seconds() + video.duration_ms / 1000 + PAUSE_SECONDS;
    Timestamp::from_millis((seconds / STEP_SECONDS + 1) * STEP_SECONDS * 1000)
}

/// A text with the media type of its path (RFC 8216 §4, W3C WebVTT §8.1).
fn text(path: &str, text: String) -> Response {
    let content_type = if path.ends_with(".vtt") { "text/vtt" } else { "application/vnd.apple.mpegurl" };
    ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], text).into_response()
}

pub fn router(playback: Playback) -> Router {
    let ports = playback.edge.ports.clone();
    let gate =
        Gate::edge(routes_of!("playback"), ports, playback.tokens.clone(), playback.edge.directory(), None);
    let lesson = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/playback";
    let router = Router::new()
        .route(lesson, get(lessons::show))
        .route(&format!("{lesson}/{{*path}}"), get(lessons::file))
        .route("/api/v1/authoring/videos/{asset_id}/playback/{*path}", get(videos::file))
        .with_state(playback);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(lessons::show, lessons::file, videos::file))]
pub struct ApiDoc;
