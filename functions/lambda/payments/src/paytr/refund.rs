//! Refunds (dev.paytr.com, iade-api). The amount is in lira here, and there is no idempotency key.

use super::{
    ErrorAnswer, Form, PayTr,
    amount::{from_json, to_major},
};
use crate::provider::{ProviderError, RefundRequest, Refusal};

#[derive(serde::Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer {
    Success { merchant_oid: String, return_amount: serde_json::Value },
    Error(ErrorAnswer),
}

pub(super) async fn refund(paytr: &PayTr, refund: &RefundRequest) -> Result<(), ProviderError> {
    match paytr.post("/odeme/iade", &form(paytr, refund)?).await? {
        Answer::Success { merchant_oid, return_amount } => {
            let same = merchant_oid == refund.attempt.reference.as_str()
                && from_json(&return_amount) == Some(refund.amount.amount);
            same.then_some(()).ok_or_else(|| {
                ProviderError::OutcomeUnknown("the answer speaks of another refund".to_owned())
            })
        }
        Answer::Error(error) => {
            let reason = refusal(&error.err_no);
            Err(error.refused(reason))
        }
    }
}

pub(super) fn form(paytr: &PayTr, refund: &RefundRequest) -> Result<Form, ProviderError> {
    if refund.amount.amount <= 0 {
        return Err(ProviderError::Invalid { field: "amount", reason: "must be more than 0" });
    }
    let amount = to_major(refund.amount.amount);
    let token = paytr.signer.request_token(&[&paytr.merchant_id, refund.attempt.reference.as_str(), &amount]);
    Ok(vec![
        ("merchant_id", paytr.merchant_id.clone()),
        ("merchant_oid", refund.attempt.reference.to_string()),
        ("return_amount", amount),
        ("paytr_token", token),
        ("reference_no", refund.reference.to_string()),
    ])
}

fn refusal(err_no: &str) -> Refusal {
    match err_no {
        "000" => Refusal::Busy,
        "001" | "002" | "003" | "004" => Refusal::Configuration,
        "005" => Refusal::NotCaptured,
        "007" => Refusal::NotYetNotified,
        "008" | "011" => Refusal::NotRefundable,
        "009" => Refusal::ExceedsRemaining,
        "010" => Refusal::InsufficientBalance,
        _ => Refusal::Other,
    }
}
