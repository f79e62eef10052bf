//! Requests and responses between the Workers' types and the `http` crate's.
//!
//! `worker` has such conversions too. Its own refuse a header value beyond ASCII, which other hosts hand on, and
//! stream every body, so that no answer says how long it is.

use axum::{body::Body, response::Response};
use http::{HeaderName, HeaderValue, Request};
use http_body_util::BodyExt;
use worker::{Error, Headers, ResponseBuilder};

/// What came in; its body is read when somebody asks for it.
///
/// # Errors
/// When Workers' types hold what is no HTTP.
pub fn incoming(request: &worker::Request) -> worker::Result<Request<Body>> {
    let request = request.inner();
    let body = request.body().map_or_else(Body::empty, |stream| Body::new(worker::Body::new(stream)));
    let mut incoming = Request::builder().method(request.method().as_str()).uri(request.url()).body(body)?;
    for (name, value) in &Headers(request.headers()) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(http::Error::from)?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(http::Error::from)?;
        incoming.headers_mut().append(name, value);
    }
    Ok(incoming)
}

/// What goes out, its body whole: every answer is in memory already.
///
/// # Errors
/// When a header's value is no text.
pub async fn outgoing(response: Response) -> worker::Result<worker::Response> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| Error::RustError(error.to_string()))?.to_bytes();
    let headers = Headers::new();
    for (name, value) in &parts.headers {
        let value = value.to_str().map_err(|_| Error::RustError(format!("header {name} is not text")))?;
        headers.append(name.as_str(), value)?;
    }
    let builder = ResponseBuilder::new().with_status(parts.status.as_u16()).with_headers(headers);
    // A status such as 304 takes no body, not even an empty one.
    Ok(if body.is_empty() { builder.empty() } else { builder.fixed(body.to_vec()) })
}
