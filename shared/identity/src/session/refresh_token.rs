//! Refresh tokens: a session's id and generation under a MAC. No token is stored, not even hashed: the current
//! one and every older one can be told from a forgery by computing it, and the successor of a token is always
//! the same one, which is what a client that races itself gets.

use akademi_domain::ids::{SessionId, TenantId};
use akademi_seal::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

/// A session's own randomness, without which nobody with the key alone can make its tokens.
pub type SessionNonce = [u8; 16];

const TOKEN_BYTES: usize = 16 + 8 + 32;

/// Makes and reads refresh tokens.
pub struct RefreshTokens<K = [u8; 32]> {
    key: K,
}

/// What a token says before it is known to be genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub session: SessionId,
    pub generation: i64,
    mac: [u8; 32],
}

impl RefreshTokens {
    pub fn new(key: impl std::ops::Deref<Target = [u8; 32]>) -> Self {
        Self { key: *key }
    }

    /// The token of one generation of a session: 56 bytes in base64url.
    pub fn token(
        &self,
        tenant: TenantId,
        session: SessionId,
        nonce: &SessionNonce,
        generation: i64,
    ) -> String {
        let mut bytes = Vec::with_capacity(TOKEN_BYTES);
        bytes.extend(session.as_uuid().as_bytes());
        bytes.extend(generation.to_be_bytes());
        bytes.extend(self.mac(tenant, session, nonce, generation));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whether a shown token is one that [`RefreshTokens::token`] made.
    pub fn is_genuine(&self, shown: &Shown, tenant: TenantId, nonce: &SessionNonce) -> bool {
        self.mac(tenant, shown.session, nonce, shown.generation).ct_eq(&shown.mac).into()
    }

    fn mac(&self, tenant: TenantId, session: SessionId, nonce: &SessionNonce, generation: i64) -> [u8; 32] {
        let mut message = Vec::with_capacity(16 * 3 + 8);
        message.extend(tenant.as_uuid().as_bytes());
        message.extend(session.as_uuid().as_bytes());
        message.extend(nonce);
        message.extend(generation.to_be_bytes());
        hmac(&self.key, &message)
    }
}

impl Shown {
    /// What `text` says, if it has a token's form.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 80 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (session, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, mac) = rest.split_first_chunk::<8>()?;
        let session = uuid::Uuid::from_bytes(*session);
        Some(Self {
            session: SessionId::from_uuid(session),
            generation: i64::from_be_bytes(*generation),
            mac: mac.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::time::Timestamp;

    #[test]
    fn a_token_is_genuine_for_its_own_session_generation_and_academy() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let tokens = RefreshTokens::new(&[1; 32]);
        let (tenant, other) = (TenantId::new(now, [1; 10]), TenantId::new(now, [2; 10]));
        let session = SessionId::new(now, [3; 10]);
        let token = tokens.token(tenant, session, &[9; 16], 4);
        let shown = Shown::parse(&token).unwrap();
        assert_eq!((shown.session, shown.generation), (session, 4));
        assert!(tokens.is_genuine(&shown, tenant, &[9; 16]));
        assert!(!tokens.is_genuine(&shown, other, &[9; 16]));
        assert!(!tokens.is_genuine(&shown, tenant, &[8; 16]));
        assert!(!tokens.is_genuine(&Shown { generation: 5, ..shown }, tenant, &[9; 16]));
        assert!(!RefreshTokens::new(&[2; 32]).is_genuine(&shown, tenant, &[9; 16]));
        for bad in ["", "!", "AAAA", &"A".repeat(1 << 20), &token[..70]] {
            assert_eq!(Shown::parse(bad), None);
        }
    }
}
