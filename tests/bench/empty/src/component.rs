//! As `akademi-spin` runs a function, but without variables and a database.

use axum::{Router, body::Body};
use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};
use std::sync::LazyLock;
use tower::ServiceExt;

static ROUTER: LazyLock<Router> = LazyLock::new(crate::router);

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    match ROUTER.clone().oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
