//! Signing in elsewhere: with Google, a city's own directory, e-Devlet, whatever the academy has configured.
//!
//! A page begins here and sends its browser to the provider, which sends it back with a code ([`callback`]); the page then has
//! the code traded for a session ([`sign_in`]). State, nonce and verifier are derived from the browser's cookie ([`browser`]), so
//! that nobody else's answer counts; Lambda's `identity` talks to the provider and says who it is.
//!
//! Nobody takes over an account: an identity that is new makes a new one, if the provider answers for an address that nobody has
//! here. Else the account's owner links it, signed in ([`identities`]). Whoever tells the provider that they want to be deleted
//! is known here no more ([`deletion`]).

mod account;
mod browser;
mod callback;
mod deletion;
mod deletion_page;
mod identities;
mod lambda;
mod providers;
mod sign_in;
mod start;
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

use browser::Browsers;

/// What the function stands on.
#[derive(Clone)]
pub struct Federation {
    edge: Edge,
    sessions: Arc<Sessions>,
    vault: Arc<Vault>,
    browsers: Arc<Browsers>,
    throttles: Arc<ThrottleKeys>,
    lambda: Arc<PlaneClient>,
}

impl Federation {
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
            browsers: Arc::new(Browsers::new(&vault)),
            throttles: Arc::new(ThrottleKeys::new(&vault)),
            vault: Arc::new(vault),
            lambda: Arc::new(PlaneClient::from_config(http, config)?),
        })
    }
}

pub fn router(federation: Federation) -> Router {
    let edge = &federation.edge;
    let tokens = federation.sessions.verifier().clone();
    let gate = Gate::edge(routes_of!("federation"), edge.ports.clone(), tokens, edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/auth/providers", get(providers::list))
        .route("/api/v1/auth/providers/{provider}/start", post(start::start))
        .route("/api/v1/auth/providers/{provider}/callback", get(callback::arrive))
        .route("/api/v1/auth/providers/{provider}/sign-in", post(sign_in::sign_in))
        .route("/api/v1/auth/providers/{provider}/data-deletion", post(deletion::delete))
        .route("/data-deletion/{code}", get(deletion_page::show))
        .route("/api/v1/users/me/identities", get(identities::list).post(identities::link))
        .route("/api/v1/users/me/identities/{identity_id}", delete(identities::unlink))
        .with_state(federation);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    providers::list,
    start::start,
    callback::arrive,
    sign_in::sign_in,
    deletion::delete,
    deletion_page::show,
    identities::list,
    identities::link,
    identities::unlink
))]
pub struct ApiDoc;
