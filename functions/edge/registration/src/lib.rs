//! Accounts by mail: registration, invitations, forgotten passwords.
//!
//! Whoever opens the link of a mail decides whose account it is and what its password is; nobody is signed in by one. What a
//! stranger is told of an address never depends on whether it has an account: its owner is told by mail.

mod consents;
mod invitation;
mod password_reset;
mod registration;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    links::LinkKeys,
    ports::HttpClient,
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use akademi_identity::{SyncWake, throttle::ThrottleKeys};
use akademi_seal::Vault;
use axum::{Router, routing::post};
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Registrar {
    edge: Edge,
    vault: Arc<Vault>,
    links: Arc<LinkKeys>,
    throttles: Arc<ThrottleKeys>,
    sync: SyncWake,
}

impl Registrar {
    /// `http` reaches the Lambda plane within a bounded time.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(
        edge: Edge,
        http: Arc<dyn HttpClient>,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        let links = config.read(akademi_functions::PLANE_ROOT_KEYS, LinkKeys::from_config)?;
        let throttles = Arc::new(ThrottleKeys::new(&vault));
        let sync = SyncWake::from_config(http, config)?;
        Ok(Self { edge, throttles, links: Arc::new(links), vault: Arc::new(vault), sync })
    }
}

pub fn router(registrar: Registrar) -> Router {
    let edge = &registrar.edge;
    let gate = Gate::edge(
        routes_of!("registration"),
        edge.ports.clone(),
        TokenVerifier::refusing(),
        edge.directory(),
        None,
    );
    let router = Router::new()
        .route("/api/v1/auth/register", post(registration::register))
        .route("/api/v1/auth/confirm", post(registration::confirm))
        .route("/api/v1/auth/accept-invitation", post(invitation::accept))
        .route("/api/v1/auth/forgot-password", post(password_reset::forgot))
        .route("/api/v1/auth/reset-password", post(password_reset::reset))
        .with_state(registrar);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    registration::register,
    registration::confirm,
    invitation::accept,
    password_reset::forgot,
    password_reset::reset
))]
pub struct ApiDoc;
