//! The road from an academy's own host to the Lambda plane, and what answers where no other function does.
//!
//! The gate has checked the academy, the token, the permission and, where the table of routes says so, the
//! session. What goes on to Lambda is the request's method, target and body under a signed header that says
//! who is asking; tokens and cookies stop here.

mod forward;
mod health;
mod nothing_here;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    plane_client::PlaneClient,
    ports::HttpClient,
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::{Access, Plane, ROUTES, Routes, function};
use axum::{
    Router,
    routing::{any, get},
};
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Origin {
    edge: Edge,
    tokens: TokenVerifier,
    lambda: Arc<PlaneClient>,
}

impl Origin {
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
        let lambda = Arc::new(PlaneClient::from_config(http, config)?);
        Ok(Self { edge, tokens, lambda })
    }
}

pub fn router(origin: Origin) -> Router {
    let ports = origin.edge.ports.clone();
    let gate = Gate::edge(
        Routes::new("origin", ROUTES),
        ports,
        origin.tokens.clone(),
        origin.edge.directory(),
        None,
    );
    let mut router = Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(nothing_here::nothing_here);
    let mut paths: Vec<&str> = Vec::new();
    for route in ROUTES.iter().filter(|route| is_forwarded(route)) {
        if !paths.contains(&route.path) {
            paths.push(route.path);
            router = router.route(route.path, any(forward::forward));
        }
    }
    gate.guard(router.with_state(origin))
}

/// Whether a route is Lambda's and people call it.
pub fn is_forwarded(route: &akademi_functions::Route) -> bool {
    let on_lambda = function(route.function).is_some_and(|function| function.plane == Plane::Lambda);
    on_lambda && matches!(route.access, Access::Public | Access::SignedIn | Access::Needs(_))
}

#[derive(OpenApi)]
#[openapi(paths(health::live, health::ready))]
pub struct ApiDoc;
