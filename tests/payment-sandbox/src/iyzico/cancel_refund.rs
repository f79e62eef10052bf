//! Cancel and refund. A repeated request is a second refund.

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    amount::{number, parse, plain},
    answer::{
        INVALID, MORE_THAN_REMAINING, NO_PAYMENT, NOT_CANCELLABLE, PRICE_NOT_POSITIVE, Refused, answer,
    },
    payment::{GivenBack, Payment},
    signature::of_answer,
    signed_call::SignedCall,
};
use crate::sandbox::Sandbox;

pub(crate) const CANCEL: &str = "/payment/cancel";
pub(crate) const REFUND: &str = "/v2/payment/refund";

pub(crate) async fn cancel(State(sandbox): State<Sandbox>, call: SignedCall) -> Response {
    let day_is_over = sandbox.behaviour().day_is_over;
    answer(give_back(&sandbox, &call, |payment| {
        let paid = payment.paid_price().ok_or(NO_PAYMENT)?;
        if day_is_over || payment.given_back() > 0 { Err(NOT_CANCELLABLE) } else { Ok((paid, true)) }
    }))
}

pub(crate) async fn refund(State(sandbox): State<Sandbox>, call: SignedCall) -> Response {
    let amount = parse(call.value("/price"));
    answer(give_back(&sandbox, &call, |payment| {
        let paid = payment.paid_price().ok_or(NO_PAYMENT)?;
        let amount = amount.ok_or(INVALID)?;
        if call.text("/currency") != payment.currency {
            return Err(INVALID);
        }
        match amount {
            0 => Err(PRICE_NOT_POSITIVE),
            amount if amount > paid - payment.given_back() => Err(MORE_THAN_REMAINING),
            amount => Ok((amount, false)),
        }
    }))
}

/// Books what `judge` answers: minor units, and whether it is a cancellation.
fn give_back(
    sandbox: &Sandbox,
    call: &SignedCall,
    judge: impl FnOnce(&Payment) -> Result<(i64, bool), Refused>,
) -> Result<Value, Refused> {
    let (payment_id, conversation_id) = (call.text("/paymentId"), call.text("/conversationId"));
    let wanted =
        |payment: &Payment| payment.payment_id == payment_id && payment.api_key == call.merchant.api_key;
    let now = sandbox.now();
    let booked = sandbox.iyzico.change(wanted, |payment| {
        let (amount, is_cancellation) = judge(payment)?;
        let (at, conversation_id) = (now, conversation_id.to_owned());
        payment.given_back.push(GivenBack { at, amount, conversation_id, is_cancellation });
        Ok((amount, payment.currency.clone()))
    });
    let (amount, currency) = booked.unwrap_or(Err(NO_PAYMENT))?;
    let values = [payment_id, &plain(amount), &currency, conversation_id];
    Ok(json!({
        "paymentId": payment_id,
        "price": number(amount),
        "currency": currency,
        "conversationId": conversation_id,
        "signature": of_answer(&call.merchant, &values),
    }))
}
