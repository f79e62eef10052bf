//! Cancel and refund. A repeated request is a second refund.

use serde_json::{Value, json};

use super::{
    NO_PAYMENT, Refused, minor_units, number, payment_number, plain,
    signature::{Call, of_answer},
};
use crate::providers::{Provider, Providers, Return, day_of};

pub const CANCEL: &str = "/payment/cancel";
pub const REFUND: &str = "/v2/payment/refund";

/// All of a payment of which nothing has gone back, on its own day.
pub(super) fn cancel(providers: &mut Providers, call: &Call) -> Result<Value, Refused> {
    let (place, paid) = paid(providers, call)?;
    let attempt = &providers.attempts[place];
    if day_of(attempt.decided_at) != day_of(providers.now) || !attempt.returns.is_empty() {
        return Err((5088, "Ödeme iptal edilemez"));
    }
    Ok(book(providers, place, call, paid, true))
}

pub(super) fn refund(providers: &mut Providers, call: &Call) -> Result<Value, Refused> {
    let (place, paid) = paid(providers, call)?;
    let amount = minor_units(call.text("/price")).filter(|amount| *amount > 0);
    let amount = amount.ok_or((5005, "Fiyat 0 veya 0'dan küçük olamaz"))?;
    if amount > paid - providers.attempts[place].given_back() && !providers.books_anything {
        return Err((5093, "İade tutarı kalan tutardan büyük olamaz"));
    }
    Ok(book(providers, place, call, amount, false))
}

/// The payment that a call names, by its place, and what was paid.
fn paid(providers: &Providers, call: &Call) -> Result<(usize, i64), Refused> {
    let id = call.text("/paymentId");
    let mut all = providers.attempts.iter().enumerate();
    let found = all.find(|(place, attempt)| {
        attempt.provider == Provider::Iyzico && payment_number(*place).to_string() == id
    });
    found.and_then(|(place, attempt)| Some((place, attempt.paid()?))).ok_or(NO_PAYMENT)
}

fn book(providers: &mut Providers, place: usize, call: &Call, amount: i64, is_cancellation: bool) -> Value {
    let (id, reference) = (call.text("/paymentId"), call.text("/conversationId"));
    let at = providers.now;
    providers.attempts[place].returns.push(Return {
        reference: reference.to_owned(),
        amount,
        at,
        is_cancellation,
    });
    json!({
        "paymentId": id,
        "price": number(amount),
        "currency": "TRY",
        "conversationId": reference,
        "signature": of_answer(&[id, &plain(amount), "TRY", reference]),
    })
}
