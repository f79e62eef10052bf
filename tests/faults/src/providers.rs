//! The providers as state machines: requests in, answers and signed notifications out, as their documents describe them.
//! What both know of an attempt stands here; each checks and makes signatures its own way.

pub mod iyzico;
pub mod paytr;

use akademi_domain::time::{Day, Timestamp};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;

use crate::academy::{Callbacks, visit};
use akademi_api::Ports;
use iyzico::Form;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    PayTr,
    Iyzico,
}

impl Provider {
    /// As the academy calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PayTr => "paytr",
            Self::Iyzico => "iyzico",
        }
    }
}

/// How a payment page was left. Totals are in minor units, with interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Paid {
        total: i64,
    },
    /// iyzico looks whether it is a fraud, and holds the money.
    InReview {
        total: i64,
    },
    /// iyzico found it to be one.
    Fraud {
        total: i64,
    },
    Declined,
}

/// A payment page that was asked for.
pub struct Attempt {
    pub provider: Provider,
    /// The academy's name of it.
    pub reference: String,
    /// Minor units.
    pub asked: i64,
    pub outcome: Option<Outcome>,
    /// Milliseconds, once it has an outcome.
    decided_at: i64,
    /// What was given back, in order.
    pub returns: Vec<Return>,
    /// Of iyzico's.
    form: Form,
}

/// Money that was given back.
pub struct Return {
    /// The academy's name of it.
    pub reference: String,
    /// Minor units.
    pub amount: i64,
    /// Milliseconds.
    at: i64,
    is_cancellation: bool,
}

/// How a notification comes to the academy.
#[derive(Debug, Clone)]
pub enum Way {
    /// PayTR's callback.
    Callback,
    /// iyzico's webhook, with its signature.
    Webhook(String),
    /// The buyer's browser, which iyzico sends to this path.
    Browser(String),
}

/// A notification, sent until it is taken, and perhaps after.
pub struct Notification {
    /// Which attempt it is about, by its place.
    pub attempt: usize,
    pub way: Way,
    pub body: String,
    /// Of the provider itself, which tells it again until it is taken: neither forged, nor of another amount, nor a browser's.
    pub is_genuine: bool,
    pub is_taken: bool,
    /// How often it was sent.
    pub times: usize,
    pub what: &'static str,
}

impl Notification {
    /// As it comes to the academy.
    pub fn request(&self, callbacks: &Callbacks, ports: &Ports) -> Request<Bytes> {
        let request = match &self.way {
            Way::Callback => Request::post(callbacks.paytr.as_str())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded"),
            Way::Webhook(signature) => Request::post(callbacks.iyzico.as_str())
                .header(CONTENT_TYPE, "application/json")
                .header("x-iyz-signature-v3", signature),
            Way::Browser(path) => return visit(path, &self.body, ports),
        };
        request.body(Bytes::from(self.body.clone())).unwrap()
    }

    /// Takes note of the academy's answer.
    pub fn learn(&mut self, answer: &Response<Bytes>) {
        self.is_taken |= match self.way {
            Way::Callback => answer.status() == StatusCode::OK && answer.body() == "OK",
            Way::Webhook(_) => answer.status().is_success(),
            Way::Browser(_) => answer.status() == StatusCode::SEE_OTHER,
        };
    }

    /// Whether the provider tells it no more.
    pub const fn is_given_up(&self) -> bool {
        matches!(self.way, Way::Webhook(_)) && self.times >= iyzico::MOST_WEBHOOKS
    }
}

/// What somebody says who wants an attempt to count as paid that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Without the account's key.
    Forged,
    /// As if everybody had the key: what is forged as it would count if nobody looked at signatures.
    ForgedWithKey,
    /// Well signed, and less than what was asked.
    Less,
    /// Well signed, of the amount that was asked: what is less as it would count if nobody looked at amounts.
    LessUnseen,
}

impl Lie {
    const fn what(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::ForgedWithKey => "forged with the key",
            Self::Less => "paid less",
            Self::LessUnseen => "paid less, unseen",
        }
    }
}

