//! Passkeys: signing in with a key of one's own device (WebAuthn level 3), and no password.
//!
//! A passkey belongs to one host of the academy ([`ceremony`]): browsers show it to no other. What authenticators make is checked by
//! Lambda's `identity` ([`lambda`]), since what every algorithm of theirs needs is too large for the edge; challenges, public keys
//! and sessions stay here. Owners are verified by their devices each time, so that a sign-in is both factors at once.

mod ceremony;
mod lambda;
mod own;
mod registration;
mod sign_in;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    plane_client::PlaneClient,
    ports::HttpClient,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use akademi_identity::{session::Sessions, throttle::ThrottleKeys};
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{delete, get, post},
};
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Passkeys {
    edge: Edge,
    sessions: Arc<Sessions>,
    vault: Arc<Vault>,
    throttles: Arc<ThrottleKeys>,
    lambda: Arc<PlaneClient>,
}

impl Passkeys {
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
        Ok(Self {
            sessions: Arc::new(Sessions::from_config(edge.clone(), &vault, config)?),
            edge,
            throttles: Arc::new(ThrottleKeys::new(&vault)),
            vault: Arc::new(vault),
            lambda: Arc::new(PlaneClient::from_config(http, config)?),
        })
    }
}

pub fn router(passkeys: Passkeys) -> Router {
    let edge = &passkeys.edge;
    let tokens = passkeys.sessions.verifier().clone();
    let gate = Gate::edge(routes_of!("passkeys"), edge.ports.clone(), tokens, edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/auth/passkey/options", post(sign_in::begin))
        .route("/api/v1/auth/passkey", post(sign_in::sign_in))
        .route("/api/v1/users/me/passkeys/options", post(registration::begin))
        .route("/api/v1/users/me/passkeys", get(own::list).post(registration::add))
        .route("/api/v1/users/me/passkeys/{passkey_id}", delete(own::remove))
        .with_state(passkeys);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    sign_in::begin,
    sign_in::sign_in,
    registration::begin,
    registration::add,
    own::list,
    own::remove
))]
pub struct ApiDoc;
