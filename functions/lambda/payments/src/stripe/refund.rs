//! Refunds (docs.stripe.com/api/refunds/create). The refund's reference is its `Idempotency-Key`, which Stripe knows for a
//! day, and stands in its metadata, by which an inquiry finds it.

use serde::Deserialize;

use super::{Form, Stripe, session::find};
use crate::provider::{ProviderError, RefundRequest, Refusal};

#[derive(Deserialize)]
struct Refunded {
    amount: i64,
    payment_intent: Option<String>,
    status: Option<String>,
}

pub(super) async fn refund(stripe: &Stripe, refund: &RefundRequest) -> Result<(), ProviderError> {
    if refund.amount.amount <= 0 {
        return Err(ProviderError::Invalid { field: "amount", reason: "must be more than 0" });
    }
    let session = find(stripe, &refund.attempt).await.map_err(ProviderError::of_a_reading)?;
    let paid = session.filter(|session| session.payment_status == "paid");
    let Some((Some(intent), Some(amount))) =
        paid.map(|session| (session.payment_intent.clone(), session.amount()))
    else {
        return Err(ProviderError::Refused {
            reason: Refusal::NotCaptured,
            code: String::new(),
            message: "there is no payment of this attempt".to_owned(),
        });
    };
    if amount.currency != refund.amount.currency {
        return Err(ProviderError::Invalid { field: "currency", reason: "is not the payment's" });
    }
    let reference = refund.reference.as_str();
    let form: Form = vec![
        ("payment_intent".into(), intent.clone()),
        ("amount".into(), refund.amount.amount.to_string()),
        ("metadata[reference]".into(), reference.into()),
    ];
    let refunded: Refunded = stripe.post("/v1/refunds", &form, Some(reference)).await?;
    match refunded.status.as_deref() {
        Some("failed" | "canceled") => Err(ProviderError::Refused {
            reason: Refusal::NotRefundable,
            code: "failed".to_owned(),
            message: "the refund failed".to_owned(),
        }),
        _ if refunded.amount == refund.amount.amount && refunded.payment_intent == Some(intent) => Ok(()),
        _ => Err(ProviderError::OutcomeUnknown("the answer speaks of another refund".to_owned())),
    }
}
