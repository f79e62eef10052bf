//! A day's sales and refunds, and what was paid out (dev.paytr.com: islem-dokumu, odeme-rapor-servisi/odeme-ozeti).
//!
//! The documents' tables name the fields of a row, but not the list that holds the rows: both are read from `data`, as
//! published clients do. A refund's row does not tell its `reference_no`, so refunds of a payment are told apart by their
//! amounts. The days are taken for Istanbul's, which the documents do not say.

use akademi_domain::{money::Currency, time::Day};
use serde_json::Value;

use super::{
    ErrorAnswer, Form, PayTr,
    amount::{from_json, from_major},
    hosted_page::currency_of,
};
use crate::provider::{Payout, ProviderError, Refusal, Reported, ReportedKind, name_of};

#[derive(serde::Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer<T> {
    Success {
        data: Vec<T>,
    },
    /// There is nothing in the period.
    Failed,
    Error(ErrorAnswer),
}

#[derive(serde::Deserialize)]
struct Transaction {
    /// `S`, a sale, or `I`, a refund.
    islem_tipi: String,
    /// What the buyer paid or was given back.
    islem_tutari: Value,
    /// What PayTR keeps of a sale.
    #[serde(default)]
    kesinti_tutari: Value,
    para_birimi: String,
    /// `merchant_oid`
    siparis_no: String,
}

#[derive(serde::Deserialize)]
struct Paid {
    date_paid: Day,
    currency: String,
    net: Value,
}

pub(super) async fn report(paytr: &PayTr, day: Day) -> Result<Vec<Reported>, ProviderError> {
    let form = form(paytr, format!("{day} 00:00:00"), format!("{day} 23:59:59"));
    let rows: Vec<Transaction> = rows(paytr, "/rapor/islem-dokumu", &form).await?;
    rows.iter().map(|row| reported(row).ok_or_else(unreadable)).collect()
}

/// At most 31 days.
pub(super) async fn payouts(paytr: &PayTr, from: Day, to: Day) -> Result<Vec<Payout>, ProviderError> {
    let form = form(paytr, from.to_string(), to.to_string());
    let rows: Vec<Paid> = rows(paytr, "/rapor/odeme-dokumu", &form).await?;
    let mut payouts: Vec<Payout> = Vec::new();
    for row in rows {
        let net = signed(&row.net).ok_or_else(unreadable)?;
        let currency = iso(&row.currency);
        match payouts.iter_mut().find(|paid| paid.day == row.date_paid && paid.currency == currency) {
            Some(paid) => paid.net = paid.net.checked_add(net).ok_or_else(unreadable)?,
            None => payouts.push(Payout { day: row.date_paid, currency, net }),
        }
    }
    Ok(payouts)
}

fn form(paytr: &PayTr, start: String, end: String) -> Form {
    let token = paytr.signer.request_token(&[&paytr.merchant_id, &start, &end]);
    vec![
        ("merchant_id", paytr.merchant_id.clone()),
        ("start_date", start),
        ("end_date", end),
        ("paytr_token", token),
    ]
}

async fn rows<T: serde::de::DeserializeOwned>(
    paytr: &PayTr,
    path: &str,
    form: &Form,
) -> Result<Vec<T>, ProviderError> {
    match paytr.post(path, form).await.map_err(ProviderError::of_a_reading)? {
        Answer::Success { data } => Ok(data),
        Answer::Failed => Ok(Vec::new()),
        Answer::Error(error) => Err(error.refused(Refusal::Other)),
    }
}

/// To overlook a row would be to miss money.
fn unreadable() -> ProviderError {
    ProviderError::Unreachable("the report cannot be read".to_owned())
}

fn reported(row: &Transaction) -> Option<Reported> {
    let kind = match row.islem_tipi.as_str() {
        "S" => ReportedKind::Capture,
        "I" => ReportedKind::Refund,
        _ => return None,
    };
    let fee = match &row.kesinti_tutari {
        Value::Null => None,
        fee => Some(from_json(fee)?),
    };
    Some(Reported {
        kind,
        attempt: name_of(&row.siparis_no),
        reference: None,
        amount: from_json(&row.islem_tutari)?,
        currency: iso(&row.para_birimi),
        fee: fee.filter(|_| kind == ReportedKind::Capture),
    })
}

fn iso(currency: &str) -> String {
    currency_of(currency).map_or_else(|| name_of(currency), |known: Currency| known.code().to_owned())
}

