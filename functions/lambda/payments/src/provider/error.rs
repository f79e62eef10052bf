//! Why a call to a provider brings no result.

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

/// A configuration that no call could be made with; holds the field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is missing or malformed")]
pub struct InvalidConfig(pub &'static str);

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

    /// The same error of a call that changes nothing, and whose outcome is therefore never in doubt.
    pub fn of_a_reading(self) -> Self {
        match self {
            Self::OutcomeUnknown(reason) => Self::Unreachable(reason),
            error => error,
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
