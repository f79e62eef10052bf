//! A payment provider as the academy sees it: it takes a payment on a page of its own, tells the outcome in a
//! signed callback, answers what became of an attempt, and gives money back.
//!
//! An adapter is pure but for the [`HttpClient`] that it is given. Amounts are minor units of the payment's
//! currency throughout; what a provider wants on the wire is the adapter's business.

use std::{fmt, net::IpAddr, str::FromStr};

use akademi_domain::{
    ids::{PaymentId, RefundId},
    money::{Currency, Money},
};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, Uri};

/// Sends one request and buffers its answer. An implementation bounds each call in time and in bytes.
pub trait HttpClient: Send + Sync {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, HttpError>>;
}

/// Why there is no answer. The two differ in what the other side may have done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection came about, so the other side has seen nothing of the request.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request may have been received and acted on: a time-out, a reset, a broken answer.
    #[error("no answer: {0}")]
    NoAnswer(String),
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
    fn verify_callback(&self, body: &[u8]) -> Result<Notification, CallbackRefused>;

    /// The exact body, as `text/plain` under status 200, that tells the provider that its callback is stored.
    fn acknowledgement(&self) -> &'static str;

    /// Asks what became of an attempt. Changes nothing and may be repeated.
    fn inquire<'a>(&'a self, attempt: &'a Reference) -> BoxFuture<'a, Result<Inquiry, ProviderError>>;

    /// Gives back a part or all of what was captured; `Ok` means that exactly this amount was taken back.
    /// After [`ProviderError::OutcomeUnknown`] look for `refund.reference` with [`Provider::inquire`] before
    /// trying again: a provider need not recognise a repetition.
    fn refund<'a>(&'a self, refund: &'a RefundRequest) -> BoxFuture<'a, Result<(), ProviderError>>;
}

/// Our name for an attempt or a refund: 1 to 64 ASCII letters and digits, which every provider takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference(String);

/// Text that is no [`Reference`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not 1 to 64 ASCII letters and digits")]
pub struct InvalidReference;

impl Reference {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let well_formed =
            (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        well_formed.then(|| Self(text.to_owned())).ok_or(InvalidReference)
    }
}

impl From<PaymentId> for Reference {
    /// The id's 32 hexadecimal digits.
    fn from(id: PaymentId) -> Self {
        Self(id.as_uuid().as_simple().to_string())
    }
}

impl From<RefundId> for Reference {
    /// The id's 32 hexadecimal digits.
    fn from(id: RefundId) -> Self {
        Self(id.as_uuid().as_simple().to_string())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One attempt to pay. Has no `Debug`, since it holds personal data.
#[derive(Clone)]
pub struct PaymentRequest {
    /// New for each attempt: the outcome of an attempt is final.
    pub attempt: Reference,
    pub amount: Money,
    pub buyer: Buyer,
    /// What is bought, as the provider's page shows it. At least one line.
    pub basket: Vec<BasketLine>,
    /// Where the browser goes after the page. Neither proves anything about the payment.
    pub success_url: Uri,
    pub failure_url: Uri,
    pub installments: Installments,
    pub language: Language,
}

#[derive(Clone)]
pub struct Buyer {
    pub email: String,
    pub name: String,
    pub address: String,
    pub phone: String,
    /// Where the buyer's browser connects from, as the outermost trusted proxy saw it.
    pub client_address: IpAddr,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasketLine {
    pub name: String,
    /// Minor units of the payment's currency.
    pub unit_price: i64,
    pub quantity: u32,
}

/// In how many monthly parts the buyer may pay. The provider may add interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installments {
    Single,
    /// At most so many, from 2 to 12.
    UpTo(u8),
    /// As many as the merchant's contract allows.
    Any,
}

/// The language of the provider's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Turkish,
    English,
}

/// Where to send the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    pub page: Uri,
}

/// What a verified callback says. The signature covers `attempt`, which outcome it is, and `total_amount`; the
/// other fields are only as trustworthy as the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub attempt: Reference,
    pub outcome: Outcome,
    /// What the buyer really paid, in minor units: the asked amount, or more with installment interest. After a
    /// failure 0 or the asked amount.
    pub total_amount: i64,
    /// The asked amount in minor units, where the callback repeats it.
    pub payment_amount: Option<i64>,
    pub currency: Option<Currency>,
    /// No real money moved.
    pub test: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Captured,
    Failed(Failure),
}

/// Why an attempt failed. `message` is the provider's, in its page's language, and may be shown to the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub reason: FailureReason,
    pub code: String,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureReason {
    /// The bank said no; the message says why.
    Bank,
    /// 3-D Secure was not completed or is required.
    Authentication,
    /// A security or fraud check.
    Security,
    /// The buyer left or let the page's time pass.
    Abandoned,
    /// The card does not take installments, or the merchant may not take the card.
    CardNotAccepted,
    /// A bank transfer that was not found or was too low.
    Transfer,
    /// Something between the merchant and the provider, which staff must mend.
    Integration,
    Other,
}

/// A notification that does not fit the attempt it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Discrepancy {
    #[error("less was paid than was asked")]
    Underpaid,
    #[error("another amount was asked")]
    AskedAmount,
    #[error("another currency was used")]
    Currency,
}

