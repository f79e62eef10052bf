//! `POST /odeme/iade`: refunds. Amounts are in major units, and a repeated request is a second refund.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    amount::parse_return_amount,
    payment::{Refund, RefundRefused},
    signature,
};
use crate::{form::Form, sandbox::Sandbox};

pub(crate) async fn refund(State(sandbox): State<Sandbox>, form: Form) -> Json<Value> {
    Json(
        book(&sandbox, &form).unwrap_or_else(
            |(err_no, err_msg)| json!({"status": "error", "err_no": err_no, "err_msg": err_msg}),
        ),
    )
}

fn book(sandbox: &Sandbox, form: &Form) -> Result<Value, (&'static str, &'static str)> {
    let (merchant_id, oid) = (form.text("merchant_id"), form.text("merchant_oid"));
    let merchant = sandbox.merchant(merchant_id).ok_or(("001", "Gecersiz istek veya magaza aktif degil"))?;
    if oid.is_empty() {
        return Err(("002", "merchant_oid gonderilmedi"));
    }
    let return_amount = form.text("return_amount");
    let amount = parse_return_amount(return_amount).ok_or(("003", "return_amount gonderilmedi"))?;
    let message = form.concatenated(&["merchant_id", "merchant_oid", "return_amount"]);
    if !signature::accepts(&merchant, &message, form.text("paytr_token")) {
        return Err(("004", "paytr_token gonderilmedi veya gecersiz"));
    }
    let reference_no = form.text("reference_no");
    if reference_no.len() > 64 || !reference_no.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(("001", "Gecersiz istek veya magaza aktif degil"));
    }
    let refund = Refund { at: sandbox.now(), amount, reference_no: reference_no.to_owned() };
    sandbox
        .change_payment_of(merchant_id, oid, |payment| payment.refund(refund).map(|()| payment.test_mode))
        .unwrap_or(Err(RefundRefused::NotPaid))
        .map(|test_mode| {
            json!({
                "status": "success",
                "is_test": u8::from(test_mode),
                "merchant_oid": oid,
                "return_amount": return_amount,
                "reference_no": reference_no,
            })
        })
        .map_err(|refused| match refused {
            RefundRefused::NotPaid => ("005", "Basarili odeme bulunamadi"),
            RefundRefused::NotNotified => ("007", "Odeme henuz bildirilmedi"),
            RefundRefused::MoreThanRemaining => ("009", "Kalan tutardan fazla iade yapilamaz"),
        })
}