/// An amount that may be below zero.
fn signed(value: &Value) -> Option<i64> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    match text.strip_prefix('-') {
        Some(text) => from_major(text).map(|minor| -minor),
        None => from_major(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::scripted::{Scripted, now};
    use crate::{paytr::PayTrConfig, secret::Secret};
    use std::sync::Arc;

    fn paytr(http: Arc<Scripted>) -> PayTr {
        let config = PayTrConfig {
            merchant_id: "100200".to_owned(),
            merchant_key: Secret::new("demoMerchantKey1"),
            merchant_salt: Secret::new("demoMerchantSalt"),
            base_url: "https://www.paytr.com".parse().unwrap(),
            test_mode: true,
            page_minutes: 30,
            private_buyer_address: None,
        };
        PayTr::new(config, http).unwrap()
    }

    fn day() -> Day {
        "2026-11-21".parse().unwrap()
    }

    #[test]
    fn a_day_is_asked_for_from_its_first_second_to_its_last_and_signed_in_the_documents_order() {
        let http = Scripted::new([Ok((200, r#"{"status":"failed","err_msg":"yok"}"#))]);
        assert_eq!(now(report(&paytr(http.clone()), day())), Ok(Vec::new()), "nothing on that day");
        let sent = http.last();
        assert_eq!(sent.line, "POST https://www.paytr.com/rapor/islem-dokumu");
        let fields: Vec<(String, String)> = serde_urlencoded::from_str(&sent.body).unwrap();
        let token =
            paytr(http).signer.request_token(&["100200", "2026-11-21 00:00:00", "2026-11-21 23:59:59"]);
        let wanted = [
            ("merchant_id", "100200"),
            ("start_date", "2026-11-21 00:00:00"),
            ("end_date", "2026-11-21 23:59:59"),
            ("paytr_token", &token),
        ];
        assert_eq!(fields, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn sales_and_refunds_are_read_with_comma_and_dot_and_a_currency_that_nobody_sells_in() {
        let answer = r#"{"status":"success","data":[
            {"islem_tipi":"S","islem_tutari":"100,00","kesinti_tutari":"2,35","para_birimi":"TL","siparis_no":"A1"},
            {"islem_tipi":"I","islem_tutari":"50.00","kesinti_tutari":"0","para_birimi":"TL","siparis_no":"A1"},
            {"islem_tipi":"S","islem_tutari":12.5,"para_birimi":"GBP","siparis_no":"B-2"}]}"#;
        let rows = now(report(&paytr(Scripted::new([Ok((200, answer))])), day())).unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.kind.name(), row.attempt.as_str(), row.amount, row.currency.as_str(), row.fee))
            .collect();
        assert_eq!(
            told,
            [
                ("capture", "A1", 10_000, "TRY", Some(235)),
                ("refund", "A1", 5_000, "TRY", None),
                ("capture", "B-2", 1_250, "GBP", None),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_an_empty_day() {
        for answer in [
            "",
            r#"{"status":"success"}"#,
            r#"{"status":"success","data":[{"islem_tipi":"X","islem_tutari":"1","para_birimi":"TL","siparis_no":"A"}]}"#,
            r#"{"status":"success","data":[{"islem_tipi":"S","islem_tutari":"x","para_birimi":"TL","siparis_no":"A"}]}"#,
            r#"{"status":"error","err_no":"001","err_msg":"paytr_token gecersiz"}"#,
        ] {
            assert!(now(report(&paytr(Scripted::new([Ok((200, answer))])), day())).is_err(), "{answer}");
        }
        assert!(now(report(&paytr(Scripted::new([Ok((500, ""))])), day())).is_err());
    }

    #[test]
    fn payouts_of_a_day_are_one_in_each_currency() {
        let answer = r#"{"status":"success","data":[
            {"date_paid":"2026-11-20","currency":"TL","sales":"950.95","return":"12.64","net":"938.31","merchant_iban":"TR1"},
            {"date_paid":"2026-11-20","currency":"TL","sales":"1","return":"0","net":"1.00","merchant_iban":"TR2"},
            {"date_paid":"2026-11-21","currency":"USD","sales":"0","return":"5","net":"-5,00"}],
            "future_payments":[{"net_amounts":"500"}]}"#;
        let http = Scripted::new([Ok((200, answer))]);
        let paid = now(payouts(&paytr(http), day().plus(-1), day())).unwrap();
        let expected = [(day().plus(-1), "TRY", 93_931), (day(), "USD", -500)];
        let expected =
            expected.map(|(day, currency, net)| Payout { day, currency: currency.to_owned(), net });
        assert_eq!(paid, expected);
    }
}
