//! `POST /rapor/odeme-dokumu`: what was paid out to a merchant on up to 31 days. What was sold and given back on a day is
//! paid out on the next one.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use jiff::{ToSpan as _, civil::Date};
use serde_json::{Value, json};

use super::{
    amount::dotted,
    payment::Payment,
    report::{commission, turkish},
    signature,
};
use crate::{callbacks::Millis, form::Form, sandbox::Sandbox};

/// Minor units: what was sold, less commission, and what was given back.
#[derive(Default)]
struct Sums {
    sales: i64,
    returns: i64,
}

pub(crate) async fn statement(State(sandbox): State<Sandbox>, form: Form) -> Json<Value> {
    let error = |err_msg| Json(json!({"status": "error", "err_no": "001", "err_msg": err_msg}));
    let merchant_id = form.text("merchant_id");
    let signed = sandbox.merchant(merchant_id).is_some_and(|merchant| {
        let message = form.concatenated(&["merchant_id", "start_date", "end_date"]);
        signature::accepts(&merchant, &message, form.text("paytr_token"))
    });
    if !signed {
        return error("paytr_token gonderilmedi veya gecersiz");
    }
    let day = |name| form.text(name).parse::<Date>().ok();
    let (Some(from), Some(to)) = (day("start_date"), day("end_date")) else {
        return error("Tarih formati gecersiz");
    };
    let today = turkish(sandbox.now()).map(|moment| moment.date());
    if to < from || (to - from).get_days() > 31 {
        return error("En fazla 31 gunluk tarih araligi gonderilebilir");
    }
    let payments = sandbox.payments();
    let sums = sums(payments.iter().filter(|payment| payment.merchant_id == merchant_id));
    let rows: Vec<_> = sums
        .iter()
        .filter(|((day, _), _)| (from..=to).contains(day) && Some(*day) <= today)
        .map(|((day, currency), sums)| {
            json!({
                "date_paid": day.to_string(),
                "currency": currency,
                "sales": dotted(sums.sales),
                "return": dotted(sums.returns),
                "net": signed_amount(sums.sales - sums.returns),
                "merchant_iban": "TR000000000000000000000000000",
            })
        })
        .collect();
    if rows.is_empty() {
        return Json(
            json!({"status": "failed", "err_msg": "ilgili tarih araliginda odeme ozeti bulunamadi"}),
        );
    }
    Json(json!({"status": "success", "data": rows}))
}

fn signed_amount(minor: i64) -> String {
    if minor < 0 { format!("-{}", dotted(-minor)) } else { dotted(minor) }
}

/// By the day on which they are paid out, and currency.
fn sums<'a>(payments: impl Iterator<Item = &'a Payment>) -> BTreeMap<(Date, &'a str), Sums> {
    let paid_on = |at: Millis| turkish(at)?.date().checked_add(1.day()).ok();
    let mut sums: BTreeMap<(Date, &str), Sums> = BTreeMap::new();
    for payment in payments {
        let Some(outcome) = payment.captured() else { continue };
        if let Some(day) = paid_on(outcome.at) {
            let sale = outcome.total_amount - commission(outcome.total_amount);
            sums.entry((day, payment.currency.as_str())).or_default().sales += sale;
        }
        for refund in &payment.refunds {
            if let Some(day) = paid_on(refund.at) {
                sums.entry((day, payment.currency.as_str())).or_default().returns += refund.amount;
            }
        }
    }
    sums
}
