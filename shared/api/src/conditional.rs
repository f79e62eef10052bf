//! Conditional answers: `ETag` and 304 (RFC 9110 §8.8.3, §13.1.2).

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::problem::Problem;

/// How long a public answer may be served by a CDN without asking.
pub const PUBLIC_CACHE: HeaderValue =
    HeaderValue::from_static("public, max-age=0, s-maxage=60, must-revalidate");

/// `body` as public JSON under `etag` (without quotes), or 304 when the client has it already.
///
/// # Errors
/// 500 for an `etag` that no header can hold.
pub fn public_json(request: &HeaderMap, etag: &str, body: impl Into<Body>) -> Result<Response, Problem> {
    if let Some(unchanged) = unchanged(request, etag) {
        return unchanged;
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    public((kind, body.into()).into_response(), etag)
}

/// 304 when the client has the answer of `etag` already: asked first, it saves making the answer.
///
/// # Errors
/// As [`public_json`].
pub fn unchanged(request: &HeaderMap, etag: &str) -> Option<Result<Response, Problem>> {
    is_fresh(request, &quoted(etag)).then(|| public(StatusCode::NOT_MODIFIED.into_response(), etag))
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

fn public(mut response: Response, etag: &str) -> Result<Response, Problem> {
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::try_from(quoted(etag)).map_err(Problem::broken)?);
    headers.insert(header::CACHE_CONTROL, PUBLIC_CACHE);
    headers.insert(header::VARY, HeaderValue::from_static("host"));
    Ok(response)
}

/// Whether `If-None-Match` names `quoted`, by weak comparison.
fn is_fresh(request: &HeaderMap, quoted: &str) -> bool {
    request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == quoted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(if_none_match: Option<&str>) -> StatusCode {
        let mut headers = HeaderMap::new();
        if let Some(value) = if_none_match {
            headers.insert(header::IF_NONE_MATCH, value.parse().unwrap());
        }
        public_json(&headers, "v7", "{}").unwrap().status()
    }

    #[test]
    fn a_client_that_has_the_answer_gets_304() {
        assert_eq!(status(None), StatusCode::OK);
        assert_eq!(status(Some("\"v6\"")), StatusCode::OK);
        for fresh in ["\"v7\"", "W/\"v7\"", "\"v1\", \"v7\"", "*"] {
            assert_eq!(status(Some(fresh)), StatusCode::NOT_MODIFIED, "{fresh}");
        }
    }
}
