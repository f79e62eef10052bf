//! A client that sends again where a refusal of an unread body ended the connection before its answer was read.
//!
//! `wrangler dev` puts a proxy before workerd that gives such a connection up with a 503 of its own, which asks to send
//! again; Cloudflare has no such proxy.

use akademi_api::ports::{HttpClient, Unreachable};
use akademi_local::http_client::Network;
use bytes::Bytes;
use futures::future::BoxFuture;
use std::sync::Arc;

/// How often a request is sent at most.
pub const ATTEMPTS: usize = 20;

/// Whether the proxy gave up a request that the Worker answered.
pub fn is_given_up(answer: &str) -> bool {
    answer.contains("Your worker restarted mid-request")
}

/// HTTP over TCP, past that proxy.
pub struct Insistent(Arc<Network>);

impl Insistent {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Network::new()))
    }
}

impl HttpClient for Insistent {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Unreachable>> {
        Box::pin(async move {
            for _ in 1..ATTEMPTS {
                match self.0.send(request.clone()).await {
                    Ok(answer) if is_given_up(&String::from_utf8_lossy(answer.body())) => {}
                    Ok(answer) => return Ok(answer),
                    Err(_) => {}
                }
            }
            self.0.send(request).await
        })
    }
}
