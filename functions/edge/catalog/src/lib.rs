//! What everybody may read of an academy: its face, its published courses, its search.
//!
//! All of it is served from read copies that the feed keeps; every answer is public, has an `ETag` and may be
//! kept by a CDN. No statement here reads a lesson's body or an answer key.

mod academy;
mod answers;
mod courses;
mod search;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use axum::{Router, routing::get};
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Catalog {
    edge: Edge,
    tokens: TokenVerifier,
    answers: answers::Answers,
}

impl Catalog {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        Ok(Self { edge, tokens, answers: answers::Answers::default() })
    }
}

pub fn router(catalog: Catalog) -> Router {
    let ports = catalog.edge.ports.clone();
    let gate = Gate::edge("catalog", ports, catalog.tokens.clone(), catalog.edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/academy", get(academy::show))
        .route("/api/v1/catalog/courses", get(courses::list))
        .route("/api/v1/catalog/courses/{slug}", get(courses::show))
        .route("/api/v1/catalog/search", get(search::search))
        .with_state(catalog);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(academy::show, courses::list, courses::show, search::search))]
pub struct ApiDoc;
