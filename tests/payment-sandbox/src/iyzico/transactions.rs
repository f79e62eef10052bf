//! Reporting service, daily transactions: what was paid, cancelled and given back on a day, a row for each item.

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    amount::number,
    answer::{INVALID, Refused, answer, with},
    payment::{self, GivenBack, Payment},
    signed_call::SignedCall,
};
use crate::{behaviour::Misreport, callbacks::Millis, paytr::date_time, sandbox::Sandbox};

pub(crate) const PATH: &str = "/v2/reporting/payment/transactions";

/// What iyzico takes for each payment, in minor units.
const FEE: i64 = 25;

pub(crate) async fn transactions(State(sandbox): State<Sandbox>, call: SignedCall) -> Response {
    let misreport = sandbox.behaviour().misreport;
    let payments: Vec<_> = sandbox
        .iyzico
        .payments()
        .into_iter()
        .filter(|payment| payment.api_key == call.merchant.api_key)
        .collect();
    answer(page(&call, &payments, &misreport))
}

fn page(call: &SignedCall, payments: &[Payment], misreport: &Misreport) -> Result<Value, Refused> {
    let (day, page) = (call.query("transactionDate"), call.query("page").parse::<usize>());
    let page = page.ok().filter(|page| *page > 0).ok_or(INVALID)?;
    if day.len() != "2026-11-21".len() {
        return Err(INVALID);
    }
    let own = payments.iter().flat_map(|payment| rows(payment, misreport));
    let own = own.map(|(at, row)| with(row, "transactionDate", date_time(at)));
    let foreign = misreport.foreign.iter().zip(1_u64..).map(|((conversation, told), number)| {
        let part = (1_000_000 + number, told.amount, FEE);
        with(sale(900_000 + number, conversation, "", part, "TRY", 2), "transactionDate", date_time(told.at))
    });
    let rows: Vec<_> = foreign
        .chain(own)
        .filter(|row| row["transactionDate"].as_str().is_some_and(|at| at.starts_with(day)))
        .collect();
    let per_page = if misreport.page_rows == 0 { 100 } else { misreport.page_rows };
    Ok(json!({
        "transactions": rows.chunks(per_page).nth(page - 1).unwrap_or_default(),
        "currentPage": page,
        "totalPageCount": rows.len().div_ceil(per_page),
    }))
}

fn rows(payment: &Payment, misreport: &Misreport) -> Vec<(Millis, Value)> {
    let payment::State::Paid { at, paid_price, fraud_status, .. } = payment.state else { return Vec::new() };
    let (id, conversation) = (payment.payment_id.parse().unwrap_or(0), &payment.conversation_id);
    let paid = misreport.amounts.get(conversation).copied().unwrap_or(paid_price);
    let status = if fraud_status == 1 { 2 } else { fraud_status };
    let mut rows = Vec::new();
    if !misreport.without.contains(conversation) {
        for (place, amount) in (0..).zip(shares(payment, paid)) {
            let part = (id * 100 + place, amount, if place == 0 { FEE } else { 0 });
            let mut row = sale(id, conversation, &payment.basket_id, part, &payment.currency, status);
            if misreport.without_fee.contains(conversation)
                && let Value::Object(fields) = &mut row
            {
                fields.remove("iyzicoCommission");
            }
            rows.push((at, row));
        }
    }
    if !misreport.without_refunds.contains(conversation) {
        for (number, part) in (1..).zip(&payment.given_back) {
            for (place, amount) in (0..).zip(shares(payment, part.amount)) {
                let row = given_back(payment, id, part, (id * 100 + 50 + number, id * 100 + place, amount));
                rows.push((part.at, row));
            }
        }
    }
    rows
}

/// An amount over the payment's items: as much as each costs, and the rest on the last. Items that get nothing have no share.
fn shares(payment: &Payment, amount: i64) -> Vec<i64> {
    let mut rest = amount;
    let mut shares: Vec<i64> = Vec::new();
    for (place, item) in payment.items.iter().enumerate() {
        let is_last = place + 1 == payment.items.len();
        let share = if is_last { rest } else { item.price.min(rest) };
        rest -= share;
        shares.push(share);
    }
    shares.retain(|share| *share > 0);
    shares
}

/// `part`: the item's transaction, what was paid for it and iyzico's fee, in minor units. The commission is 2.99 percent, in
/// as many decimals as that takes.
fn sale(
    payment: u64,
    conversation: &str,
    basket: &str,
    (transaction, paid, fee): (u64, i64, i64),
    currency: &str,
    status: i8,
) -> Value {
    let commission = paid * 299;
    let exact = |millionths: i64| {
        let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        serde_json::from_str::<Value>(&text).unwrap_or(Value::Null)
    };
    json!({
        "transactionType": "PAYMENT",
        "transactionId": transaction.to_string(),
        "transactionStatus": status,
        "paymentTxId": transaction.to_string(),
        "paymentId": payment.to_string(),
        "conversationId": conversation,
        "basketId": basket,
        "paymentPhase": "AUTH",
        "price": number(paid),
        "paidPrice": number(paid),
        "transactionCurrency": currency,
        "settlementCurrency": currency,
        "iyzicoCommission": exact(commission),
        "iyzicoFee": number(fee),
        "merchantPayoutAmount": exact((paid - fee) * 10_000 - commission),
    })
}

fn given_back(
    payment: &Payment,
    id: u64,
    part: &GivenBack,
    (transaction, item, amount): (u64, u64, i64),
) -> Value {
    json!({
        "transactionType": if part.is_cancellation { "CANCEL" } else { "REFUND" },
        "transactionId": transaction.to_string(),
        "transactionStatus": 2,
        "afterSettlement": 0,
        "paymentTxId": item.to_string(),
        "paymentId": id.to_string(),
        "conversationId": part.conversation_id,
        "basketId": payment.basket_id,
        "price": number(amount),
        "paidPrice": number(amount),
        "transactionCurrency": payment.currency,
        "settlementCurrency": payment.currency,
    })
}
