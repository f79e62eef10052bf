//! Checkout sessions: registers an attempt and yields its page's address, and what became of it
//! (docs.stripe.com/api/checkout/sessions, /api/refunds/list).

use akademi_domain::money::{Currency, Money};
use http::Uri;
use serde::Deserialize;

use super::{Form, Stripe};
use crate::provider::{
    BegunAttempt, Captured, Checkout, Failure, FailureReason, Inquiry, Language, PaymentRequest,
    ProviderError, RefundSeen,
};

#[derive(Debug, Deserialize)]
pub(super) struct Session {
    pub id: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    pub client_reference_id: Option<String>,
    /// `open`, `complete` or `expired`.
    #[serde(default)]
    status: Option<String>,
    /// `paid`, `unpaid` or `no_payment_required`.
    #[serde(default)]
    pub payment_status: String,
    #[serde(default)]
    pub payment_intent: Option<String>,
    /// Minor units.
    #[serde(default)]
    amount_total: Option<i64>,
    /// ISO 4217 in lower case.
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    pub livemode: bool,
}

impl Session {
    /// What was paid.
    pub fn amount(&self) -> Option<Money> {
        let currency = Currency::from_code(&self.currency.as_deref()?.to_ascii_uppercase())?;
        Some(Money { amount: self.amount_total?, currency })
    }
}

pub(super) async fn begin(stripe: &Stripe, payment: &PaymentRequest) -> Result<Checkout, ProviderError> {
    let form = form(payment)?;
    let key = Some(payment.attempt.as_str());
    let session: Session = stripe.post("/v1/checkout/sessions", &form, key).await?;
    let page = session.url.and_then(|url| url.parse::<Uri>().ok()).filter(|page| page.authority().is_some());
    let page =
        page.ok_or_else(|| ProviderError::OutcomeUnknown("the page's address is malformed".to_owned()))?;
    Ok(Checkout { page, provider_reference: Some(session.id) })
}

pub(super) fn form(payment: &PaymentRequest) -> Result<Form, ProviderError> {
    let invalid = |field, reason| ProviderError::Invalid { field, reason };
    if payment.amount.amount <= 0 {
        return Err(invalid("amount", "must be more than 0"));
    }
    let email = payment.buyer.email.trim();
    if email.is_empty() {
        return Err(invalid("email", "is required"));
    }
    let attempt = payment.attempt.to_string();
    let mut form: Form = vec![
        ("mode".into(), "payment".into()),
        ("client_reference_id".into(), attempt.clone()),
        ("payment_intent_data[metadata][attempt]".into(), attempt),
        ("customer_email".into(), email.into()),
        ("success_url".into(), payment.success_url.to_string()),
        ("cancel_url".into(), payment.failure_url.to_string()),
        (
            "locale".into(),
            match payment.language {
                Language::Turkish => "tr",
                Language::English => "en",
            }
            .into(),
        ),
    ];
    let currency = payment.amount.currency.code().to_ascii_lowercase();
    let mut sum = 0_i64;
    for (place, line) in payment.basket.iter().enumerate() {
        let total = line.unit_price.checked_mul(line.quantity.into());
        let total = total.filter(|_| line.unit_price >= 0 && !line.name.trim().is_empty());
        let total = total.ok_or(invalid("basket", "has a line without a name, a price or a quantity"))?;
        sum = sum.checked_add(total).ok_or(invalid("basket", "is too large"))?;
        let field = |name: &str| format!("line_items[{place}][{name}");
        form.push((field("quantity]"), line.quantity.to_string()));
        form.push((field("price_data][currency]"), currency.clone()));
        form.push((field("price_data][unit_amount]"), line.unit_price.to_string()));
        form.push((field("price_data][product_data][name]"), line.name.trim().to_owned()));
    }
    if sum == payment.amount.amount { Ok(form) } else { Err(invalid("basket", "does not sum to the amount")) }
}

/// The session of an attempt; `None` if its id was lost, and with it the page.
pub(super) async fn find(stripe: &Stripe, attempt: &BegunAttempt) -> Result<Option<Session>, ProviderError> {
    let Some(id) = attempt.provider_reference.as_deref() else { return Ok(None) };
    let session: Session = stripe.get(&format!("/v1/checkout/sessions/{id}")).await?;
    if session.client_reference_id.as_deref() != Some(attempt.reference.as_str()) {
        return Err(ProviderError::OutcomeUnknown("the answer speaks of another payment".to_owned()));
    }
    Ok(Some(session))
}

pub(super) async fn inquire(stripe: &Stripe, attempt: &BegunAttempt) -> Result<Inquiry, ProviderError> {
    let Some(session) = find(stripe, attempt).await? else { return Ok(Inquiry::NotCaptured) };
    if session.payment_status != "paid" {
        let is_expired = session.status.as_deref() == Some("expired");
        return Ok(if is_expired { Inquiry::Failed(abandoned()) } else { Inquiry::NotCaptured });
    }
    let (Some(amount), Some(intent)) = (session.amount(), &session.payment_intent) else {
        return Err(ProviderError::OutcomeUnknown("the session cannot be read".to_owned()));
    };
    let refunds = refunds(stripe, intent).await?;
    Ok(Inquiry::Captured(Captured { amount, total_amount: amount.amount, refunds, test: !session.livemode }))
}

/// The buyer let the session run out.
pub(super) fn abandoned() -> Failure {
    Failure { reason: FailureReason::Abandoned, code: "expired".to_owned(), message: String::new() }
}

#[derive(Deserialize)]
struct Refunds {
    data: Vec<Refund>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Refund {
    amount: i64,
    status: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    reference: Option<String>,
}

async fn refunds(stripe: &Stripe, intent: &str) -> Result<Vec<RefundSeen>, ProviderError> {
    let found: Refunds = stripe.get(&format!("/v1/refunds?payment_intent={intent}&limit=100")).await?;
    if found.has_more {
        // To overlook a refund would be to pay it twice.
        return Err(ProviderError::OutcomeUnknown("there are more refunds than one page shows".to_owned()));
    }
    let done = found
        .data
        .into_iter()
        .filter(|refund| !matches!(refund.status.as_deref(), Some("failed" | "canceled")));
    Ok(done
        .map(|refund| RefundSeen { amount: refund.amount, reference: refund.metadata.reference })
        .collect())
}
