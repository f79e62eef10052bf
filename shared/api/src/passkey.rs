//! What the planes tell each other of passkeys (WebAuthn level 3): the edge keeps challenges, public keys and sessions; Lambda's
//! `identity` checks what authenticators have made. Bytes stand in base64url without padding, as browsers write them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// For whom an authenticator signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelyingParty {
    /// The academy's host.
    pub id: String,
    /// The origin of its pages (RFC 6454), as `https://host`.
    pub origin: String,
}

/// `POST /internal/identity/passkeys/attestation`: whether this is a new passkey (WebAuthn §7.1).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    pub relying_party: RelyingParty,
    /// What was to be signed.
    pub challenge: String,
    pub credential_id: String,
    pub client_data_json: String,
    pub attestation_object: String,
}

/// `POST /internal/identity/passkeys/assertion`: whether that passkey has signed this (WebAuthn §7.2).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    pub relying_party: RelyingParty,
    /// What was to be signed.
    pub challenge: String,
    pub credential_id: String,
    pub client_data_json: String,
    pub authenticator_data: String,
    pub signature: String,
    /// As an earlier [`Verdict::Genuine`] gave it. Without one it takes as long, and is refused.
    pub public_key: Option<Value>,
}

/// The answer to both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case", deny_unknown_fields)]
pub enum Verdict {
    /// Its owner was verified there and then: that is two factors.
    Genuine {
        /// To be kept as it is.
        public_key: Value,
        /// How often the authenticator says that it has signed with it; 0 where it does not count.
        counter: u32,
    },
    Refused {
        /// For the log.
        reason: String,
    },
    /// It has signed with a counter from before: there may be two of it (WebAuthn §6.1.1).
    CountedBack,
}