impl Notification {
    /// Whether a captured payment is the one that was asked: at least `asked`, in its currency. A failure fits
    /// any attempt.
    pub fn check(&self, asked: Money) -> Result<(), Discrepancy> {
        if matches!(self.outcome, Outcome::Failed(_)) {
            return Ok(());
        }
        if self.currency.is_some_and(|currency| currency != asked.currency) {
            return Err(Discrepancy::Currency);
        }
        if self.payment_amount.is_some_and(|amount| amount != asked.amount) {
            return Err(Discrepancy::AskedAmount);
        }
        if self.total_amount < asked.amount {
            return Err(Discrepancy::Underpaid);
        }
        Ok(())
    }
}

/// A callback that must not be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRefused {
    #[error("{0} is missing or malformed")]
    Malformed(&'static str),
    #[error("the signature does not match")]
    WrongSignature,
}

/// What the provider knows of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    Captured(Captured),
    /// No successful payment: failed, still open, or never begun.
    NotCaptured,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// The asked amount.
    pub amount: Money,
    /// What the buyer paid, with installment interest, in minor units.
    pub total_amount: i64,
    pub refunds: Vec<RefundSeen>,
    pub test: bool,
}

/// A refund that the provider has booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundSeen {
    /// Minor units of the payment's currency.
    pub amount: i64,
    pub reference: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    pub attempt: Reference,
    /// What to give back, in the payment's currency; more than 0.
    pub amount: Money,
    /// Names this refund in a later inquiry.
    pub reference: Reference,
}

/// Why a call to the provider brought no result. Texts in it are for staff and logs: they may quote the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The provider would not take such a request, so nothing was sent.
    #[error("{field} {reason}")]
    Invalid { field: &'static str, reason: &'static str },
    /// The provider has seen nothing of the request.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// The provider may or may not have done it.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// The provider said no, and has done nothing.
    #[error("refused ({reason:?}) {code}: {message}")]
    Refused { reason: Refusal, code: String, message: String },
}

/// The provider's reasons to refuse, as far as they call for different actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Temporarily locked.
    Busy,
    /// Wrong credentials, signature or request, or an inactive merchant.
    Configuration,
    /// There is no successful payment under this reference.
    NotCaptured,
    /// The payment's callback has not been acknowledged yet.
    NotYetNotified,
    /// This kind of payment cannot be refunded here, or no longer.
    NotRefundable,
    /// More than what is left of the payment.
    ExceedsRemaining,
    /// The merchant's balance does not cover it.
    InsufficientBalance,
    Other,
}

impl ProviderError {
    /// Whether the same call may succeed later, and doing it again cannot do it twice.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { reason, .. } => {
                matches!(reason, Refusal::Busy | Refusal::NotYetNotified | Refusal::InsufficientBalance)
            }
            Self::Invalid { .. } | Self::OutcomeUnknown(_) => false,
        }
    }
}

impl From<HttpError> for ProviderError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::NotSent(reason) => Self::Unreachable(reason),
            HttpError::NoAnswer(reason) => Self::OutcomeUnknown(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::time::Timestamp;

    fn captured(total_amount: i64) -> Notification {
        Notification {
            attempt: "A1".parse().unwrap(),
            outcome: Outcome::Captured,
            total_amount,
            payment_amount: Some(14990),
            currency: Some(Currency::TRY),
            test: true,
        }
    }

    #[test]
    fn a_reference_is_alphanumeric_and_at_most_64_long() {
        let id = PaymentId::new(Timestamp::from_millis(1_790_000_000_000), [7; 10]);
        let reference = Reference::from(id);
        assert_eq!(reference.as_str().len(), 32);
        assert_eq!(reference.as_str().parse(), Ok(reference));
        assert!("a".repeat(64).parse::<Reference>().is_ok());
        for text in ["", "a-b", "a_b", "a b", "ığ", &id.to_string(), &"a".repeat(65)] {
            assert_eq!(text.parse::<Reference>(), Err(InvalidReference), "{text}");
        }
    }

    #[test]
    fn a_capture_fits_only_the_amount_and_currency_that_were_asked() {
        let asked = Money { amount: 14990, currency: Currency::TRY };
        assert_eq!(captured(14990).check(asked), Ok(()));
        assert_eq!(captured(15739).check(asked), Ok(()), "installment interest");
        assert_eq!(captured(14989).check(asked), Err(Discrepancy::Underpaid));
        let other_asked = Notification { payment_amount: Some(100), ..captured(14990) };
        assert_eq!(other_asked.check(asked), Err(Discrepancy::AskedAmount));
        let dollars = Notification { currency: Some(Currency::USD), ..captured(14990) };
        assert_eq!(dollars.check(asked), Err(Discrepancy::Currency));
    }

    #[test]
    fn only_what_cannot_happen_twice_is_retryable() {
        let refused = |reason| ProviderError::Refused { reason, code: String::new(), message: String::new() };
        assert!(ProviderError::from(HttpError::NotSent("refused".into())).retryable());
        assert!(!ProviderError::from(HttpError::NoAnswer("timed out".into())).retryable());
        assert!(refused(Refusal::Busy).retryable());
        assert!(refused(Refusal::NotYetNotified).retryable());
        assert!(!refused(Refusal::ExceedsRemaining).retryable());
        assert!(!refused(Refusal::Configuration).retryable());
    }
}
