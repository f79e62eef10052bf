//! Outgoing HTTP of a Worker.

use akademi_api::ports::{HttpClient, TimeLimit, Unreachable};
use akademi_edge_store::alone::Alone;
use bytes::{Bytes, BytesMut};
use futures::{
    StreamExt,
    future::{BoxFuture, Either, select},
};
use std::{pin::pin, sync::Arc, time::Duration};
use worker::{
    AbortController, AbortSignal, Delay, Fetch, HttpResponse, Request,
    js_sys::Uint8Array,
    web_sys::{self, RequestInit, RequestRedirect},
};

/// How long the other side may take for its whole answer.
const TIME: Duration = Duration::from_secs(10);
/// API Gateway answers 10 MB at most.
const MAX_ANSWER_BYTES: usize = 10 * 1024 * 1024;

struct WorkersHttp;

impl HttpClient for WorkersHttp {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, Unreachable>> {
        Box::pin(Alone::new(async move {
            let time = TimeLimit::of(&request, TIME);
            let controller = AbortController::default();
            let exchange = pin!(exchange(request, controller.signal()));
            match select(exchange, Delay::from(time)).await {
                Either::Left((answer, _)) => answer.map_err(|error| Unreachable(error.to_string())),
                Either::Right(((), _)) => {
                    controller.abort();
                    Err(Unreachable("timed out".into()))
                }
            }
        }))
    }
}

async fn exchange(
    request: http::Request<Bytes>,
    signal: AbortSignal,
) -> worker::Result<http::Response<Bytes>> {
    let response = Fetch::Request(outgoing(request)?).send_with_signal(&signal).await?;
    let (parts, mut body) = HttpResponse::try_from(response)?.into_parts();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(worker::Error::RustError("the answer is too large".into()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(http::Response::from_parts(parts, bytes.freeze()))
}

/// The request with its body whole, so that it goes out with a length, and with redirects left to the caller: a
/// signature is good for one address.
fn outgoing(request: http::Request<Bytes>) -> worker::Result<Request> {
    let (parts, body) = request.into_parts();
    let init = RequestInit::new();
    init.set_method(parts.method.as_str());
    let headers = web_sys::Headers::new()?;
    for (name, value) in &parts.headers {
        let value =
            value.to_str().map_err(|_| worker::Error::RustError(format!("header {name} is not text")))?;
        headers.append(name.as_str(), value)?;
    }
    init.set_headers(headers.as_ref());
    init.set_redirect(RequestRedirect::Manual);
    if !body.is_empty() {
        init.set_body(&Uint8Array::from(body.as_ref()));
    }
    Ok(web_sys::Request::new_with_str_and_init(&parts.uri.to_string(), &init)?.into())
}

pub fn http_client() -> Arc<dyn HttpClient> {
    Arc::new(WorkersHttp)
}
