//! Prices, bundles, coupons, orders and payments.
//!
//! # An order
//! The edge quotes, this function commits (design §4): `POST /api/v1/orders` takes a signed quote, prices the basket
//! again from its own tables, makes the order, holds its coupons' uses and courses' seats and commits, and only then asks the provider for a
//! page. What the provider proves, in a callback or in its answer to an inquiry, and nothing else, makes an order paid: a
//! callback is verified, stored as it came, and applied
//! in one transaction: the order's state ([`akademi_domain::order`]), the coupons' uses, the ledger and one event for
//! each paid line, which the edge turns into an enrolment.
//!
//! What a crash leaves behind is finished by a retry: the order is found by its `Idempotency-Key`, a callback is repeated
//! by its provider, [`Payments::expire_orders`] releases what nobody paid for, [`Payments::ask_about_attempts`] asks
//! about payments whose callback never came, [`Payments::resolve_refunds`] finds out what became of refunds, and
//! [`Payments::reconcile`] holds the books against what providers report.
//!
//! # The ledger
//! Double entry in minor units, debits above zero. A capture debits `provider:<name>`, which owes the academy the
//! money, and credits `sales` (without VAT) and `vat`; money that must go back is credited to `refunds_due`. A
//! refund credits the provider with what it gave back, against what was credited before. What a provider
//! keeps is debited to `fees`, what it pays out to `bank`, when its reports tell it. The database refuses a transaction whose entries do not sum to zero.
//!
//! # Providers
//! [`provider`] says what one is to us; [`paytr`], [`iyzico`] and [`stripe`] are. An academy may have an account at each and
//! says which one takes its orders. A call that fails before the buyer has a page leaves
//! the order as it was: the next request with the same key begins a new attempt under a new reference.

mod account;
mod accounts;
mod asking;
mod attempt;
mod books;
mod bundles;
mod buyer;
mod callback;
mod checkout;
mod coupons;
mod error;
mod expiry;
mod holds;
mod inquiry;
pub mod iyzico;
mod keyed_hash;
mod orders;
mod outgoing;
pub mod paytr;
mod placing;
mod prices;
pub mod provider;
mod reconciliation;
mod refunding;
mod refunds;
mod return_page;
mod sales;
mod seats;
mod secret;
mod settlement;
mod sold_elsewhere;
mod store;
pub mod stripe;
mod waiting_refunds;

use akademi_api::{
    Gate, Ports,
    config::{Config, ConfigError},
    ports::{HttpClient, Wake},
    quote::QuoteKeys,
    signed::PlaneKeys,
};
use akademi_functions::routes_of;
use akademi_lambda_store::{audit::Auditor, postgres::Postgres};
use akademi_seal::Vault;
use axum::{
    Router,
    routing::{get, post, put},
};
use std::sync::Arc;
use utoipa::OpenApi;

pub use account::{AccountConfig, ConfigureError};
pub use error::PaymentsError;
use reconciliation::{differences, runs};

/// How long an order waits for money, in seconds.
pub const ORDER_SECONDS: i64 = 30 * 60;

/// What the function stands on.
#[derive(Clone)]
pub struct Payments {
    ports: Ports,
    planes: Arc<PlaneKeys>,
    quotes: Arc<QuoteKeys>,
    postgres: Postgres,
    vault: Arc<Vault>,
    auditor: Auditor,
    http: Arc<dyn provider::HttpClient>,
    wake: Arc<dyn Wake>,
}

impl Payments {
    /// `http` reaches providers, within a bounded time; `wake` has `sync` carry what was just committed.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn new(
        ports: Ports,
        planes: Arc<PlaneKeys>,
        postgres: Postgres,
        http: Arc<dyn HttpClient>,
        wake: Arc<dyn Wake>,
        config: &Config<'_>,
    ) -> Result<Self, ConfigError> {
        let vault = Arc::new(config.read(akademi_functions::LAMBDA_MASTER_KEY, Vault::from_config)?);
        Ok(Self {
            auditor: Auditor::new(ports.clone(), vault.clone()),
            ports,
            planes,
            quotes: Arc::new(config.read(akademi_functions::PLANE_ROOT_KEYS, QuoteKeys::from_config)?),
            postgres,
            vault,
            http: Arc::new(outgoing::Outgoing(http)),
            wake,
        })
    }
}

/// All routes: what people call through `origin`, and what providers call.
pub fn router(payments: Payments) -> Router {
    let gate = Gate::lambda(routes_of!("payments"), payments.ports.clone(), payments.planes.clone());
    let people = Router::new()
        .route("/api/v1/commerce/courses/{course_id}/price", put(prices::set).get(prices::show))
        .route("/api/v1/commerce/courses/{course_id}/seats", put(seats::set).get(seats::show))
        .route(
            "/api/v1/commerce/courses/{course_id}/sold-elsewhere",
            put(sold_elsewhere::set).get(sold_elsewhere::show).delete(sold_elsewhere::remove),
        )
        .route("/api/v1/commerce/bundles", post(bundles::create).get(bundles::list))
        .route("/api/v1/commerce/bundles/{bundle_id}", put(bundles::change))
        .route("/api/v1/commerce/coupons", post(coupons::create).get(coupons::list))
        .route("/api/v1/commerce/coupons/{coupon_id}", put(coupons::change))
        .route("/api/v1/commerce/orders", get(sales::list))
        .route("/api/v1/commerce/orders/{order_id}", get(sales::show))
        .route("/api/v1/commerce/orders/{order_id}/refunds", post(refunds::create))
        .route("/api/v1/commerce/payment-accounts", put(accounts::save).get(accounts::list))
        .route("/api/v1/reconciliation/differences", get(differences::list))
        .route("/api/v1/reconciliation/runs", get(runs::list).post(runs::run))
        .route("/api/v1/ledger/balances", get(books::balances))
        .route("/api/v1/ledger/entries", get(books::entries::list))
        .route("/api/v1/ledger/entries.csv", get(books::export::export))
        .route("/api/v1/ledger/payouts", get(books::payouts::show))
        .route("/api/v1/orders", post(checkout::create).get(orders::list))
        .route("/api/v1/orders/{order_id}", get(orders::show))
        .route("/api/v1/orders/{order_id}/return", post(return_page::receive))
        .with_state(payments.clone());
    gate.guard(people).merge(callbacks(payments))
}

/// What providers call, alone: for a host that answers on the platform's own name.
pub fn callbacks(payments: Payments) -> Router {
    let gate = Gate::lambda(routes_of!("payments"), payments.ports.clone(), payments.planes.clone());
    let router = Router::new()
        .route("/callbacks/{provider}/{tenant_token}", post(callback::receive))
        .with_state(payments);
    gate.guard(router)
}

#[derive(OpenApi)]
#[openapi(paths(
    prices::set,
    prices::show,
    seats::set,
    seats::show,
    sold_elsewhere::set,
    sold_elsewhere::show,
    sold_elsewhere::remove,
    bundles::create,
    bundles::list,
    bundles::change,
    coupons::create,
    coupons::change,
    coupons::list,
    sales::list,
    sales::show,
    refunds::create,
    accounts::list,
    accounts::save,
    reconciliation::differences::list,
    reconciliation::runs::list,
    reconciliation::runs::run,
    books::balances,
    books::entries::list,
    books::export::export,
    books::payouts::show,
    checkout::create,
    orders::list,
    orders::show,
    return_page::receive,
    callback::receive
))]
pub struct ApiDoc;
