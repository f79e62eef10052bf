//! One's own account: name, password, second factor, devices.
//!
//! It makes no tokens and holds no key that signs them: whoever is signed in came through `auth`.

mod account;
mod password_change;
mod second_factor;
mod sessions;
mod step_up;
mod store;

use akademi_api::{
    Caller, Gate, Problem,
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use akademi_identity::{Known, throttle::ThrottleKeys};
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{delete, get, post, put},
};
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Account {
    edge: Edge,
    tokens: TokenVerifier,
    vault: Arc<Vault>,
    throttles: Arc<ThrottleKeys>,
}

impl Account {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        Ok(Self { edge, tokens, throttles: Arc::new(ThrottleKeys::new(&vault)), vault: Arc::new(vault) })
    }

    async fn known(&self, caller: &Caller) -> Result<Known, Problem> {
        Known::find(&self.edge.tenant(caller.tenant), &self.vault, caller).await
    }
}

pub fn router(account: Account) -> Router {
    let edge = &account.edge;
    let gate =
        Gate::edge(routes_of!("account"), edge.ports.clone(), account.tokens.clone(), edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/auth/step-up", post(step_up::step_up))
        .route("/api/v1/auth/logout", post(sessions::logout))
        .route("/api/v1/users/me", get(account::show).patch(account::change))
        .route("/api/v1/users/me/password", put(password_change::change))
        .route("/api/v1/users/me/second-factor/setup", post(second_factor::setup))
        .route(
            "/api/v1/users/me/second-factor",
            put(second_factor::switch_on).delete(second_factor::switch_off),
        )
        .route("/api/v1/users/me/sessions", get(sessions::list).delete(sessions::end_all))
        .route("/api/v1/users/me/sessions/{session_id}", delete(sessions::end))
        .with_state(account);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    step_up::step_up,
    sessions::logout,
    account::show,
    account::change,
    password_change::change,
    second_factor::setup,
    second_factor::switch_on,
    second_factor::switch_off,
    sessions::list,
    sessions::end,
    sessions::end_all
))]
pub struct ApiDoc;
