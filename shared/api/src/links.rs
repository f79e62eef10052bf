//! One-time links: what an e-mail carries so that its reader may do one thing, once.
//!
//! A token is a link's id under a MAC: HMAC-SHA-256 over purpose, academy and id, with a key that both planes derive from
//! their common root. So the edge makes a link and the other plane, told its id alone, writes the token into the mail: no
//! secret passes between them. Whether the link was used or is too old, its row at the edge says.

use akademi_domain::{
    ids::{LinkId, TenantId},
    mail::LinkPurpose,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::keys::{InvalidKeys, derive, parse_keys};

/// An id and a MAC.
const TOKEN_BYTES: usize = 16 + 32;

/// The keys of one-time links; the first makes tokens, all check them.
pub struct LinkKeys(Vec<Zeroizing<[u8; 32]>>);

impl LinkKeys {
    /// Reads the planes' `kid:root` pairs.
    ///
    /// # Errors
    /// [`InvalidKeys`]
    pub fn from_config(text: &str) -> Result<Self, InvalidKeys> {
        let roots = parse_keys(text)?;
        Ok(Self(roots.iter().map(|root| derive(&root.bytes, "akademi/one-time-link/1")).collect()))
    }

    /// The token of a link: 64 characters of base64url.
    pub fn token(&self, purpose: LinkPurpose, tenant: TenantId, link: LinkId) -> String {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.extend(link.as_uuid().as_bytes());
        if let Some(mac) = self.0.first().and_then(|key| mac(key, purpose, tenant, link)) {
            bytes.extend(mac.finalize().into_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The link that a shown token is of, if [`LinkKeys::token`] made it for this purpose and academy.
    pub fn read(&self, token: &str, purpose: LinkPurpose, tenant: TenantId) -> Option<LinkId> {
        if token.len() != TOKEN_BYTES / 3 * 4 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (id, shown) = bytes.split_first_chunk::<16>()?;
        let link = LinkId::from_uuid(uuid::Uuid::from_bytes(*id));
        let is_genuine = |key: &Zeroizing<[u8; 32]>| {
            mac(key, purpose, tenant, link).is_some_and(|mac| mac.verify_slice(shown).is_ok())
        };
        self.0.iter().any(is_genuine).then_some(link)
    }
}

fn mac(key: &[u8; 32], purpose: LinkPurpose, tenant: TenantId, link: LinkId) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(purpose.name().as_bytes());
    mac.update(tenant.as_uuid().as_bytes());
    mac.update(link.as_uuid().as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn root(kid: &str, byte: u8) -> String {
        format!("{kid}:{}", URL_SAFE_NO_PAD.encode([byte; 32]))
    }

    #[test]
    fn a_token_is_good_for_its_own_purpose_academy_and_keys() {
        let keys = LinkKeys::from_config(&root("a", 1)).unwrap();
        let (tenant, other) = (TenantId::new(NOW, [1; 10]), TenantId::new(NOW, [2; 10]));
        let link = LinkId::new(NOW, [3; 10]);
        let token = keys.token(LinkPurpose::ResetPassword, tenant, link);
        assert_eq!(token.len(), 64);
        assert_eq!(keys.read(&token, LinkPurpose::ResetPassword, tenant), Some(link));
        assert_eq!(keys.read(&token, LinkPurpose::ConfirmAddress, tenant), None);
        assert_eq!(keys.read(&token, LinkPurpose::ResetPassword, other), None);
        let rotated = LinkKeys::from_config(&format!("{},{}", root("b", 2), root("a", 1))).unwrap();
        assert_eq!(
            rotated.read(&token, LinkPurpose::ResetPassword, tenant),
            Some(link),
            "the old key still checks"
        );
        let replaced = LinkKeys::from_config(&root("b", 2)).unwrap();
        assert_eq!(replaced.read(&token, LinkPurpose::ResetPassword, tenant), None);
        for bad in ["", "!", &token[1..], &"A".repeat(64), &"A".repeat(1 << 20)] {
            assert_eq!(keys.read(bad, LinkPurpose::ResetPassword, tenant), None);
        }
    }
}
