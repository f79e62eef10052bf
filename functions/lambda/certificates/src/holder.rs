//! The holder's name: as it was when the certificate was issued, sealed with the person's key. Whoever destroys the key
//! takes the name from every certificate.

use akademi_domain::ids::{TenantId, UserId};
use akademi_seal::{Nonce, Vault};
use serde::Deserialize;

use crate::CertificatesError;

/// The sealed field, in both planes: the name alone, in UTF-8.
const FIELD: &str = "certificate_holder";

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
/// [`CertificatesError::UnreadableName`]
pub fn seal(
    vault: &Vault,
    tenant: TenantId,
    person: UserId,
    profile: &Sealed,
    nonce: Nonce,
) -> Result<Vec<u8>, CertificatesError> {
    let unreadable = || CertificatesError::UnreadableName(person);
    let key = vault.unwrap(tenant, person, &profile.wrapped_key).map_err(|_| unreadable())?;
    let profile = key.open(person, "profile", &profile.bytes).map_err(|_| unreadable())?;
    let profile: Profile = serde_json::from_slice(&profile).map_err(|_| unreadable())?;
    Ok(key.seal(person, FIELD, profile.name.as_bytes(), nonce))
}

/// The name that [`seal`] sealed.
///
/// # Errors
/// [`CertificatesError::UnreadableName`]
#[cfg(feature = "routes")]
pub fn open(
    vault: &Vault,
    tenant: TenantId,
    person: UserId,
    holder: &Sealed,
) -> Result<String, CertificatesError> {
    let unreadable = || CertificatesError::UnreadableName(person);
    let key = vault.unwrap(tenant, person, &holder.wrapped_key).map_err(|_| unreadable())?;
    let name = key.open(person, FIELD, &holder.bytes).map_err(|_| unreadable())?;
    String::from_utf8(name.to_vec()).map_err(|_| unreadable())
}
