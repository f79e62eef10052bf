//! Access tokens: JWT (RFC 7519) signed with Ed25519 (`EdDSA`, RFC 8037), verified with no I/O.

use akademi_domain::{
    identity::ACCESS_TOKEN_SECONDS,
    ids::{SessionId, TenantId, UserId},
    permission::Permissions,
    time::Timestamp,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::{SigningKey, VerifyingKey};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, UntrustedToken, alg::Ed25519};
use lru::LruCache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    caller::Caller,
    keys::{InvalidKeys, parse_keys},
};

/// The `aud` of every access token.
const AUDIENCE: &str = "akademi";
/// Clocks of hosts may differ by this much.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// No token of ours is longer; a longer one is refused unread.
const MAX_TOKEN_BYTES: usize = 1024;

/// How many tokens are remembered as genuine, some 200 bytes each.
const MAX_REMEMBERED: usize = 4096;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessClaims {
    /// The academy.
    iss: TenantId,
    aud: String,
    sub: UserId,
    sid: SessionId,
    /// Unique per token.
    jti: String,
    /// The bits of [`Permissions`].
    prm: u32,
}

/// Why a token does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("expired")]
    Expired,
    #[error("invalid")]
    Invalid,
}

/// Makes access tokens. The first key signs.
pub struct TokenSigner {
    kid: String,
    key: SigningKey,
    verifier: TokenVerifier,
}

impl TokenSigner {
    /// Reads `kid:seed` pairs.
    ///
    /// # Errors
    /// [`InvalidKeys`]
    pub fn from_config(text: &str) -> Result<Self, InvalidKeys> {
        // Each is made once: a public key costs an instance of a component 0.1 ms of its start.
        let seeds = parse_keys(text)?;
        let keys: Vec<_> =
            seeds.iter().map(|seed| (seed.kid.clone(), SigningKey::from_bytes(&seed.bytes))).collect();
        let public = keys.iter().map(|(kid, key)| (kid.clone(), key.verifying_key())).collect();
        let (kid, key) = keys.into_iter().next().ok_or(InvalidKeys)?;
        Ok(Self { kid, key, verifier: TokenVerifier::new(public) })
    }

    pub const fn verifier(&self) -> &TokenVerifier {
        &self.verifier
    }

    /// A token for `caller`, valid for 15 minutes from `now`.
    ///
    /// # Errors
    /// When the clock lies outside of what a token can say.
    pub fn sign(&self, caller: &Caller, now: Timestamp, jti: [u8; 16]) -> Result<String, TokenError> {
        let issued = DateTime::<Utc>::from_timestamp(now.as_seconds(), 0).ok_or(TokenError::Invalid)?;
        let claims = Claims::new(AccessClaims {
            iss: caller.tenant,
            aud: AUDIENCE.to_owned(),
            sub: caller.user,
            sid: caller.session,
            jti: URL_SAFE_NO_PAD.encode(jti),
            prm: caller.permissions.bits(),
        })
        .set_duration_and_issuance(
            &TimeOptions::new(LEEWAY, || issued),
            TimeDelta::seconds(ACCESS_TOKEN_SECONDS),
        );
        let header = Header::empty().with_key_id(&self.kid).with_token_type("JWT");
        Ed25519.token(&header, &claims, &self.key).map_err(|_| TokenError::Invalid)
    }
}

/// What a genuine token says. Whether it is good for a request depends on the moment and the academy.
#[derive(Clone, Copy)]
struct Genuine {
    caller: Caller,
    issued: DateTime<Utc>,
    expires: DateTime<Utc>,
}

impl Genuine {
    fn at(self, tenant: TenantId, now: Timestamp) -> Result<(Caller, Timestamp), TokenError> {
        let moment = DateTime::<Utc>::from_timestamp(now.as_seconds(), 0).ok_or(TokenError::Invalid)?;
        if moment > self.expires + LEEWAY {
            return Err(TokenError::Expired);
        }
        // Issued in the future, beyond the leeway: a clock is wrong or the token is made up.
        if self.issued > moment + LEEWAY || self.caller.tenant != tenant {
            return Err(TokenError::Invalid);
        }
        Ok((self.caller, Timestamp::from_millis(self.issued.timestamp_millis())))
    }
}

/// A public key with its `kid`.
type NamedPublicKey = (String, VerifyingKey);

/// Checks access tokens. A player sends the same one every few seconds, and a signature costs 60 µs, so those found
/// genuine last are remembered, by hash; their time and academy are checked each time.
#[derive(Clone)]
pub struct TokenVerifier {
    keys: Vec<NamedPublicKey>,
    /// By pointer: a component in which no verifier has keys links no elliptic curve, some 90 KB.
    read: fn(&[NamedPublicKey], &str) -> Result<Genuine, TokenError>,
    /// By the token's SHA-256.
    genuine: Arc<Mutex<LruCache<[u8; 32], Genuine>>>,
}

