//! iyzico's checkout form as a [`Provider`] (docs.iyzico.com: CF initialize, CF retrieve, refund and cancel, webhook).
//!
//! Facts that users meet:
//! - neither the browser's return nor the webhook proves what became of a payment: each says where to look, and
//!   [`Provider::inquire`] looks;
//! - the form's token is kept with the attempt ([`Checkout::provider_reference`]); without it the attempt is found by its
//!   reference, which goes along as `conversationId` and `basketId`;
//! - prices are decimal texts, and the basket's sum is what is asked;
//! - no call is recognised when it is repeated, so a refund of unknown outcome is looked up first;
//! - webhooks are signed only after iyzico's support has switched it on for the account.

mod amount;
mod answer;
mod checkout_form;
mod inquiry;
mod refund;
mod report;
mod signature;
mod webhook;

use std::{fmt, sync::Arc};

use akademi_api::ports::Rng;
use akademi_domain::time::Day;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Uri, header};
use serde::{Deserialize, Serialize};

use crate::provider::{
    BegunAttempt, Callback, CallbackRefused, Checkout, HttpClient, Inquiry, InvalidConfig, PaymentRequest,
    Provider, ProviderError, RefundRequest, Reported, Told,
};
use crate::secret::{self, Secret};
use answer::Answer;
use signature::Signer;

/// One academy's account at iyzico.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IyzicoConfig {
    pub api_key: String,
    #[serde(with = "secret::sealed")]
    pub secret_key: Secret,
    /// Scheme and authority only: `https://api.iyzipay.com`, `https://sandbox-api.iyzipay.com`, or where the sandbox listens.
    #[serde(with = "secret::uri")]
    pub base_url: Uri,
    /// The city to name for buyers, which iyzico requires and an order does not ask for.
    pub buyer_city: String,
}

/// The adapter. Its `Debug` shows where it calls and nothing secret.
pub struct Iyzico {
    signer: Signer,
    base_url: String,
    buyer_city: String,
    /// No real money moves.
    is_test: bool,
    http: Arc<dyn HttpClient>,
    rng: Arc<dyn Rng>,
}

impl fmt::Debug for Iyzico {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iyzico").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Iyzico {
    pub fn new(
        config: IyzicoConfig,
        http: Arc<dyn HttpClient>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, InvalidConfig> {
        let (Some(scheme), Some(authority)) = (config.base_url.scheme_str(), config.base_url.authority())
        else {
            return Err(InvalidConfig("base_url"));
        };
        for (field, empty) in [
            ("api_key", config.api_key.is_empty()),
            ("secret_key", config.secret_key.is_empty()),
            ("buyer_city", config.buyer_city.trim().is_empty()),
        ] {
            if empty {
                return Err(InvalidConfig(field));
            }
        }
        Ok(Self {
            base_url: format!("{scheme}://{authority}"),
            // The keys of iyzico's own test system begin so.
            is_test: config.api_key.starts_with("sandbox-"),
            signer: Signer::new(config.api_key, config.secret_key).ok_or(InvalidConfig("secret_key"))?,
            buyer_city: config.buyer_city,
            http,
            rng,
        })
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, ProviderError> {
        let body = serde_json::to_vec(body)
            .map_err(|_| ProviderError::Invalid { field: "request", reason: "cannot be written as JSON" })?;
        self.send(Method::POST, path, Bytes::from(body)).await
    }

    async fn get(&self, path: &str) -> Result<Answer, ProviderError> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Signs the bytes and sends them. Whatever is no documented answer leaves the outcome unknown, and so does a status
    /// from 500 on, whatever the body says.
    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, ProviderError> {
        let mut random = [0; 16];
        self.rng.fill(&mut random);
        let random = hex::encode(random);
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, self.signer.authorization(&random, path, &body))
            .header("x-iyzi-rnd", &random)
            .body(body)
            .map_err(|_| ProviderError::Invalid { field: "base_url", reason: "makes no address" })?;
        let response = self.http.send(request).await?;
        if response.status().is_server_error() {
            return Err(ProviderError::OutcomeUnknown(format!("status {}", response.status().as_u16())));
        }
        answer::read(response.body()).ok_or_else(answer::unreadable)
    }
}

impl Provider for Iyzico {
    fn name(&self) -> &'static str {
        "iyzico"
    }

    fn check(&self, payment: &PaymentRequest) -> Result<(), ProviderError> {
        checkout_form::request(self, payment).map(drop)
    }

    fn begin<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Checkout, ProviderError>> {
        Box::pin(checkout_form::begin(self, payment))
    }

    fn verify_callback(&self, callback: &Callback<'_>) -> Result<Told, CallbackRefused> {
        webhook::verify(&self.signer, callback)
    }

    fn signature_header(&self) -> Option<&'static str> {
        Some(webhook::SIGNATURE)
    }

    /// Only the status counts.
    fn acknowledgement(&self) -> &'static str {
        ""
    }

    fn inquire<'a>(&'a self, attempt: &'a BegunAttempt) -> BoxFuture<'a, Result<Inquiry, ProviderError>> {
        Box::pin(inquiry::inquire(self, attempt))
    }

    fn refund<'a>(&'a self, refund: &'a RefundRequest) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(refund::refund(self, refund))
    }

    fn report(&self, day: Day) -> BoxFuture<'_, Result<Option<Vec<Reported>>, ProviderError>> {
        Box::pin(async move { report::report(self, day).await.map(Some) })
    }
}

#[cfg(test)]
mod tests;
