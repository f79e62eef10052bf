//! The reporting service: what was given back of a payment, and a day's payments, cancellations and refunds, a row for each
//! item.

use serde_json::{Value, json};

use super::{NO_PAYMENT, Refused, number, payment_number, signature::Call};
use crate::providers::{Attempt, Outcome, Provider, Providers, Return, day_of};

pub(super) const DETAILS: &str = "/v2/reporting/payment/details";
pub(super) const TRANSACTIONS: &str = "/v2/reporting/payment/transactions";
/// Of each item, in the lira's decimals.
const COMMISSION: &str = "0.295";
/// Of each payment, in minor units.
const FEE: i64 = 25;

pub(super) fn details(providers: &Providers, call: &Call) -> Result<Value, Refused> {
    let place = providers.place(Provider::Iyzico, call.query("paymentConversationId")).ok_or(NO_PAYMENT)?;
    let attempt = &providers.attempts[place];
    if attempt.outcome.is_none() {
        return Err(NO_PAYMENT);
    }
    let given_back = |is_cancellation: bool, name: &str| -> Vec<Value> {
        let row = |one: &Return| {
            let mut row =
                json!({ "refundPrice": number(one.amount), "refundStatus": 1, "currencyCode": "TRY" });
            row[name] = json!(one.reference);
            row
        };
        attempt.returns.iter().filter(|one| one.is_cancellation == is_cancellation).map(row).collect()
    };
    Ok(json!({ "payments": [{
        "paymentId": payment_number(place),
        "paymentConversationId": attempt.reference,
        "cancels": given_back(true, "cancelConversationId"),
        "itemTransactions": [{ "refunds": given_back(false, "refundConversationId") }],
    }] }))
}

pub(super) fn transactions(providers: &Providers, call: &Call) -> Result<Value, Refused> {
    let is_of_day = |millis: i64| day_of(millis).to_string() == call.query("transactionDate");
    let mut rows = Vec::new();
    let all = providers.attempts.iter().enumerate();
    for (place, attempt) in all.filter(|(_, attempt)| attempt.provider == Provider::Iyzico) {
        let booked = match attempt.outcome {
            Some(Outcome::Paid { total }) => Some((total, 2)),
            Some(Outcome::InReview { total }) => Some((total, 0)),
            Some(Outcome::Fraud { total }) => Some((total, -1)),
            Some(Outcome::Declined) | None => None,
        };
        if let Some((total, status)) = booked.filter(|_| is_of_day(attempt.decided_at)) {
            rows.extend(sale(attempt, place, total, status));
        }
        for (n, one) in attempt.returns.iter().enumerate().filter(|(_, one)| is_of_day(one.at)) {
            rows.extend(given_back(attempt, place, n, one));
        }
    }
    Ok(json!({ "transactions": rows, "currentPage": 1, "totalPageCount": 1 }))
}

/// With what iyzico says of it: 2 once it is the merchant's, 0 in review, -1 for a fraud.
fn sale(attempt: &Attempt, place: usize, total: i64, status: i8) -> Vec<Value> {
    let row = |(item, amount): (usize, i64)| {
        let fee = if item == 0 { FEE } else { 0 };
        let transaction = (payment_number(place) * 100 + item).to_string();
        json!({
            "transactionType": "PAYMENT", "transactionId": transaction, "transactionStatus": status,
            "paymentTxId": transaction, "paymentId": payment_number(place).to_string(),
            "conversationId": attempt.reference, "basketId": attempt.reference,
            "price": number(amount), "paidPrice": number(amount),
            "transactionCurrency": "TRY", "settlementCurrency": "TRY",
            "iyzicoCommission": COMMISSION, "iyzicoFee": number(fee),
        })
    };
    shares(attempt, total).into_iter().enumerate().map(row).collect()
}

fn given_back(attempt: &Attempt, place: usize, n: usize, one: &Return) -> Vec<Value> {
    let row = |(item, amount): (usize, i64)| {
        json!({
            "transactionType": if one.is_cancellation { "CANCEL" } else { "REFUND" },
            "transactionId": (payment_number(place) * 100 + 50 + n).to_string(), "transactionStatus": 2,
            "paymentTxId": (payment_number(place) * 100 + item).to_string(),
            "paymentId": payment_number(place).to_string(),
            "conversationId": one.reference, "basketId": attempt.reference,
            "price": number(amount), "paidPrice": number(amount),
            "transactionCurrency": "TRY", "settlementCurrency": "TRY",
        })
    };
    shares(attempt, one.amount).into_iter().enumerate().map(row).collect()
}

/// An amount over the items: as much as each costs, and the rest on the last.
fn shares(attempt: &Attempt, amount: i64) -> Vec<i64> {
    let mut rest = amount;
    let mut shares = Vec::new();
    for (n, price) in attempt.form.items.iter().enumerate() {
        let is_last = n + 1 == attempt.form.items.len();
        let share = if is_last { rest } else { (*price).min(rest) };
        rest -= share;
        shares.push(share);
    }
    shares.retain(|share| *share > 0);
    shares
}
