//! Reporting service, transaction detail: what was paid and given back.

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    amount::number,
    answer::{NO_PAYMENT, answer, with},
    payment::{GivenBack, Payment},
    signed_call::SignedCall,
};
use crate::sandbox::Sandbox;

pub(crate) const PATH: &str = "/v2/reporting/payment/details";

pub(crate) async fn report(State(sandbox): State<Sandbox>, call: SignedCall) -> Response {
    let conversation = call.query("paymentConversationId");
    let payment = sandbox
        .iyzico
        .find(|payment| payment.conversation_id == conversation && payment.api_key == call.merchant.api_key);
    let payment = payment.filter(Payment::is_decided);
    answer(payment.as_ref().map(|payment| json!({"payments": [row(payment)]})).ok_or(NO_PAYMENT))
}

fn row(payment: &Payment) -> Value {
    let paid = payment.paid_price().unwrap_or(0);
    let status = match payment.given_back() {
        0 => "NOT_REFUNDED",
        all if all == paid => "TOTALLY_REFUNDED",
        _ => "PARTIALLY_REFUNDED",
    };
    let rows = |is_cancellation: bool, name: &str| -> Vec<Value> {
        let parts = payment.given_back.iter().filter(|part| part.is_cancellation == is_cancellation);
        parts.map(|part| given_back(part, name, &payment.currency)).collect()
    };
    json!({
        "paymentId": payment.payment_id.parse::<u64>().unwrap_or(0),
        "paymentConversationId": payment.conversation_id,
        "paymentRefundStatus": status,
        "price": number(payment.price),
        "paidPrice": number(paid),
        "currency": payment.currency,
        "cancels": rows(true, "cancelConversationId"),
        "itemTransactions": [{"refunds": rows(false, "refundConversationId")}],
    })
}

fn given_back(part: &GivenBack, name: &str, currency: &str) -> Value {
    let row = json!({"refundPrice": number(part.amount), "refundStatus": 1, "currencyCode": currency});
    with(row, name, part.conversation_id.as_str())
}
