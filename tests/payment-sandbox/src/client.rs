//! The HTTP client that carries callbacks.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::Name},
    },
    rt::TokioExecutor,
};

/// How long a merchant may take to answer a callback.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// How much of an answer is read, in bytes.
const SIZE_LIMIT: usize = 64 * 1024;

/// Sends plain HTTP. `*.localhost` is 127.0.0.1 (RFC 6761 §6.3), while the `Host` header stays as the URL says.
#[derive(Clone)]
pub(crate) struct CallbackClient(Client<HttpConnector<LoopbackNames>, Full<Bytes>>);

impl CallbackClient {
    pub(crate) fn new() -> Self {
        let connector = HttpConnector::new_with_resolver(LoopbackNames);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    /// The whole answer, or a text that says why there is none.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, String> {
        let exchange = async {
            let (head, body) = self.0.request(request).await.map_err(|error| error.to_string())?.into_parts();
            let body = Limited::new(body, SIZE_LIMIT).collect().await.map_err(|error| error.to_string())?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        tokio::time::timeout(TIME_LIMIT, exchange).await.map_err(|_| "timed out".to_owned())?
    }
}

#[derive(Clone)]
struct LoopbackNames;

impl tower_service::Service<Name> for LoopbackNames {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move {
            let name = name.as_str();
            if name == "localhost" || name.ends_with(".localhost") {
                return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))].into_iter());
            }
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
            Ok(addresses.into_iter())
        })
    }
}
