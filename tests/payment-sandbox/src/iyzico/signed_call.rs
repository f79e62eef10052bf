//! A merchant's call: JSON or nothing, signed over the very bytes.

use axum::{
    extract::{FromRequest, Request},
    response::Response,
};
use bytes::Bytes;
use http::header;
use serde_json::Value;

use super::{
    IyzicoMerchant,
    answer::{INVALID, NO_AUTHORIZATION, Refused, UNKNOWN_KEY, WRONG_SIGNATURE, answer},
    signature::Credentials,
};
use crate::sandbox::Sandbox;

pub(crate) struct SignedCall {
    pub merchant: IyzicoMerchant,
    /// Null for a call without a body.
    body: Value,
    query: Vec<(String, String)>,
    /// Where the merchant reached us, for addresses that a browser is to open.
    pub host: String,
}

impl SignedCall {
    pub(crate) fn value(&self, path: &str) -> &Value {
        self.body.pointer(path).unwrap_or(&Value::Null)
    }

    /// The text at this JSON pointer; empty if there is none.
    pub(crate) fn text(&self, path: &str) -> &str {
        self.value(path).as_str().unwrap_or_default()
    }

    pub(crate) fn query(&self, name: &str) -> &str {
        self.query.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }
}

impl FromRequest<Sandbox> for SignedCall {
    type Rejection = Response;

    async fn from_request(request: Request, sandbox: &Sandbox) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let host = text(header::HOST).to_owned();
        let authorization = text(header::AUTHORIZATION).to_owned();
        let random = text(http::HeaderName::from_static("x-iyzi-rnd")).to_owned();
        let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
        let body = Bytes::from_request(Request::from_parts(parts, body), sandbox).await;
        let body = body.map_err(|_| refused(INVALID))?;
        if authorization.is_empty() {
            return Err(refused(NO_AUTHORIZATION));
        }
        let credentials = Credentials::read(&authorization).ok_or_else(|| refused(WRONG_SIGNATURE))?;
        let merchant = sandbox.iyzico.merchant(&credentials.api_key).ok_or_else(|| refused(UNKNOWN_KEY))?;
        let is_new = random == credentials.random_key && sandbox.iyzico.is_new_random(&random);
        if !is_new || !credentials.sign(&merchant, &path, &body) {
            return Err(refused(WRONG_SIGNATURE));
        }
        let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
        let query = serde_urlencoded::from_str(&query).map_err(|_| refused(INVALID))?;
        Ok(Self { merchant, body: body.map_err(|_| refused(INVALID))?, query, host })
    }
}

fn refused(reason: Refused) -> Response {
    answer(Err(reason))
}
