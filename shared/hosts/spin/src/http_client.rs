//! Outgoing HTTP of a Spin component; the manifest says to which hosts.

use akademi_api::ports::{HttpClient, TimeLimit, Unreachable};
use akademi_edge_store::alone::Alone;
use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use spin_sdk::{
    http::{FullBody, send},
    wasip3::{http::types::RequestOptions, http_compat::RequestOptionsExtension},
};
use std::{sync::Arc, time::Duration};

/// How long the other side may take for each step.
const STEP: Duration = Duration::from_secs(10);
/// API Gateway answers 10 MB at most.
const MAX_ANSWER_BYTES: usize = 10 * 1024 * 1024;

struct SpinHttp;

impl HttpClient for SpinHttp {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Unreachable>> {
        Box::pin(Alone::new(async move {
            let step = u64::try_from(TimeLimit::of(&request, STEP).as_nanos()).ok();
            let mut request = request.map(FullBody::new);
            let options = RequestOptions::new();
            // Hosts that know no such limit keep their own.
            let _ = options.set_connect_timeout(step);
            let _ = options.set_first_byte_timeout(step);
            let _ = options.set_between_bytes_timeout(step);
            request.extensions_mut().insert(RequestOptionsExtension(options));
            let response = send(request).await.map_err(|error| Unreachable(error.to_string()))?;
            let (parts, body) = response.into_parts();
            let body = http_body_util::Limited::new(body, MAX_ANSWER_BYTES)
                .collect()
                .await
                .map_err(|error| Unreachable(error.to_string()))?;
            Ok(http::Response::from_parts(parts, body.to_bytes()))
        }))
    }
}

pub fn http_client() -> Arc<dyn HttpClient> {
    Arc::new(SpinHttp)
}
