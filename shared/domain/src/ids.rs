//! Identifiers: UUIDv7 (RFC 9562 §5.7), so that rows of one table lie in the order they were made.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

use crate::time::Timestamp;

/// Text that is no identifier: anything but the hyphenated lower- or upper-case form of a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an id")]
pub struct InvalidId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// A UUIDv7 of this moment and these random bytes.
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            pub const fn from_uuid(uuid: uuid::Uuid) -> Self {
                Self(uuid)
            }

            pub const fn as_uuid(&self) -> uuid::Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                // The uuid crate also reads braces, URNs and the bare form: one spelling is enough for an API.
                if text.len() != 36 {
                    return Err(InvalidId);
                }
                uuid::Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    )+};
}

ids! {
    /// An academy.
    TenantId,
    /// A person of one academy.
    UserId,
    /// A session: one family of refresh tokens, one device.
    SessionId,
    CourseId,
    /// A module of a course: its first level.
    ModuleId,
    /// A section of a module.
    SectionId,
    LessonId,
    /// A file of an academy in object storage.
    AssetId,
    /// A file that is sent in parts.
    UploadId,
    /// A picture that is shown: all its sizes and formats.
    ImageId,
    /// Work that goes on after the answer: an import, a transcode.
    JobId,
    CouponId,
    /// Courses that are sold together at one price.
    BundleId,
    OrderId,
    PaymentId,
    /// Money that goes back to a buyer.
    RefundId,
    /// An invoice; its document's UUID (ETTN) too.
    InvoiceId,
    EnrolmentId,
    CertificateId,
    /// One transaction of an academy's ledger.
    LedgerTransactionId,
    /// Where an academy's books and a provider's report do not agree.
    DifferenceId,
    /// One run of a player: a page load, a device.
    PlaybackId,
    /// What is sent to somebody once: an e-mail.
    MailId,
    /// A link in an e-mail that is good for one use.
    LinkId,
    /// An entry of an academy's audit log.
    AuditId,
    /// A role that an academy has defined.
    RoleId,
    /// Activation codes that an academy made together.
    ActivationBatchId,
    /// Who a person is at an identity provider.
    IdentityId,
    /// A passkey of somebody.
    PasskeyId,
    /// An address that somebody has kept.
    AddressId,
    /// What a learner says of a course.
    ReviewId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_moment_they_were_made() {
        let early = UserId::new(Timestamp::from_millis(1_700_000_000_000), [0xff; 10]);
        let late = UserId::new(Timestamp::from_millis(1_700_000_000_001), [0; 10]);
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.as_uuid().get_version_num(), 7);
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id = UserId::new(Timestamp::from_millis(1_700_000_000_000), [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in
            ["", "x", &id.as_uuid().as_simple().to_string(), &format!("{{{id}}}"), &format!("urn:uuid:{id}")]
        {
            assert_eq!(text.parse::<UserId>(), Err(InvalidId), "{text}");
        }
    }
}
