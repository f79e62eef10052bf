//! Outgoing HTTP with TLS, by the certificate authorities that browsers trust.

use akademi_api::ports::{HttpClient, TimeLimit, Unreachable};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use std::{sync::Arc, time::Duration};

/// How long a whole exchange may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// A connection that was idle for longer may have been closed while the instance was frozen.
const IDLE: Duration = Duration::from_secs(5);
/// No provider, and no batch of the feed, answers more.
const MAX_ANSWER_BYTES: usize = 10 * 1024 * 1024;

/// The client of one instance.
pub struct Network {
    pub(crate) client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Network {
    pub fn new() -> Arc<Self> {
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Arc::new(Self { client })
    }
}

impl HttpClient for Network {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        let time = TimeLimit::of(&request, TIMEOUT);
        Box::pin(async move {
            let exchange = async {
                let response = self.client.request(request.map(Full::new)).await.map_err(unreachable)?;
                let (parts, body) = response.into_parts();
                let body = Limited::new(body, MAX_ANSWER_BYTES)
                    .collect()
                    .await
                    .map_err(|e| Unreachable(e.to_string()))?;
                Ok(Response::from_parts(parts, body.to_bytes()))
            };
            tokio::time::timeout(time, exchange).await.map_err(unreachable)?
        })
    }
}

fn unreachable(error: impl std::fmt::Display) -> Unreachable {
    Unreachable(error.to_string())
}
