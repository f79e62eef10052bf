//! Events of checkout sessions (docs.stripe.com/payments/checkout/fulfillment). The signature covers the whole body, so an
//! event proves the outcome that it tells.

use serde::Deserialize;
use serde_json::Value;

use super::session::{Session, abandoned};
use crate::provider::{CallbackRefused, Failure, FailureReason, Notification, Outcome, Told};

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

pub(super) fn read(body: &[u8]) -> Result<Told, CallbackRefused> {
    let malformed = CallbackRefused::Malformed;
    let event: Event = serde_json::from_slice(body).map_err(|_| malformed("body"))?;
    let Some(kind) = event.kind.strip_prefix("checkout.session.") else { return Ok(Told::Nothing) };
    let session: Session = serde_json::from_value(event.data.object).map_err(|_| malformed("data.object"))?;
    let outcome = match kind {
        "completed" | "async_payment_succeeded" if session.payment_status == "paid" => Outcome::Captured,
        "expired" => Outcome::Failed(abandoned()),
        "async_payment_failed" => Outcome::Failed(Failure {
            reason: FailureReason::Transfer,
            code: kind.to_owned(),
            message: String::new(),
        }),
        // Completed, and the bank's answer is to come.
        _ => return Ok(Told::Nothing),
    };
    // A session of the same account that is not ours has none.
    let Some(reference) = &session.client_reference_id else { return Ok(Told::Nothing) };
    let attempt = reference.parse().map_err(|_| malformed("client_reference_id"))?;
    let paid = match outcome {
        Outcome::Captured => Some(session.amount().ok_or(malformed("amount_total"))?),
        Outcome::Failed(_) => None,
    };
    Ok(Told::Outcome(Notification {
        attempt,
        outcome,
        total_amount: paid.map_or(0, |paid| paid.amount),
        payment_amount: None,
        currency: paid.map(|paid| paid.currency),
        test: !session.livemode,
    }))
}
