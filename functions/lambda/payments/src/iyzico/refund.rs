//! Cancel and refund (docs.iyzico.com: refund and cancel). Neither is recognised when it is repeated; `conversationId` is
//! the refund's reference, by which an inquiry finds it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Iyzico,
    amount::{minor, plain, to_price},
    answer::{Answer, Text, content, wrong_signature},
    inquiry::{Found, Paid, find},
};
use crate::provider::{ProviderError, RefundRequest, Refusal};

const CANCEL: &str = "/payment/cancel";
const REFUND: &str = "/v2/payment/refund";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GiveBack<'a> {
    locale: &'static str,
    conversation_id: &'a str,
    payment_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenBack {
    #[serde(default)]
    payment_id: Text,
    #[serde(default)]
    price: Value,
    #[serde(default)]
    currency: Text,
    #[serde(default)]
    conversation_id: Text,
    #[serde(default)]
    signature: String,
}

/// A whole payment is cancelled, which leaves no trace on the card's statement, or refunded where the day is over.
pub(super) async fn refund(iyzico: &Iyzico, refund: &RefundRequest) -> Result<(), ProviderError> {
    if refund.amount.amount <= 0 {
        return Err(ProviderError::Invalid { field: "amount", reason: "must be more than 0" });
    }
    let paid = match find(iyzico, &refund.attempt).await.map_err(ProviderError::of_a_reading)? {
        Found::Paid(paid) => paid,
        Found::Failed(_) | Found::Open => return Err(not_captured()),
    };
    if paid.amount.currency != refund.amount.currency {
        return Err(ProviderError::Invalid { field: "currency", reason: "is not the payment's" });
    }
    // A cancellation gives back what the buyer paid, interest and all.
    if paid.total_amount == refund.amount.amount {
        match ask(iyzico, CANCEL, refund, &paid, None).await {
            Err(ProviderError::Refused { reason, .. })
                if !matches!(reason, Refusal::Busy | Refusal::Configuration) => {}
            settled => return settled,
        }
    }
    ask(iyzico, REFUND, refund, &paid, Some(to_price(refund.amount.amount))).await
}

fn not_captured() -> ProviderError {
    ProviderError::Refused {
        reason: Refusal::NotCaptured,
        code: String::new(),
        message: "there is no payment of this attempt".to_owned(),
    }
}

async fn ask(
    iyzico: &Iyzico,
    path: &str,
    refund: &RefundRequest,
    paid: &Paid,
    price: Option<String>,
) -> Result<(), ProviderError> {
    let is_refund = price.is_some();
    let request = GiveBack {
        locale: "tr",
        conversation_id: refund.reference.as_str(),
        payment_id: &paid.payment_id,
        currency: is_refund.then(|| refund.amount.currency.code()),
        price,
    };
    let answer: GivenBack = match iyzico.post(path, &request).await? {
        Answer::Success(value) => content(value)?,
        Answer::Failure(refused) => return Err(refused.into_error()),
    };
    let price = plain(&answer.price).unwrap_or_default();
    let values = [&answer.payment_id.0, &price, &answer.currency.0, &answer.conversation_id.0];
    // Of the two only a refund's answer is documented to be signed.
    if is_refund && !iyzico.signer.signs_answer(&values.map(String::as_str), &answer.signature) {
        return Err(wrong_signature());
    }
    let is_ours = answer.payment_id.0 == paid.payment_id
        && answer.conversation_id.0 == refund.reference.as_str()
        && minor(&answer.price) == Some(refund.amount.amount);
    is_ours
        .then_some(())
        .ok_or_else(|| ProviderError::OutcomeUnknown("the answer speaks of another refund".to_owned()))
}
