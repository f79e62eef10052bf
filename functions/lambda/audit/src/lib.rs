//! The audit log as the academy's staff reads it: searched, and exported as CSV.
//!
//! Entries are written elsewhere: by the functions of this plane in their own transactions, and by `sync` for the edge
//! ([`akademi_lambda_store::audit`], which also says what the chain of their hashes proves). Exporting is itself an entry.
//!
//! The program `verify-audit` walks the chains: `cargo xtask audit verify`.

mod error;
mod export;
mod filter;
mod list;
mod origin;
mod store;

use akademi_api::{
    Gate, Ports,
    config::{Config, ConfigError},
    signed::PlaneKeys,
};
use akademi_functions::routes_of;
use akademi_lambda_store::{audit::Auditor, postgres::Postgres};
use akademi_seal::Vault;
use axum::{Router, routing::get};
use std::sync::Arc;
use utoipa::OpenApi;

pub use error::AuditError;
pub use export::MAX_ROWS;

/// What the function stands on.
#[derive(Clone)]
pub struct Audit {
    ports: Ports,
    planes: Arc<PlaneKeys>,
    postgres: Postgres,
    vault: Arc<Vault>,
    auditor: Auditor,
}

impl Audit {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn new(
        ports: Ports,
        planes: Arc<PlaneKeys>,
        postgres: Postgres,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let vault = Arc::new(config.read(akademi_functions::LAMBDA_MASTER_KEY, Vault::from_config)?);
        let auditor = Auditor::new(ports.clone(), vault.clone());
        Ok(Self { ports, planes, postgres, vault, auditor })
    }
}

pub fn router(audit: Audit) -> Router {
    let gate = Gate::lambda(routes_of!("audit"), audit.ports.clone(), audit.planes.clone());
    let router = Router::new()
        .route("/api/v1/audit", get(list::list))
        .route("/api/v1/audit.csv", get(export::export))
        .with_state(audit);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(list::list, export::export))]
pub struct ApiDoc;
