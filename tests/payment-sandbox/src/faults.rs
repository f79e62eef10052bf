//! Faults that a client meets: errors and silence, before or after the thing was done.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{Method, StatusCode};

use crate::{
    behaviour::{Endpoint, FaultKind},
    sandbox::Sandbox,
};

pub(crate) async fn interfere(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let Some((kind, hang)) = endpoint(&request).and_then(|endpoint| sandbox.take_fault(endpoint)) else {
        return next.run(request).await;
    };
    let done = match kind {
        FaultKind::ErrorBefore | FaultKind::HangBefore => None,
        FaultKind::ErrorAfter | FaultKind::HangAfter => Some(next.run(request).await),
    };
    let error = || StatusCode::INTERNAL_SERVER_ERROR.into_response();
    match kind {
        FaultKind::ErrorBefore | FaultKind::ErrorAfter => error(),
        FaultKind::HangBefore | FaultKind::HangAfter => {
            tokio::time::sleep(Duration::from_millis(hang)).await;
            done.unwrap_or_else(error)
        }
    }
}

fn endpoint(request: &Request) -> Option<Endpoint> {
    let path = request.uri().path();
    if path.starts_with("/v2/reporting/") {
        return Some(Endpoint::Report);
    }
    if request.method() != Method::POST {
        return None;
    }
    match path {
        "/payment/iyzipos/checkoutform/initialize/auth/ecom" => Some(Endpoint::Initialize),
        "/payment/iyzipos/checkoutform/auth/ecom/detail" | "/payment/detail" => Some(Endpoint::Inquiry),
        "/payment/cancel" => Some(Endpoint::Cancel),
        "/v2/payment/refund" => Some(Endpoint::Refund),
        "/odeme/api/get-token" => Some(Endpoint::GetToken),
        "/odeme/iade" => Some(Endpoint::Refund),
        "/odeme/durum-sorgu" => Some(Endpoint::Inquiry),
        "/rapor/islem-dokumu" => Some(Endpoint::Report),
        "/rapor/odeme-dokumu" => Some(Endpoint::Payouts),
        path => {
            let is_page = path.starts_with("/odeme/guvenli/") || path.starts_with("/iyzico/");
            is_page.then_some(Endpoint::Pay)
        }
    }
}
