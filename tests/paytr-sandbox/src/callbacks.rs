//! Notifications to the merchant's Bildirim URL (iFrame API step 2), with all that can happen to them.

use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use tokio::sync::oneshot;

use crate::{
    Merchant,
    behaviour::Behaviour,
    payment::{Callback, Payment},
    sandbox::{Sandbox, now},
    signature,
};

/// Begins to notify a decided payment, and returns when the browser may be sent back. The rest goes on in the
/// background, whatever becomes of the browser.
pub(crate) async fn notify(sandbox: &Sandbox, token: String, behaviour: Behaviour) {
    if behaviour.reorder > 0 {
        let released = sandbox.hold(&token, behaviour.reorder);
        release(sandbox, released, behaviour);
        return;
    }
    let (browser, may_return) = oneshot::channel();
    let task = deliver(sandbox.clone(), token, behaviour, Some(browser));
    sandbox.spawn(task);
    // An error means that the task is gone, as when the sandbox stops: there is nothing to wait for.
    may_return.await.unwrap_or(());
}

/// Sends what was held, one payment after the other.
pub(crate) fn release(sandbox: &Sandbox, tokens: Vec<String>, behaviour: Behaviour) {
    let task_sandbox = sandbox.clone();
    sandbox.spawn(async move {
        for token in tokens {
            deliver(task_sandbox.clone(), token, behaviour.clone(), None).await;
        }
    });
}

/// Notifies until enough copies were answered `OK`, or there were too many attempts.
async fn deliver(
    sandbox: Sandbox,
    token: String,
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
        let answers = join_all(numbers.map(|number| attempt(&sandbox, &token, &behaviour, number))).await;
        attempts += burst;
        last_accepted = answers.iter().all(|accepted| *accepted);
        accepted += u32::try_from(answers.iter().filter(|accepted| **accepted).count()).unwrap_or(burst);
    }
    if let Some(browser) = browser {
        let _ = browser.send(());
    }
}

/// One attempt; whether it was answered `OK`.
async fn attempt(sandbox: &Sandbox, token: &str, behaviour: &Behaviour, number: u32) -> bool {
    let at = now();
    let callback = match number.checked_sub(behaviour.drop_first) {
        None => Callback { at, dropped: true, status: None, answer: String::new(), accepted: false },
        Some(sent) => match request(sandbox, token, behaviour, sent) {
            Err(answer) => Callback { at, dropped: false, status: None, answer, accepted: false },
            Ok(request) => answered(at, sandbox.client.send(request).await),
        },
    };
    let accepted = callback.accepted;
    sandbox.change_payment(token, |payment| payment.callbacks.push(callback));
    accepted
}

fn answered(at: i64, response: Result<http::Response<Bytes>, String>) -> Callback {
    match response {
        Err(answer) => Callback { at, dropped: false, status: None, answer, accepted: false },
        Ok(response) => Callback {
            at,
            dropped: false,
            status: Some(response.status().as_u16()),
            answer: String::from_utf8_lossy(response.body()).chars().take(200).collect(),
            accepted: response.status() == StatusCode::OK && response.body().as_ref() == b"OK",
        },
    }
}

fn request(
    sandbox: &Sandbox,
    token: &str,
    behaviour: &Behaviour,
    sent: u32,
) -> Result<Request<Full<Bytes>>, String> {
    let payment = sandbox.payment(token).ok_or("no such payment")?;
    let merchant = sandbox.merchant(&payment.merchant_id).ok_or("no such merchant")?;
    let body = body(&payment, &merchant, behaviour, sent).ok_or("not decided")?;
    Request::post(&merchant.callback_url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| error.to_string())
}

/// The form of the payment's callback number `sent`, counted without the dropped ones.
fn body(payment: &Payment, merchant: &Merchant, behaviour: &Behaviour, sent: u32) -> Option<String> {
    let outcome = payment.outcome.as_ref()?;
    let status = if outcome.failure.is_some() { "failed" } else { "success" };
    let mut total = behaviour.misstated_total.unwrap_or(outcome.total_amount).to_string();
    let mut hash = signature::notification_hash(merchant, &payment.merchant_oid, status, &total);
    let forged = behaviour.corrupt_hash..behaviour.corrupt_hash.saturating_add(behaviour.forge_amount);
    if sent < behaviour.corrupt_hash {
        // Another letter in front: still Base64, and of the same length.
        let other = if hash.starts_with('A') { "B" } else { "A" };
        hash.replace_range(..1, other);
    } else if forged.contains(&sent) {
        total.push('0');
    }
    let mut fields = vec![
        ("merchant_oid", payment.merchant_oid.clone()),
        ("status", status.to_owned()),
        ("total_amount", total),
        ("hash", hash),
    ];
    if let Some(failure) = &outcome.failure {
        fields.push(("failed_reason_code", failure.code.to_string()));
        fields.push(("failed_reason_msg", failure.message.to_owned()));
    }
    if payment.test_mode {
        fields.push(("test_mode", "1".to_owned()));
    }
    fields.extend([
        ("payment_type", "card".to_owned()),
        ("currency", payment.currency.clone()),
        ("payment_amount", payment.payment_amount.to_string()),
        ("installment_count", outcome.installments.max(1).to_string()),
    ]);
    serde_urlencoded::to_string(fields).ok()
}
