//! What a client is told of a limit (draft-ietf-httpapi-ratelimit-headers-10): `RateLimit-Policy: "name";q=100;w=60` and,
//! where the limiter knows it, `RateLimit: "name";r=12;t=34`.

use http::{HeaderMap, HeaderName, HeaderValue};

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A limit by client address.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    pub name: &'static str,
    /// Requests …
    pub quota: u32,
    /// … in so many seconds.
    pub window_seconds: u32,
}

/// Of the routes that hash a password, so that nobody buys hashes without end. A school behind one address may sign in
/// within a minute.
pub const PASSWORDS: Policy = Policy { name: "passwords", quota: 100, window_seconds: 60 };

impl Policy {
    /// Tells of the limit.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let Self { name, quota, window_seconds } = self;
        insert(headers, RATELIMIT_POLICY, &format!("\"{name}\";q={quota};w={window_seconds}"));
    }
}

/// Tells where a client stands: so many more requests, and after so many seconds again more.
pub fn tell_standing(headers: &mut HeaderMap, name: &str, remaining: u32, seconds: u32) {
    insert(headers, RATELIMIT, &format!("\"{name}\";r={remaining};t={seconds}"));
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
