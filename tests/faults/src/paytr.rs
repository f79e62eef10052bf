//! PayTR as a state machine: requests in, answers and signed notifications out, as dev.paytr.com describes them (iFrame
//! API, steps 1 and 2; refunds; status inquiry; reports). It checks and makes signatures its own way.

mod refund;
mod report;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, Response};
use ring::hmac;
use serde_json::json;

use refund::refused;
pub use refund::{REFUND, Return};

pub const MERCHANT: &str = "100200";
pub const KEY: &str = "demoMerchantKey1";
pub const SALT: &str = "demoMerchantSalt";

/// How a payment page was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Minor units, with interest.
    Paid {
        total: i64,
    },
    Declined,
}

/// A payment page that was asked for.
pub struct Attempt {
    pub oid: String,
    /// Minor units.
    pub asked: i64,
    pub outcome: Option<Outcome>,
    /// Milliseconds, once it has an outcome.
    decided_at: i64,
    /// What was given back, in order.
    pub returns: Vec<Return>,
}

/// A notification, sent until it is answered `OK`, and perhaps after.
pub struct Notification {
    /// Which attempt it is about, by its place.
    pub attempt: usize,
    pub body: String,
    /// Of PayTR itself: neither forged nor of another amount.
    pub is_genuine: bool,
    pub is_accepted: bool,
    pub what: &'static str,
}

#[derive(Default)]
pub struct PayTr {
    /// Its clock, in milliseconds: whoever has it sets it.
    pub now: i64,
    pub attempts: Vec<Attempt>,
    pub notifications: Vec<Notification>,
    /// Books refunds of more than was paid.
    pub books_anything: bool,
}

/// A form that was posted.
struct Form(Vec<(String, String)>);

impl Form {
    /// Nothing stands in what cannot be read.
    fn read(body: &[u8]) -> Self {
        Self(serde_urlencoded::from_bytes(body).unwrap_or_default())
    }

    fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether it is the merchant's, by its `paytr_token` over these fields.
    fn is_signed(&self, fields: &[&str]) -> bool {
        let message: String = fields.iter().map(|name| self.field(name)).collect();
        self.field("merchant_id") == MERCHANT
            && signature(&format!("{message}{SALT}")) == self.field("paytr_token")
    }
}

impl PayTr {
    /// `POST /odeme/api/get-token`, `/odeme/iade`, `/odeme/durum-sorgu` and `/rapor/…`.
    pub fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let form = Form::read(request.body());
        let answer = match request.uri().path() {
            "/odeme/api/get-token" => match self.register(&form) {
                Ok(token) => json!({ "status": "success", "token": token }),
                Err(reason) => json!({ "status": "failed", "reason": reason }),
            },
            REFUND => self.refund(&form).unwrap_or_else(refused),
            report::TRANSACTIONS => self.transactions(&form).unwrap_or_else(refused),
            report::PAYOUTS => json!({ "status": "failed", "err_msg": "kayit yok" }),
            "/odeme/durum-sorgu" => self.status(&form).unwrap_or_else(refused),
            _ => json!({ "status": "failed", "reason": "no such service" }),
        };
        Response::new(Bytes::from(answer.to_string()))
    }

    fn register(&mut self, form: &Form) -> Result<String, &'static str> {
        let signed = [
            "merchant_id",
            "user_ip",
            "merchant_oid",
            "email",
            "payment_amount",
            "user_basket",
            "no_installment",
            "max_installment",
            "currency",
            "test_mode",
        ];
        if !form.is_signed(&signed) {
            return Err("paytr_token is wrong");
        }
        let oid = form.field("merchant_oid").to_owned();
        if self.attempts.iter().any(|attempt| attempt.oid == oid) {
            return Err("merchant_oid was used before");
        }
        let asked = form.field("payment_amount").parse().map_err(|_| "payment_amount is no number")?;
        self.attempts.push(Attempt { oid, asked, outcome: None, decided_at: 0, returns: Vec::new() });
        Ok(format!("page{}", self.attempts.len() - 1))
    }

    /// The buyer leaves the page with an outcome, which is final.
    pub fn decide(&mut self, attempt: usize, outcome: Outcome) {
        self.attempts[attempt].outcome = Some(outcome);
        self.attempts[attempt].decided_at = self.now;
        let (body, what) = match outcome {
            Outcome::Paid { total } => (self.body(attempt, "success", total, None), "paid"),
            Outcome::Declined => (self.body(attempt, "failed", 0, None), "declined"),
        };
        self.notify(attempt, body, true, what);
    }

    /// Somebody who does not have the key says that an attempt was paid.
    pub fn forge(&mut self, attempt: usize) {
        let honest = self.body(attempt, "success", self.attempts[attempt].asked, None);
        self.notify(attempt, honest.replace("hash=", "hash=A"), false, "forged");
    }

    /// What is forged as it would count if nobody looked at signatures: as if everybody had the key.
    pub fn forge_with_key(&mut self, attempt: usize) {
        let body = self.body(attempt, "success", self.attempts[attempt].asked, None);
        self.notify(attempt, body, false, "forged with the key");
    }

    /// Well signed, and less than what was asked.
    pub fn notify_less(&mut self, attempt: usize) {
        let asked = self.attempts[attempt].asked;
        self.notify(attempt, self.body(attempt, "success", asked - 1, Some(asked - 1)), false, "paid less");
    }

    /// The same as it would count if nobody looked at amounts: as if the amounts were those that were asked.
    pub fn notify_less_unseen(&mut self, attempt: usize) {
        let body = self.body(attempt, "success", self.attempts[attempt].asked, None);
        self.notify(attempt, body, false, "paid less, unseen");
    }

    fn notify(&mut self, attempt: usize, body: String, is_genuine: bool, what: &'static str) {
        self.notifications.push(Notification { attempt, body, is_genuine, is_accepted: false, what });
    }

    fn body(&self, attempt: usize, status: &str, total: i64, asked: Option<i64>) -> String {
        let Attempt { oid, asked: amount, .. } = &self.attempts[attempt];
        let asked = asked.unwrap_or(*amount).to_string();
        let total = total.to_string();
        let hash = signature(&format!("{oid}{SALT}{status}{total}"));
        let mut fields = vec![("merchant_oid", oid.as_str()), ("status", status)];
        fields.extend([("total_amount", total.as_str()), ("hash", &hash), ("payment_amount", &asked)]);
        fields.extend([("currency", "TL"), ("test_mode", "1")]);
        if status == "failed" {
            fields.extend([("failed_reason_code", "0"), ("failed_reason_msg", "Bankanız işlemi onaylamadı")]);
        }
        serde_urlencoded::to_string(fields).unwrap()
    }
}

/// HMAC-SHA256 under the merchant's key, in Base64.
fn signature(message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
    STANDARD.encode(hmac::sign(&key, message.as_bytes()))
}
