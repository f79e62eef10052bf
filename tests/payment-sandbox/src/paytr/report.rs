//! `POST /rapor/islem-dokumu`: the sales and refunds of up to three days.

use axum::{Json, extract::State};
use jiff::{Timestamp, Zoned, civil::DateTime, tz};
use serde_json::{Value, json};

use super::{amount::comma, payment::Payment, signature};
use crate::{
    behaviour::{ForeignSale, Misreport},
    callbacks::Millis,
    form::Form,
    sandbox::Sandbox,
};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// What PayTR keeps of a payment, in minor units: 2.35 percent.
pub(crate) fn commission(amount: i64) -> i64 {
    amount * 235 / 10_000
}

/// A moment as Turkish clocks show it; they have been three hours ahead of UTC all year since 2016.
pub(crate) fn turkish(at: Millis) -> Option<Zoned> {
    Some(Timestamp::from_millisecond(at).ok()?.to_zoned(tz::TimeZone::fixed(tz::offset(3))))
}

pub(crate) fn date_time(at: Millis) -> String {
    turkish(at).map_or_else(String::new, |moment| moment.strftime(FORMAT).to_string())
}

fn date(at: Millis) -> String {
    turkish(at).map_or_else(String::new, |moment| moment.strftime("%d.%m.%Y").to_string())
}

fn millis(text: &str) -> Option<Millis> {
    let moment = DateTime::strptime(FORMAT, text).ok()?;
    Some(moment.to_zoned(tz::TimeZone::fixed(tz::offset(3))).ok()?.timestamp().as_millisecond())
}

pub(crate) async fn report(State(sandbox): State<Sandbox>, form: Form) -> Json<Value> {
    let error = |err_msg| Json(json!({"status": "error", "err_no": "001", "err_msg": err_msg}));
    let merchant_id = form.text("merchant_id");
    let signed = sandbox.merchant(merchant_id).is_some_and(|merchant| {
        let message = form.concatenated(&["merchant_id", "start_date", "end_date"]);
        signature::accepts(&merchant, &message, form.text("paytr_token"))
    });
    if !signed {
        return error("paytr_token gonderilmedi veya gecersiz");
    }
    let (Some(start), Some(end)) = (millis(form.text("start_date")), millis(form.text("end_date"))) else {
        return error("Tarih formati gecersiz");
    };
    if end < start || end - start > 3 * 24 * 3_600_000 {
        return error("En fazla 3 gunluk tarih araligi gonderilebilir");
    }
    let misreport = sandbox.behaviour().misreport;
    let foreign = misreport.foreign.iter().map(|(merchant_oid, sale)| foreign(merchant_oid, *sale));
    // The range is given in whole seconds, so its last second belongs to it.
    let rows: Vec<_> = sandbox
        .payments()
        .iter()
        .filter(|payment| payment.merchant_id == merchant_id)
        .flat_map(|payment| rows(payment, &misreport))
        .chain(foreign)
        .filter(|(at, _)| (start..end + 1_000).contains(at))
        .map(|(_, row)| row)
        .collect();
    if rows.is_empty() {
        return Json(json!({"status": "failed", "err_msg": "ilgili tarih araliginda islem bulunamadi"}));
    }
    Json(json!({"status": "success", "data": rows}))
}

/// A payment's sale (`S`) and its refunds (`I`).
fn rows(payment: &Payment, misreport: &Misreport) -> Vec<(Millis, Value)> {
    let Some(outcome) = payment.captured() else { return Vec::new() };
    let oid = &payment.merchant_oid;
    let row = |kind: &str, at, amount, fee| {
        let row = json!({
            "islem_tipi": kind,
            "net_tutar": comma(amount - fee),
            "kesinti_tutari": comma(fee),
            "kesinti_orani": "2.35",
            "islem_tutari": comma(amount),
            "odeme_tutari": comma(payment.payment_amount),
            "islem_tarihi": date(at),
            "para_birimi": payment.currency,
            "taksit": outcome.installments.to_string(),
            "kart_marka": "BONUS",
            "kart_no": "435508******4358",
            "siparis_no": oid,
            "odeme_tipi": "KART",
        });
        (at, row)
    };
    let total = misreport.amounts.get(oid).copied().unwrap_or(outcome.total_amount);
    let mut sale = row("S", outcome.at, total, commission(outcome.total_amount));
    if misreport.without_fee.contains(oid)
        && let Value::Object(fields) = &mut sale.1
    {
        fields.remove("kesinti_tutari");
    }
    let refunds = payment.refunds.iter().map(|refund| row("I", refund.at, refund.amount, 0));
    let sale = Some(sale).filter(|_| !misreport.without.contains(oid));
    sale.into_iter().chain(refunds.filter(|_| !misreport.without_refunds.contains(oid))).collect()
}

/// A sale that no get-token asked for.
fn foreign(merchant_oid: &str, ForeignSale { amount, at }: ForeignSale) -> (Millis, Value) {
    let row = json!({
        "islem_tipi": "S",
        "net_tutar": comma(amount - commission(amount)),
        "kesinti_tutari": comma(commission(amount)),
        "kesinti_orani": "2.35",
        "islem_tutari": comma(amount),
        "odeme_tutari": comma(amount),
        "islem_tarihi": date(at),
        "para_birimi": "TL",
        "taksit": "0",
        "kart_marka": "WORLD",
        "kart_no": "540667******5403",
        "siparis_no": merchant_oid,
        "odeme_tipi": "KART",
    });
    (at, row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_turkish_local_time_and_come_back() {
        assert_eq!(date_time(1_790_000_000_000), "2026-09-21 17:13:20");
        assert_eq!(date(1_790_000_000_000), "21.09.2026");
        assert_eq!(millis("2026-09-21 17:13:20"), Some(1_790_000_000_000));
        assert_eq!(millis("21.09.2026"), None);
    }
}
