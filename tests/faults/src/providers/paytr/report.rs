//! A day's sales and refunds, and what was paid out (dev.paytr.com, islem-dokumu and odeme-dokumu): on each day what was sold
//! the day before, less what was given back.

use akademi_domain::time::Day;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Form, Provider, Providers, refund::lira};
use crate::providers::day_of;

pub(super) const TRANSACTIONS: &str = "/rapor/islem-dokumu";
pub(super) const PAYOUTS: &str = "/rapor/odeme-dokumu";
/// Of each sale, in minor units.
const FEE: i64 = 99;

pub(super) fn transactions(
    providers: &Providers,
    form: &Form,
) -> Result<Value, (&'static str, &'static str)> {
    let (from, to) = period(form)?;
    let is_within = |millis: i64| {
        let day = day_of(millis).to_string();
        from.starts_with(&day) && to.starts_with(&day)
    };
    let row = |kind: &str, oid: &str, amount: i64| {
        json!({ "islem_tipi": kind, "siparis_no": oid, "islem_tutari": lira(amount, '.'),
                "kesinti_tutari": lira(FEE, '.'), "para_birimi": "TL" })
    };
    let mut rows = Vec::new();
    for attempt in providers.attempts.iter().filter(|attempt| attempt.provider == Provider::PayTr) {
        if let Some(total) = attempt.paid().filter(|_| is_within(attempt.decided_at)) {
            rows.push(row("S", &attempt.reference, total));
        }
        let returns = attempt.returns.iter().filter(|one| is_within(one.at));
        rows.extend(returns.map(|one| row("I", &attempt.reference, one.amount)));
    }
    Ok(told(rows))
}

pub(super) fn statement(providers: &Providers, form: &Form) -> Result<Value, (&'static str, &'static str)> {
    let (from, to) = period(form)?;
    let today = day_of(providers.now).to_string();
    let paid_out = payouts(providers).into_iter().map(|(day, net)| (day.to_string(), net));
    let paid_out = paid_out.filter(|(day, _)| (from..=to).contains(&day.as_str()) && *day <= today);
    let rows = paid_out.map(|(day, net)| {
        let sign = if net < 0 { "-" } else { "" };
        json!({ "date_paid": day, "currency": "TL", "net": format!("{sign}{}", lira(net.abs(), '.')) })
    });
    Ok(told(rows.collect()))
}

/// All that was ever paid out or will be, in minor units, by its day.
pub fn payouts(providers: &Providers) -> BTreeMap<Day, i64> {
    let mut nets = BTreeMap::new();
    let mut add = |millis: i64, amount: i64| *nets.entry(day_of(millis).plus(1)).or_default() += amount;
    for attempt in providers.attempts.iter().filter(|attempt| attempt.provider == Provider::PayTr) {
        if let Some(total) = attempt.paid() {
            add(attempt.decided_at, total - FEE);
        }
        attempt.returns.iter().for_each(|one| add(one.at, -one.amount));
    }
    nets.retain(|_, net| *net != 0);
    nets
}

/// The first and the last moment that a form asks about.
fn period(form: &Form) -> Result<(&str, &str), (&'static str, &'static str)> {
    if !form.is_signed(&["merchant_id", "start_date", "end_date"]) {
        return Err(("004", "paytr_token gonderilmedi veya gecersiz"));
    }
    Ok((form.field("start_date"), form.field("end_date")))
}

fn told(rows: Vec<Value>) -> Value {
    match &*rows {
        [] => json!({ "status": "failed", "err_msg": "kayit yok" }),
        rows => json!({ "status": "success", "data": rows }),
    }
}
