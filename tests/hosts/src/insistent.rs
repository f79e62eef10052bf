//! A client of one connection for each request, which sends again where a refusal of an unread body ended the connection before
//! its answer was read: workerd ends connections so, and Cloudflare stands in front of it.

use akademi_api::ports::{HttpClient, Unreachable};
use akademi_local::http_client::Network;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, header};
use std::sync::Arc;

/// How often a request is sent at most.
const ATTEMPTS: usize = 20;

/// HTTP over TCP, for what wants an answer to a body that nobody reads.
pub struct Insistent(Arc<Network>);

impl Insistent {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Network::new()))
    }
}

impl HttpClient for Insistent {
    fn send(
        &self,
        mut request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Unreachable>> {
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        Box::pin(async move {
            for _ in 1..ATTEMPTS {
                if let Ok(answer) = self.0.send(request.clone()).await {
                    return Ok(answer);
                }
            }
            self.0.send(request).await
        })
    }
}
