//! Mail leaves within seconds: after a commit that somebody waits for, `sync` is sent a signed wake without data.

use akademi_api::{
    Ports,
    caller::RequestId,
    config::{Config, ConfigError},
    plane_client::{PlaneCall, PlaneClient},
    ports::HttpClient,
    signed::{CallContext, Purpose},
};
use bytes::Bytes;
use http::{HeaderMap, Method, uri::PathAndQuery};
use std::{sync::Arc, time::Duration};

/// How long a wake may keep the person waiting whose request sends it. One that is lost costs a minute, and the other
/// plane goes on with one that was cut off.
const TIME: Duration = Duration::from_secs(1);

/// Wakes the other plane's `sync`.
#[derive(Clone)]
pub struct SyncWake(Arc<PlaneClient>);

impl SyncWake {
    /// `http` reaches the Lambda plane within a bounded time.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(http: Arc<dyn HttpClient>, config: &Config<'_>) -> Result<Self, ConfigError> {
        Ok(Self(Arc::new(PlaneClient::from_config(http, config)?)))
    }

    /// Has `sync` look at the edge now. Whoever sends it where a stranger must not learn what was done sends it whatever was
    /// done. A wake that is lost costs the minute until `sync` looks anyway.
    pub async fn send(&self, ports: &Ports, RequestId(request_id): &RequestId) {
        let context = CallContext { request_id: request_id.to_string(), ..CallContext::default() };
        let call = PlaneCall {
            purpose: Purpose::Wake,
            method: Method::POST,
            target: PathAndQuery::from_static("/internal/wake"),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            context: &context,
        };
        drop(self.0.call_within(call, ports.now(), TIME).await);
    }
}
