//! Conditional answers: `ETag` and 304 (RFC 9110 §8.8.3, §13.1.2). The tags are weak: an answer and its compressed
//! forms share one.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::problem::Problem;

/// A CDN may serve a public answer for one second without asking: it asks once a second however many people do, mostly
/// gets a 304, and a suspended academy is gone within that second.
pub const PUBLIC_CACHE: HeaderValue =
    HeaderValue::from_static("public, max-age=0, s-maxage=1, must-revalidate");
/// Of an address that never means another content: a year, the most that caches take for ever (RFC 9111 §5.2.2.1, RFC 8246).
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// What a public answer may depend on beside its address.
const PUBLIC_VARY: HeaderValue = HeaderValue::from_static("accept-encoding, host");

/// `body` as public JSON under `etag` (without quotes), or 304 when the client has it already.
///
/// # Errors
/// 500 for an `etag` that no header can hold.
pub fn public_json(request: &HeaderMap, etag: &str, body: impl Into<Body>) -> Result<Response, Problem> {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    public_answer(request, etag, (kind, body.into()))
}

/// As [`public_json`], for an answer of any kind.
///
/// # Errors
/// 500 for an `etag` that no header can hold.
pub fn public_answer(
    request: &HeaderMap,
    etag: &str,
    answer: impl IntoResponse,
) -> Result<Response, Problem> {
    unchanged(request, etag).unwrap_or_else(|| public(answer.into_response(), etag, PUBLIC_CACHE))
}

/// As [`public_answer`], under an address that never means another content.
///
/// # Errors
/// 500 for an `etag` that no header can hold.
pub fn immutable_answer(
    request: &HeaderMap,
    etag: &str,
    answer: impl IntoResponse,
) -> Result<Response, Problem> {
    let answer = if is_fresh(request, etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        answer.into_response()
    };
    public(answer, etag, FOR_EVER)
}

/// FNV-1a of `text` in hexadecimal: it tells one text from another in an `ETag`, no more.
pub fn fingerprint(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// 304 when the client has the answer of `etag` already: asked first, it saves making the answer.
///
/// # Errors
/// As [`public_json`].
pub fn unchanged(request: &HeaderMap, etag: &str) -> Option<Result<Response, Problem>> {
    is_fresh(request, etag).then(|| public(StatusCode::NOT_MODIFIED.into_response(), etag, PUBLIC_CACHE))
}

fn public(mut response: Response, etag: &str, cache: HeaderValue) -> Result<Response, Problem> {
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::try_from(format!("W/\"{etag}\"")).map_err(Problem::broken)?);
    headers.insert(header::CACHE_CONTROL, cache);
    headers.insert(header::VARY, PUBLIC_VARY);
    Ok(response)
}

/// Whether `If-None-Match` names `etag`, by weak comparison.
fn is_fresh(request: &HeaderMap, etag: &str) -> bool {
    let is_it = |tag: &str| {
        let quoted = tag.trim_start_matches("W/");
        quoted.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(etag)
    };
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').map(str::trim).any(|tag| tag == "*" || is_it(tag)))
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
        for stale in ["v7", "\"v7", "\"\"v7\"\""] {
            assert_eq!(status(Some(stale)), StatusCode::OK, "{stale}");
        }
    }

    #[test]
    fn what_never_changes_is_kept_for_a_year_and_asked_for_by_its_tag_alone() {
        let mut headers = HeaderMap::new();
        let full = immutable_answer(&headers, "v7", "x").unwrap();
        assert_eq!(full.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(full.status(), StatusCode::OK);
        headers.insert(header::IF_NONE_MATCH, full.headers()[header::ETAG].clone());
        let known = immutable_answer(&headers, "v7", "x").unwrap();
        assert_eq!(
            (known.status(), known.headers()),
            (StatusCode::NOT_MODIFIED, &{
                let mut same = full.headers().clone();
                same.remove(header::CONTENT_TYPE);
                same
            })
        );
    }

    #[test]
    fn a_cdn_asks_again_after_a_second() {
        let answer = public_json(&HeaderMap::new(), "v7", "{}").unwrap();
        let policy = answer.headers()[header::CACHE_CONTROL].to_str().unwrap();
        for directive in ["max-age=0", "s-maxage=1", "must-revalidate"] {
            assert!(policy.split(", ").any(|found| found == directive), "{policy}");
        }
    }
}
