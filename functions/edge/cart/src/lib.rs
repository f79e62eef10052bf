//! Carts: what guests and people mean to buy, and what it costs.
//!
//! A guest's cart belongs to a browser, by a cookie that nobody can guess; a person's to the person. Whoever signs in takes
//! the guest's along: the first request with both puts it into the person's own, in one step. Prices, and what becomes of
//! coupons, are those of a quote, and a person is given one with the cart.
//!
//! What somebody has come to own leaves the cart when it is next looked at, not when it is granted: looking reads the
//! enrolments anyway, so that no grant costs a statement more, and a bundle leaves only when all of its courses came.
//!
//! Addresses that people have kept for their bills stand here too: `account` has no bytes left for them.

mod addresses;
mod billing_address;
mod cart;
mod coupons;
mod holder;
mod items;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    quote::QuoteKeys,
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use akademi_identity::throttle::ThrottleKeys;
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, put},
};
use std::sync::Arc;
use utoipa::OpenApi;

/// What the function stands on.
#[derive(Clone)]
pub struct Cart {
    edge: Edge,
    tokens: TokenVerifier,
    quotes: Arc<QuoteKeys>,
    vault: Arc<Vault>,
    throttles: Arc<ThrottleKeys>,
}

impl Cart {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        Ok(Self {
            edge,
            tokens: config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?,
            quotes: Arc::new(config.read(akademi_functions::PLANE_ROOT_KEYS, QuoteKeys::from_config)?),
            throttles: Arc::new(ThrottleKeys::new(&vault)),
            vault: Arc::new(vault),
        })
    }
}

pub fn router(cart: Cart) -> Router {
    let edge = &cart.edge;
    let gate =
        Gate::edge(routes_of!("cart"), edge.ports.clone(), cart.tokens.clone(), edge.directory(), None);
    let router = Router::new()
        .route("/api/v1/cart", get(cart::show).delete(cart::empty))
        .route("/api/v1/cart/courses/{course_id}", put(items::put_course).delete(items::remove_course))
        .route("/api/v1/cart/bundles/{bundle_id}", put(items::put_bundle).delete(items::remove_bundle))
        .route("/api/v1/cart/coupons/{code}", put(coupons::put).delete(coupons::remove))
        .route("/api/v1/users/me/addresses", get(addresses::list).post(addresses::add))
        .route("/api/v1/users/me/addresses/{address_id}", put(addresses::change).delete(addresses::remove))
        .with_state(cart);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    cart::show,
    cart::empty,
    items::put_course,
    items::remove_course,
    items::put_bundle,
    items::remove_bundle,
    coupons::put,
    coupons::remove,
    addresses::list,
    addresses::add,
    addresses::change,
    addresses::remove
))]
pub struct ApiDoc;
