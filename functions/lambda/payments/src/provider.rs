//! A payment provider as the academy sees it: it takes a payment on a page of its own, tells the outcome in a
//! signed callback or says that there is one to be asked for, answers what became of an attempt, gives
//! money back, and may report what it has booked.
//!
//! An adapter is pure but for the [`HttpClient`] that it is given. Amounts are minor units of the payment's
//! currency throughout; what a provider wants on the wire is the adapter's business.

mod callback;
mod error;
mod inquiry;
mod payment_request;
mod reference;
mod report;
#[cfg(test)]
pub(crate) mod scripted;

use akademi_domain::time::Day;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, Uri};

pub use callback::{
    Callback, CallbackRefused, Discrepancy, Failure, FailureReason, Notification, Outcome, Told,
};
pub use error::{HttpError, InvalidConfig, ProviderError, Refusal};
pub use inquiry::{Captured, Inquiry, RefundRequest, RefundSeen};
pub use payment_request::{BasketLine, BilledTo, Buyer, Installments, Language, PaymentRequest};
pub use reference::{BegunAttempt, InvalidReference, Reference};
pub use report::{Payout, Reported, ReportedKind, name_of};

/// Sends one request and buffers its answer. An implementation bounds each call in time and in bytes.
pub trait HttpClient: Send + Sync {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, HttpError>>;
}

/// A payment provider, configured for one academy.
pub trait Provider: Send + Sync {
    /// The provider's name in `/callbacks/{provider}/…` and in the ledger.
    fn name(&self) -> &'static str;

    /// Refuses what [`Provider::begin`] would not send, without sending anything.
    fn check(&self, payment: &PaymentRequest) -> Result<(), ProviderError>;

    /// Registers an attempt and says where to send the browser. Nothing is charged before the buyer acts there,
    /// so after any error the attempt may be given up and a new one begun under a new reference.
    fn begin<'a>(&'a self, payment: &'a PaymentRequest) -> BoxFuture<'a, Result<Checkout, ProviderError>>;

    /// Verifies a callback's signature over the body as it was received and reads it. A callback may come many
    /// times, in any order, and before or after the browser returns.
    fn verify_callback(&self, callback: &Callback<'_>) -> Result<Told, CallbackRefused>;

    /// The header that signs a callback, where the signature is not in its body.
    fn signature_header(&self) -> Option<&'static str> {
        None
    }

    /// The exact body, as `text/plain` under status 200, that tells the provider that its callback is stored.
    fn acknowledgement(&self) -> &'static str;

    /// Asks what became of an attempt. Changes nothing and may be repeated.
    fn inquire<'a>(&'a self, attempt: &'a BegunAttempt) -> BoxFuture<'a, Result<Inquiry, ProviderError>>;

    /// Gives back a part or all of what was captured; `Ok` means that exactly this amount was taken back.
    /// After [`ProviderError::OutcomeUnknown`] look for `refund.reference` with [`Provider::inquire`] before
    /// trying again: a provider need not recognise a repetition.
    fn refund<'a>(&'a self, refund: &'a RefundRequest) -> BoxFuture<'a, Result<(), ProviderError>>;

    /// All that the provider booked on a day in Istanbul; `None` if it tells nobody. Changes nothing and may be repeated.
    fn report(&self, _day: Day) -> BoxFuture<'_, Result<Option<Vec<Reported>>, ProviderError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// What the provider paid out on these days, at most 31, both inside; `None` if it tells nobody. Changes nothing and may be
    /// repeated.
    fn payouts(&self, _from: Day, _to: Day) -> BoxFuture<'_, Result<Option<Vec<Payout>>, ProviderError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// Where to send the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    pub page: Uri,
    /// The provider's own name for the attempt, where an inquiry needs it.
    pub provider_reference: Option<String>,
}
