//! Electronic invoices of paid orders and of what is given back.
//!
//! # From a payment to an invoice
//! Whoever captures or refunds asks for the invoice in that very transaction (`akademi_lambda_store::invoices`), once for
//! each order and each refund. [`Invoices::run_due`] then issues it: the document ([`akademi_ubl`]), its number and the row
//! that keeps both are one transaction, so that no number is lost or used twice. Only then it is handed to the
//! academy's [`Integrator`], who signs and reports it, again and again until the integrator has taken it over. Staff see
//! what could not be issued or handed over, and have it tried again. One that waits for settings, or for the exchange rate of
//! its currency, goes on by itself once staff have set them. The transaction that issues an invoice also has the buyer told
//! by mail.
//!
//! # Whom it names
//! The buyer of the order, or whom the buyer named before. A document is sealed under a key of its year and academy, not
//! under the buyer's own: invoices outlive an erasure for as long as the law has them kept. What a buyer asked to be named
//! goes once it is in the invoice.
//!
//! # Scenarios
//! A buyer who is registered for e-Fatura gets one in the academy's scenario, everybody else an e-Arşiv invoice. A return
//! follows its sale, in the basic scenario.

mod delivery;
mod details;
mod error;
mod exchange_rates;
mod integrator;
mod invoices;
mod issuing;
mod notice;
mod own;
mod party;
mod settings;
mod store;
mod waiting;

use akademi_api::{
    Gate, Ports,
    config::{Config, ConfigError},
    signed::PlaneKeys,
};
use akademi_functions::{LAMBDA_MASTER_KEY, routes_of};
use akademi_lambda_store::{audit::Auditor, postgres::Postgres};
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, post, put},
};
use std::sync::Arc;
use utoipa::OpenApi;

pub use delivery::Handled;
pub use details::keep_details;
pub use error::InvoicesError;
pub use integrator::{Document, FileDrop, Integrator, NotTaken};
pub use party::InvoicedParty;

/// What the function stands on.
#[derive(Clone)]
pub struct Invoices {
    ports: Ports,
    planes: Arc<PlaneKeys>,
    postgres: Postgres,
    vault: Arc<Vault>,
    auditor: Auditor,
    integrator: Arc<dyn Integrator>,
}

impl Invoices {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn new(
        ports: Ports,
        planes: Arc<PlaneKeys>,
        postgres: Postgres,
        integrator: Arc<dyn Integrator>,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let vault = Arc::new(config.read(LAMBDA_MASTER_KEY, Vault::from_config)?);
        let auditor = Auditor::new(ports.clone(), vault.clone());
        Ok(Self { ports, planes, postgres, vault, auditor, integrator })
    }
}

pub fn router(invoices: Invoices) -> Router {
    let gate = Gate::lambda(routes_of!("invoices"), invoices.ports.clone(), invoices.planes.clone());
    let router = Router::new()
        .route("/api/v1/commerce/invoice-settings", get(settings::show).put(settings::save))
        .route(
            "/api/v1/commerce/exchange-rates/{currency}/{date}",
            get(exchange_rates::show).put(exchange_rates::save),
        )
        .route("/api/v1/invoices", get(invoices::list))
        .route("/api/v1/invoices/{invoice_id}", get(invoices::show))
        .route("/api/v1/invoices/{invoice_id}/xml", get(invoices::download))
        .route("/api/v1/invoices/{invoice_id}/retry", post(invoices::retry))
        .route("/api/v1/orders/{order_id}/invoice-details", put(details::save))
        .route("/api/v1/orders/{order_id}/invoices", get(own::list))
        .route("/api/v1/orders/{order_id}/invoices/{invoice_id}/xml", get(own::download))
        .with_state(invoices);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    settings::show,
    settings::save,
    exchange_rates::show,
    exchange_rates::save,
    invoices::list,
    invoices::show,
    invoices::download,
    invoices::retry,
    details::save,
    own::list,
    own::download
))]
pub struct ApiDoc;
