//! Refunds and what is told of them (dev.paytr.com, iade-api and durum-sorgu). There is no idempotency: what is asked for
//! twice is given back twice.

use serde_json::{Value, json};

use super::{Form, Provider, Providers};
use crate::providers::Return;

/// The path of refunds.
pub const REFUND: &str = "/odeme/iade";

/// A number and a text.
type Refused = (&'static str, &'static str);

pub(super) fn refused((err_no, err_msg): Refused) -> Value {
    json!({ "status": "error", "err_no": err_no, "err_msg": err_msg })
}

pub(super) fn refund(providers: &mut Providers, form: &Form) -> Result<Value, Refused> {
    let amount = form.field("return_amount");
    let minor = minor_units(amount).ok_or(("003", "return_amount gonderilmedi"))?;
    if !form.is_signed(&["merchant_id", "merchant_oid", "return_amount"]) {
        return Err(("004", "paytr_token gonderilmedi veya gecersiz"));
    }
    let (place, total) = paid(providers, form).ok_or(("005", "Basarili odeme bulunamadi"))?;
    if !providers.notifications.iter().any(|one| one.attempt == place && one.is_taken) {
        return Err(("007", "Odeme henuz bildirilmedi"));
    }
    let (books_anything, at) = (providers.books_anything, providers.now);
    let attempt = &mut providers.attempts[place];
    if minor > total - attempt.given_back() && !books_anything {
        return Err(("009", "Kalan tutardan fazla iade yapilamaz"));
    }
    let reference = form.field("reference_no").to_owned();
    let answer = json!({ "status": "success", "is_test": "1", "merchant_oid": attempt.reference,
                         "return_amount": amount, "reference_no": reference });
    attempt.returns.push(Return { reference, amount: minor, at, is_cancellation: false });
    Ok(answer)
}

pub(super) fn status(providers: &Providers, form: &Form) -> Result<Value, Refused> {
    if !form.is_signed(&["merchant_id", "merchant_oid"]) {
        return Err(("003", "paytr_token gonderilmedi veya gecersiz"));
    }
    let none = ("004", "merchant_oid ile basarili odeme bulunamadi");
    let (place, total) = paid(providers, form).ok_or(none)?;
    let attempt = &providers.attempts[place];
    let returns = attempt
        .returns
        .iter()
        .map(|one| json!({ "amount": lira(one.amount, '.'), "type": "IADE", "reference_no": one.reference }));
    Ok(json!({
        "status": "success",
        "payment_amount": lira(attempt.asked, ','),
        "payment_total": lira(total, ','),
        "currency": "TL",
        "test_mode": "1",
        "returns": returns.collect::<Vec<_>>(),
    }))
}

/// The attempt that a form names, by its place, and what was paid, if it was.
fn paid(providers: &Providers, form: &Form) -> Option<(usize, i64)> {
    let place = providers.place(Provider::PayTr, form.field("merchant_oid"))?;
    Some((place, providers.attempts[place].paid()?))
}

/// Of `149.90`.
fn minor_units(lira: &str) -> Option<i64> {
    let (whole, hundredths) = lira.split_once('.')?;
    (hundredths.len() == 2).then(|| format!("{whole}{hundredths}").parse().ok())?
}

/// Not below zero.
pub(super) fn lira(minor: i64, point: char) -> String {
    format!("{}{point}{:02}", minor / 100, minor % 100)
}
