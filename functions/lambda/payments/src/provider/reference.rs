//! What an attempt is called, here and at the provider.

use std::{fmt, str::FromStr};

use akademi_domain::ids::{PaymentId, RefundId};

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

/// An attempt that was begun: our name for it, and the provider's where it gave one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunAttempt {
    pub reference: Reference,
    /// [`Checkout::provider_reference`](super::Checkout::provider_reference); absent if it was lost before it was stored.
    pub provider_reference: Option<String>,
}

impl From<Reference> for BegunAttempt {
    fn from(reference: Reference) -> Self {
        Self { reference, provider_reference: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::time::Timestamp;

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
}