impl TokenVerifier {
    fn new(keys: Vec<NamedPublicKey>) -> Self {
        Self { keys, read, genuine: Arc::new(Mutex::new(LruCache::unbounded())) }
    }

    /// Of a function none of whose routes asks who calls: it has no keys, and finds no token genuine.
    pub fn refusing() -> Self {
        Self { read: |_, _| Err(TokenError::Invalid), ..Self::new(Vec::new()) }
    }

    /// Reads `kid:public key` pairs.
    ///
    /// # Errors
    /// [`InvalidKeys`], also for bytes that are no point of the curve.
    pub fn from_config(text: &str) -> Result<Self, InvalidKeys> {
        let keys = parse_keys(text)?
            .into_iter()
            .map(|key| Ok((key.kid, VerifyingKey::from_bytes(&key.bytes).map_err(|_| InvalidKeys)?)))
            .collect::<Result<_, _>>()?;
        Ok(Self::new(keys))
    }

    /// The form that [`TokenVerifier::from_config`] reads.
    pub fn to_config(&self) -> String {
        let pairs: Vec<_> =
            self.keys.iter().map(|(kid, key)| format!("{kid}:{}", URL_SAFE_NO_PAD.encode(key))).collect();
        pairs.join(",")
    }

    /// The names of the keys, joined: changes when the keys do.
    pub fn kids(&self) -> String {
        let kids: Vec<_> = self.keys.iter().map(|(kid, _)| kid.as_str()).collect();
        kids.join(".")
    }

