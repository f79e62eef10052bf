//! The client of the Lambda plane: `origin`'s own, and a library for edge functions that call it.

use akademi_api::{
    Problem,
    ports::HttpClient,
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
};
use akademi_domain::time::Timestamp;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, uri::PathAndQuery};
use std::sync::Arc;

/// Calls the Lambda plane with signed requests.
pub struct LambdaClient {
    http: Arc<dyn HttpClient>,
    base: Uri,
    planes: PlaneKeys,
}

/// # Errors
/// Anything but `http(s)://host[:port]` without a path.
pub fn parse_base(text: &str) -> Result<Uri, &'static str> {
    let problem = "must be http(s)://host[:port]";
    let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| problem)?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    if is_http && uri.authority().is_some() && uri.path() == "/" { Ok(uri) } else { Err(problem) }
}

impl LambdaClient {
    pub fn new(http: Arc<dyn HttpClient>, base: Uri, planes: PlaneKeys) -> Self {
        Self { http, base, planes }
    }

    /// Sends a signed call to `target` (path and query) and answers what came back.
    ///
    /// # Errors
    /// `unavailable` when no whole answer came.
    pub async fn call(
        &self,
        purpose: Purpose,
        method: Method,
        target: &PathAndQuery,
        headers: HeaderMap,
        body: Bytes,
        context: &CallContext,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Problem> {
        let mut parts = self.base.clone().into_parts();
        parts.path_and_query = Some(target.clone());
        let uri = Uri::from_parts(parts).map_err(Problem::broken)?;
        let signature = self
            .planes
            .sign(purpose, &method, &uri, &body, context, now)
            .ok_or_else(|| Problem::broken("the call could not be signed"))?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        request.headers_mut().insert(CALL_HEADER, signature);
        self.http.send(request).await.map_err(|error| {
            Problem::unavailable()
                .with_detail("A part of the service cannot be reached: try again in a moment.")
                .retry_after(5)
                .because(error)
        })
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
