//! Who somebody is: registration, sign-in, refresh, forgotten passwords.
//!
//! Access tokens live 15 minutes and are verified with no I/O; refresh tokens are rotated on each use, and an
//! old one that comes back ends its whole family (design §8). Passwords are hashed with argon2id; personal
//! fields are sealed before they reach the store. What a stranger is told of an address never depends on whether it has an
//! account: its owner is told by mail.

mod invitation;
mod password_reset;
mod refresh;
mod registration;
mod second_factor;
mod sign_in;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    links::LinkKeys,
};
use akademi_edge_store::Edge;
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
    links: Arc<LinkKeys>,
    throttles: Arc<ThrottleKeys>,
}

impl Auth {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        let links = config.read(akademi_functions::PLANE_ROOT_KEYS, LinkKeys::from_config)?;
        Ok(Self {
            sessions: Arc::new(Sessions::from_config(edge.clone(), &vault, config)?),
            edge,
            throttles: Arc::new(ThrottleKeys::new(&vault)),
            links: Arc::new(links),
            vault: Arc::new(vault),
        })
    }
}

pub fn router(auth: Auth) -> Router {
    let tokens = auth.sessions.verifier().clone();
    let gate = Gate::edge("auth", auth.edge.ports.clone(), tokens, auth.edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/auth/register", post(registration::register))
        .route("/api/v1/auth/confirm", post(registration::confirm))
        .route("/api/v1/auth/accept-invitation", post(invitation::accept))
        .route("/api/v1/auth/login", post(sign_in::login))
        .route("/api/v1/auth/second-factor", post(second_factor::answer))
        .route("/api/v1/auth/refresh", post(refresh::refresh))
        .route("/api/v1/auth/forgot-password", post(password_reset::forgot))
        .route("/api/v1/auth/reset-password", post(password_reset::reset))
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
#[openapi(paths(
    registration::register,
    registration::confirm,
    invitation::accept,
    sign_in::login,
    second_factor::answer,
    refresh::refresh,
    password_reset::forgot,
    password_reset::reset,
    jwks
))]
pub struct ApiDoc;
