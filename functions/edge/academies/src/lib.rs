//! Academies: what each decides about itself, the hosts it answers on, and what the platform's administrators do with all of
//! them.
//!
//! The platform is an academy too, with the slug `platform`: its people are the administrators of all others, and the routes
//! under `/api/v1/platform` answer on its hosts only.

mod dns;
mod domains;
mod platform;
mod settings;
mod store;

use akademi_api::{
    Academy, Caller, Gate, Problem,
    config::{Config, ConfigError},
    plane_client::parse_base,
    ports::HttpClient,
    token::TokenVerifier,
};
use akademi_edge_store::{Edge, TenantStatement};
use akademi_functions::routes_of;
use akademi_identity::{Origin, audit};
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{delete, get, post, put},
};
use http::Uri;
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Academies {
    edge: Edge,
    tokens: TokenVerifier,
    vault: Arc<Vault>,
    http: Arc<dyn HttpClient>,
    /// Where names are looked up.
    dns: Uri,
}

impl Academies {
    /// `http` reaches the DNS server within a bounded time.
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
        let dns = config.read(akademi_functions::DNS_URL, parse_base)?;
        Ok(Self { edge, tokens, vault: Arc::new(vault), http, dns })
    }

    /// The statements that tell the audit log of the caller's academy what the caller does.
    async fn audited(
        &self,
        caller: &Caller,
        origin: &Origin,
        action: &'static str,
        target: String,
        change: serde_json::Value,
    ) -> Result<[TenantStatement; 2], Problem> {
        audit::by_staff(&self.edge, &self.vault, (caller, origin), action, target, change).await
    }
}

/// What an academy is called in the audit log.
fn target(academy: &Academy) -> String {
    format!("academy:{}", academy.id)
}

pub fn router(academies: Academies) -> Router {
    let edge = &academies.edge;
    let gate = Gate::edge(
        routes_of!("academies"),
        edge.ports.clone(),
        academies.tokens.clone(),
        edge.directory(),
        None,
    );
    let router = Router::new()
        .route("/api/v1/academy/settings", get(settings::show).patch(settings::change))
        .route("/api/v1/academy/domains", get(domains::list).post(domains::claim))
        .route("/api/v1/academy/domains/{host}", delete(domains::remove))
        .route("/api/v1/academy/domains/{host}/verification", post(domains::verify))
        .route("/api/v1/platform/academies", get(platform::list).post(platform::create))
        .route("/api/v1/platform/academies/{academy_id}", get(platform::show).patch(platform::limit))
        .route("/api/v1/platform/academies/{academy_id}/state", put(platform::set_state))
        .route(
            "/api/v1/platform/academies/{academy_id}/deletion",
            put(platform::delete).delete(platform::restore),
        )
        .with_state(academies);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    settings::show,
    settings::change,
    domains::list,
    domains::claim,
    domains::remove,
    domains::verify,
    platform::list,
    platform::create,
    platform::show,
    platform::limit,
    platform::set_state,
    platform::delete,
    platform::restore
))]
pub struct ApiDoc;
