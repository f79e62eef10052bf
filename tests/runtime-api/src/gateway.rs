//! API Gateway's HTTP API: what is sent to its port becomes an event of payload format 2.0 for a binary, and the binary's
//! answer an HTTP response.

use anyhow::Context;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::RuntimeApi;

/// "Amazon API Gateway endpoints and quotas": the largest request, in bytes, …
const MAX_REQUEST_BYTES: usize = 10 * 1024 * 1024;
/// … and how long an integration may take, in seconds.
const INTEGRATION_SECONDS: u64 = 29;
/// The client's address and the gateway's name, of the blocks that are kept for documents (RFC 5737, RFC 2606).
const CLIENT: &str = "203.0.113.9";
const DOMAIN: &str = "lambda.example.com";

/// The paths that one binary answers, all methods of each: `ANY /path` as the gateway writes its routes.
pub struct Integration {
    /// In axum's spelling, which is the gateway's but for `{*rest}`, there `{rest+}`.
    pub paths: Vec<&'static str>,
    pub api: Arc<RuntimeApi>,
}

/// An HTTP API on a port.
pub struct Gateway {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Gateway {
    /// # Errors
    /// When no port can be had.
    pub async fn start(integrations: Vec<Integration>) -> anyhow::Result<Self> {
        let mut router = Router::new();
        for Integration { paths, api } in integrations {
            for path in paths {
                router = router.route(path, any(invoke).with_state(api.clone()));
            }
        }
        let router = router.fallback(async || own(StatusCode::NOT_FOUND, "Not Found"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // It ends with the test.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer of the gateway itself.
fn own(status: StatusCode, message: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json!({ "message": message }).to_string())
        .into_response()
}

async fn invoke(State(api): State<Arc<RuntimeApi>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_REQUEST_BYTES).await else {
        return own(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let Ok(outcome) = api.invoke(event(&parts, &body), INTEGRATION_SECONDS).await else {
        return own(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
    };
    match outcome.response().and_then(|answer| response(&answer)) {
        Ok(response) => response,
        Err(_) => own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

/// A request as the gateway hands it over: header names in lower case, several of one name joined, cookies apart, the body in
/// base64. `rawPath` is not raw: an HTTP API decodes it (a function URL would not).
fn event(parts: &Parts, body: &[u8]) -> Value {
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    let agent = text(parts.headers.get(header::USER_AGENT));
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(), "headers": headers(&parts.headers),
        "requestContext": {
            "accountId": "123456789012", "apiId": "r3pmxmplak", "domainName": DOMAIN, "domainPrefix": "lambda",
            "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default",
            "time": "21/Nov/2026:15:08:21 +0000", "timeEpoch": 1_795_273_701_067_i64,
            "http": { "method": parts.method.as_str(), "path": path, "protocol": "HTTP/1.1", "sourceIp": CLIENT,
                      "userAgent": agent },
        },
        "isBase64Encoded": !body.is_empty(),
    });
    if let Some(event) = event.as_object_mut() {
        let cookies = parts.headers.get_all(header::COOKIE).iter();
        let cookies: Vec<_> = cookies
            .flat_map(|value| text(Some(value)).split("; ").map(str::to_owned).collect::<Vec<_>>())
            .collect();
        if !cookies.is_empty() {
            event.insert("cookies".into(), cookies.into());
        }
        if !body.is_empty() {
            event.insert("body".into(), STANDARD.encode(body).into());
        }
    }
    event
}

fn headers(sent: &HeaderMap) -> Map<String, Value> {
    let mut named = Map::new();
    for name in sent.keys().filter(|name| **name != header::COOKIE) {
        let values: Vec<_> = sent.get_all(name).iter().map(|value| text(Some(value))).collect();
        named.insert(name.to_string(), values.join(",").into());
    }
    for (name, value) in [
        ("host", DOMAIN),
        ("x-amzn-trace-id", "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e"),
        ("x-forwarded-for", CLIENT),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ] {
        named.insert(name.into(), value.into());
    }
    named
}

fn text(value: Option<&HeaderValue>) -> String {
    value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

/// The answer as the gateway forms it.
fn response(answer: &Value) -> anyhow::Result<Response> {
    let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    let body = match answer.get("isBase64Encoded").and_then(Value::as_bool) {
        Some(true) => Bytes::from(STANDARD.decode(body)?),
        _ => Bytes::copy_from_slice(body.as_bytes()),
    };
    let status = answer.get("statusCode").and_then(Value::as_u64).context("the answer has no statusCode")?;
    let mut response = Response::builder().status(u16::try_from(status)?).body(Body::from(body))?;
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = HeaderValue::from_str(value.as_str().context("a header is no text")?)?;
        response.headers_mut().insert(HeaderName::try_from(name)?, value);
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        let cookie = HeaderValue::from_str(cookie.as_str().context("a cookie is no text")?)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_becomes_an_event_as_the_gateway_makes_it() {
        let (parts, ()) = http::Request::put("http://x/a%20b/%C5%9F?q=%C5%9F&q=2")
            .header("x-a", "1")
            .header("x-a", "2")
            .header("cookie", "a=1; b=2")
            .body(())
            .unwrap()
            .into_parts();
        let event = event(&parts, b"{}");
        assert_eq!(event["rawPath"], "/a b/ş", "an HTTP API decodes the path");
        assert_eq!(event["rawQueryString"], "q=%C5%9F&q=2", "and not the query");
        assert_eq!(event["headers"]["x-a"], "1,2");
        assert!(event["headers"].get("cookie").is_none());
        assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("e30="), &json!(true)));
        assert_eq!(event["requestContext"]["http"]["method"], "PUT");
    }

    #[test]
    fn an_answer_becomes_a_response() {
        let answer = json!({ "statusCode": 201, "headers": { "location": "/x" }, "cookies": ["a=1", "b=2"],
                             "body": "e30=", "isBase64Encoded": true });
        let response = response(&answer).unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["location"]),
            (201, &HeaderValue::from_static("/x"))
        );
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
        assert!(super::response(&json!({ "headers": {} })).is_err());
    }
}
