//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) and the answers that it leads to.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Problem, signed::CallContext};

/// A response as it was first given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// HTTP status, 100 to 599.
    pub status: u16,
    /// Names and values of the headers that belong to the answer itself (Content-Type, Location).
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The key of a request: a quoted string as the draft has it, or bare as most clients send it.
///
/// # Errors
/// 400 without one, and for one that is not 1 to 255 visible ASCII characters.
pub fn key(call: &CallContext) -> Result<String, Problem> {
    let refused =
        |detail: &'static str| Problem::new(StatusCode::BAD_REQUEST, "idempotency-key-required", detail);
    let sent = call.idempotency_key.as_deref().map(str::trim);
    let sent = sent.ok_or_else(|| refused("Send an Idempotency-Key: the same one again when you retry."))?;
    let key = sent.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(sent);
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    if !(1..=255).contains(&key.len()) || !visible {
        return Err(refused("The Idempotency-Key must be 1 to 255 visible ASCII characters."));
    }
    Ok(key.to_owned())
}

/// What tells one request body from another, whatever its white space.
///
/// # Errors
/// 500 when it does not serialise.
pub fn fingerprint(request: &impl Serialize) -> Result<[u8; 32], Problem> {
    let json = serde_json::to_vec(request).map_err(Problem::broken)?;
    Ok(Sha256::digest(json).into())
}

/// The same key came with another body.
pub fn mismatch() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency-key-reused",
        "This Idempotency-Key was used for another request: take a new one.",
    )
}

/// A request with the same key has not been answered yet.
pub fn still_running() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "still-running",
        "A request with this Idempotency-Key is being answered: try again in a moment.",
    )
    .retry_after(1)
}

/// A response to be stored and given: 201 with this body.
///
/// # Errors
/// 500 when the body does not serialise.
pub fn created(location: String, body: &impl Serialize) -> Result<StoredResponse, Problem> {
    let body = serde_json::to_vec(body).map_err(Problem::broken)?;
    let headers = vec![
        (header::CONTENT_TYPE.to_string(), "application/json".to_owned()),
        (header::LOCATION.to_string(), location),
    ];
    Ok(StoredResponse { status: StatusCode::CREATED.as_u16(), headers, body })
}

/// The response as it was stored; `replayed` marks it as given before.
///
/// # Errors
/// 500 when what is stored is no response.
pub fn respond(stored: StoredResponse, replayed: bool) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(stored.status).map_err(Problem::broken)?;
    let mut response = (status, Body::from(stored.body)).into_response();
    for (name, value) in stored.headers {
        let name = HeaderName::try_from(name).map_err(Problem::broken)?;
        response.headers_mut().insert(name, HeaderValue::try_from(value).map_err(Problem::broken)?);
    }
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_quoted_and_bare() {
        let read = |sent: Option<&str>| {
            let context = CallContext { idempotency_key: sent.map(str::to_owned), ..CallContext::default() };
            key(&context).map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(read(Some("\"8e03978e\"")), Ok("8e03978e".to_owned()));
        assert_eq!(read(Some(" 8e03978e ")), Ok("8e03978e".to_owned()));
        for bad in
            [None, Some(""), Some("\"\""), Some("a b"), Some("ğ"), Some("a\"b"), Some(&*"x".repeat(256))]
        {
            assert_eq!(read(bad), Err(400), "{bad:?}");
        }
    }
}
