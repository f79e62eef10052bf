//! What became of an attempt: checkout form retrieve or, where the form's token was lost, payment detail; and what was
//! given back of it, from the reporting service (docs.iyzico.com: CF retrieve, reporting service). How the report's refunds are
//! named is read from iyzico's public client libraries; its documents leave it out.

use akademi_domain::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Iyzico,
    amount::{minor, plain},
    answer::{Answer, Text, content, unreadable, wrong_signature},
};
use crate::provider::{
    BegunAttempt, Captured, Failure, FailureReason, Inquiry, ProviderError, Reference, RefundSeen,
};

const RETRIEVE: &str = "/payment/iyzipos/checkoutform/auth/ecom/detail";
const DETAIL: &str = "/payment/detail";
const REPORT: &str = "/v2/reporting/payment/details";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'a> {
    locale: &'static str,
    conversation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_conversation_id: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    #[serde(default)]
    payment_status: Text,
    #[serde(default)]
    payment_id: Text,
    #[serde(default)]
    currency: Text,
    #[serde(default)]
    basket_id: Text,
    #[serde(default)]
    conversation_id: Text,
    #[serde(default)]
    token: Text,
    #[serde(default)]
    paid_price: Value,
    #[serde(default)]
    price: Value,
    #[serde(default)]
    fraud_status: Text,
    #[serde(default)]
    error_code: Text,
    #[serde(default)]
    error_message: Text,
    #[serde(default)]
    signature: String,
}

/// What retrieve knows of an attempt.
pub(super) enum Found {
    Paid(Paid),
    Failed(Failure),
    /// Neither yet.
    Open,
}

/// A payment that iyzico has taken.
pub(super) struct Paid {
    pub payment_id: String,
    pub amount: Money,
    /// Minor units.
    pub total_amount: i64,
}

pub(super) async fn inquire(iyzico: &Iyzico, attempt: &BegunAttempt) -> Result<Inquiry, ProviderError> {
    Ok(match find(iyzico, attempt).await? {
        Found::Open => Inquiry::NotCaptured,
        Found::Failed(failure) => Inquiry::Failed(failure),
        Found::Paid(paid) => Inquiry::Captured(Captured {
            amount: paid.amount,
            total_amount: paid.total_amount,
            refunds: refunds(iyzico, &attempt.reference, paid.amount.currency).await?,
            test: iyzico.is_test,
        }),
    })
}

pub(super) async fn find(iyzico: &Iyzico, attempt: &BegunAttempt) -> Result<Found, ProviderError> {
    let (reference, token) = (attempt.reference.as_str(), attempt.provider_reference.as_deref());
    let path = if token.is_some() { RETRIEVE } else { DETAIL };
    let payment_conversation_id = token.is_none().then_some(reference);
    let question = Question { locale: "tr", conversation_id: reference, token, payment_conversation_id };
    let payment: Payment = match iyzico.post(path, &question).await? {
        Answer::Success(value) => content(value)?,
        Answer::Failure(refused) if refused.is_of_a_bank() => {
            return Ok(Found::Failed(refused.into_failure()));
        }
        Answer::Failure(refused) if refused.is_not_found() => return Ok(Found::Open),
        Answer::Failure(refused) => return Err(refused.into_error()),
    };
    let (total, price) = (plain(&payment.paid_price), plain(&payment.price));
    let text = |decimal: &Option<String>| decimal.clone().unwrap_or_default();
    let (total_text, price_text) = (text(&total), text(&price));
    let payment_values = [
        payment.payment_id.0.as_str(),
        &payment.currency.0,
        &payment.basket_id.0,
        &payment.conversation_id.0,
        &total_text,
        &price_text,
    ];
    let mut values = payment_values.to_vec();
    if token.is_some() {
        values.insert(0, &payment.payment_status.0);
        values.push(&payment.token.0);
    }
    if !iyzico.signer.signs_answer(&values, &payment.signature) {
        return Err(wrong_signature());
    }
    // Signed, but of something else.
    if payment.conversation_id.0 != reference || token.is_some_and(|token| token != payment.token.0) {
        return Err(ProviderError::OutcomeUnknown("the answer speaks of another payment".to_owned()));
    }
    judge(payment, reference)
}