#[derive(Default)]
pub struct Providers {
    /// Their clock, in milliseconds: whoever has them sets it.
    pub now: i64,
    pub attempts: Vec<Attempt>,
    pub notifications: Vec<Notification>,
    /// Book refunds of more than was paid.
    pub books_anything: bool,
    /// Say of a payment that is looked at that it is none: what it would count as if nobody heeded that.
    pub hides_reviews: bool,
}

impl Providers {
    /// Of whichever provider has this path.
    pub fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let answer: Value = match request.uri().path() {
            path if path.starts_with("/payment/") || path.starts_with("/v2/") => {
                iyzico::answer(self, request)
            }
            _ => paytr::answer(self, request),
        };
        Response::new(Bytes::from(answer.to_string()))
    }

    /// The buyer leaves the page with an outcome, which is final unless it is in review.
    pub fn decide(&mut self, attempt: usize, outcome: Outcome) {
        self.attempts[attempt].outcome = Some(outcome);
        self.attempts[attempt].decided_at = self.now;
        match self.attempts[attempt].provider {
            Provider::PayTr => paytr::tell(self, attempt, outcome),
            Provider::Iyzico => iyzico::tell(self, attempt, outcome),
        }
    }

    /// iyzico ends a review. Its documents do not say whether it tells so, or has to be asked.
    pub fn end_review(&mut self, attempt: usize, is_fraud: bool, is_told: bool) {
        let Some(Outcome::InReview { total }) = self.attempts[attempt].outcome else { return };
        let outcome = if is_fraud { Outcome::Fraud { total } } else { Outcome::Paid { total } };
        self.attempts[attempt].outcome = Some(outcome);
        if is_told {
            iyzico::tell_again(self, attempt, outcome);
        }
    }

    /// The attempts that are in review since this moment or before, in milliseconds.
    pub fn in_review_since(&self, millis: i64) -> Vec<usize> {
        let is_it = |attempt: &Attempt| {
            matches!(attempt.outcome, Some(Outcome::InReview { .. })) && attempt.decided_at <= millis
        };
        let all = self.attempts.iter().enumerate();
        all.filter(|(_, attempt)| is_it(attempt)).map(|(place, _)| place).collect()
    }

    /// Somebody says that an attempt was paid; the newest notification brings it.
    pub fn lie(&mut self, attempt: usize, lie: Lie) {
        match self.attempts[attempt].provider {
            Provider::PayTr => paytr::lie(self, attempt, lie),
            Provider::Iyzico => iyzico::lie(self, attempt, lie),
        }
    }

    /// From now on nobody lies.
    pub fn be_honest(&mut self) {
        for attempt in &mut self.attempts {
            attempt.form.lie = None;
        }
    }

    fn notify(&mut self, attempt: usize, way: Way, body: String, is_genuine: bool, what: &'static str) {
        let notification = Notification { attempt, way, body, is_genuine, is_taken: false, times: 0, what };
        self.notifications.push(notification);
    }

    fn begin(&mut self, provider: Provider, reference: &str, asked: i64, form: Form) {
        let reference = reference.to_owned();
        let (outcome, decided_at, returns) = (None, 0, Vec::new());
        self.attempts.push(Attempt { provider, reference, asked, outcome, decided_at, returns, form });
    }

    /// The place of the attempt that the academy calls so.
    fn place(&self, provider: Provider, reference: &str) -> Option<usize> {
        let is_it = |attempt: &Attempt| attempt.provider == provider && attempt.reference == reference;
        self.attempts.iter().position(is_it)
    }
}

impl Attempt {
    /// Minor units, if it was paid.
    pub fn paid(&self) -> Option<i64> {
        match self.outcome {
            Some(Outcome::Paid { total }) => Some(total),
            _ => None,
        }
    }

    /// Minor units.
    fn given_back(&self) -> i64 {
        self.returns.iter().map(|one| one.amount).sum()
    }
}

fn day_of(millis: i64) -> Day {
    Timestamp::from_millis(millis).day_in_istanbul()
}
