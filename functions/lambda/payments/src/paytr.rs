//! PayTR's iFrame API as a [`Provider`] (dev.paytr.com: iframe-api, iade-api, durum-sorgu, islem-dokumu,
//! odeme-ozeti).
//!
//! Facts that users meet:
//! - the buyer's address must be a public one, or PayTR refuses the token; see
//!   [`PayTrConfig::private_buyer_address`];
//! - `merchant_oid` is 1 to 64 letters and digits, new for each attempt, which [`Reference`] guarantees;
//! - get-token and callbacks count in kuruş, the basket, refunds and inquiries in lira;
//! - a refund is not recognised when it is repeated, so one of unknown outcome is looked up first.

mod amount;
mod hosted_page;
mod inquiry;
mod notification;
mod refund;
mod report;
mod signature;

use std::{fmt, net::IpAddr, sync::Arc};

use akademi_domain::time::Day;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, StatusCode, Uri, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::provider::{
    BegunAttempt, Callback, CallbackRefused, Checkout, HttpClient, Inquiry, InvalidConfig, PaymentRequest,
    Payout, Provider, ProviderError, RefundRequest, Refusal, Reported, Told,
};
use crate::secret;
pub use crate::secret::Secret;
use signature::Signer;

/// One academy's account at PayTR.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayTrConfig {
    pub merchant_id: String,
    #[serde(with = "secret::sealed")]
    pub merchant_key: Secret,
    #[serde(with = "secret::sealed")]
    pub merchant_salt: Secret,
    /// Scheme and authority only: `https://www.paytr.com`, or where the sandbox listens.
    #[serde(with = "secret::uri")]
    pub base_url: Uri,
    /// No real money moves. Also asks PayTR for readable errors.
    pub test_mode: bool,
    /// How long the payment page stays open, in minutes; more than 0.
    pub page_minutes: u16,
    /// The public address to name for a buyer whose own is private or this machine's, as when developing.
    /// Without it such a buyer is refused here, as PayTR would refuse them.
    pub private_buyer_address: Option<IpAddr>,
}

/// The adapter. Its `Debug` shows the account's number and nothing secret.
pub struct PayTr {
    merchant_id: String,
    signer: Signer,
    base_url: String,
    test_mode: bool,
    page_minutes: u16,
    private_buyer_address: Option<IpAddr>,
    http: Arc<dyn HttpClient>,
}

impl fmt::Debug for PayTr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayTr")
            .field("merchant_id", &self.merchant_id)
            .field("base_url", &self.base_url)
            .field("test_mode", &self.test_mode)
            .finish_non_exhaustive()
    }
}

impl PayTr {
    pub fn new(config: PayTrConfig, http: Arc<dyn HttpClient>) -> Result<Self, InvalidConfig> {
        let (Some(scheme), Some(authority)) = (config.base_url.scheme_str(), config.base_url.authority())
        else {
            return Err(InvalidConfig("base_url"));
        };
        for (field, empty) in [
            ("merchant_id", config.merchant_id.is_empty()),
            ("merchant_key", config.merchant_key.is_empty()),
            ("merchant_salt", config.merchant_salt.is_empty()),
            ("page_minutes", config.page_minutes == 0),
        ] {
            if empty {
                return Err(InvalidConfig(field));
            }
        }
        Ok(Self {
            base_url: format!("{scheme}://{authority}"),
            signer: Signer::new(&config.merchant_key, config.merchant_salt)
                .ok_or(InvalidConfig("merchant_key"))?,
            merchant_id: config.merchant_id,
            test_mode: config.test_mode,
            page_minutes: config.page_minutes,
            private_buyer_address: config.private_buyer_address,
            http,
        })
    }

    /// Posts a form and reads the JSON answer. Whatever is no documented answer leaves the outcome unknown.
    async fn post<T: DeserializeOwned>(&self, path: &str, form: &Form) -> Result<T, ProviderError> {
        let body = serde_urlencoded::to_string(form).map_err(|_| ProviderError::Invalid {
            field: "request",
            reason: "cannot be written as a form",
        })?;
        let request = Request::post(format!("{}{path}", self.base_url))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Bytes::from(body))
            .map_err(|_| ProviderError::Invalid { field: "base_url", reason: "makes no address" })?;
        let response = self.http.send(request).await?;
        if response.status() != StatusCode::OK {
            return Err(ProviderError::OutcomeUnknown(format!("status {}", response.status().as_u16())));
        }
        serde_json::from_slice(response.body())
            .map_err(|_| ProviderError::OutcomeUnknown("the answer is not the documented JSON".to_owned()))
    }
}

/// A request's fields in the order they are sent.
type Form = Vec<(&'static str, String)>;

/// `{"status":"error","err_no":…,"err_msg":…}`, common to refund and inquiry.
#[derive(serde::Deserialize)]
struct ErrorAnswer {
    #[serde(default)]
    err_no: String,
    #[serde(default)]
    err_msg: String,
}

impl ErrorAnswer {
    fn refused(self, reason: Refusal) -> ProviderError {
        ProviderError::Refused { reason, code: self.err_no, message: self.err_msg }
    }
}

impl Provider for PayTr {
    fn name(&self) -> &'static str {
        "paytr"
    }

    fn check(&self, payment: &PaymentRequest) -> Result<(), ProviderError> {
        hosted_page::form(self, payment).map(drop)
    }

    fn begin<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Checkout, ProviderError>> {
        Box::pin(hosted_page::begin(self, payment))
    }

    fn verify_callback(&self, callback: &Callback<'_>) -> Result<Told, CallbackRefused> {
        notification::verify(&self.signer, callback.body).map(Told::Outcome)
    }

    fn acknowledgement(&self) -> &'static str {
        "OK"
    }

    fn inquire<'a>(&'a self, attempt: &'a BegunAttempt) -> BoxFuture<'a, Result<Inquiry, ProviderError>> {
        Box::pin(inquiry::inquire(self, &attempt.reference))
    }

    fn refund<'a>(&'a self, refund: &'a RefundRequest) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(refund::refund(self, refund))
    }

    fn report(&self, day: Day) -> BoxFuture<'_, Result<Option<Vec<Reported>>, ProviderError>> {
        Box::pin(async move { report::report(self, day).await.map(Some) })
    }

    fn payouts(&self, from: Day, to: Day) -> BoxFuture<'_, Result<Option<Vec<Payout>>, ProviderError>> {
        Box::pin(async move { report::payouts(self, from, to).await.map(Some) })
    }
}

#[cfg(test)]
mod tests;
