//! What staff says of learners' part in live classes and assignments.
//!
//! It is recorded on the road that all progress takes ([`akademi_progress::Recorder`]), with the audit log's event in the same
//! step.

mod marks;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use akademi_progress::Recorder;
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, put},
};
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Marks {
    edge: Edge,
    tokens: TokenVerifier,
    vault: Arc<Vault>,
    recorder: Recorder,
}

impl Marks {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        Ok(Self { vault: Arc::new(vault), recorder: Recorder::new(edge.clone()), edge, tokens })
    }
}

pub fn router(marks: Marks) -> Router {
    let edge = &marks.edge;
    let (ports, tokens) = (edge.ports.clone(), marks.tokens.clone());
    let gate = Gate::edge(routes_of!("marks"), ports, tokens, edge.directory(), None);
    let lesson_marks = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/marks";
    let router = Router::new()
        .route(lesson_marks, get(marks::list))
        .route(&format!("{lesson_marks}/{{person_id}}"), put(marks::give).delete(marks::take_back))
        .with_state(marks);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(marks::list, marks::give, marks::take_back))]
pub struct ApiDoc;
