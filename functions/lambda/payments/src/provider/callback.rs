//! What a provider's callback is, and what it may say.

use akademi_domain::{
    money::{Currency, Money},
    time::Timestamp,
};
use http::HeaderMap;

use super::Reference;

/// A callback as it came.
pub struct Callback<'a> {
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    /// When it came: some signatures hold for minutes only.
    pub received_at: Timestamp,
}

/// What a verified callback tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The outcome of an attempt, under the signature.
    Outcome(Notification),
    /// That there is news of this attempt, whose outcome only [`Provider::inquire`](super::Provider::inquire) proves.
    Look(Reference),
    /// Something that concerns no attempt.
    Nothing,
}

/// The outcome of an attempt. `attempt`, which outcome it is, and `total_amount` are proven, by a callback's signature or
/// by the provider's answer to an inquiry; the other fields are only as trustworthy as the transport.
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
    /// Its signature is right, but older than the provider lets one be: it may be somebody's copy.
    #[error("the signature is too old")]
    Stale,
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
