//! The envelope of every answer: `status` is `success` or `failure`, whatever the HTTP status is (docs.iyzico.com: error
//! codes).

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::provider::{Failure, FailureReason, ProviderError, Refusal};

/// A text that iyzico writes as a string, as a number, as null or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        }))
    }
}

/// An answer whose status is known.
pub(super) enum Answer {
    Success(Value),
    Failure(Refused),
}

/// What stands in an answer of status `failure`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refused {
    #[serde(default)]
    pub error_code: Text,
    #[serde(default)]
    pub error_message: Text,
}

/// Reads an answer; `None` for what is none.
pub(super) fn read(body: &[u8]) -> Option<Answer> {
    let value: Value = serde_json::from_slice(body).ok()?;
    match value.get("status").and_then(Value::as_str) {
        Some("success") => Some(Answer::Success(value)),
        Some("failure") => serde_json::from_value(value).ok().map(Answer::Failure),
        _ => None,
    }
}

/// What a successful answer holds.
pub(super) fn content<T: DeserializeOwned>(value: Value) -> Result<T, ProviderError> {
    serde_json::from_value(value).map_err(|_| unreadable())
}

pub(super) fn unreadable() -> ProviderError {
    ProviderError::OutcomeUnknown("the answer is not the documented JSON".to_owned())
}

pub(super) fn wrong_signature() -> ProviderError {
    ProviderError::OutcomeUnknown("the answer's signature does not match".to_owned())
}

/// Codes from here on are a bank's answer.
const FIRST_OF_BANKS: u32 = 10_000;

impl Refused {
    fn code(&self) -> u32 {
        self.error_code.0.parse().unwrap_or(0)
    }

    /// Whether a bank has refused the card.
    pub(super) fn is_of_a_bank(&self) -> bool {
        (FIRST_OF_BANKS..50_000).contains(&self.code()) && !self.is_uncertain()
    }

    /// A system error, or a bank that did not answer: it may have been done.
    fn is_uncertain(&self) -> bool {
        matches!(self.code(), 0 | 1 | 10_214 | 10_219)
    }

    /// Whether the answer says that there is no such payment, rather than that it cannot say.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self.code(), 11 | 5000..=5999)
    }

    pub(super) fn into_error(self) -> ProviderError {
        let (code, message) = (self.error_code.0.clone(), self.error_message.0.clone());
        if self.is_uncertain() {
            return ProviderError::OutcomeUnknown(format!("error {code}: {message}"));
        }
        let reason = match self.code() {
            50_000 => Refusal::Busy,
            1000..=1999 => Refusal::Configuration,
            _ => Refusal::Other,
        };
        ProviderError::Refused { reason, code, message }
    }

    pub(super) fn into_failure(self) -> Failure {
        Failure {
            reason: match self.code() {
                10_034 | 10_041 | 10_043 | 10_093 | 10_209 => FailureReason::Security,
                10_217 => FailureReason::Authentication,
                10_057 | 10_058 | 10_201 => FailureReason::CardNotAccepted,
                FIRST_OF_BANKS.. => FailureReason::Bank,
                _ => FailureReason::Other,
            },
            code: self.error_code.0,
            message: self.error_message.0,
        }
    }
}
