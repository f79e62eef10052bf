//! Certificates: what anybody who holds a serial may check of one, and one's own.
//!
//! All of it is served from a read copy that the feed keeps. The holder's name is sealed there under the holder's
//! key: erasing the person takes it out of every answer, and nothing that names a person is ever cacheable.

mod certificate;
mod own;
mod page;
mod phrases;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use akademi_seal::Vault;
use axum::{Router, routing::get};
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Verify {
    edge: Edge,
    tokens: TokenVerifier,
    vault: Arc<Vault>,
}

impl Verify {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            edge,
            tokens: config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?,
            vault: Arc::new(config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?),
        })
    }
}

pub fn router(verify: Verify) -> Router {
    let ports = verify.edge.ports.clone();
    let gate = Gate::edge(routes_of!("verify"), ports, verify.tokens.clone(), verify.edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/certificates/{serial}", get(certificate::show))
        .route("/verify/{serial}", get(page::show))
        .route("/api/v1/users/me/certificates", get(own::list))
        .with_state(verify);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(certificate::show, page::show, own::list))]
pub struct ApiDoc;
