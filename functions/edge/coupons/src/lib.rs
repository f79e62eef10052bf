//! What a basket costs, with up to five coupons.
//!
//! A quote is made from read copies of prices and coupons and reserves nothing. It is signed, so that the Lambda
//! plane can hold an order to what the learner saw; the order is priced again there, and the coupons' uses are
//! counted there only.

pub mod basket;
mod quote;
mod store;

pub use store::{BundleOffer, CourseOffer, Offers, find_available_coupons};

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    quote::QuoteKeys,
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use axum::{Router, routing::post};
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Coupons {
    edge: Edge,
    tokens: TokenVerifier,
    quotes: Arc<QuoteKeys>,
}

impl Coupons {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            edge,
            tokens: config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?,
            quotes: Arc::new(config.read(akademi_functions::PLANE_ROOT_KEYS, QuoteKeys::from_config)?),
        })
    }
}

pub fn router(coupons: Coupons) -> Router {
    let ports = coupons.edge.ports.clone();
    let gate =
        Gate::edge(routes_of!("coupons"), ports, coupons.tokens.clone(), coupons.edge.directory(), None);
    let router = Router::new().route("/api/v1/coupons/quote", post(quote::quote)).with_state(coupons);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(quote::quote))]
pub struct ApiDoc;
