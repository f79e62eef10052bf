//! HTTP between processes of this machine, which know each other by the names of the real ones.

use akademi_api::ports::{HttpClient, Unreachable};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, Uri, uri::PathAndQuery};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{net::SocketAddr, time::Duration};

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// A client to whom `hosts` are these addresses.
pub struct Network {
    client: Client<HttpConnector, Full<Bytes>>,
    hosts: Vec<(&'static str, SocketAddr)>,
}

impl Network {
    pub fn new(hosts: Vec<(&'static str, SocketAddr)>) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(), hosts }
    }

    /// Sends a request without an authority to an address.
    pub async fn to(
        &self,
        address: SocketAddr,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Unreachable> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        parts.uri = format!("http://{address}{path}").parse::<Uri>().unwrap();
        let unreachable = |error: &dyn std::fmt::Display| Unreachable(error.to_string());
        let exchange = async {
            let request = Request::from_parts(parts, Full::new(body));
            let response = self.client.request(request).await.map_err(|error| unreachable(&error))?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| unreachable(&error))?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        tokio::time::timeout(PATIENCE, exchange).await.map_err(|error| unreachable(&error))?
    }
}

impl HttpClient for Network {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async move {
            let host = request.uri().host().unwrap_or_default();
            let known = self.hosts.iter().find(|(name, _)| *name == host);
            let (_, address) = known.ok_or_else(|| Unreachable(format!("nobody knows {host}")))?;
            self.to(*address, request).await
        })
    }
}
