//! HTTP/1.1 in front of the components, as Spin's HTTP trigger.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header, uri};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    error::Error as StdError,
    net::SocketAddr,
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinSet,
};
use wasmtime_wasi_http::{
    Error, WasiBody,
    handler::{InstantiationError, ProxyHandler},
};

use crate::{
    host::Limits,
    instance::{Full, Template},
    log::one_line,
    routes::{RouteMatch, Routes, WELL_KNOWN},
};

pub(crate) struct Application {
    pub(crate) routes: Routes,
    pub(crate) handlers: BTreeMap<String, ProxyHandler<Template>>,
    pub(crate) limits: Limits,
}

type BoxError = Box<dyn StdError + Send + Sync>;
type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// Accepts connections until `closing` says so; then drops them. `_alive` tells the host that this goes on.
pub(crate) async fn serve(
    listener: TcpListener,
    application: Arc<Application>,
    mut closing: watch::Receiver<bool>,
    _alive: mpsc::Sender<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A sender that is gone closes as well.
            _ = closing.wait_for(|closing| *closing) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // What fails here is the one connection, or a shortage of files that passes.
                let Ok((stream, client)) = accepted else { continue };
                drop(stream.set_nodelay(true));
                let application = application.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let application = application.clone();
                        async move { Ok::<_, Infallible>(application.answer(request, client).await) }
                    });
                    // A client that goes away in the midst of a request is no error of the host.
                    drop(
                        http1::Builder::new()
                            .timer(TokioTimer::new())
                            .serve_connection(TokioIo::new(stream), service)
                            .await,
                    );
                });
            }
        }
    }
    connections.shutdown().await;
}

impl Application {
    async fn answer(&self, request: Request<Incoming>, client: SocketAddr) -> Answer {
        let path = request.uri().path();
        if let Some(own) = path.strip_prefix(WELL_KNOWN) {
            return empty(if own == "health" { StatusCode::OK } else { StatusCode::NOT_FOUND });
        }
        let Some((route, handler)) = self
            .routes
            .find(path)
            .and_then(|route| self.handlers.get(route.component).map(|handler| (route, handler)))
        else {
            return empty(StatusCode::NOT_FOUND);
        };
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > self.limits.max_request_body) {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let request = match prepare(request, &route, client, self.limits.max_request_body) {
            Ok(request) => request,
            Err(status) => return empty(status),
        };
        match hand_over(handler, request).await {
            Ok(response) => {
                response.map(|body| Limited::new(body, self.limits.max_response_body).boxed_unsync())
            }
            Err(error) => {
                handler.state().log.host_line(&format!("request failed: {}", one_line(&error)));
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// How soon a request that found no place in an instance asks again.
const NO_PLACE: Duration = Duration::from_millis(1);

/// Gives the request to an instance; where there may be no further one, as soon as one of them takes it.
async fn hand_over(
    handler: &ProxyHandler<Template>,
    mut request: Request<WasiBody>,
) -> wasmtime::Result<Response<WasiBody>> {
    loop {
        match handler.handle((), request).await {
            Ok(response) => return Ok(response),
            Err(error) => match error.downcast::<InstantiationError<()>>() {
                Ok(refused) if refused.error.is::<Full>() => {
                    request = refused.request.into_inner().unwrap_or_else(PoisonError::into_inner);
                    tokio::time::sleep(NO_PLACE).await;
                }
                Ok(refused) => return Err(refused.into()),
                Err(error) => return Err(error),
            },
        }
    }
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *answer.status_mut() = status;
    answer
}

/// The request as a guest gets it: the Host header becomes the URI's authority, as it stands, and is no header
/// any more (WASI HTTP forbids it); Spin's own headers are added.
fn prepare(
    request: Request<Incoming>,
    route: &RouteMatch<'_>,
    client: SocketAddr,
    max_body: usize,
) -> Result<Request<WasiBody>, StatusCode> {
    let (mut parts, body) = request.into_parts();
    let host = parts.headers.get(header::HOST).ok_or(StatusCode::BAD_REQUEST)?;
    let authority = uri::Authority::try_from(host.as_bytes()).map_err(|_| StatusCode::BAD_REQUEST)?;
    if parts.uri.authority().is_some_and(|named| *named != authority) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let path_and_query = parts.uri.path_and_query().cloned().ok_or(StatusCode::BAD_REQUEST)?;
    let full_url = format!("http://{authority}{path_and_query}");
    parts.uri = Uri::builder()
        .scheme(uri::Scheme::HTTP)
        .authority(authority)
        .path_and_query(path_and_query)
        .build()
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    add_headers(&mut parts.headers, route.headers(&full_url, client));
    let body = Limited::new(body, max_body).map_err(move |error| body_error(error, max_body));
    Ok(Request::from_parts(parts, body.boxed_unsync()))
}

fn add_headers(headers: &mut HeaderMap, added: Vec<(String, String)>) {
    for (name, value) in added {
        // What cannot be a header, such as a path segment with a control character, is left out, as in Spin.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
}

fn body_error(error: BoxError, max_body: usize) -> Error {
    if error.is::<LengthLimitError>() {
        return Error::HttpRequestBodySize(u64::try_from(max_body).ok());
    }
    match error.downcast::<hyper::Error>() {
        Ok(error) => Error::Hyper(*error),
        Err(error) => Error::InternalError(Some(error.to_string())),
    }
}
