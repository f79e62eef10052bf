//! Consent: its languages, what is asked of everybody, and what is kept of who gives it.

use akademi_api::Problem;
use akademi_domain::{academy::PageLanguage, consent::ConsentKind, ids::UserId};
use akademi_seal::{Nonce, PersonKey};
use serde::{Deserialize, Serialize};

use crate::origin::Origin;

pub use crate::store::{AskedConsent, keep_consents, list_asked_consents};

/// The sealed field of a proof: where the choice was made.
pub const ORIGIN_FIELD: &str = "consent";

/// From where somebody consents, sealed under their key.
///
/// # Errors
/// `internal`, should it not serialise.
pub fn seal_origin(
    origin: &Origin,
    key: &PersonKey,
    person: UserId,
    nonce: Nonce,
) -> Result<Vec<u8>, Problem> {
    let plain = serde_json::to_vec(origin).map_err(Problem::broken)?;
    Ok(key.seal(person, ORIGIN_FIELD, &plain, nonce))
}

/// What somebody consents to as they come: a version, in the language in which it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenConsent {
    pub kind: ConsentKind,
    /// The newest, which was shown.
    #[schema(minimum = 1)]
    pub version: i64,
    /// In which it was read.
    pub language: PageLanguage,
}
