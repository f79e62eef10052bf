//! Merchant notifications, as `X-IYZ-SIGNATURE-V3` signs them.

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde_json::json;

use super::{payment::State, signature::of_webhook};
use crate::{
    behaviour::Behaviour,
    sandbox::{Sandbox, now},
};

const EVENT: &str = "CHECKOUT_FORM_AUTH";

/// The webhook number `sent` of a decided payment, counted without the dropped ones.
pub(crate) fn request(
    sandbox: &Sandbox,
    token: &str,
    behaviour: &Behaviour,
    sent: u32,
) -> Result<Request<Full<Bytes>>, String> {
    let payment = sandbox.iyzico.payment(token).ok_or("no such payment")?;
    let merchant = sandbox.iyzico.merchant(&payment.api_key).ok_or("no such merchant")?;
    let mut status = match payment.state {
        State::Paid { .. } => "SUCCESS",
        State::Failed { .. } => "FAILURE",
        State::Open | State::Authenticating { .. } => return Err("not decided".to_owned()),
    };
    let values = [EVENT, &payment.payment_id, token, &payment.conversation_id, status];
    let mut signature = of_webhook(&merchant, &values);
    let forged = behaviour.corrupt_hash..behaviour.corrupt_hash.saturating_add(behaviour.forge_amount);
    if sent < behaviour.corrupt_hash {
        let other = if signature.starts_with('a') { "b" } else { "a" };
        signature.replace_range(..1, other);
    } else if forged.contains(&sent) {
        status = if status == "SUCCESS" { "FAILURE" } else { "SUCCESS" };
    }
    let body = json!({
        "paymentConversationId": payment.conversation_id,
        "merchantId": merchant.merchant_id,
        "token": token,
        "status": status,
        "iyziReferenceCode": format!("ref-{}", payment.payment_id),
        "iyziEventType": EVENT,
        "iyziEventTime": now(),
        "iyziPaymentId": payment.payment_id.parse::<u64>().unwrap_or(0),
    });
    Request::post(&merchant.webhook_url)
        .header(header::CONTENT_TYPE, "application/json")
        .header("X-IYZ-SIGNATURE-V3", signature)
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|error| error.to_string())
}