    /// The keys as a JWK set (RFC 7517 §5, RFC 8037 §2).
    pub fn to_jwks(&self) -> serde_json::Value {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|(kid, key)| {
                serde_json::json!({
                    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                    "kid": kid, "x": URL_SAFE_NO_PAD.encode(key),
                })
            })
            .collect();
        serde_json::json!({ "keys": keys })
    }

    /// Who holds `token`, if it is one of `tenant` and valid at `now`, and when it was made, in whole seconds.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn verify(
        &self,
        token: &str,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<(Caller, Timestamp), TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        let remembered = self.remembered(|genuine| genuine.get(&hash).copied());
        let genuine = match remembered {
            Some(genuine) => genuine,
            None => {
                let read = (self.read)(&self.keys, token)?;
                self.remembered(|genuine| {
                    genuine.put(hash, read);
                    if genuine.len() > MAX_REMEMBERED {
                        genuine.pop_lru();
                    }
                });
                read
            }
        };
        genuine.at(tenant, now)
    }

    fn remembered<T>(&self, access: impl FnOnce(&mut LruCache<[u8; 32], Genuine>) -> T) -> T {
        access(&mut self.genuine.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Checks the signature and reads the claims.
fn read(keys: &[NamedPublicKey], token: &str) -> Result<Genuine, TokenError> {
    let untrusted = UntrustedToken::new(token).map_err(|_| TokenError::Invalid)?;
    let kid = untrusted.header().key_id.as_deref().ok_or(TokenError::Invalid)?;
    let (_, key) = keys.iter().find(|(name, _)| name == kid).ok_or(TokenError::Invalid)?;
    let token =
        Ed25519.validator::<AccessClaims>(key).validate(&untrusted).map_err(|_| TokenError::Invalid)?;
    let claims = token.claims();
    let custom = &claims.custom;
    if custom.aud != AUDIENCE {
        return Err(TokenError::Invalid);
    }
    Ok(Genuine {
        caller: Caller {
            tenant: custom.iss,
            user: custom.sub,
            session: custom.sid,
            permissions: Permissions::from_bits(custom.prm),
        },
        issued: claims.issued_at.ok_or(TokenError::Invalid)?,
        expires: claims.expiration.ok_or(TokenError::Invalid)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::permission::Role;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn signer(kid: &str, seed: u8) -> TokenSigner {
        TokenSigner::from_config(&format!("{kid}:{}", URL_SAFE_NO_PAD.encode([seed; 32]))).unwrap()
    }

    fn caller() -> Caller {
        Caller {
            tenant: TenantId::new(NOW, [1; 10]),
            user: UserId::new(NOW, [2; 10]),
            session: SessionId::new(NOW, [3; 10]),
            permissions: Role::Instructor.permissions(),
        }
    }

    #[test]
    fn a_token_says_who_holds_it_for_fifteen_minutes() {
        let signer = signer("a", 1);
        let token = signer.sign(&caller(), NOW, [9; 16]).unwrap();
        let verify = |seconds| signer.verifier().verify(&token, caller().tenant, NOW.plus_seconds(seconds));
        assert_eq!(verify(0), Ok((caller(), NOW)));
        assert_eq!(verify(15 * 60), Ok((caller(), NOW)));
        assert_eq!(verify(15 * 60 + 31), Err(TokenError::Expired));
        assert_eq!(verify(-31), Err(TokenError::Invalid), "from the future");
    }

    #[test]
    fn a_token_of_another_academy_or_key_is_refused() {
        let signer_a = signer("a", 1);
        let token = signer_a.sign(&caller(), NOW, [9; 16]).unwrap();
        let other = TenantId::new(NOW, [8; 10]);
        assert_eq!(signer_a.verifier().verify(&token, other, NOW), Err(TokenError::Invalid));
        assert_eq!(signer("a", 2).verifier().verify(&token, caller().tenant, NOW), Err(TokenError::Invalid));
        assert_eq!(signer("b", 1).verifier().verify(&token, caller().tenant, NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn unsigned_and_altered_tokens_are_refused() {
        let signer = signer("a", 1);
        let token = signer.sign(&caller(), NOW, [9; 16]).unwrap();
        let verify = |token: &str| signer.verifier().verify(token, caller().tenant, NOW);
        let payload = token.split('.').nth(1).unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"a"}"#);
        let hmac = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"a"}"#);
        for bad in
            [format!("{none}.{payload}."), format!("{hmac}.{payload}.{}", "A".repeat(43)), String::new()]
        {
            assert_eq!(verify(&bad), Err(TokenError::Invalid), "{bad}");
        }
        for position in [5, 60, token.len() - 5] {
            let mut altered = token.clone().into_bytes();
            altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                verify(std::str::from_utf8(&altered).unwrap()),
                Err(TokenError::Invalid),
                "{position}"
            );
        }
        assert_eq!(verify(&"a".repeat(1 << 20)), Err(TokenError::Invalid));
    }

    #[test]
    fn a_genuine_token_is_remembered_and_its_time_and_academy_checked_each_time() {
        let signer = signer("a", 1);
        let token = signer.sign(&caller(), NOW, [9; 16]).unwrap();
        let forged = format!("{}A", &token[..token.len() - 1]);
        let other = signer.sign(&caller(), NOW, [8; 16]).unwrap();
        assert_eq!(signer.verifier().verify(&forged, caller().tenant, NOW), Err(TokenError::Invalid));
        assert_eq!(signer.verifier().verify(&token, caller().tenant, NOW), Ok((caller(), NOW)));

        let keyless = TokenVerifier { keys: Vec::new(), ..signer.verifier().clone() };
        let verify = |token: &str, tenant, seconds| keyless.verify(token, tenant, NOW.plus_seconds(seconds));
        assert_eq!(
            verify(&token, caller().tenant, 60),
            Ok((caller(), NOW)),
            "no signature was checked again"
        );
        assert_eq!(verify(&other, caller().tenant, 60), Err(TokenError::Invalid));
        assert_eq!(verify(&forged, caller().tenant, 60), Err(TokenError::Invalid));
        assert_eq!(verify(&token, caller().tenant, 15 * 60 + 31), Err(TokenError::Expired));
        assert_eq!(verify(&token, caller().tenant, -31), Err(TokenError::Invalid));
        assert_eq!(verify(&token, TenantId::new(NOW, [7; 10]), 60), Err(TokenError::Invalid));
    }

    #[test]
    fn a_verifier_without_keys_refuses_what_another_finds_genuine() {
        let signer = signer("a", 1);
        let token = signer.sign(&caller(), NOW, [9; 16]).unwrap();
        assert_eq!(signer.verifier().verify(&token, caller().tenant, NOW), Ok((caller(), NOW)));
        let refusing = TokenVerifier::refusing();
        assert_eq!(refusing.verify(&token, caller().tenant, NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let verifier = signer("a", 1).verifier().clone();
        let genuine =
            Genuine { caller: caller(), issued: DateTime::UNIX_EPOCH, expires: DateTime::UNIX_EPOCH };
        for n in 0..MAX_REMEMBERED as u64 {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&n.to_be_bytes());
            verifier.remembered(|known| known.put(hash, genuine));
        }
        let token = signer("a", 1).sign(&caller(), NOW, [9; 16]).unwrap();
        assert_eq!(verifier.verify(&token, caller().tenant, NOW), Ok((caller(), NOW)));
        assert_eq!(verifier.remembered(|known| known.len()), MAX_REMEMBERED);
        assert!(verifier.remembered(|known| known.get(&[0; 32]).is_none()), "the oldest makes way");
    }

    #[test]
    fn the_public_keys_travel_as_configuration() {
        let signer = signer("a", 1);
        let token = signer.sign(&caller(), NOW, [9; 16]).unwrap();
        let verifier = TokenVerifier::from_config(&signer.verifier().to_config()).unwrap();
        assert_eq!(verifier.verify(&token, caller().tenant, NOW), Ok((caller(), NOW)));
        assert_eq!(verifier.to_jwks()["keys"][0]["kid"], "a");
    }
}
