//! iyzico's side: checkout form, payment page with 3-D Secure, webhooks, refunds, reports (docs.iyzico.com).

mod amount;
mod answer;
mod cancel_refund;
mod desk;
mod initialize;
mod page;
mod payment;
mod report;
mod retrieve;
mod signature;
mod signed_call;
mod transactions;
pub(crate) mod webhook;

use axum::{
    Router,
    routing::{get, post},
};

use crate::sandbox::Sandbox;

pub(crate) use desk::Desk;
pub(crate) use payment::Payment;

/// A shop that iyzico knows.
#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IyzicoMerchant {
    pub merchant_id: String,
    pub api_key: String,
    pub secret_key: String,
    /// Where merchant notifications are posted.
    pub webhook_url: String,
}

pub(crate) fn routes() -> Router<Sandbox> {
    Router::new()
        .route(initialize::PATH, post(initialize::initialize))
        .route(retrieve::BY_TOKEN, post(retrieve::by_token))
        .route(retrieve::BY_CONVERSATION, post(retrieve::by_conversation))
        .route(cancel_refund::CANCEL, post(cancel_refund::cancel))
        .route(cancel_refund::REFUND, post(cancel_refund::refund))
        .route(report::PATH, get(report::report))
        .route(transactions::PATH, get(transactions::transactions))
        .route("/iyzico/{token}", get(page::show).post(page::decide))
        .route("/iyzico/{token}/3ds", get(page::show_code).post(page::enter_code))
}
