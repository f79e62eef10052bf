//! What binaries send to SQS: `SendMessage` of its JSON protocol, kept and answered.

use axum::{Json, Router, extract::State, routing::post};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::bucket::CREDENTIALS;

/// A message as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The last segment of the queue's address.
    pub queue: String,
    pub body: String,
    pub delay_seconds: u64,
}

#[derive(Clone)]
struct Shared {
    sent: Arc<Mutex<Vec<Sent>>>,
    is_down: Arc<AtomicBool>,
    is_held: watch::Receiver<bool>,
}

/// All queues of a test.
pub struct Queues {
    pub address: SocketAddr,
    shared: Shared,
    hold: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Queues {
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> anyhow::Result<Self> {
        let (hold, is_held) = watch::channel(false);
        let shared = Shared { sent: Arc::default(), is_down: Arc::default(), is_held };
        let router = Router::new().route("/", post(send)).with_state(shared.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // It ends with the test.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, shared, hold, task })
    }

    /// The address of a queue, as SQS forms it.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/123456789012/{name}", self.address)
    }

    /// What was sent since the last call, in order.
    pub fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.shared.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on messages are kept but not answered, or answered again.
    pub fn set_held(&self, is_held: bool) {
        self.hold.send_replace(is_held);
    }

    /// From now on every message is refused with 503, or taken again.
    pub fn set_down(&self, is_down: bool) {
        self.shared.is_down.store(is_down, Ordering::SeqCst);
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn send(
    State(mut shared): State<Shared>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    if shared.is_down.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "__type": "ServiceUnavailable" })));
    }
    match read(&headers, &body) {
        Ok(message) => {
            shared.sent.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            // It ends with the test, too.
            let _ = shared.is_held.wait_for(|is_held| !is_held).await;
            (StatusCode::OK, Json(json!({ "MessageId": "5fea7756-0ea4-451a-a703-a558b933e274" })))
        }
        Err(problem) => (StatusCode::BAD_REQUEST, Json(json!({ "__type": problem }))),
    }
}

/// What SQS would refuse is refused, but for the signature's value, which `object_store` answers for.
fn read(headers: &HeaderMap, body: &str) -> Result<Sent, &'static str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("x-amz-target") != "AmazonSQS.SendMessage"
        || header("content-type") != "application/x-amz-json-1.0"
    {
        return Err("UnknownOperationException");
    }
    let authorization = header("authorization");
    let [_, _, _, (_, token)] = CREDENTIALS;
    let is_signed = authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        && authorization.contains("/eu-central-1/sqs/aws4_request")
        && authorization.contains("x-amz-target")
        && header("x-amz-security-token") == token;
    if !is_signed {
        return Err("MissingAuthenticationToken");
    }
    let body: Value = serde_json::from_str(body).map_err(|_| "SerializationException")?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let queue = text("QueueUrl").and_then(|url| url.rsplit('/').next()).ok_or("MissingParameter")?;
    let delay_seconds = body.get("DelaySeconds").and_then(Value::as_u64).ok_or("MissingParameter")?;
    if delay_seconds > 900 {
        return Err("InvalidParameterValue");
    }
    let body = text("MessageBody").ok_or("MissingParameter")?;
    Ok(Sent { queue: queue.into(), body: body.into(), delay_seconds })
}
