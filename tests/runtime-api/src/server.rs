//! The server: hands out one event after the other and keeps what became of each.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
    task::JoinHandle,
};

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// What the function answered.
    Response(Value),
    /// What it posted as an error: `errorType`, `errorMessage`.
    Error(Value),
}

impl Outcome {
    /// The answer of a function that ended well.
    ///
    /// # Errors
    /// When it ended with an error.
    pub fn response(self) -> anyhow::Result<Value> {
        match self {
            Self::Response(response) => Ok(response),
            Self::Error(error) => anyhow::bail!("the function ended with {error}"),
        }
    }
}

/// What a function said that would not begin.
#[derive(Debug, Clone, PartialEq)]
pub struct InitError {
    /// The header `lambda-runtime-function-error-type`.
    pub error_type: String,
    pub error: Value,
}

/// An event that waits for the function, or for its outcome.
struct Event {
    id: String,
    body: Value,
    seconds: u64,
    outcome: oneshot::Sender<Outcome>,
}

#[derive(Default)]
struct Kept {
    waiting: VecDeque<Event>,
    handed_out: HashMap<String, oneshot::Sender<Outcome>>,
    init_errors: Vec<InitError>,
    sent: u64,
    polls: u64,
}

#[derive(Clone, Default)]
struct Shared {
    kept: Arc<Mutex<Kept>>,
    arrived: Arc<Notify>,
    polled: Arc<Notify>,
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A Runtime API for one binary.
pub struct RuntimeApi {
    pub address: SocketAddr,
    shared: Shared,
    task: JoinHandle<()>,
}

impl RuntimeApi {
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> anyhow::Result<Self> {
        let shared = Shared::default();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(respond))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(fail))
            .route("/2018-06-01/runtime/init/error", post(fail_to_begin))
            .with_state(shared.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // It ends with the test.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, shared, task })
    }

    /// Gives the binary an event and this many seconds for it, and waits for what becomes of it.
    ///
    /// # Errors
    /// When nothing has by then.
    pub async fn invoke(&self, event: Value, seconds: u64) -> anyhow::Result<Outcome> {
        let outcome = self.hand_over(event, seconds);
        Ok(tokio::time::timeout(Duration::from_secs(seconds), outcome).await??)
    }

    /// Gives the binary an event whose time is over as it arrives, and waits all the same, half a minute.
    ///
    /// # Errors
    /// When nothing has become of it by then.
    pub async fn invoke_late(&self, event: Value) -> anyhow::Result<Outcome> {
        let outcome = self.hand_over(event, 0);
        Ok(tokio::time::timeout(Duration::from_secs(30), outcome).await??)
    }

    fn hand_over(&self, event: Value, seconds: u64) -> oneshot::Receiver<Outcome> {
        let (outcome, answered) = oneshot::channel();
        {
            let mut kept = self.shared.kept();
            kept.sent += 1;
            let id = format!("8476a536-e9f4-11e8-9739-{:012}", kept.sent);
            kept.waiting.push_back(Event { id, body: event, seconds, outcome });
        }
        self.shared.arrived.notify_one();
        answered
    }

    /// Waits until the binary has asked for its first event.
    ///
    /// # Errors
    /// When it has not within 30 seconds.
    pub async fn first_poll(&self) -> anyhow::Result<()> {
        let polled = async {
            while self.shared.kept().polls == 0 {
                self.shared.polled.notified().await;
            }
        };
        Ok(tokio::time::timeout(Duration::from_secs(30), polled).await?)
    }

    /// What was posted to `init/error`.
    pub fn init_errors(&self) -> Vec<InitError> {
        self.shared.kept().init_errors.clone()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A long poll without an end of its own, as Lambda's.
async fn next(State(shared): State<Shared>) -> (HeaderMap, String) {
    shared.kept().polls += 1;
    shared.polled.notify_one();
    loop {
        let event = shared.kept().waiting.pop_front();
        if let Some(event) = event {
            let headers = [
                ("lambda-runtime-aws-request-id", event.id.clone()),
                ("lambda-runtime-deadline-ms", deadline(event.seconds).to_string()),
                (
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:eu-central-1:123456789012:function:akademi".into(),
                ),
                ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".into()),
                ("content-type", "application/json".into()),
            ];
            let headers = headers.into_iter().filter_map(|(name, value)| {
                Some((http::HeaderName::from_static(name), http::HeaderValue::try_from(value).ok()?))
            });
            shared.kept().handed_out.insert(event.id, event.outcome);
            return (headers.collect(), event.body.to_string());
        }
        shared.arrived.notified().await;
    }
}

/// So many seconds from now, in milliseconds since 1970.
#[allow(clippy::disallowed_methods, reason = "this stands in for Lambda's clock")]
fn deadline(seconds: u64) -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now + Duration::from_secs(seconds)).as_millis()
}

async fn respond(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    end(&shared, &id, &body, Outcome::Response)
}

async fn fail(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    end(&shared, &id, &body, Outcome::Error)
}

fn end(shared: &Shared, id: &str, body: &[u8], outcome: fn(Value) -> Outcome) -> (StatusCode, Json<Value>) {
    let Ok(body) = serde_json::from_slice(body) else {
        return refused("InvalidRequestContent", "the body is no JSON");
    };
    let Some(waiting) = shared.kept().handed_out.remove(id) else {
        return refused("InvalidRequestID", "nobody waits for this event");
    };
    // A test that has given up does not wait any more.
    let _ = waiting.send(outcome(body));
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" })))
}

async fn fail_to_begin(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let Ok(error) = serde_json::from_slice(&body) else {
        return refused("InvalidRequestContent", "the body is no JSON");
    };
    let kind = headers.get("lambda-runtime-function-error-type").and_then(|kind| kind.to_str().ok());
    let error_type = kind.unwrap_or_default().to_owned();
    shared.kept().init_errors.push(InitError { error_type, error });
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" })))
}

fn refused(kind: &str, message: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::BAD_REQUEST, Json(json!({ "errorType": kind, "errorMessage": message })))
}
