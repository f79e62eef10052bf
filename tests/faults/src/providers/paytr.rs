//! PayTR, as dev.paytr.com describes it: iFrame API, steps 1 and 2; refunds; status inquiry; reports.

mod refund;
mod report;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::Request;
use ring::hmac;
use serde_json::{Value, json};

use super::{Attempt, Lie, Outcome, Provider, Providers, Way};
pub use refund::REFUND;
use refund::refused;
pub use report::payouts;

pub const MERCHANT: &str = "100200";
pub const KEY: &str = "demoMerchantKey1";
pub const SALT: &str = "demoMerchantSalt";

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

/// `POST /odeme/api/get-token`, `/odeme/iade`, `/odeme/durum-sorgu` and `/rapor/…`.
pub(super) fn answer(providers: &mut Providers, request: &Request<Bytes>) -> Value {
    let form = Form::read(request.body());
    match request.uri().path() {
        "/odeme/api/get-token" => match register(providers, &form) {
            Ok(token) => json!({ "status": "success", "token": token }),
            Err(reason) => json!({ "status": "failed", "reason": reason }),
        },
        REFUND => refund::refund(providers, &form).unwrap_or_else(refused),
        report::TRANSACTIONS => report::transactions(providers, &form).unwrap_or_else(refused),
        report::PAYOUTS => report::statement(providers, &form).unwrap_or_else(refused),
        "/odeme/durum-sorgu" => refund::status(providers, &form).unwrap_or_else(refused),
        _ => json!({ "status": "failed", "reason": "no such service" }),
    }
}

fn register(providers: &mut Providers, form: &Form) -> Result<String, &'static str> {
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
    let oid = form.field("merchant_oid");
    if providers.place(Provider::PayTr, oid).is_some() {
        return Err("merchant_oid was used before");
    }
    let asked = form.field("payment_amount").parse().map_err(|_| "payment_amount is no number")?;
    providers.begin(Provider::PayTr, oid, asked, super::Form::default());
    Ok(format!("page{}", providers.attempts.len() - 1))
}

pub(super) fn tell(providers: &mut Providers, attempt: usize, outcome: Outcome) {
    let of = &providers.attempts[attempt];
    let (body, what) = match outcome {
        Outcome::Paid { total } => (body(of, "success", total, of.asked), "paid"),
        Outcome::Declined => (body(of, "failed", 0, of.asked), "declined"),
        Outcome::InReview { .. } | Outcome::Fraud { .. } => unreachable!("PayTR tells of no review"),
    };
    providers.notify(attempt, Way::Callback, body, true, what);
}

pub(super) fn lie(providers: &mut Providers, attempt: usize, lie: Lie) {
    let of = &providers.attempts[attempt];
    let honest = body(of, "success", of.asked, of.asked);
    let body = match lie {
        Lie::Forged => honest.replace("hash=", "hash=A"),
        Lie::ForgedWithKey | Lie::LessUnseen => honest,
        Lie::Less => body(of, "success", of.asked - 1, of.asked - 1),
    };
    providers.notify(attempt, Way::Callback, body, false, lie.what());
}

fn body(attempt: &Attempt, status: &str, total: i64, asked: i64) -> String {
    let oid = attempt.reference.as_str();
    let (total, asked) = (total.to_string(), asked.to_string());
    let hash = signature(&format!("{oid}{SALT}{status}{total}"));
    let mut fields = vec![("merchant_oid", oid), ("status", status)];
    fields.extend([("total_amount", total.as_str()), ("hash", &hash), ("payment_amount", &asked)]);
    fields.extend([("currency", "TL"), ("test_mode", "1")]);
    if status == "failed" {
        fields.extend([("failed_reason_code", "0"), ("failed_reason_msg", "Bankanız işlemi onaylamadı")]);
    }
    serde_urlencoded::to_string(fields).unwrap()
}

/// HMAC-SHA256 under the merchant's key, in Base64.
fn signature(message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
    STANDARD.encode(hmac::sign(&key, message.as_bytes()))
}
