//! A day's sales and refunds (dev.paytr.com, islem-dokumu). Nothing is paid out yet.

use akademi_domain::time::Timestamp;
use serde_json::{Value, json};

use super::{Attempt, Form, Outcome, PayTr, refund::lira};

pub(super) const TRANSACTIONS: &str = "/rapor/islem-dokumu";
pub(super) const PAYOUTS: &str = "/rapor/odeme-dokumu";
/// Of each sale, in minor units.
const FEE: i64 = 99;

impl PayTr {
    pub(super) fn transactions(&self, form: &Form) -> Result<Value, (&'static str, &'static str)> {
        let (from, to) = (form.field("start_date"), form.field("end_date"));
        if !form.is_signed(&["merchant_id", "start_date", "end_date"]) {
            return Err(("004", "paytr_token gonderilmedi veya gecersiz"));
        }
        let is_within = |millis: i64| {
            let day = Timestamp::from_millis(millis).day_in_istanbul().to_string();
            from.starts_with(&day) && to.starts_with(&day)
        };
        let row = |kind: &str, oid: &str, amount: i64| {
            json!({ "islem_tipi": kind, "siparis_no": oid, "islem_tutari": lira(amount, '.'),
                    "kesinti_tutari": lira(FEE, '.'), "para_birimi": "TL" })
        };
        let mut rows = Vec::new();
        for Attempt { oid, outcome, decided_at, returns, .. } in &self.attempts {
            if let Some(Outcome::Paid { total }) = outcome
                && is_within(*decided_at)
            {
                rows.push(row("S", oid, *total));
            }
            rows.extend(returns.iter().filter(|one| is_within(one.at)).map(|one| row("I", oid, one.amount)));
        }
        Ok(match &*rows {
            [] => json!({ "status": "failed", "err_msg": "kayit yok" }),
            rows => json!({ "status": "success", "data": rows }),
        })
    }
}
