//! Who somebody is: registration, sign-in, sessions, one's own account.
//!
//! Access tokens live 15 minutes and are verified with no I/O; refresh tokens are rotated on each use, and an
//! old one that comes back ends its whole family (design §8). Passwords are hashed with argon2id; personal
//! fields are sealed before they reach the store.

mod account;
mod password;
mod refresh_token;
mod registration;
mod sessions;
mod sign_in;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    token::TokenSigner,
};
use akademi_edge_store::Edge;
use akademi_seal::Vault;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{delete, get, post},
};
use http::HeaderMap;
use std::sync::Arc;
use utoipa::OpenApi;

use refresh_token::RefreshTokens;

/// What the function stands on.
#[derive(Clone)]
pub struct Auth {
    edge: Edge,
    signer: Arc<TokenSigner>,
    vault: Arc<Vault>,
    refresh_tokens: Arc<RefreshTokens>,
}

impl Auth {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let signer = config.read(akademi_functions::TOKEN_SIGNING_KEYS, TokenSigner::from_config)?;
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        let refresh_tokens = RefreshTokens::new(vault.derive("akademi/refresh-token/1"));
        Ok(Self {
            edge,
            signer: Arc::new(signer),
            vault: Arc::new(vault),
            refresh_tokens: Arc::new(refresh_tokens),
        })
    }
}

pub fn router(auth: Auth) -> Router {
    let tokens = auth.signer.verifier().clone();
    let gate = Gate::edge("auth", auth.edge.ports.clone(), tokens, auth.edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/auth/register", post(registration::register))
        .route("/api/v1/auth/login", post(sign_in::login))
        .route("/api/v1/auth/refresh", post(sign_in::refresh))
        .route("/api/v1/auth/logout", post(sessions::logout))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/api/v1/users/me", get(account::show).patch(account::change))
        .route("/api/v1/users/me/sessions", get(sessions::list))
        .route("/api/v1/users/me/sessions/{session_id}", delete(sessions::end))
        .with_state(auth);
    gate.guard(router)
}

/// The keys that access tokens are signed with
///
/// A JWK set (RFC 7517) of Ed25519 public keys (RFC 8037).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth",
    responses((status = 200, description = "The keys", body = serde_json::Value), (status = 304, description = "Unchanged")))]
async fn jwks(State(auth): State<Auth>, headers: HeaderMap) -> Result<Response, akademi_api::Problem> {
    let body = auth.signer.verifier().to_jwks().to_string();
    let etag = auth.signer.verifier().kids();
    akademi_api::conditional::public_json(&headers, &etag, body)
}

#[derive(OpenApi)]
#[openapi(paths(
    registration::register,
    sign_in::login,
    sign_in::refresh,
    sessions::logout,
    jwks,
    account::show,
    account::change,
    sessions::list,
    sessions::end
))]
pub struct ApiDoc;
