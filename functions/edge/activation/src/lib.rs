//! Activation codes: staff makes them by the batch, a learner who redeems one has its courses at once.
//!
//! No code is stored. It holds its batch's number, its own, and a keyed hash of both, so that one that nobody has made is
//! known for it without a row for each that somebody has.

mod batches;
mod codes;
mod export;
mod redemptions;
mod store;
mod uses;

use akademi_api::{
    Caller, Gate, Problem,
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_domain::ids::ActivationBatchId;
use akademi_edge_store::{Edge, TenantStatement};
use akademi_functions::routes_of;
use akademi_identity::{Origin, audit, throttle::ThrottleKeys};
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, post},
};
use std::sync::Arc;
use utoipa::OpenApi;

use crate::codes::CodeKeys;

/// What the function stands on.
#[derive(Clone)]
pub struct Activation {
    edge: Edge,
    tokens: TokenVerifier,
    vault: Arc<Vault>,
    codes: Arc<CodeKeys>,
    throttles: Arc<ThrottleKeys>,
}

impl Activation {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        let vault = config.read(akademi_functions::EDGE_MASTER_KEY, Vault::from_config)?;
        Ok(Self {
            edge,
            tokens,
            codes: Arc::new(CodeKeys::new(&vault)),
            throttles: Arc::new(ThrottleKeys::new(&vault)),
            vault: Arc::new(vault),
        })
    }

    /// The statements that tell the audit log what the caller does with a batch.
    async fn audited(
        &self,
        caller: &Caller,
        origin: &Origin,
        action: &'static str,
        batch: ActivationBatchId,
        change: serde_json::Value,
    ) -> Result<[TenantStatement; 2], Problem> {
        let target = format!("activation_batch:{batch}");
        audit::by_staff(&self.edge, &self.vault, (caller, origin), action, target, change).await
    }
}

pub fn router(activation: Activation) -> Router {
    let edge = &activation.edge;
    let gate = Gate::edge(
        routes_of!("activation"),
        edge.ports.clone(),
        activation.tokens.clone(),
        edge.directory(),
        None,
    );
    let batch = "/api/v1/activation-codes/batches/{batch_id}";
    let router = Router::new()
        .route(batches::PATH, get(batches::list).post(batches::create))
        .route(batch, get(batches::show))
        .route(&format!("{batch}/codes.csv"), get(export::export))
        .route(&format!("{batch}/uses"), get(uses::list))
        .route(&format!("{batch}/revocation"), post(batches::revoke))
        .route("/api/v1/activation-codes/redemptions", post(redemptions::redeem))
        .with_state(activation);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(
    components(schemas(ActivationBatchId)),
    paths(
        batches::list,
        batches::create,
        batches::show,
        batches::revoke,
        export::export,
        uses::list,
        redemptions::redeem
    )
)]
pub struct ApiDoc;
