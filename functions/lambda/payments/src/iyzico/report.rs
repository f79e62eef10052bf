//! A day's payments, cancellations and refunds (docs.iyzico.com: reporting service, daily transactions). A payment has a row
//! for each of its items, under one `conversationId`; a refund that is spread over several items does too.
//!
//! The documents do not say whose days these are, taken for Istanbul's, nor which of a refund's two amounts is what went
//! back: `paidPrice`, the collected amount, is taken where there is one. Payouts are told by another service that the
//! documents describe for market places alone, so there are none here.

use akademi_domain::time::Day;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;

use super::{
    Iyzico,
    amount::{exact, rounded},
    answer::{Answer, Text, content, unreadable},
};
use crate::provider::{ProviderError, Reported, ReportedKind, name_of};

const TRANSACTIONS: &str = "/v2/reporting/payment/transactions";
/// More pages than a day can have: a defect of somebody's.
const MOST_PAGES: u32 = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    transactions: Vec<Row>,
    /// An answer that does not tell it cannot be known to be whole.
    total_page_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    transaction_type: String,
    #[serde(default)]
    transaction_id: Text,
    #[serde(default)]
    transaction_status: Text,
    #[serde(default)]
    payment_tx_id: Text,
    #[serde(default)]
    payment_id: Text,
    #[serde(default)]
    conversation_id: Text,
    #[serde(default)]
    basket_id: Text,
    #[serde(default)]
    price: Value,
    #[serde(default)]
    paid_price: Value,
    transaction_currency: String,
    #[serde(default)]
    settlement_currency: Text,
    #[serde(default)]
    iyzico_commission: Value,
    #[serde(default)]
    iyzico_fee: Value,
}

pub(super) async fn report(iyzico: &Iyzico, day: Day) -> Result<Vec<Reported>, ProviderError> {
    let mut rows = Vec::new();
    for page in 1..=MOST_PAGES {
        let path = format!("{TRANSACTIONS}?locale=tr&transactionDate={day}&page={page}");
        let answer = iyzico.get(&path).await.map_err(ProviderError::of_a_reading)?;
        let told: Page = match answer {
            Answer::Success(value) => content(value).map_err(ProviderError::of_a_reading)?,
            Answer::Failure(refused) => return Err(refused.into_error().of_a_reading()),
        };
        let is_last = told.transactions.is_empty() || page >= told.total_page_count;
        rows.extend(told.transactions);
        if is_last {
            return together(rows).ok_or_else(|| unreadable().of_a_reading());
        }
    }
    Err(unreadable().of_a_reading())
}

/// What is added up of a payment or a refund.
struct Sum {
    reported: Reported,
    /// The payment's number at iyzico.
    payment_id: String,
    /// In hundred-millionths.
    amount: i128,
    fee: Option<i128>,
}

/// One of each payment and refund; `None` for a row that cannot be read: to overlook one would be to miss money.
fn together(rows: Vec<Row>) -> Option<Vec<Reported>> {
    let mut sums: Vec<Sum> = Vec::new();
    let mut seen = HashSet::new();
    for row in rows {
        let kind = match row.transaction_type.as_str() {
            "PAYMENT" => ReportedKind::Capture,
            "REFUND" | "CANCEL" => ReportedKind::Refund,
            _ => return None,
        };
        // Looked at for fraud, or found to be one: no money of the academy's.
        if kind == ReportedKind::Capture && matches!(row.transaction_status.0.as_str(), "0" | "-1") {
            continue;
        }
        // A row that moved to the next page while we turned it.
        let identity = (kind, row.transaction_id.0.clone(), row.payment_tx_id.0.clone());
        if !row.transaction_id.0.is_empty() && !seen.insert(identity) {
            continue;
        }
        let sum = read(kind, &row)?;
        let same = |other: &&mut Sum| {
            (&other.reported.kind, &other.payment_id, &other.reported.reference)
                == (&sum.reported.kind, &sum.payment_id, &sum.reported.reference)
                && other.reported.attempt == sum.reported.attempt
                && other.reported.currency == sum.reported.currency
                // Refunds without a name are each their own.
                && (kind == ReportedKind::Capture || sum.reported.reference.is_some())
        };
        match sums.iter_mut().find(same) {
            Some(other) => {
                other.amount += sum.amount;
                other.fee = other.fee.zip(sum.fee).map(|(fee, more)| fee + more);
            }
            None => sums.push(sum),
        }
    }
    of_their_payments(&mut sums);
    sums.into_iter()
        .map(|sum| {
            let fee = match sum.fee {
                Some(fee) => Some(rounded(fee)?),
                None => None,
            };
            Some(Reported { amount: rounded(sum.amount)?, fee, ..sum.reported })
        })
        .collect()
}

