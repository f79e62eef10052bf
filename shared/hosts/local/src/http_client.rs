//! Outgoing HTTP: over the network, or straight into a router of the same process.

use akademi_api::ports::{HttpClient, TimeLimit, Unreachable};
use axum::{Router, body::Body};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tower::ServiceExt;

/// How long a whole exchange may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// API Gateway answers 10 MB at most.
const MAX_ANSWER_BYTES: usize = 10 * 1024 * 1024;

/// How long a connection waits for its next request: workerd, for one, ends those that have waited for five seconds, and what
/// is sent on one that is about to end is lost.
const IDLE: Duration = Duration::from_secs(4);

/// HTTP over TCP, and TLS by the certificate authorities that browsers trust. `*.localhost` is this machine, which no resolver outside of browsers knows.
pub struct Network {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Network {
    pub fn new() -> Arc<Self> {
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        Arc::new(Self {
            client: Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(connector),
        })
    }
}

impl HttpClient for Network {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        let time = TimeLimit::of(&request, TIMEOUT);
        Box::pin(async move {
            let unreachable = |error: &dyn std::fmt::Display| Unreachable(error.to_string());
            let mut request = request.map(Full::new);
            name_this_machine(&mut request).map_err(|error| unreachable(&error))?;
            let exchange = async {
                let response = self.client.request(request).await.map_err(|error| unreachable(&error))?;
                let (parts, body) = response.into_parts();
                let body = Limited::new(body, MAX_ANSWER_BYTES)
                    .collect()
                    .await
                    .map_err(|error| unreachable(&error))?;
                Ok(Response::from_parts(parts, body.to_bytes()))
            };
            tokio::time::timeout(time, exchange).await.map_err(|error| unreachable(&error))?
        })
    }
}

/// Sends a request for `x.localhost` to 127.0.0.1 and keeps its Host header.
fn name_this_machine<B>(request: &mut Request<B>) -> Result<(), http::Error> {
    let Some(authority) = request.uri().authority().cloned() else { return Ok(()) };
    if authority.host() != "localhost" && !authority.host().ends_with(".localhost") {
        return Ok(());
    }
    if !request.headers().contains_key(header::HOST) {
        request.headers_mut().insert(header::HOST, authority.as_str().try_into()?);
    }
    let port = authority.port_u16().map_or(String::new(), |port| format!(":{port}"));
    let mut parts = request.uri().clone().into_parts();
    parts.authority = Some(format!("127.0.0.1{port}").parse()?);
    *request.uri_mut() = Uri::from_parts(parts)?;
    Ok(())
}

/// A router of the same process; set once it has been made, since the planes call each other.
#[derive(Default)]
pub struct InProcess {
    router: OnceLock<Router>,
}

impl InProcess {
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Where requests go from now on. A second call changes nothing.
    pub fn connect(&self, router: Router) {
        let _ = self.router.set(router);
    }
}

impl HttpClient for InProcess {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async move {
            let router =
                self.router.get().ok_or_else(|| Unreachable("the other plane is not there yet".into()))?;
            let response = match router.clone().oneshot(request.map(Body::from)).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES)
                .collect()
                .await
                .map_err(|error| Unreachable(error.to_string()))?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        })
    }
}

/// What the edge may call: the Lambda plane in this process, and the network.
pub struct Outbound {
    pub lambda: Arc<InProcess>,
    pub network: Arc<Network>,
}

/// The Lambda plane's host, as `lambda_url` names it.
pub const LAMBDA_HOST: &str = "lambda.internal";

impl HttpClient for Outbound {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        match request.uri().host() {
            Some(LAMBDA_HOST) => self.lambda.send(request),
            _ => self.network.send(request),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that takes connections and says nothing.
    fn silent() -> (std::net::TcpListener, Request<Bytes>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap());
        (listener, Request::post(uri).body(Bytes::new()).unwrap())
    }

    #[tokio::test]
    async fn a_request_that_asks_for_less_time_is_given_up_earlier() {
        let (_listener, mut request) = silent();
        request.extensions_mut().insert(TimeLimit(Duration::from_millis(20)));
        let network = Network::new();
        let before_the_hosts_own = tokio::time::timeout(TIMEOUT / 3, network.send(request)).await;
        assert!(matches!(before_the_hosts_own, Ok(Err(Unreachable(_)))));
    }
}
