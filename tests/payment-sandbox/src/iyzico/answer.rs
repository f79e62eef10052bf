//! The envelope of every answer.

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::sandbox::now;

/// Why a call is refused: `errorCode` and `errorMessage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused(pub u32, pub &'static str);

pub(crate) const WRONG_SIGNATURE: Refused = Refused(1000, "Geçersiz imza");
pub(crate) const UNKNOWN_KEY: Refused = Refused(1001, "api bilgileri bulunamadı");
pub(crate) const NO_AUTHORIZATION: Refused = Refused(1009, "Authorization header bulunamadı");
pub(crate) const INVALID: Refused = Refused(11, "Geçersiz istek");
pub(crate) const NO_PAYMENT: Refused = Refused(5011, "Ödeme bulunamadı");
pub(crate) const BASKET_SUM: Refused =
    Refused(5062, "Kırılım fiyatları toplamı, toplam fiyata eşit olmalıdır");
pub(crate) const PRICE_NOT_POSITIVE: Refused = Refused(5005, "Fiyat 0 veya 0'dan küçük olamaz");
pub(crate) const NOT_CANCELLABLE: Refused = Refused(5088, "Ödeme iptal edilemez");
pub(crate) const MORE_THAN_REMAINING: Refused = Refused(5093, "İade tutarı kalan tutardan büyük olamaz");

/// `success` with these fields, or `failure`: under status 200 either way, as no reader may rely on it.
pub(crate) fn answer(result: Result<Value, Refused>) -> Response {
    let body = match result {
        Ok(fields) => {
            let fields = with(with(fields, "status", "success"), "locale", "tr");
            with(fields, "systemTime", now())
        }
        Err(Refused(code, message)) => json!({
            "status": "failure", "errorCode": code.to_string(), "errorMessage": message, "locale": "tr",
            "systemTime": now(),
        }),
    };
    (StatusCode::OK, Json(body)).into_response()
}

/// The object with one more field.
pub(crate) fn with(mut fields: Value, name: &str, value: impl Into<Value>) -> Value {
    if let Value::Object(map) = &mut fields {
        map.insert(name.to_owned(), value.into());
    }
    fields
}
