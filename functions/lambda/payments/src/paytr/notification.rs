//! The notification to the Bildirim URL (dev.paytr.com, iFrame API step 2).

use super::{hosted_page::currency_of, signature::Signer};
use crate::provider::{CallbackRefused, Failure, FailureReason, Notification, Outcome};

/// Verifies the hash over the received strings, never over re-formatted ones, and only then reads them.
pub(super) fn verify(signer: &Signer, body: &[u8]) -> Result<Notification, CallbackRefused> {
    let fields: Vec<(String, String)> =
        serde_urlencoded::from_bytes(body).map_err(|_| CallbackRefused::Malformed("body"))?;
    let oid = required(&fields, "merchant_oid")?;
    let status = required(&fields, "status")?;
    let total = required(&fields, "total_amount")?;
    let hash = required(&fields, "hash")?;
    if !signer.callback_matches(oid, status, total, hash) {
        return Err(CallbackRefused::WrongSignature);
    }
    Ok(Notification {
        attempt: oid.parse().map_err(|_| CallbackRefused::Malformed("merchant_oid"))?,
        outcome: match status {
            "success" => Outcome::Captured,
            "failed" => Outcome::Failed(failure(&fields)?),
            _ => return Err(CallbackRefused::Malformed("status")),
        },
        total_amount: minor_units("total_amount", total)?,
        payment_amount: optional(&fields, "payment_amount")?
            .map(|text| minor_units("payment_amount", text))
            .transpose()?,
        currency: optional(&fields, "currency")?
            .map(|code| currency_of(code).ok_or(CallbackRefused::Malformed("currency")))
            .transpose()?,
        test: optional(&fields, "test_mode")? == Some("1"),
    })
}

type Fields = [(String, String)];

/// The field's value unless it is absent or empty. A field that comes twice is refused: two readers could
/// take different ones.
fn optional<'a>(fields: &'a Fields, name: &'static str) -> Result<Option<&'a str>, CallbackRefused> {
    let mut values = fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(CallbackRefused::Malformed(name)),
        (value, None) => Ok(value.filter(|value| !value.is_empty())),
    }
}

fn required<'a>(fields: &'a Fields, name: &'static str) -> Result<&'a str, CallbackRefused> {
    optional(fields, name)?.ok_or(CallbackRefused::Malformed(name))
}

fn minor_units(name: &'static str, text: &str) -> Result<i64, CallbackRefused> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().ok_or(CallbackRefused::Malformed(name))
}

fn failure(fields: &Fields) -> Result<Failure, CallbackRefused> {
    let code = optional(fields, "failed_reason_code")?.unwrap_or_default();
    Ok(Failure {
        reason: match code {
            "0" => FailureReason::Bank,
            "1" | "2" | "10" => FailureReason::Authentication,
            "3" | "11" => FailureReason::Security,
            "4" | "5" => FailureReason::Transfer,
            "6" => FailureReason::Abandoned,
            "8" | "9" => FailureReason::CardNotAccepted,
            "99" => FailureReason::Integration,
            _ => FailureReason::Other,
        },
        code: code.to_owned(),
        message: optional(fields, "failed_reason_msg")?.unwrap_or_default().to_owned(),
    })
}
