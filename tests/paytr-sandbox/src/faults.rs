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
    if request.method() != Method::POST {
        return None;
    }
    match request.uri().path() {
        "/odeme/api/get-token" => Some(Endpoint::GetToken),
        "/odeme/iade" => Some(Endpoint::Refund),
        "/odeme/durum-sorgu" => Some(Endpoint::Inquiry),
        "/rapor/islem-dokumu" => Some(Endpoint::Report),
        path => path.starts_with("/odeme/guvenli/").then_some(Endpoint::Pay),
    }
}