/// Paid only if iyzico's fraud check has no objection; while it looks on, the attempt is open.
fn judge(payment: Payment, reference: &str) -> Result<Found, ProviderError> {
    match (payment.payment_status.0.as_str(), payment.fraud_status.0.as_str()) {
        ("SUCCESS", "1") => {
            let money = || {
                Some(Paid {
                    payment_id: payment.payment_id.0.clone(),
                    amount: Money {
                        amount: minor(&payment.price)?,
                        currency: Currency::from_code(&payment.currency.0)?,
                    },
                    total_amount: minor(&payment.paid_price)?,
                })
            };
            let same_basket = payment.basket_id.0 == reference;
            money().filter(|_| same_basket).map(Found::Paid).ok_or_else(unreadable)
        }
        ("SUCCESS", "-1") => Ok(Found::Failed(Failure {
            reason: FailureReason::Security,
            code: "fraud".to_owned(),
            message: payment.error_message.0,
        })),
        ("FAILURE", _) => {
            let refused = super::answer::Refused {
                error_code: payment.error_code,
                error_message: payment.error_message,
            };
            Ok(Found::Failed(refused.into_failure()))
        }
        _ => Ok(Found::Open),
    }
}

#[derive(Deserialize)]
struct Report {
    payments: Vec<Reported>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reported {
    #[serde(default)]
    cancels: Option<Vec<GivenBack>>,
    #[serde(default)]
    item_transactions: Option<Vec<Transaction>>,
}

#[derive(Deserialize)]
struct Transaction {
    #[serde(default)]
    refunds: Option<Vec<GivenBack>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenBack {
    #[serde(default, alias = "cancelConversationId")]
    refund_conversation_id: Text,
    refund_price: Value,
    #[serde(default)]
    currency_code: Text,
    #[serde(default)]
    refund_status: Text,
}

/// All refunds and cancellations of an attempt. One refund may be spread over several items.
async fn refunds(
    iyzico: &Iyzico,
    reference: &Reference,
    currency: Currency,
) -> Result<Vec<RefundSeen>, ProviderError> {
    let path = format!("{REPORT}?paymentConversationId={reference}");
    match iyzico.get(&path).await? {
        Answer::Success(value) => seen(content(value)?, currency).ok_or_else(unreadable),
        // The report is made some seconds after the payment.
        Answer::Failure(refused) if refused.is_not_found() => Ok(Vec::new()),
        Answer::Failure(refused) => Err(refused.into_error()),
    }
}

/// `None` for a report that cannot be read: to overlook a refund would be to pay it twice.
fn seen(report: Report, currency: Currency) -> Option<Vec<RefundSeen>> {
    let mut seen: Vec<RefundSeen> = Vec::new();
    for payment in report.payments {
        let items = payment.item_transactions.unwrap_or_default();
        let refunds = items.into_iter().flat_map(|item| item.refunds.unwrap_or_default());
        for given_back in refunds.chain(payment.cancels.unwrap_or_default()) {
            if given_back.refund_status.0 == "-1" {
                continue;
            }
            let code = given_back.currency_code.0;
            if !code.is_empty() && code != currency.code() {
                return None;
            }
            let amount = minor(&given_back.refund_price)?;
            let reference = Some(given_back.refund_conversation_id.0).filter(|text| !text.is_empty());
            let same = seen.iter_mut().find(|other| reference.is_some() && other.reference == reference);
            match same {
                Some(other) => other.amount = other.amount.checked_add(amount)?,
                None => seen.push(RefundSeen { amount, reference }),
            }
        }
    }
    Some(seen)
}
