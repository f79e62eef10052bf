//! Merchant notifications (docs.iyzico.com: webhook). The signature covers neither amount nor time, so a notification only
//! says where to look.

use http::HeaderMap;
use serde::Deserialize;

use super::{answer::Text, signature::Signer};
use crate::provider::{Callback, CallbackRefused, Told};

pub(super) const SIGNATURE: &str = "x-iyz-signature-v3";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(default)]
    iyzi_event_type: Text,
    #[serde(default)]
    iyzi_payment_id: Text,
    #[serde(default)]
    payment_id: Text,
    #[serde(default)]
    payment_conversation_id: Text,
    /// Of payments on a page of iyzico's.
    #[serde(default)]
    token: Option<Text>,
    #[serde(default)]
    status: Text,
}

pub(super) fn verify(signer: &Signer, callback: &Callback<'_>) -> Result<Told, CallbackRefused> {
    let signature = signature(callback.headers)?;
    let event: Event =
        serde_json::from_slice(callback.body).map_err(|_| CallbackRefused::Malformed("body"))?;
    let (kind, conversation) = (event.iyzi_event_type.0.as_str(), event.payment_conversation_id.0.as_str());
    let status = event.status.0.as_str();
    let is_signed = match &event.token {
        Some(Text(token)) => {
            signer.signs_webhook(&[kind, &event.iyzi_payment_id.0, token, conversation, status], signature)
        }
        None => signer.signs_webhook(&[kind, &event.payment_id.0, conversation, status], signature),
    };
    if !is_signed {
        return Err(CallbackRefused::WrongSignature);
    }
    // What becomes of a refund is asked for by its own reference.
    if kind.contains("REFUND") || kind == "BALANCE" {
        return Ok(Told::Nothing);
    }
    conversation.parse().map(Told::Look).map_err(|_| CallbackRefused::Malformed("paymentConversationId"))
}

/// A header that comes twice is refused: two readers could take different ones.
fn signature(headers: &HeaderMap) -> Result<&str, CallbackRefused> {
    let mut values = headers.get_all(SIGNATURE).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => Ok(value),
        _ => Err(CallbackRefused::Malformed(SIGNATURE)),
    }
}
