//! Whoever has shown the first of two factors.

use akademi_domain::{
    ids::{TenantId, UserId},
    time::Timestamp,
};
use akademi_seal::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use subtle::ConstantTimeEq;

/// How long somebody may look for the code.
const CHALLENGE_SECONDS: i64 = 5 * 60;

/// Makes and reads the tokens of those who have shown the first factor: person and end under a MAC. Nothing is stored.
pub struct Challenges([u8; 32]);

impl Challenges {
    pub fn new(key: impl std::ops::Deref<Target = [u8; 32]>) -> Self {
        Self(*key)
    }

    pub fn token(&self, tenant: TenantId, person: UserId, until: Timestamp) -> String {
        let mut bytes = Vec::with_capacity(16 + 8 + 32);
        bytes.extend(person.as_uuid().as_bytes());
        bytes.extend(until.as_millis().to_be_bytes());
        let mac = self.mac(tenant, &bytes);
        bytes.extend(mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whose token it is, if it is good still.
    pub fn read(&self, token: &str, tenant: TenantId, now: Timestamp) -> Option<UserId> {
        if token.len() > 80 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (said, mac) = bytes.split_last_chunk::<32>()?;
        let (person, until) = said.split_first_chunk::<16>()?;
        let until = Timestamp::from_millis(i64::from_be_bytes(until.try_into().ok()?));
        let is_good = bool::from(self.mac(tenant, said).ct_eq(mac)) && now < until;
        is_good.then(|| UserId::from_uuid(uuid::Uuid::from_bytes(*person)))
    }

    fn mac(&self, tenant: TenantId, said: &[u8]) -> [u8; 32] {
        hmac(&self.0, &[tenant.as_uuid().as_bytes().as_slice(), said].concat())
    }
}

/// The password is right, and not enough.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SecondFactorNeeded {
    /// To be sent with the code to `/api/v1/auth/second-factor`.
    second_factor_token: String,
    /// Seconds until that token expires.
    expires_in: i64,
}

impl SecondFactorNeeded {
    pub(super) fn new(challenges: &Challenges, tenant: TenantId, person: UserId, now: Timestamp) -> Self {
        let until = now.plus_seconds(CHALLENGE_SECONDS);
        Self { second_factor_token: challenges.token(tenant, person, until), expires_in: CHALLENGE_SECONDS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    #[test]
    fn a_challenge_is_good_for_its_academy_and_five_minutes() {
        let challenges = Challenges::new(&[1; 32]);
        let (tenant, other) = (TenantId::new(NOW, [1; 10]), TenantId::new(NOW, [2; 10]));
        let person = UserId::new(NOW, [3; 10]);
        let token = challenges.token(tenant, person, NOW.plus_seconds(300));
        assert_eq!(challenges.read(&token, tenant, NOW), Some(person));
        assert_eq!(challenges.read(&token, tenant, NOW.plus_seconds(300)), None);
        assert_eq!(challenges.read(&token, other, NOW), None);
        assert_eq!(Challenges::new(&[2; 32]).read(&token, tenant, NOW), None);
        for bad in ["", "!", &token[1..], &"A".repeat(75), &"A".repeat(1 << 20)] {
            assert_eq!(challenges.read(bad, tenant, NOW), None);
        }
    }
}
