//! PayTR calls back.

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use http::{Request, header};
use sha2::Sha256;

use crate::academy::{Academy, KEY, SALT};
use crate::answer::Answer;

impl Academy {
    /// A callback as PayTR signs it, with a field that nobody knows.
    pub fn callback_body(oid: &str, status: &str, total: i64, asked: i64) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        mac.update(format!("{oid}{SALT}{status}{total}").as_bytes());
        let (asked, total) = (asked.to_string(), total.to_string());
        serde_urlencoded::to_string([
            ("merchant_oid", oid),
            ("status", status),
            ("total_amount", &total),
            ("hash", &STANDARD.encode(mac.finalize().into_bytes())),
            ("payment_amount", &asked),
            ("currency", "TL"),
            ("test_mode", "1"),
            ("yeni_alan", "x"),
        ])
        .unwrap()
    }

    pub async fn callback(&self, body: String) -> Answer {
        let request = Request::post(self.callback.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// A whole capture of what was asked.
    pub async fn pay(&self, oid: &str, amount: i64) -> Answer {
        self.callback(Self::callback_body(oid, "success", amount, amount)).await
    }
}
