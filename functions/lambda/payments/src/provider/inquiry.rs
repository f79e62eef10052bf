//! What a provider answers about an attempt, and what it is asked to give back.

use akademi_domain::money::Money;

use super::{BegunAttempt, Failure, Notification, Outcome, Reference};

/// What the provider knows of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    Captured(Captured),
    /// The provider says that it took nothing, and why.
    Failed(Failure),
    /// No successful payment so far: open, never begun, or failed where the provider does not tell.
    NotCaptured,
}

impl Inquiry {
    /// The outcome as a callback about `attempt` would tell it; `None` while there is none.
    pub fn outcome(self, attempt: &Reference) -> Option<Notification> {
        let attempt = attempt.clone();
        match self {
            Self::Captured(captured) => Some(Notification {
                attempt,
                outcome: Outcome::Captured,
                total_amount: captured.total_amount,
                payment_amount: Some(captured.amount.amount),
                currency: Some(captured.amount.currency),
                test: captured.test,
            }),
            Self::Failed(failure) => Some(Notification {
                attempt,
                outcome: Outcome::Failed(failure),
                total_amount: 0,
                payment_amount: None,
                currency: None,
                test: false,
            }),
            Self::NotCaptured => None,
        }
    }
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
    pub attempt: BegunAttempt,
    /// What to give back, in the payment's currency; more than 0.
    pub amount: Money,
    /// Names this refund in a later inquiry.
    pub reference: Reference,
}
