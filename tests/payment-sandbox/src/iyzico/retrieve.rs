//! What became of a payment: checkout form retrieve by its token, payment detail by its conversation.

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    amount::{number, plain},
    answer::{NO_PAYMENT, Refused, answer, with},
    payment::{self, Payment},
    signature::of_answer,
    signed_call::SignedCall,
};
use crate::sandbox::Sandbox;

pub(crate) const BY_TOKEN: &str = "/payment/iyzipos/checkoutform/auth/ecom/detail";
pub(crate) const BY_CONVERSATION: &str = "/payment/detail";

pub(crate) async fn by_token(State(sandbox): State<Sandbox>, call: SignedCall) -> Response {
    let token = call.text("/token");
    let payment =
        sandbox.iyzico.find(|payment| payment.token == token && payment.api_key == call.merchant.api_key);
    answer(payment.ok_or(NO_PAYMENT).and_then(|payment| detail(&sandbox, &call, &payment, true)))
}

pub(crate) async fn by_conversation(State(sandbox): State<Sandbox>, call: SignedCall) -> Response {
    let conversation = call.text("/paymentConversationId");
    let payment = sandbox.iyzico.find(|payment| {
        payment.conversation_id == conversation
            && payment.api_key == call.merchant.api_key
            && payment.is_decided()
    });
    answer(payment.ok_or(NO_PAYMENT).and_then(|payment| detail(&sandbox, &call, &payment, false)))
}

fn detail(sandbox: &Sandbox, call: &SignedCall, payment: &Payment, is_form: bool) -> Result<Value, Refused> {
    let (status, paid_price, fraud_status) = match payment.state {
        payment::State::Open => ("INIT_CREDIT", payment.price, Value::Null),
        payment::State::Authenticating { .. } => ("INIT_THREEDS", payment.price, Value::Null),
        payment::State::Paid { paid_price, fraud_status, .. } => ("SUCCESS", paid_price, json!(fraud_status)),
        payment::State::Failed { .. } => ("FAILURE", payment.price, Value::Null),
    };
    let paid_price = sandbox.behaviour().misstated_total.unwrap_or(paid_price);
    let conversation_id = call.text("/conversationId");
    let (paid, price) = (plain(paid_price), plain(payment.price));
    let mut values = vec![
        payment.payment_id.as_str(),
        &payment.currency,
        &payment.basket_id,
        conversation_id,
        &paid,
        &price,
    ];
    if is_form {
        values.insert(0, status);
        values.push(&payment.token);
    }
    let mut fields = json!({
        "paymentStatus": status,
        "paymentId": payment.payment_id,
        "price": number(payment.price),
        "paidPrice": number(paid_price),
        "currency": payment.currency,
        "basketId": payment.basket_id,
        "conversationId": conversation_id,
        "fraudStatus": fraud_status,
        "itemTransactions": payment.items.iter().map(|item| json!({
            "itemId": item.id, "price": number(item.price), "paidPrice": number(item.price),
        })).collect::<Vec<_>>(),
        "signature": of_answer(&call.merchant, &values),
    });
    if is_form {
        fields = with(fields, "token", payment.token.as_str());
    }
    if let payment::State::Failed { code, message } = payment.state {
        fields = with(with(fields, "errorCode", code.to_string()), "errorMessage", message);
    }
    Ok(fields)
}
