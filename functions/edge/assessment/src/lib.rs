//! What is assessed of a learner: answers to a quiz, which are scored here.
//!
//! It is recorded on the road that all progress takes ([`akademi_progress::Recorder`]); this function is a component of its
//! own for its size.

mod attempts;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use akademi_progress::Recorder;
use axum::{Router, routing::post};
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Assessment {
    edge: Edge,
    tokens: TokenVerifier,
    recorder: Recorder,
}

impl Assessment {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        Ok(Self { recorder: Recorder::new(edge.clone()), edge, tokens })
    }
}

pub fn router(assessment: Assessment) -> Router {
    let edge = &assessment.edge;
    let (ports, tokens) = (edge.ports.clone(), assessment.tokens.clone());
    let gate = Gate::edge(routes_of!("assessment"), ports, tokens, edge.directory(), None);
    let lesson = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}";
    let router =
        Router::new().route(&format!("{lesson}/attempts"), post(attempts::submit)).with_state(assessment);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(attempts::submit))]
pub struct ApiDoc;
