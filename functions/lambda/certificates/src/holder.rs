//! What a certificate says of its holder, sealed with the person's key: the name as it was when it was issued, and why it
//! was revoked. Whoever destroys the key takes both from every certificate.

use akademi_domain::{
    certificate::HOLDER_FIELD,
    ids::{TenantId, UserId},
};
use akademi_seal::{Nonce, Vault};
use serde::Deserialize;

use crate::CertificatesError;

/// The sealed field, in this plane only: what staff wrote, in UTF-8.
#[cfg(feature = "routes")]
pub const REASON_FIELD: &str = "revocation_reason";

/// Sealed bytes of a person, and the person's key as this plane wraps it.
pub struct Sealed {
    pub bytes: Vec<u8>,
    pub wrapped_key: Vec<u8>,
}

/// What of the fields that are sealed together at the edge is needed here.
#[derive(Deserialize)]
struct Profile {
    name: String,
}

/// The name in a person's profile, sealed as a certificate's holder.
///
/// # Errors
/// [`CertificatesError::Unreadable`]
pub fn seal(
    vault: &Vault,
    tenant: TenantId,
    person: UserId,
    profile: &Sealed,
    nonce: Nonce,
) -> Result<Vec<u8>, CertificatesError> {
    let unreadable = || CertificatesError::Unreadable(person);
    let key = vault.unwrap_key(tenant, person, &profile.wrapped_key).map_err(|_| unreadable())?;
    let profile = key.open(person, "profile", &profile.bytes).map_err(|_| unreadable())?;
    let profile: Profile = serde_json::from_slice(&profile).map_err(|_| unreadable())?;
    Ok(key.seal(person, HOLDER_FIELD, profile.name.as_bytes(), nonce))
}

/// Why a certificate is revoked, sealed under its holder's wrapped key.
///
/// # Errors
/// [`CertificatesError::Unreadable`]
#[cfg(feature = "routes")]
pub fn seal_reason(
    vault: &Vault,
    tenant: TenantId,
    person: UserId,
    wrapped_key: &[u8],
    reason: &str,
    nonce: Nonce,
) -> Result<Vec<u8>, CertificatesError> {
    let key =
        vault.unwrap_key(tenant, person, wrapped_key).map_err(|_| CertificatesError::Unreadable(person))?;
    Ok(key.seal(person, REASON_FIELD, reason.as_bytes(), nonce))
}

/// The text that was sealed as this field of a certificate.
///
/// # Errors
/// [`CertificatesError::Unreadable`]
#[cfg(feature = "routes")]
pub fn open(
    vault: &Vault,
    tenant: TenantId,
    person: UserId,
    field: &str,
    sealed: &Sealed,
) -> Result<String, CertificatesError> {
    let unreadable = || CertificatesError::Unreadable(person);
    let key = vault.unwrap_key(tenant, person, &sealed.wrapped_key).map_err(|_| unreadable())?;
    let text = key.open(person, field, &sealed.bytes).map_err(|_| unreadable())?;
    String::from_utf8(text.to_vec()).map_err(|_| unreadable())
}
