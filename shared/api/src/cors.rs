//! Cross-origin requests (Fetch Standard, "CORS protocol"), by the academy's own list of origins. Cookies are never let
//! across: another site's page shows a token in a header, as any client does.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::caller::Academy;

/// What a listed page may send. A browser remembers it for ten minutes: as long as it takes until a change of the list holds.
const TO_SEND: &[(&str, &str)] = &[
    ("access-control-allow-headers", "authorization, content-type, idempotency-key, if-none-match"),
    ("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE"),
    ("access-control-max-age", "600"),
];

/// What it may read beside the answer's body.
const TO_READ: &[(&str, &str)] = &[(
    "access-control-expose-headers",
    "akademi-truncated, content-disposition, etag, idempotent-replayed, location, ratelimit, ratelimit-policy, retry-after, x-request-id",
)];

/// The origin that asks from another site, as its page's browser says it.
pub(crate) fn asking_origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(header::ORIGIN)
}

/// Whether a browser asks what it may ask (a preflight).
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && headers.contains_key(header::ORIGIN)
}

/// The answer to a preflight, before [`share`]. It tells nothing of the address that is asked for.
pub(crate) fn preflight() -> Response {
    (StatusCode::NO_CONTENT, Body::empty()).into_response()
}

/// Shares an answer of `academy` with the page that asked, if the academy lists its origin.
pub(crate) fn share(
    headers: &mut HeaderMap,
    academy: &Academy,
    origin: Option<&HeaderValue>,
    is_preflight: bool,
) {
    let listed = &academy.profile.origins;
    if listed.is_empty() {
        return;
    }
    // Also to those who do not ask from elsewhere: what a cache keeps of them must not be given to one who does.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin.filter(|origin| listed.iter().any(|one| one.as_bytes() == origin.as_bytes()))
    else {
        return;
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    for (name, value) in if is_preflight { TO_SEND } else { TO_READ } {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}
