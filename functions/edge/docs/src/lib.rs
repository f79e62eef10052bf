//! The API's own document and a page to read it on.
//!
//! The document is generated from the code by `cargo xtask openapi` and stands in the repository, so that a
//! change of the API is a change that a reviewer sees; a test refuses a stale one.

mod document;
mod page;

use akademi_api::{
    Gate, Problem,
    conditional::{public_answer, public_json},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use akademi_functions::routes_of;
use axum::{
    Router,
    response::{Html, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, header};
use utoipa::OpenApi;

/// OpenAPI 3.1, as JSON.
pub const OPENAPI_JSON: &str = include_str!("../openapi.json");

pub fn router(edge: &Edge) -> Router {
    let gate =
        Gate::edge(routes_of!("docs"), edge.ports.clone(), TokenVerifier::refusing(), edge.directory(), None);
    let router = Router::new().route("/api/openapi.json", get(document)).route("/api/docs", get(page));
    gate.guard(router)
}

/// This document
#[utoipa::path(get, path = "/api/openapi.json", tag = "docs",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"), (status = 304, description = "Unchanged")))]
async fn document(headers: HeaderMap) -> Result<Response, Problem> {
    let document = document::json()?;
    public_json(&headers, &document.etag, document.text.clone())
}

/// This document, to read
#[utoipa::path(get, path = "/api/docs", tag = "docs",
    responses((status = 200, description = "A page", content_type = "text/html"), (status = 304, description = "Unchanged")))]
async fn page(headers: HeaderMap) -> Result<Response, Problem> {
    let document = document::page()?;
    let policy = page_policy(&document.text).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let page = ([(header::CONTENT_SECURITY_POLICY, policy)], Html(document.text.clone()));
    public_answer(&headers, &document.etag, page)
}

/// The page's one style block is allowed by its hash, which the generator wrote into the page.
fn page_policy(page: &[u8]) -> Option<HeaderValue> {
    let (_, rest) = std::str::from_utf8(page).ok()?.split_once("<!-- style sha256-")?;
    let (hash, _) = rest.split_once(" -->")?;
    HeaderValue::try_from(format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'"
    ))
    .ok()
}

#[derive(OpenApi)]
#[openapi(paths(document, page))]
pub struct ApiDoc;
