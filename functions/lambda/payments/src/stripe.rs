//! Stripe's checkout sessions as a [`Provider`], for international accounts (docs.stripe.com/api).
//!
//! Facts that users meet:
//! - the session's id is kept with the attempt ([`Checkout::provider_reference`]), and nothing is known without it;
//! - a webhook is signed with the moment it was sent, and an old one is refused: whoever copied it may be sending it;
//! - calls carry an `Idempotency-Key`, so a repetition within a day changes nothing.

mod event;
mod refund;
mod session;
mod signature;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderName, Method, Request, StatusCode, Uri, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::keyed_hash::KeyedHash;
use crate::provider::{
    BegunAttempt, Callback, CallbackRefused, Checkout, HttpClient, Inquiry, InvalidConfig, PaymentRequest,
    Provider, ProviderError, RefundRequest, Refusal, Told,
};
use crate::secret::{self, Secret};

/// The version of the interface that this adapter was written for, from memory: to be compared with the account's before the
/// first real payment.
const VERSION: &str = "2024-06-20";
const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// One academy's account at Stripe.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StripeConfig {
    /// `sk_…` or `rk_…`.
    #[serde(with = "secret::sealed")]
    pub secret_key: Secret,
    /// The webhook endpoint's `whsec_…`, prefix and all.
    #[serde(with = "secret::sealed")]
    pub webhook_secret: Secret,
    /// The one before, while Stripe still signs with both.
    pub previous_webhook_secret: Option<PreviousSecret>,
    /// Scheme and authority only: `https://api.stripe.com`.
    #[serde(with = "secret::uri")]
    pub base_url: Uri,
}

/// A webhook secret that is being replaced.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PreviousSecret(#[serde(with = "secret::sealed")] pub Secret);

/// The adapter. Its `Debug` shows where it calls and nothing secret.
pub struct Stripe {
    secret_key: Secret,
    webhook_secrets: Vec<KeyedHash>,
    base_url: String,
    http: Arc<dyn HttpClient>,
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// A request's fields in the order they are sent.
type Form = Vec<(String, String)>;

#[derive(Deserialize)]
struct ErrorAnswer {
    error: ErrorFields,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorFields {
    code: Option<String>,
    message: Option<String>,
}

impl Stripe {
    pub fn new(config: StripeConfig, http: Arc<dyn HttpClient>) -> Result<Self, InvalidConfig> {
        let (Some(scheme), Some(authority)) = (config.base_url.scheme_str(), config.base_url.authority())
        else {
            return Err(InvalidConfig("base_url"));
        };
        if config.secret_key.is_empty() {
            return Err(InvalidConfig("secret_key"));
        }
        let secrets =
            std::iter::once(config.webhook_secret).chain(config.previous_webhook_secret.map(|old| old.0));
        let webhook_secrets = secrets
            .map(|secret| KeyedHash::new(&secret).filter(|_| !secret.is_empty()))
            .collect::<Option<Vec<_>>>()
            .ok_or(InvalidConfig("webhook_secret"))?;
        let base_url = format!("{scheme}://{authority}");
        Ok(Self { secret_key: config.secret_key, webhook_secrets, base_url, http })
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &Form,
        idempotency_key: Option<&str>,
    ) -> Result<T, ProviderError> {
        let body = serde_urlencoded::to_string(form).map_err(|_| ProviderError::Invalid {
            field: "request",
            reason: "cannot be written as a form",
        })?;
        self.send(Method::POST, path, Bytes::from(body), idempotency_key).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ProviderError> {
        self.send(Method::GET, path, Bytes::new(), None).await
    }

    /// Whatever is no documented answer leaves the outcome unknown.
    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        idempotency_key: Option<&str>,
    ) -> Result<T, ProviderError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret_key.expose()))
            .header(STRIPE_VERSION, VERSION);
        if let Some(key) = idempotency_key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let request = request
            .body(body)
            .map_err(|_| ProviderError::Invalid { field: "base_url", reason: "makes no address" })?;
        let response = self.http.send(request).await?;
        match response.status() {
            status if status.is_success() => serde_json::from_slice(response.body()).map_err(|_| {
                ProviderError::OutcomeUnknown("the answer is not the documented JSON".to_owned())
            }),
            status if status.is_client_error() => Err(refusal(status, response.body())),
            status => Err(ProviderError::OutcomeUnknown(format!("status {}", status.as_u16()))),
        }
    }
}

fn refusal(status: StatusCode, body: &[u8]) -> ProviderError {
    let error = serde_json::from_slice::<ErrorAnswer>(body).map(|answer| answer.error).unwrap_or_default();
    let code = error.code.unwrap_or_else(|| status.as_u16().to_string());
    let reason = match (status, code.as_str()) {
        (StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS, _) => Refusal::Busy,
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Refusal::Configuration,
        (_, "charge_already_refunded") => Refusal::ExceedsRemaining,
        (_, "charge_disputed") => Refusal::NotRefundable,
        (_, "balance_insufficient") => Refusal::InsufficientBalance,
        _ => Refusal::Other,
    };
    ProviderError::Refused { reason, code, message: error.message.unwrap_or_default() }
}

impl Provider for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn check(&self, payment: &PaymentRequest) -> Result<(), ProviderError> {
        session::form(payment).map(drop)
    }

    fn begin<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Checkout, ProviderError>> {
        Box::pin(session::begin(self, payment))
    }

    fn verify_callback(&self, callback: &Callback<'_>) -> Result<Told, CallbackRefused> {
        signature::verify(&self.webhook_secrets, callback.headers, callback.body, callback.received_at)?;
        event::read(callback.body)
    }

    fn signature_header(&self) -> Option<&'static str> {
        Some(signature::SIGNATURE)
    }

    /// Only the status counts.
    fn acknowledgement(&self) -> &'static str {
        ""
    }

    fn inquire<'a>(&'a self, attempt: &'a BegunAttempt) -> BoxFuture<'a, Result<Inquiry, ProviderError>> {
        Box::pin(session::inquire(self, attempt))
    }

    fn refund<'a>(&'a self, refund: &'a RefundRequest) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(refund::refund(self, refund))
    }
}

#[cfg(test)]
mod tests;
