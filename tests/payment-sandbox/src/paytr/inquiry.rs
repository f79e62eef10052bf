//! `POST /odeme/durum-sorgu`: what became of a payment.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    amount::{comma, dotted},
    payment::Payment,
    report::{commission, date_time},
    signature,
};
use crate::{form::Form, sandbox::Sandbox};

pub(crate) async fn inquire(State(sandbox): State<Sandbox>, form: Form) -> Json<Value> {
    let error = |err_no, err_msg| Json(json!({"status": "error", "err_no": err_no, "err_msg": err_msg}));
    let (merchant_id, oid) = (form.text("merchant_id"), form.text("merchant_oid"));
    let signed = sandbox.merchant(merchant_id).is_some_and(|merchant| {
        let message = form.concatenated(&["merchant_id", "merchant_oid"]);
        signature::accepts(&merchant, &message, form.text("paytr_token"))
    });
    if !signed {
        return error("003", "paytr_token gonderilmedi veya gecersiz");
    }
    sandbox
        .change_payment_of(merchant_id, oid, |payment| status(payment))
        .flatten()
        .map_or_else(|| error("004", "merchant_oid ile basarili odeme bulunamadi"), Json)
}

/// `None` unless the payment succeeded.
fn status(payment: &Payment) -> Option<Value> {
    let outcome = payment.captured()?;
    let returns: Vec<_> = payment
        .refunds
        .iter()
        .map(|refund| {
            json!({
                "amount": dotted(refund.amount),
                "date": date_time(refund.at),
                "type": "IADE",
                "date_completed": date_time(refund.at),
                "auth_code": "000000",
                "ref_num": "0",
                "reference_no": refund.reference_no,
            })
        })
        .collect();
    let fee = commission(outcome.total_amount);
    Some(json!({
        "status": "success",
        "payment_amount": comma(payment.payment_amount),
        "payment_total": comma(outcome.total_amount),
        "payment_date": date_time(outcome.at),
        "currency": payment.currency,
        "taksit": outcome.installments.to_string(),
        "kart_marka": "BONUS",
        "masked_pan": "435508******4358",
        "odeme_tipi": "KART",
        "test_mode": u8::from(payment.test_mode).to_string(),
        "net_tutar": dotted(outcome.total_amount - fee),
        "kesinti_tutari": dotted(fee),
        "returns": returns,
        "reference_no": "",
    }))
}
