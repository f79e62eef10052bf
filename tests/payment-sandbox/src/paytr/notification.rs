//! Notifications to the merchant's Bildirim URL (iFrame API step 2).

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;

use super::{payment::Payment, signature};
use crate::{Merchant, behaviour::Behaviour, sandbox::Sandbox};

pub(crate) fn request(
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
