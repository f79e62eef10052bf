//! The client of the other plane: signed calls, answers in memory.

use akademi_domain::time::Timestamp;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, uri::PathAndQuery};
use std::{sync::Arc, time::Duration};

use crate::{
    config::{Config, ConfigError},
    ports::{HttpClient, TimeLimit, Unreachable},
    problem::Problem,
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
};

/// Calls the other plane with signed requests.
pub struct PlaneClient {
    http: Arc<dyn HttpClient>,
    base: Uri,
    planes: Arc<PlaneKeys>,
}

/// # Errors
/// Anything but `http(s)://host[:port]` without a path.
pub fn parse_base(text: &str) -> Result<Uri, &'static str> {
    let problem = "must be http(s)://host[:port]";
    let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| problem)?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    if is_http && uri.authority().is_some() && uri.path() == "/" { Ok(uri) } else { Err(problem) }
}

impl PlaneClient {
    pub fn new(http: Arc<dyn HttpClient>, base: Uri, planes: Arc<PlaneKeys>) -> Self {
        Self { http, base, planes }
    }

    /// The client of the Lambda plane, which `http` reaches within a bounded time.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(http: Arc<dyn HttpClient>, config: &Config<'_>) -> Result<Self, ConfigError> {
        let planes = config.read(akademi_functions::PLANE_ROOT_KEYS, PlaneKeys::from_config)?;
        let base = config.read(akademi_functions::LAMBDA_URL, parse_base)?;
        Ok(Self::new(http, base, Arc::new(planes)))
    }

    /// Sends a signed call and answers what came back, whatever its status.
    ///
    /// # Errors
    /// [`Unreachable`] when no whole answer came.
    pub async fn call(&self, call: PlaneCall<'_>, now: Timestamp) -> Result<Response<Bytes>, Unreachable> {
        self.http.send(self.request(call, now)?).await
    }

    /// The same, given up after `time` where the host would wait for longer.
    ///
    /// # Errors
    /// [`Unreachable`] when no whole answer came in time.
    pub async fn call_within(
        &self,
        call: PlaneCall<'_>,
        now: Timestamp,
        time: Duration,
    ) -> Result<Response<Bytes>, Unreachable> {
        let mut request = self.request(call, now)?;
        request.extensions_mut().insert(TimeLimit(time));
        self.http.send(request).await
    }

    fn request(&self, call: PlaneCall<'_>, now: Timestamp) -> Result<Request<Bytes>, Unreachable> {
        let mut parts = self.base.clone().into_parts();
        parts.path_and_query = Some(call.target);
        let uri = Uri::from_parts(parts).map_err(|error| Unreachable(error.to_string()))?;
        let signature = self
            .planes
            .sign(call.purpose, &call.method, &uri, &call.body, call.context, now)
            .ok_or_else(|| Unreachable("the call could not be signed".into()))?;
        let mut request = Request::new(call.body);
        *request.method_mut() = call.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = call.headers;
        request.headers_mut().insert(CALL_HEADER, signature);
        Ok(request)
    }
}

/// A call to the other plane.
pub struct PlaneCall<'a> {
    pub purpose: Purpose,
    pub method: Method,
    pub target: PathAndQuery,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub context: &'a CallContext,
}

impl From<Unreachable> for Problem {
    fn from(error: Unreachable) -> Self {
        Self::unavailable()
            .with_detail("A part of the service cannot be reached: try again in a moment.")
            .retry_after(5)
            .because(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_scheme_and_a_host() {
        assert!(parse_base("http://127.0.0.1:3001").is_ok());
        assert!(parse_base("https://api.example.com/").is_ok());
        for bad in ["", "/x", "ftp://a", "https://a/b", "a.example.com"] {
            assert!(parse_base(bad).is_err(), "{bad}");
        }
    }
}
