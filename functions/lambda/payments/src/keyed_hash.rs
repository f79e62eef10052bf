//! HMAC-SHA256 in lower-case hexadecimal, as iyzico and Stripe sign.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::secret::Secret;

/// A key, ready to sign.
#[derive(Clone)]
pub struct KeyedHash(Hmac<Sha256>);

impl KeyedHash {
    /// `None` only if HMAC refused the key, which it does for no length.
    pub fn new(key: &Secret) -> Option<Self> {
        Hmac::new_from_slice(key.expose().as_bytes()).ok().map(Self)
    }

    /// Of the parts one after the other.
    pub fn hex(&self, parts: &[&[u8]]) -> String {
        hex::encode(self.of(parts).finalize().into_bytes())
    }

    /// Whether `received` signs the parts. Takes the same time wherever the two differ.
    pub fn matches(&self, parts: &[&[u8]], received: &str) -> bool {
        hex::decode(received).is_ok_and(|tag| self.of(parts).verify_slice(&tag).is_ok())
    }

    fn of(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        parts.iter().fold(self.0.clone(), |mac, part| mac.chain_update(part))
    }
}
