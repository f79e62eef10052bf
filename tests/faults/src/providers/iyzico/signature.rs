//! iyzico's signatures: HMAC-SHA256 under the secret key, in hexadecimal; and calls that have one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, header};
use ring::hmac;
use serde_json::Value;

use super::{API_KEY, INVALID, Refused, SECRET_KEY};

/// The merchant's call.
pub(super) struct Call {
    /// Null where there is none.
    body: Value,
    query: Vec<(String, String)>,
}

impl Call {
    /// Signed over the very bytes.
    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, Refused> {
        let authorization = request.headers().get(header::AUTHORIZATION).and_then(|text| text.to_str().ok());
        let (path, body) = (request.uri().path(), request.body());
        if !authorization.is_some_and(|text| is_signed(text, path, body).unwrap_or(false)) {
            return Err((1000, "Geçersiz imza"));
        }
        let query = serde_urlencoded::from_str(request.uri().query().unwrap_or_default());
        let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
        Ok(Self { body: body.map_err(|_| INVALID)?, query: query.map_err(|_| INVALID)? })
    }

    pub(super) fn value(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The text at this JSON pointer; empty if there is none.
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.value(pointer).as_str().unwrap_or_default()
    }

    pub(super) fn query(&self, name: &str) -> &str {
        self.query.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }
}

/// `None` for what is no `IYZWSv2` header.
fn is_signed(authorization: &str, path: &str, body: &[u8]) -> Option<bool> {
    let text = STANDARD.decode(authorization.strip_prefix("IYZWSv2 ")?).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (api_key, rest) = text.strip_prefix("apiKey:")?.split_once("&randomKey:")?;
    let (random, signature) = rest.split_once("&signature:")?;
    Some(api_key == API_KEY && of(&[random.as_bytes(), path.as_bytes(), body].concat()) == signature)
}

/// The `signature` of an answer with these values.
pub(super) fn of_answer(values: &[&str]) -> String {
    of(values.join(":").as_bytes())
}

/// The `X-IYZ-SIGNATURE-V3` of a webhook with these values.
pub(super) fn of_webhook(values: &[&str]) -> String {
    of(format!("{SECRET_KEY}{}", values.concat()).as_bytes())
}

fn of(message: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET_KEY.as_bytes());
    hmac::sign(&key, message).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
