//! The loop of a binary: one invocation after the other, until Lambda ends the process.

use akademi_api::{Ports, caller::ClientAddress, config::ConfigError};
use akademi_domain::time::Timestamp;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    middleware::{Next, from_fn, map_response},
    response::Response,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, header};
use lambda_http::{
    Adapter, RequestExt,
    request::{LambdaRequest, RequestContext},
};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;
use std::{process::ExitCode, sync::Arc};
use tower::Service;

use crate::{
    environment::Environment,
    invocation::{BatchAnswer, BatchItemFailure, Invocation, Record},
    queue::{Message, Queue, QueueError},
};

/// A function as this host runs it.
pub struct Function {
    /// Its name in the table of functions.
    pub name: &'static str,
    pub router: Router,
    /// What it does when it is due or woken; none for a function that only answers requests.
    pub job: Option<Job>,
    /// Whom it may wake.
    pub queues: Vec<Arc<Queue>>,
    /// Wakes `sync`, when its requests and its job write the feed.
    pub feed: Option<Arc<Queue>>,
}

/// Does what there is to do; what it says of that is for the log.
pub type Job = Box<dyn Fn(Cause, Span) -> BoxFuture<'static, Result<Value, Error>> + Send + Sync>;

/// Why a job runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// It is time; what the schedule was told to say.
    Schedule(Value),
    /// Somebody waits.
    Wake,
}

/// The time that an invocation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub began: Timestamp,
    /// Then Lambda ends the process.
    pub ends: Timestamp,
}

impl Span {
    /// Whether less than half of it is left at `now`: too little to begin another job that may take as long as the last.
    pub fn is_short(self, now: Timestamp) -> bool {
        self.ends.millis_since(now) * 2 < self.ends.millis_since(self.began)
    }

    /// After how many whole seconds from `now` it is over.
    fn seconds_left(self, now: Timestamp) -> u64 {
        u64::try_from(self.ends.millis_since(now)).unwrap_or(0).div_ceil(1000)
    }
}

/// Runs the function that `make` makes, until Lambda ends the process. It fails when a variable is missing or wrong, which
/// the log and Lambda are told.
pub fn run(make: impl FnOnce(&Environment) -> Result<Function, ConfigError>) -> ExitCode {
    std::panic::set_hook(Box::new(log_panic));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(serve(make)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    println!("{}", serde_json::json!({ "level": "error", "cause": error.to_string() }));
    ExitCode::FAILURE
}

async fn serve(make: impl FnOnce(&Environment) -> Result<Function, ConfigError>) -> Result<(), Error> {
    let environment = Environment::default();
    let function = match make(&environment) {
        Ok(function) => function,
        Err(error) => {
            report(&environment, &error).await;
            return Err(error.into());
        }
    };
    let host = Arc::new(Host::new(function, environment.ports));
    lambda_runtime::run(service_fn(move |event| {
        let host = host.clone();
        async move { host.answer(event).await }
    }))
    .await
}

/// Tells Lambda why this process will not begin (Runtime API, "Initialization error"): it shows the message to whoever
/// deploys.
async fn report(environment: &Environment, error: &ConfigError) {
    use akademi_api::ports::HttpClient;
    let Ok(api) = std::env::var("AWS_LAMBDA_RUNTIME_API") else { return };
    let body = serde_json::json!({ "errorType": "Runtime.InitError", "errorMessage": error.to_string() });
    let request = http::Request::post(format!("http://{api}/2018-06-01/runtime/init/error"))
        .header("lambda-runtime-function-error-type", "Runtime.InitError")
        .body(Bytes::from(body.to_string()));
    if let Ok(request) = request {
        // The process ends with the same error in its log.
        let _ = environment.http.send(request).await;
    }
}

/// The message may hold a value of the request: the log gets the place only.
fn log_panic(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    println!("{}", serde_json::json!({ "level": "error", "cause": format!("panicked at {place}") }));
}

struct Host {
    function: Function,
    ports: Ports,
}

/// An answer, as Lambda takes it.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer<R> {
    Http(R),
    Messages(BatchAnswer),
    Schedule(Value),
}

impl Host {
    fn new(function: Function, ports: Ports) -> Self {
        let router = function.router.layer(from_fn(note_client)).layer(map_response(keep_byte_order_mark));
        Self { function: Function { router, ..function }, ports }
    }

