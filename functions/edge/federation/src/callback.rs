//! A browser comes back from a provider.

use akademi_api::{Academy, PathParam, Problem, QueryParams};
use akademi_edge_store::StoreError;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::{
    Federation,
    browser::{no_cookie, not_under_way},
    lambda::provider_refused,
    store,
};

/// What a code is sealed for.
pub const SEALED_CODE: &str = "provider-sign-in/code";
const MAX_CODE: usize = 4096;

/// What providers send along (RFC 6749 §4.1.2, RFC 9207); they may add what they like.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Arrival {
    #[serde(default)]
    #[param(max_length = 4096)]
    code: Option<String>,
    #[serde(default)]
    #[param(max_length = 4096)]
    state: Option<String>,
    /// Who sends the browser back.
    #[serde(default)]
    iss: Option<String>,
    /// Why there is no code.
    #[serde(default)]
    error: Option<String>,
}

/// Come back from a provider
///
/// Where a provider sends browsers. They are sent on to the page that they came from, with `?sign_in=` and the provider; the page
/// then asks for the session. Who was refused comes with `?sign_in_refused=`. Neither address tells a secret.
#[utoipa::path(get, path = "/api/v1/auth/providers/{provider}/callback", tag = "auth", params(
        ("provider" = String, Path, description = "The provider", max_length = 32), Arrival),
    responses((status = 303, description = "Back to the page"),
              (status = 403, description = "It is the answer of somebody else", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn arrive(
    State(federation): State<Federation>,
    academy: Academy,
    PathParam(provider): PathParam<String>,
    headers: HeaderMap,
    QueryParams(arrival): QueryParams<Arrival>,
) -> Result<Response, Problem> {
    let ports = &federation.edge.ports;
    let database = federation.edge.tenant(academy.id);
    let browser = federation.browsers.read(&headers)?;
    let found = store::find_sign_in(&database, &browser.lookup, ports.now()).await?;
    let found = found.filter(|found| found.provider == provider && found.subject_lookup.is_none());
    let found = found.ok_or_else(not_under_way)?;
    // Another browser's answer, which somebody would have this one take for its own. Its own may come yet.
    if !arrival.state.is_some_and(|state| browser.sent(&state)) {
        return Err(not_under_way().because("another state"));
    }
    let is_named = arrival.iss.as_ref().map_or(!found.names_issuer, |issuer| *issuer == found.issuer);
    if !is_named {
        database.batch(vec![store::delete_sign_in(&browser.lookup)]).await?;
        return Err(provider_refused().because("another issuer answers"));
    }
    let code = arrival.code.filter(|code| arrival.error.is_none() && code.len() <= MAX_CODE);
    let Some(code) = code else {
        database.batch(vec![store::delete_sign_in(&browser.lookup)]).await?;
        let location = format!("{}?sign_in_refused={provider}", found.return_to);
        let headers = [
            (header::LOCATION, location.try_into().map_err(Problem::broken)?),
            (header::SET_COOKIE, no_cookie()?),
        ];
        return Ok((StatusCode::SEE_OTHER, headers).into_response());
    };
    if let Some(sealed) = &found.code {
        // The page was loaded again. Another code than the first is somebody else's.
        let first = federation.vault.open_secret(academy.id, SEALED_CODE, sealed).map_err(Problem::broken)?;
        if !bool::from(first.ct_eq(code.as_bytes())) {
            return Err(not_under_way().because("another code"));
        }
    } else {
        let sealed = federation.vault.seal_secret(academy.id, SEALED_CODE, code.as_bytes(), ports.random());
        let set = vec![store::set_code(&browser.lookup, &sealed)];
        let arrived = database.batch_if(store::is_away(&browser.lookup), set).await;
        arrived.map_err(|error| match error {
            StoreError::Guard => not_under_way(),
            error => error.into(),
        })?;
    }
    let location = format!("{}?sign_in={provider}", found.return_to);
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}
