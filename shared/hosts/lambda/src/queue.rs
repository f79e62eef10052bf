//! Messages of SQS that say "there is work" and nothing else: whoever gets one looks for itself what there is.
//!
//! Sending is `SendMessage` of the JSON protocol (Amazon SQS API Reference, "Making Query API requests using AWS JSON
//! protocol").

use akademi_api::ports::{Unreachable, Wake};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::aws::Aws;

/// The longest delay of a message (SQS: 15 minutes).
const MAX_DELAY_SECONDS: u64 = 900;

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message<'a> {
    /// The function that is to look for work.
    pub wake: &'a str,
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("the queue cannot be reached: {0}")]
    Unreachable(#[from] Unreachable),
    #[error("the queue answered {0}")]
    Refused(StatusCode),
    #[error("the message cannot be formed: {0}")]
    Form(#[from] http::Error),
}

/// A queue. Waking only notes the wish: [`Queue::send_wanted`] sends it, before the invocation is answered.
pub struct Queue {
    function: &'static str,
    url: Uri,
    aws: Aws,
    wanted: AtomicBool,
}

impl Wake for Queue {
    fn wake(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    queue_url: String,
    message_body: String,
    delay_seconds: u64,
}

impl Queue {
    /// # Errors
    /// Anything but an absolute address.
    pub fn parse_url(text: &str) -> Result<Uri, &'static str> {
        let problem = "must be the https:// address of a queue";
        let url: Uri = text.parse().map_err(|_| problem)?;
        let is_http = matches!(url.scheme_str(), Some("http" | "https"));
        if is_http && url.authority().is_some() { Ok(url) } else { Err(problem) }
    }

    pub fn new(function: &'static str, url: Uri, aws: Aws) -> Self {
        Self { function, url, aws, wanted: AtomicBool::new(false) }
    }

    /// Sends one message for all wakes since the last one.
    ///
    /// # Errors
    /// [`QueueError`]; the wish is forgotten all the same.
    pub async fn send_wanted(&self) -> Result<(), QueueError> {
        if self.wanted.swap(false, Ordering::Relaxed) { self.send(0).await } else { Ok(()) }
    }

    /// Sends a message that arrives after so many seconds, 15 minutes at most.
    ///
    /// # Errors
    /// [`QueueError`]
    pub async fn send(&self, delay_seconds: u64) -> Result<(), QueueError> {
        let message = serde_json::json!(Message { wake: self.function });
        let call = SendMessage {
            queue_url: self.url.to_string(),
            message_body: message.to_string(),
            delay_seconds: delay_seconds.min(MAX_DELAY_SECONDS),
        };
        let mut endpoint = self.url.clone().into_parts();
        endpoint.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
        let request = Request::builder()
            .method(Method::POST)
            .uri(Uri::from_parts(endpoint).map_err(http::Error::from)?)
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"))
            .header("x-amz-target", HeaderValue::from_static("AmazonSQS.SendMessage"))
            .body(Bytes::from(serde_json::json!(call).to_string()))?;
        let answer = self.aws.call("sqs", request).await?;
        if answer.status() == StatusCode::OK { Ok(()) } else { Err(QueueError::Refused(answer.status())) }
    }
}