    async fn answer(&self, event: LambdaEvent<Invocation>) -> Result<Answer<impl Serialize + use<>>, Error> {
        let LambdaEvent { payload, context } = event;
        let ends = Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX));
        let span = Span { began: self.ports.now(), ends };
        let answer = match payload {
            Invocation::Http(request) => {
                if may_write(&request) {
                    self.wake_afterwards(span).await;
                }
                let mut adapter = Adapter::from(self.function.router.clone());
                Answer::Http(adapter.call(LambdaEvent::new(*request, context)).await?)
            }
            Invocation::Messages(records) => Answer::Messages(self.take(&records, span).await),
            Invocation::Schedule(detail) => Answer::Schedule(self.work(Cause::Schedule(detail), span).await?),
        };
        for queue in &self.function.queues {
            // A wake may be lost.
            self.log_lost(queue.send_wanted().await);
        }
        Ok(answer)
    }

    /// Does what a batch asks for, once: its messages carry nothing. What no function understands comes again by itself
    /// until the queue sets it aside; what could not be done comes again as a whole.
    async fn take(&self, records: &[Record], span: Span) -> BatchAnswer {
        let (mine, strange): (Vec<_>, Vec<_>) = records.iter().partition(|record| self.is_mine(record));
        let mut again = strange;
        if !again.is_empty() {
            self.log_error(&format!("{} messages of the queue are not understood", again.len()));
        }
        if !mine.is_empty() && self.work(Cause::Wake, span).await.is_err() {
            again.extend(mine);
        }
        let item = |record: &Record| BatchItemFailure { item_identifier: record.message_id.clone() };
        BatchAnswer { batch_item_failures: again.into_iter().map(item).collect() }
    }

    fn is_mine(&self, record: &Record) -> bool {
        serde_json::from_str::<Message<'_>>(&record.body)
            .is_ok_and(|message| message.wake == self.function.name)
    }

    /// Runs the job and logs what it did.
    async fn work(&self, cause: Cause, span: Span) -> Result<Value, Error> {
        let job = self.function.job.as_ref().ok_or("this function answers requests and nothing else")?;
        self.wake_afterwards(span).await;
        let done = job(cause, span).await;
        match &done {
            Ok(did) => self.ports.log.line(
                &serde_json::json!({
                    "at": span.began, "function": self.function.name, "level": "info", "did": did,
                    "milliseconds": self.ports.now().millis_since(span.began),
                })
                .to_string(),
            ),
            Err(error) => self.log_error(&error.to_string()),
        }
        done
    }

    /// Queues a wake of `sync` that comes when this invocation is over, however it ended.
    async fn wake_afterwards(&self, span: Span) {
        if let Some(feed) = &self.function.feed {
            self.log_lost(feed.send(span.seconds_left(self.ports.now())).await);
        }
    }

    fn log_lost(&self, sent: Result<(), QueueError>) {
        if let Err(error) = sent {
            self.log_error(&error.to_string());
        }
    }

    fn log_error(&self, cause: &str) {
        let line = serde_json::json!({
            "at": self.ports.now(), "function": self.function.name, "level": "error", "cause": cause,
        });
        self.ports.log.line(&line.to_string());
    }
}

/// Whether a request may change something (RFC 9110 §9.2.1).
fn may_write(request: &LambdaRequest) -> bool {
    match request {
        LambdaRequest::ApiGatewayV2(request) => {
            let method = &request.request_context.http.method;
            ![Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
        }
        _ => true,
    }
}

/// Of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// API Gateway tells whose connection it was; on `origin`'s requests that is the edge, and the signed call tells more.
async fn note_client(mut request: Request, next: Next) -> Response {
    if let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref()
        && let Some(address) = context.http.source_ip.clone()
    {
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// `lambda_http` reads text by its charset, and that takes a byte order mark away, which spreadsheets know UTF-8 by: of two
/// it leaves one.
async fn keep_byte_order_mark(answer: Response) -> Response {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/csv")) {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    // The length that is left.
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    let body =
        if body.starts_with(BYTE_ORDER_MARK) { [BYTE_ORDER_MARK, &body].concat().into() } else { body };
    Response::from_parts(parts, Body::from(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_short_when_less_than_half_is_left() {
        let at = |seconds| Timestamp::from_millis(1_790_000_000_000).plus_seconds(seconds);
        let span = Span { began: at(0), ends: at(60) };
        assert!(!span.is_short(at(30)) && span.is_short(at(31)) && span.is_short(at(61)));
        assert_eq!((span.seconds_left(at(31)), span.seconds_left(at(61))), (29, 0));
    }
}
