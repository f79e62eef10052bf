//! What every answer says to browsers, unless its handler says more.

use http::{HeaderMap, HeaderName, HeaderValue};

const DEFAULTS: [(&str, &str); 7] = [
    ("cache-control", "no-store"),
    // Of what is no page. Pages name their own.
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    // A year, as browsers' preload lists ask. Not for sub-domains: under an academy's own domain they are not ours.
    ("strict-transport-security", "max-age=31536000"),
    ("x-content-type-options", "nosniff"),
];

/// Sets what the handler has not.
pub(crate) fn set(headers: &mut HeaderMap) {
    for (name, value) in DEFAULTS {
        if !headers.contains_key(name) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
}
