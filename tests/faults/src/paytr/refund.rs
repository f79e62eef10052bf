//! Refunds and what is told of them (dev.paytr.com, iade-api and durum-sorgu). There is no idempotency: what is asked for
//! twice is given back twice.

use serde_json::{Value, json};

use super::{Attempt, Form, Outcome, PayTr};

/// The path of refunds.
pub const REFUND: &str = "/odeme/iade";

/// Money that was given back.
pub struct Return {
    /// Of the academy.
    pub reference: String,
    /// Minor units.
    pub amount: i64,
    /// Milliseconds.
    pub at: i64,
}

/// A number and a text.
type Refused = (&'static str, &'static str);

pub(super) fn refused((err_no, err_msg): Refused) -> Value {
    json!({ "status": "error", "err_no": err_no, "err_msg": err_msg })
}

impl PayTr {
    pub(super) fn refund(&mut self, form: &Form) -> Result<Value, Refused> {
        let amount = form.field("return_amount");
        let minor = minor_units(amount).ok_or(("003", "return_amount gonderilmedi"))?;
        if !form.is_signed(&["merchant_id", "merchant_oid", "return_amount"]) {
            return Err(("004", "paytr_token gonderilmedi veya gecersiz"));
        }
        let (books_anything, at) = (self.books_anything, self.now);
        let (place, total) = self.paid(form).ok_or(("005", "Basarili odeme bulunamadi"))?;
        if !self.notifications.iter().any(|one| one.attempt == place && one.is_accepted) {
            return Err(("007", "Odeme henuz bildirilmedi"));
        }
        let Attempt { oid, returns, .. } = &mut self.attempts[place];
        let returned: i64 = returns.iter().map(|one| one.amount).sum();
        if minor > total - returned && !books_anything {
            return Err(("009", "Kalan tutardan fazla iade yapilamaz"));
        }
        let reference = form.field("reference_no").to_owned();
        let answer = json!({ "status": "success", "is_test": "1", "merchant_oid": oid, "return_amount": amount,
            "reference_no": reference });
        returns.push(Return { reference, amount: minor, at });
        Ok(answer)
    }

    pub(super) fn status(&self, form: &Form) -> Result<Value, Refused> {
        if !form.is_signed(&["merchant_id", "merchant_oid"]) {
            return Err(("003", "paytr_token gonderilmedi veya gecersiz"));
        }
        let (place, total) = self.paid(form).ok_or(("004", "merchant_oid ile basarili odeme bulunamadi"))?;
        let Attempt { asked, returns, .. } = &self.attempts[place];
        let returns = returns.iter().map(
            |one| json!({ "amount": lira(one.amount, '.'), "type": "IADE", "reference_no": one.reference }),
        );
        Ok(json!({
            "status": "success",
            "payment_amount": lira(*asked, ','),
            "payment_total": lira(total, ','),
            "currency": "TL",
            "test_mode": "1",
            "returns": returns.collect::<Vec<_>>(),
        }))
    }

    /// The attempt that a form names, by its place, and what was paid, if it was.
    fn paid(&self, form: &Form) -> Option<(usize, i64)> {
        let place = self.attempts.iter().position(|attempt| attempt.oid == form.field("merchant_oid"))?;
        match self.attempts[place].outcome {
            Some(Outcome::Paid { total }) => Some((place, total)),
            _ => None,
        }
    }
}

/// Of `149.90`.
fn minor_units(lira: &str) -> Option<i64> {
    let (whole, hundredths) = lira.split_once('.')?;
    (hundredths.len() == 2).then(|| format!("{whole}{hundredths}").parse().ok())?
}

pub(super) fn lira(minor: i64, point: char) -> String {
    format!("{}{point}{:02}", minor / 100, minor % 100)
}
