//! What people may ask of whoever keeps their data (Law 6698 art. 11; GDPR art. 7, 15, 17, 20): to have it, to have it
//! destroyed, and to give or withdraw consent.
//!
//! Erasing destroys the person's key in both planes: what was sealed under it opens nowhere any more. It leaves a tombstone by
//! which no feed and no backup brings the person back (design §8).

mod consents;
mod erasure;
mod export;
mod own_consents;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    plane_client::PlaneClient,
    ports::HttpClient,
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, post, put},
};
use std::sync::Arc;
use utoipa::OpenApi;

pub use export::tables as exported_tables;

/// What the function stands on.
#[derive(Clone)]
pub struct Privacy {
    edge: Edge,
    tokens: TokenVerifier,
    vault: Arc<Vault>,
    lambda: Arc<PlaneClient>,
}

impl Privacy {
    /// `http` reaches the Lambda plane within a bounded time.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(
        edge: Edge,
        http: Arc<dyn HttpClient>,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        let lambda = Arc::new(PlaneClient::from_config(http, config)?);
        Ok(Self { edge, tokens, vault: Arc::new(vault), lambda })
    }
}

pub fn router(privacy: Privacy) -> Router {
    let edge = &privacy.edge;
    let gate =
        Gate::edge(routes_of!("privacy"), edge.ports.clone(), privacy.tokens.clone(), edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/users/me/erasure", post(erasure::erase_oneself))
        .route("/api/v1/users/me/export", get(export::export))
        .route("/api/v1/users/me/consents", get(own_consents::list))
        .route("/api/v1/users/me/consents/{kind}", put(own_consents::choose))
        .route("/api/v1/people/{person_id}/erasure", post(erasure::erase_person))
        .route("/api/v1/consents", get(consents::list))
        .route("/api/v1/academy/consents/{kind}", put(consents::ask))
        .with_state(privacy);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    erasure::erase_oneself,
    erasure::erase_person,
    export::export,
    consents::list,
    consents::ask,
    own_consents::list,
    own_consents::choose
))]
pub struct ApiDoc;
