//! iyzico, as docs.iyzico.com describes it: checkout form, webhooks, cancel and refund, reports.

mod checkout_form;
mod giving_back;
mod report;
mod signature;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::{Lie, Outcome, Providers, Way};
pub use giving_back::{CANCEL, REFUND};
use signature::Call;

pub const API_KEY: &str = "sandbox-demoApiKey0001";
pub const SECRET_KEY: &str = "sandbox-demoSecretKey0001";
/// A webhook is sent so often at the most.
pub const MOST_WEBHOOKS: usize = 3;
const EVENT: &str = "CHECKOUT_FORM_AUTH";
/// Of the first payment.
const FIRST_NUMBER: usize = 22_483_975;

/// What iyzico keeps of an attempt beside what everybody does.
#[derive(Default)]
pub struct Form {
    token: String,
    /// What each item costs, in minor units.
    items: Vec<i64>,
    /// Where the browser goes with the token.
    return_path: String,
    /// What is answered to whoever asks next, once.
    pub(super) lie: Option<Lie>,
}

/// `errorCode` and `errorMessage`.
type Refused = (u32, &'static str);

const INVALID: Refused = (11, "Geçersiz istek");
const NO_PAYMENT: Refused = (5011, "Ödeme bulunamadı");

/// An answer's fields, or why there are none.
pub(super) fn answer(providers: &mut Providers, request: &Request<Bytes>) -> Value {
    let answered = Call::read(request).and_then(|call| match request.uri().path() {
        checkout_form::INITIALIZE => checkout_form::initialize(providers, &call),
        checkout_form::BY_TOKEN => checkout_form::by_token(providers, &call),
        checkout_form::BY_CONVERSATION => checkout_form::by_conversation(providers, &call),
        CANCEL => giving_back::cancel(providers, &call),
        REFUND => giving_back::refund(providers, &call),
        report::DETAILS => report::details(providers, &call),
        report::TRANSACTIONS => report::transactions(providers, &call),
        _ => Err(INVALID),
    });
    match answered {
        Ok(mut fields) => {
            fields["status"] = json!("success");
            fields
        }
        Err((code, message)) => {
            json!({ "status": "failure", "errorCode": code.to_string(), "errorMessage": message })
        }
    }
}

/// By a webhook, and by the browser that comes back.
pub(super) fn tell(providers: &mut Providers, attempt: usize, outcome: Outcome) {
    tell_again(providers, attempt, outcome);
    come_back(providers, attempt, "the buyer comes back");
}

/// By a webhook.
pub(super) fn tell_again(providers: &mut Providers, attempt: usize, outcome: Outcome) {
    let (status, what) = match outcome {
        Outcome::Paid { .. } => ("SUCCESS", "paid"),
        Outcome::InReview { .. } => ("SUCCESS", "in review"),
        Outcome::Fraud { .. } => ("FAILURE", "a fraud"),
        Outcome::Declined => ("FAILURE", "declined"),
    };
    let (body, signature) = webhook(providers, attempt, status);
    providers.notify(attempt, Way::Webhook(signature), body, true, what);
}

/// Who asks after it hears the lie from somebody who stands between, or from iyzico itself; and one who has no key sends a
/// webhook too, that has nobody ask.
pub(super) fn lie(providers: &mut Providers, attempt: usize, lie: Lie) {
    providers.attempts[attempt].form.lie = Some(lie);
    if lie == Lie::Forged {
        let (body, _) = webhook(providers, attempt, "SUCCESS");
        providers.notify(attempt, Way::Webhook("0".repeat(64)), body, false, lie.what());
    }
    come_back(providers, attempt, lie.what());
}

fn come_back(providers: &mut Providers, attempt: usize, what: &'static str) {
    let form = &providers.attempts[attempt].form;
    let (path, body) = (form.return_path.clone(), format!("token={}", form.token));
    providers.notify(attempt, Way::Browser(path), body, false, what);
}

/// Its body and its signature, of the attempt at this place.
fn webhook(providers: &Providers, place: usize, status: &str) -> (String, String) {
    let attempt = &providers.attempts[place];
    let (token, conversation) = (attempt.form.token.as_str(), attempt.reference.as_str());
    let number = payment_number(place);
    let body = json!({
        "paymentConversationId": conversation,
        "merchantId": "7",
        "token": token,
        "status": status,
        "iyziReferenceCode": format!("ref-{}", providers.notifications.len()),
        "iyziEventType": EVENT,
        "iyziEventTime": providers.now,
        "iyziPaymentId": number,
    });
    let signature = signature::of_webhook(&[EVENT, &number.to_string(), token, conversation, status]);
    (body.to_string(), signature)
}

/// The number of the payment at this place.
const fn payment_number(place: usize) -> usize {
    FIRST_NUMBER + place
}

/// Minor units of a decimal with at most two places.
fn minor_units(price: &str) -> Option<i64> {
    let (whole, decimals) = price.split_once('.').unwrap_or((price, ""));
    format!("{whole}{decimals:0<2}").parse().ok().filter(|_| decimals.len() <= 2)
}

/// As signatures take it, without zeros at the end: `120.5`, `10`.
fn plain(minor: i64) -> String {
    let text = format!("{}.{:02}", minor / 100, minor % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// As answers carry it.
fn number(minor: i64) -> Value {
    serde_json::from_str(&plain(minor)).unwrap()
}
