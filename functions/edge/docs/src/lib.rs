//! The API's own document and a page to read it on.
//!
//! Both files are generated from the code by `cargo xtask openapi` and stand in the repository, so that a
//! change of the API is a change that a reviewer sees; a test refuses a stale one.

use akademi_api::{
    Gate, Problem,
    conditional::{PUBLIC_CACHE, public_json},
    config::{Config, ConfigError},
    token::TokenVerifier,
};
use akademi_edge_store::Edge;
use axum::{
    Router,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, header};
use utoipa::OpenApi;

/// OpenAPI 3.1, as JSON.
pub const OPENAPI_JSON: &str = include_str!("../openapi.json");
/// The same to read, as one page without scripts.
pub const OPENAPI_HTML: &str = include_str!("../openapi.html");

/// What the function stands on.
#[derive(Clone)]
pub struct Docs {
    edge: Edge,
    tokens: TokenVerifier,
}

impl Docs {
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(edge: Edge, config: &Config<'_>) -> Result<Self, ConfigError> {
        let tokens = config.read(akademi_functions::TOKEN_PUBLIC_KEYS, TokenVerifier::from_config)?;
        Ok(Self { edge, tokens })
    }
}

pub fn router(docs: Docs) -> Router {
    let gate = Gate::edge("docs", docs.edge.ports.clone(), docs.tokens, docs.edge.directory(), None);
    let router = Router::new().route("/api/openapi.json", get(document)).route("/api/docs", get(page));
    gate.guard(router)
}

/// This document
#[utoipa::path(get, path = "/api/openapi.json", tag = "docs",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json"), (status = 304, description = "Unchanged")))]
async fn document(headers: HeaderMap) -> Result<Response, Problem> {
    public_json(&headers, &fingerprint(OPENAPI_JSON), OPENAPI_JSON)
}

/// This document, to read
#[utoipa::path(get, path = "/api/docs", tag = "docs",
    responses((status = 200, description = "A page", content_type = "text/html")))]
async fn page() -> Response {
    let policy = page_policy().unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers = [(header::CACHE_CONTROL, PUBLIC_CACHE), (header::CONTENT_SECURITY_POLICY, policy)];
    (headers, Html(OPENAPI_HTML)).into_response()
}

/// The page's one style block is allowed by its hash, which the generator wrote into the page.
fn page_policy() -> Option<HeaderValue> {
    let (_, rest) = OPENAPI_HTML.split_once("<!-- style sha256-")?;
    let (hash, _) = rest.split_once(" -->")?;
    HeaderValue::try_from(format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'"
    ))
    .ok()
}

/// FNV-1a of the text: it tells one build's document from another's, no more.
fn fingerprint(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[derive(OpenApi)]
#[openapi(paths(document, page))]
pub struct ApiDoc;
