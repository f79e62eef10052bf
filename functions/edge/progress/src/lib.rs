//! What learners do with a course: watching, opening, and how far they are.
//!
//! Every write goes through [`Recorder`], those of other functions too: read where the learner stands, decide with pure
//! rules, write all of it in one batch that is refused if another of the learner's requests came between.

mod course;
mod enrolments;
mod heartbeats;
mod lessons;
pub mod openings;
mod record;
mod remembered;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use axum::{
    Router,
    routing::{get, post},
};
use utoipa::OpenApi;

pub use record::{
    Change, Decision, Learner, LessonProgress, Place, Recorded, Recorder, Standing, WatchedNow,
};

/// What the function stands on.
#[derive(Clone)]
pub struct Progress {
    edge: Edge,
    tokens: TokenVerifier,
    recorder: Recorder,
}

impl Progress {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        Ok(Self { recorder: Recorder::new(edge.clone()), edge, tokens })
    }
}

pub fn router(progress: Progress) -> Router {
    let ports = progress.edge.ports.clone();
    let gate =
        Gate::edge(routes_of!("progress"), ports, progress.tokens.clone(), progress.edge.directory(), None);
    let lesson = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}";
    let router = Router::new()
        .route("/api/v1/progress/heartbeats", post(heartbeats::heartbeat))
        .route("/api/v1/progress/courses/{course_id}", get(course::show))
        .route("/api/v1/enrolments", post(enrolments::grant))
        .route(lesson, get(lessons::show))
        .route(&format!("{lesson}/opening"), post(lessons::open))
        .with_state(progress);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(heartbeats::heartbeat, course::show, enrolments::grant, lessons::show, lessons::open))]
pub struct ApiDoc;
