//! One edge function as a Spin component (WASI 0.3, `spin-sdk` 7).
//!
//! Which one is chosen by a feature. The router is made once per instance; nothing of a request outlives it.
#![cfg(target_os = "wasi")]

mod compression;
#[cfg(any(
    feature = "academies",
    feature = "federation",
    feature = "origin",
    feature = "passkeys",
    feature = "people",
    feature = "privacy",
    feature = "registration"
))]
mod http_client;
#[cfg(not(any(
    feature = "academies",
    feature = "federation",
    feature = "origin",
    feature = "passkeys",
    feature = "people",
    feature = "privacy",
    feature = "registration"
)))]
#[path = "no_http_client.rs"]
mod http_client;
mod ports;

use akademi_api::{Problem, caller::ClientAddress, config::Config};
use akademi_edge_store::{Edge, spin::SpinDatabase};
use axum::{Router, body::Body, response::Response};
use spin_sdk::{
    http::{IntoResponse, Request},
    http_service, variables,
};
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};
use tower::ServiceExt;

#[cfg(feature = "academies")]
const FUNCTION: &str = "academies";
#[cfg(feature = "account")]
const FUNCTION: &str = "account";
#[cfg(feature = "activation")]
const FUNCTION: &str = "activation";
#[cfg(feature = "assessment")]
const FUNCTION: &str = "assessment";
#[cfg(feature = "auth")]
const FUNCTION: &str = "auth";
#[cfg(feature = "catalog")]
const FUNCTION: &str = "catalog";
#[cfg(feature = "progress")]
const FUNCTION: &str = "progress";
#[cfg(feature = "site")]
const FUNCTION: &str = "site";
#[cfg(feature = "playback")]
const FUNCTION: &str = "playback";
#[cfg(feature = "coupons")]
const FUNCTION: &str = "coupons";
#[cfg(feature = "cart")]
const FUNCTION: &str = "cart";
#[cfg(feature = "registration")]
const FUNCTION: &str = "registration";
#[cfg(feature = "people")]
const FUNCTION: &str = "people";
#[cfg(feature = "privacy")]
const FUNCTION: &str = "privacy";
#[cfg(feature = "reviews")]
const FUNCTION: &str = "reviews";
#[cfg(feature = "verify")]
const FUNCTION: &str = "verify";
#[cfg(feature = "passkeys")]
const FUNCTION: &str = "passkeys";
#[cfg(feature = "federation")]
const FUNCTION: &str = "federation";
#[cfg(feature = "feed")]
const FUNCTION: &str = "feed";
#[cfg(feature = "docs")]
const FUNCTION: &str = "docs";
#[cfg(feature = "marks")]
const FUNCTION: &str = "marks";
#[cfg(feature = "origin")]
const FUNCTION: &str = "origin";

/// The header in which Spin gives the client's address and port.
const CLIENT_ADDRESS: &str = "spin-client-addr";

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    respond(request.map(Body::new)).await
}

async fn respond(mut request: http::Request<Body>) -> Response {
    let router = match router().await {
        Ok(router) => router,
        Err(problem) => {
            println!("{{\"level\":\"error\",\"function\":\"{FUNCTION}\",\"cause\":{problem:?}}}");
            return Problem::unavailable().render("");
        }
    };
    // Spin appends its own value: one that a client sent stands before it.
    let address = request.headers().get_all(CLIENT_ADDRESS).iter().next_back().cloned();
    request.headers_mut().remove(CLIENT_ADDRESS);
    if let Some((address, _port)) =
        address.as_ref().and_then(|value| value.to_str().ok()).and_then(|text| text.rsplit_once(':'))
    {
        let address = ClientAddress(address.trim_matches(['[', ']']).to_owned());
        request.extensions_mut().insert(address);
    }
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// This instance's router, made from its configuration at the first request.
async fn router() -> Result<Router, String> {
    static ROUTER: OnceLock<Router> = OnceLock::new();
    if let Some(router) = ROUTER.get() {
        return Ok(router.clone());
    }
    let wanted = akademi_functions::function(FUNCTION).map(|function| function.variables).unwrap_or_default();
    let mut values = HashMap::new();
    for variable in wanted {
        if let Ok(value) = variables::get(variable.name).await {
            values.insert(variable.name, value);
        }
    }
    let lookup = |name: &str| values.get(name).cloned();
    let edge = Edge { ports: ports::ports(), database: Arc::new(SpinDatabase) };
    let http = http_client::http_client();
    let router = akademi_edge_functions::router(FUNCTION, &edge, &http, &Config::new(&lookup))
        .map_err(|error| error.to_string())?
        .ok_or("this component was built without its function")?;
    // Two first requests at once make the same router.
    Ok(ROUTER.get_or_init(|| router).clone())
}
