//! The second step of a sign-in: a code beside the password.

use akademi_api::{Academy, Body, Problem};
use akademi_domain::{
    ids::{TenantId, UserId},
    time::Timestamp,
};
use akademi_identity::{
    Origin, find_person,
    second_factor::{Used, wrong_code},
    throttle,
};
use akademi_seal::hmac;
use axum::extract::State;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::{
    Auth,
    tokens::{Proven, TokenPair, failed_attempt, start_session},
};

/// How long somebody whose password was right may look for the code.
const CHALLENGE_SECONDS: i64 = 5 * 60;

/// Makes and reads the tokens of those whose password was right: person and end under a MAC. Nothing is stored.
pub struct Challenges([u8; 32]);

impl Challenges {
    pub fn new(key: impl std::ops::Deref<Target = [u8; 32]>) -> Self {
        Self(*key)
    }

    fn token(&self, tenant: TenantId, person: UserId, until: Timestamp) -> String {
        let mut bytes = Vec::with_capacity(16 + 8 + 32);
        bytes.extend(person.as_uuid().as_bytes());
        bytes.extend(until.as_millis().to_be_bytes());
        let mac = self.mac(tenant, &bytes);
        bytes.extend(mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read(&self, token: &str, tenant: TenantId, now: Timestamp) -> Option<UserId> {
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
    pub fn new(auth: &Auth, tenant: TenantId, person: UserId, now: Timestamp) -> Self {
        let until = now.plus_seconds(CHALLENGE_SECONDS);
        Self {
            second_factor_token: auth.challenges.token(tenant, person, until),
            expires_in: CHALLENGE_SECONDS,
        }
    }
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorAnswer {
    second_factor_token: String,
    /// Six digits of the app, or a recovery code.
    #[schema(max_length = 20)]
    code: String,
}

/// Sign in with a code
///
/// The second step of a sign-in: a code of the authenticator app, or a recovery code, each good once.
#[utoipa::path(post, path = "/api/v1/auth/second-factor", tag = "auth", request_body = SecondFactorAnswer,
    responses((status = 200, description = "Signed in", body = TokenPair),
              (status = 401, description = "The code is wrong, or the password's step is too long ago", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many wrong codes", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn answer(
    State(auth): State<Auth>,
    academy: Academy,
    origin: Origin,
    Body(answer): Body<SecondFactorAnswer>,
) -> Result<Body<TokenPair>, Problem> {
    let now = auth.edge.ports.now();
    let database = auth.edge.tenant(academy.id);
    let person = auth.challenges.read(&answer.second_factor_token, academy.id, now);
    let person = person.ok_or_else(Problem::token_invalid)?;
    let attempt = throttle::admit(&database, &[auth.throttles.code_tries(person)], now).await?;
    let found = find_person(&database, person).await?.ok_or_else(Problem::session_ended)?;
    let key = auth.vault.unwrap(academy.id, person, &found.wrapped_key).map_err(Problem::broken)?;
    let Some(used) = Used::of(&answer.code, person, &key, &found, now)? else {
        database.batch(failed_attempt(&auth, person, &key, &origin, "second_factor.failed")?.into()).await?;
        return Err(wrong_code());
    };
    let mut batch = attempt.succeeded();
    batch.push(used.spend(person));
    let proven = Proven {
        tenant: academy.id,
        person,
        key: &key,
        granted: &found.granted,
        origin: &origin,
        by: used.name(),
    };
    let started = start_session(&auth, proven, Some(used.is_unspent(person)), batch).await;
    // Somebody else used it at the same moment.
    started.map_err(|problem| if problem.status() == StatusCode::CONFLICT { wrong_code() } else { problem })
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
