//! PayTR as a state machine: requests in, answers and signed notifications out, as dev.paytr.com describes them (iFrame
//! API, steps 1 and 2). It checks and makes signatures its own way.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, Response};
use ring::hmac;
use serde_json::json;

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
}

/// A notification, sent until it is answered `OK`, and perhaps after.
pub struct Notification {
    pub body: String,
    /// Of PayTR itself: neither forged nor of another amount.
    pub is_genuine: bool,
    pub is_accepted: bool,
    pub what: &'static str,
}

#[derive(Default)]
pub struct PayTr {
    pub attempts: Vec<Attempt>,
    pub notifications: Vec<Notification>,
}

impl PayTr {
    /// `POST /odeme/api/get-token`.
    pub fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        let answer = match self.register(request) {
            Ok(token) => json!({ "status": "success", "token": token }),
            Err(reason) => json!({ "status": "failed", "reason": reason }),
        };
        Response::new(Bytes::from(answer.to_string()))
    }

    fn register(&mut self, request: &Request<Bytes>) -> Result<String, &'static str> {
        if request.uri().path() != "/odeme/api/get-token" {
            return Err("no such service");
        }
        let form: Vec<(String, String)> =
            serde_urlencoded::from_bytes(request.body()).map_err(|_| "the form cannot be read")?;
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
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
        let message: String = signed.map(field).concat();
        if field("merchant_id") != MERCHANT || signature(&format!("{message}{SALT}")) != field("paytr_token")
        {
            return Err("paytr_token is wrong");
        }
        let oid = field("merchant_oid").to_owned();
        if self.attempts.iter().any(|attempt| attempt.oid == oid) {
            return Err("merchant_oid was used before");
        }
        let asked = field("payment_amount").parse().map_err(|_| "payment_amount is no number")?;
        self.attempts.push(Attempt { oid, asked, outcome: None });
        Ok(format!("page{}", self.attempts.len() - 1))
    }

    /// The buyer leaves the page with an outcome, which is final.
    pub fn decide(&mut self, attempt: usize, outcome: Outcome) {
        self.attempts[attempt].outcome = Some(outcome);
        let (body, what) = match outcome {
            Outcome::Paid { total } => (self.body(attempt, "success", total, None), "paid"),
            Outcome::Declined => (self.body(attempt, "failed", 0, None), "declined"),
        };
        self.notify(body, true, what);
    }

    /// Somebody who does not have the key says that an attempt was paid.
    pub fn forge(&mut self, attempt: usize) {
        let honest = self.body(attempt, "success", self.attempts[attempt].asked, None);
        self.notify(honest.replace("hash=", "hash=A"), false, "forged");
    }

    /// What is forged as it would count if nobody looked at signatures: as if everybody had the key.
    pub fn forge_with_key(&mut self, attempt: usize) {
        let body = self.body(attempt, "success", self.attempts[attempt].asked, None);
        self.notify(body, false, "forged with the key");
    }

    /// Well signed, and less than what was asked.
    pub fn notify_less(&mut self, attempt: usize) {
        let asked = self.attempts[attempt].asked;
        self.notify(self.body(attempt, "success", asked - 1, Some(asked - 1)), false, "paid less");
    }

    /// The same as it would count if nobody looked at amounts: as if the amounts were those that were asked.
    pub fn notify_less_unseen(&mut self, attempt: usize) {
        let body = self.body(attempt, "success", self.attempts[attempt].asked, None);
        self.notify(body, false, "paid less, unseen");
    }

    fn notify(&mut self, body: String, is_genuine: bool, what: &'static str) {
        self.notifications.push(Notification { body, is_genuine, is_accepted: false, what });
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
