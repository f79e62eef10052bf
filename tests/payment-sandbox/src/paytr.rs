//! PayTR's side: get-token, the hosted payment page, notifications, refunds, status inquiry, the report of
//! transactions and the statement of payouts
//! (dev.paytr.com).

mod amount;
mod get_token;
mod inquiry;
pub(crate) mod notification;
mod page;
mod payment;
mod payout;
mod refund;
mod report;
mod signature;

use axum::{
    Router,
    routing::{get, post},
};

use crate::sandbox::Sandbox;

pub(crate) use payment::{Failure, Outcome, Payment};
pub(crate) use report::date_time;

pub(crate) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/odeme/api/get-token", post(get_token::get_token))
        .route("/odeme/guvenli/{token}", get(page::show).post(page::decide))
        .route("/odeme/iade", post(refund::refund))
        .route("/odeme/durum-sorgu", post(inquiry::inquire))
        .route("/rapor/islem-dokumu", post(report::report))
        .route("/rapor/odeme-dokumu", post(payout::statement))
}
