//! What the planes tell each other when somebody signs in elsewhere: the edge keeps `state`, `nonce` and the verifier, and
//! makes the session; Lambda's `identity` knows the academy's providers and talks to them.

use akademi_domain::{
    identity::{EmailAddress, PersonName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// `POST /internal/identity/authorize`: where the browser is to be sent (RFC 6749 §4.1.1).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationWanted {
    pub provider: String,
    pub state: String,
    pub nonce: String,
    /// Of the verifier, by S256 (RFC 7636 §4.2).
    pub code_challenge: String,
    pub redirect_uri: String,
}

/// Its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    pub url: String,
    /// Who an `iss` that comes back must be (RFC 9207).
    pub issuer: String,
    /// Whether one must come back.
    pub names_issuer: bool,
}

/// `POST /internal/identity/exchange`: whom a code stands for.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeWanted {
    pub provider: String,
    pub code: String,
    pub code_verifier: String,
    pub nonce: String,
    /// As it was authorized.
    pub redirect_uri: String,
}

/// Its answer: what the provider says of somebody, verified. Its `Debug` shows nothing of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub issuer: String,
    /// Who it is there, for good. A number of a national identity stands here as a keyed hash.
    pub subject: Subject,
    /// Only an address that the provider answers for: others say nothing.
    pub verified_email: Option<EmailAddress>,
    pub name: Option<PersonName>,
}

/// `POST /internal/identity/deletion`: a provider passes on that somebody wants their data deleted.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeletionWanted {
    pub provider: String,
    /// As the provider sent it.
    pub signed_request: String,
}

/// Its answer: whose data it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    pub issuer: String,
    pub subject: Subject,
    /// When they wanted it.
    pub wanted_at: Timestamp,
}

/// A person's id at a provider. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(pub String);

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subject(…)")
    }
}
