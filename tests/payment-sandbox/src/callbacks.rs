//! What merchants are told of decided payments, with all that can happen to it on the way.

use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::{
    behaviour::Behaviour,
    iyzico, paytr,
    sandbox::{Sandbox, now},
};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) type Millis = i64;

/// One attempt to notify.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Callback {
    pub at: Millis,
    /// Lost on purpose, so there is no answer.
    pub dropped: bool,
    /// The answer's status; none if there was no answer.
    pub status: Option<u16>,
    /// The beginning of the answer's body, or why there was none.
    pub answer: String,
    /// Answered as the provider wants it: PayTR exactly `OK` under status 200, iyzico any status of success.
    pub accepted: bool,
}

/// A decided payment of which its merchant is to be told, by its token.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    PayTr(String),
    Iyzico(String),
}

impl Notice {
    fn request(
        &self,
        sandbox: &Sandbox,
        behaviour: &Behaviour,
        sent: u32,
    ) -> Result<Request<Full<Bytes>>, String> {
        match self {
            Self::PayTr(token) => paytr::notification::request(sandbox, token, behaviour, sent),
            Self::Iyzico(token) => iyzico::webhook::request(sandbox, token, behaviour, sent),
        }
    }

    fn is_accepted(&self, response: &Response<Bytes>) -> bool {
        match self {
            Self::PayTr(_) => response.status() == StatusCode::OK && response.body().as_ref() == b"OK",
            Self::Iyzico(_) => response.status().is_success(),
        }
    }

    fn record(&self, sandbox: &Sandbox, callback: Callback) {
        match self {
            Self::PayTr(token) => {
                sandbox.change_payment(token, |payment| payment.callbacks.push(callback));
            }
            Self::Iyzico(token) => {
                let ours = |payment: &iyzico::Payment| payment.token == *token;
                sandbox.iyzico.change(ours, |payment| payment.callbacks.push(callback));
            }
        }
    }
}

/// Begins to notify a decided payment, and returns when the browser may be sent back. The rest goes on in the
/// background, whatever becomes of the browser.
pub(crate) async fn notify(sandbox: &Sandbox, notice: Notice, behaviour: Behaviour) {
    if behaviour.reorder > 0 {
        let released = sandbox.hold(notice, behaviour.reorder);
        release(sandbox, released, behaviour);
        return;
    }
    let (browser, may_return) = oneshot::channel();
    let task = deliver(sandbox.clone(), notice, behaviour, Some(browser));
    sandbox.spawn(task);
    // An error means that the task is gone, as when the sandbox stops: there is nothing to wait for.
    may_return.await.unwrap_or(());
}

/// Sends what was held, one payment after the other.
pub(crate) fn release(sandbox: &Sandbox, notices: Vec<Notice>, behaviour: Behaviour) {
    let task_sandbox = sandbox.clone();
    sandbox.spawn(async move {
        for notice in notices {
            deliver(task_sandbox.clone(), notice, behaviour.clone(), None).await;
        }
    });
}

/// Notifies until enough copies were accepted, or there were too many attempts.
async fn deliver(
    sandbox: Sandbox,
    notice: Notice,
    behaviour: Behaviour,
    mut browser: Option<oneshot::Sender<()>>,
) {
    let (mut attempts, mut accepted, mut last_accepted) = (0, 0, true);
    while accepted < behaviour.copies && attempts < behaviour.attempt_limit {
        let waiting = browser.is_some() && attempts < behaviour.before_return;
        if !waiting {
            if let Some(browser) = browser.take() {
                // The browser may have gone away meanwhile.
                let _ = browser.send(());
            }
            let pause = if last_accepted { behaviour.delay_ms } else { behaviour.retry_ms };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        let burst = if behaviour.simultaneous && !waiting { behaviour.copies - accepted } else { 1 };
        let numbers = attempts..attempts + burst;
        let answers = join_all(numbers.map(|number| attempt(&sandbox, &notice, &behaviour, number))).await;
        attempts += burst;
        last_accepted = answers.iter().all(|accepted| *accepted);
        accepted += u32::try_from(answers.iter().filter(|accepted| **accepted).count()).unwrap_or(burst);
    }
    if let Some(browser) = browser {
        let _ = browser.send(());
    }
}

/// One attempt; whether it was accepted.
async fn attempt(sandbox: &Sandbox, notice: &Notice, behaviour: &Behaviour, number: u32) -> bool {
    let at = now();
    let callback = match number.checked_sub(behaviour.drop_first) {
        None => Callback { at, dropped: true, status: None, answer: String::new(), accepted: false },
        Some(sent) => match notice.request(sandbox, behaviour, sent) {
            Err(answer) => Callback { at, dropped: false, status: None, answer, accepted: false },
            Ok(request) => answered(at, notice, sandbox.client.send(request).await),
        },
    };
    let accepted = callback.accepted;
    notice.record(sandbox, callback);
    accepted
}

fn answered(at: Millis, notice: &Notice, response: Result<Response<Bytes>, String>) -> Callback {
    match response {
        Err(answer) => Callback { at, dropped: false, status: None, answer, accepted: false },
        Ok(response) => Callback {
            at,
            dropped: false,
            status: Some(response.status().as_u16()),
            answer: String::from_utf8_lossy(response.body()).chars().take(200).collect(),
            accepted: notice.is_accepted(&response),
        },
    }
}
