//! The edge's end of the change feed: `sync` reads this database's events here and brings the Lambda plane's.
//!
//! Only the other plane gets in, by signed calls. A batch is applied with its cursor in one atomic step.

mod apply;
mod person_keys;
mod pull;
mod store;

use akademi_api::{
    Gate,
    config::{Config, ConfigError},
    signed::PlaneKeys,
    token::TokenVerifier,
};
use akademi_edge_store::{Edge, Platform};
use akademi_functions::routes_of;
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, post},
};
use std::sync::Arc;

/// What the function stands on.
#[derive(Clone)]
pub struct Feed {
    edge: Edge,
    planes: Arc<PlaneKeys>,
    vault: Arc<Vault>,
}

impl Feed {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            edge,
            planes: Arc::new(config.read(akademi_functions::PLANE_ROOT_KEYS, PlaneKeys::from_config)?),
            vault: Arc::new(config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?),
        })
    }

    fn platform(&self) -> Platform<'_> {
        Platform::new(self.edge.database.as_ref())
    }
}

pub fn router(feed: Feed) -> Router {
    let directory = feed.edge.directory();
    let gate = Gate::edge(
        routes_of!("feed"),
        feed.edge.ports.clone(),
        TokenVerifier::refusing(),
        directory,
        Some(feed.planes.clone()),
    );
    let router = Router::new()
        .route("/internal/feed", get(pull::pull).post(apply::apply))
        .route("/internal/person-keys", post(person_keys::hand_over))
        .with_state(feed);
    gate.guard(router)
}