fn read(kind: ReportedKind, row: &Row) -> Option<Sum> {
    let told =
        |names: [&Text; 2]| names.into_iter().map(|name| &name.0).find(|name| !name.is_empty()).cloned();
    let amount = match &row.paid_price {
        Value::Null => exact(&row.price)?,
        paid => exact(paid)?,
    };
    let is_settled_alike = matches!(row.settlement_currency.0.as_str(), "" | "TRY" | "EUR" | "USD")
        && (row.settlement_currency.0.is_empty() || row.settlement_currency.0 == row.transaction_currency);
    let fee = match (&row.iyzico_commission, &row.iyzico_fee) {
        (Value::Null, _) | (_, Value::Null) => None,
        (commission, fee) => Some(exact(commission)? + exact(fee)?),
    };
    let attempt = match kind {
        ReportedKind::Capture => told([&row.conversation_id, &row.basket_id]),
        // Its conversation is the refund's own.
        ReportedKind::Refund => told([&row.basket_id, &row.payment_id]),
    };
    let reference = Some(row.conversation_id.0.as_str()).filter(|name| !name.is_empty());
    Some(Sum {
        reported: Reported {
            kind,
            attempt: name_of(&attempt.or_else(|| told([&row.payment_id, &row.transaction_id]))?),
            reference: reference.filter(|_| kind == ReportedKind::Refund).map(name_of),
            amount: 0,
            currency: name_of(&row.transaction_currency),
            fee: None,
        },
        payment_id: row.payment_id.0.clone(),
        amount,
        fee: fee.filter(|_| kind == ReportedKind::Capture && is_settled_alike),
    })
}

/// A refund whose basket is not told goes by the payment of the same number, where that is of the same day.
fn of_their_payments(sums: &mut [Sum]) {
    let payments: Vec<(String, String)> = sums
        .iter()
        .filter(|sum| sum.reported.kind == ReportedKind::Capture && !sum.payment_id.is_empty())
        .map(|sum| (sum.payment_id.clone(), sum.reported.attempt.clone()))
        .collect();
    for refund in sums.iter_mut().filter(|sum| sum.reported.attempt == sum.payment_id) {
        if let Some((_, attempt)) = payments.iter().find(|(id, _)| *id == refund.payment_id) {
            refund.reported.attempt.clone_from(attempt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(values: Vec<Value>) -> Vec<Row> {
        values.into_iter().map(|value| serde_json::from_value(value).unwrap()).collect()
    }

    fn payment(transaction: u32, paid: &str, commission: &str, fee: &str) -> Value {
        json!({
            "transactionType": "PAYMENT", "transactionId": transaction, "transactionStatus": 2,
            "paymentTxId": transaction, "paymentId": 7, "conversationId": "A1", "basketId": "A1",
            "price": "1.0", "paidPrice": paid, "transactionCurrency": "TRY", "settlementCurrency": "TRY",
            "iyzicoCommission": commission, "iyzicoFee": fee,
        })
    }

    fn refund(transaction: u32, name: Option<&str>, basket: Option<&str>, paid: &str) -> Value {
        json!({
            "transactionType": "REFUND", "transactionId": transaction, "paymentTxId": 1, "paymentId": 7,
            "conversationId": name, "basketId": basket, "price": paid, "transactionCurrency": "TRY",
        })
    }

    #[test]
    fn the_items_of_a_payment_are_one_and_fractions_of_their_fees_are_rounded_together() {
        let told = together(rows(vec![
            payment(1, "33.33333333", "1.745", "0.25"),
            payment(2, "66.66666667", "1.744", "0"),
            payment(2, "66.66666667", "1.744", "0"),
        ]));
        let told = told.unwrap();
        assert_eq!(
            (told.len(), told[0].amount, told[0].fee),
            (1, 10_000, Some(374)),
            "the second row came twice"
        );
        assert_eq!((told[0].attempt.as_str(), &told[0].reference), ("A1", &None));
    }

    #[test]
    fn refunds_go_by_their_own_names_and_belong_to_their_payment() {
        let told = together(rows(vec![
            payment(1, "100", "1", "0"),
            refund(2, Some("R1"), Some("A1"), "10"),
            refund(3, Some("R1"), Some("A1"), "5.5"),
            refund(4, Some("R2"), None, "1"),
            refund(5, None, Some("A1"), "2"),
            refund(6, None, Some("A1"), "2"),
        ]));
        let told: Vec<_> = told
            .unwrap()
            .into_iter()
            .skip(1)
            .map(|refund| (refund.attempt, refund.reference, refund.amount, refund.fee))
            .collect();
        let of = |name: Option<&str>, amount| ("A1".to_owned(), name.map(str::to_owned), amount, None);
        assert_eq!(told, [of(Some("R1"), 1_550), of(Some("R2"), 100), of(None, 200), of(None, 200)]);
    }

    #[test]
    fn money_that_fraud_holds_is_no_capture_and_a_fee_in_another_currency_is_none() {
        let mut held = payment(1, "100", "1", "0");
        held["transactionStatus"] = json!(0);
        let mut rejected = payment(2, "100", "1", "0");
        rejected["transactionStatus"] = json!("-1");
        let mut converted = payment(3, "100", "1", "0");
        converted["settlementCurrency"] = json!("USD");
        let told = together(rows(vec![held, rejected, converted])).unwrap();
        assert_eq!((told.len(), told[0].fee), (1, None));
    }

    #[test]
    fn what_cannot_be_read_is_not_overlooked() {
        let mut unknown = payment(1, "100", "1", "0");
        unknown["transactionType"] = json!("CHARGEBACK");
        for row in [unknown, payment(1, "-1", "1", "0"), payment(1, "1", "x", "0")] {
            assert_eq!(together(rows(vec![row.clone()])), None, "{row}");
        }
    }
}
