//! Who somebody is: sign-in with a password and a second factor, refresh.
//!
//! Access tokens live 15 minutes and are verified with no I/O; refresh tokens are rotated on each use, and an
//! old one that comes back ends its whole family (design §8).

mod refresh;
mod second_factor;
mod sign_in;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use akademi_identity::{session::Sessions, throttle::ThrottleKeys};
use akademi_seal::Vault;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use http::HeaderMap;
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Auth {
    edge: Edge,
    sessions: Arc<Sessions>,
    vault: Arc<Vault>,
    throttles: Arc<ThrottleKeys>,
}

impl Auth {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        Ok(Self {
            sessions: Arc::new(Sessions::from_config(edge.clone(), &vault, config)?),
            edge,
            throttles: Arc::new(ThrottleKeys::new(&vault)),
            vault: Arc::new(vault),
        })
    }
}

pub fn router(auth: Auth) -> Router {
    let tokens = auth.sessions.verifier().clone();
    let gate = Gate::edge(routes_of!("auth"), auth.edge.ports.clone(), tokens, auth.edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/auth/login", post(sign_in::login))
        .route("/api/v1/auth/second-factor", post(second_factor::answer))
        .route("/api/v1/auth/refresh", post(refresh::refresh))
        .route("/.well-known/jwks.json", get(jwks))
        .with_state(auth);
    gate.guard(router)
}

/// The keys that access tokens are signed with
///
/// A JWK set (RFC 7517) of Ed25519 public keys (RFC 8037).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth",
    responses((status = 200, description = "The keys", body = serde_json::Value), (status = 304, description = "Unchanged")))]
async fn jwks(State(auth): State<Auth>, headers: HeaderMap) -> Result<Response, akademi_api::Problem> {
    let body = auth.sessions.verifier().to_jwks().to_string();
    let etag = auth.sessions.verifier().kids();
    akademi_api::conditional::public_json(&headers, &etag, body)
}

#[derive(OpenApi)]
#[openapi(paths(sign_in::login, second_factor::answer, refresh::refresh, jwks))]
pub struct ApiDoc;
