//! ID tokens, validated as OpenID Connect Core 3.1.3.7 says.

use akademi_domain::time::Timestamp;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, SHA512, digest};
use serde::{Deserialize, de::DeserializeOwned};
use subtle::ConstantTimeEq;

use super::{
    PersonClaims,
    keys::{Algorithm, Jwks},
};

/// How far clocks may lie apart, in seconds.
const SKEW: i64 = 60;
/// A token is made for its code, so it is as young as that.
const MAX_AGE: i64 = 10 * 60;
const MAX_BYTES: usize = 16 * 1024;

/// Why a token says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    #[error("it is no signed token")]
    Malformed,
    #[error("its algorithm is none that is taken")]
    Algorithm,
    #[error("no key of the provider made its signature")]
    Signature,
    #[error("another issuer made it")]
    Issuer,
    #[error("it is for somebody else")]
    Audience,
    #[error("its time is over")]
    Expired,
    #[error("its time has not come")]
    NotYet,
    #[error("it is of another sign-in")]
    Nonce,
    #[error("it came with another access token")]
    AccessToken,
}

/// What a token must say.
pub struct Expected<'a> {
    /// One of these.
    pub issuers: &'a [&'a str],
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub access_token: Option<&'a str>,
    pub now: Timestamp,
}

#[derive(Deserialize)]
struct AnyHeader {
    alg: String,
    kid: Option<String>,
    /// What must be understood (RFC 7515 §4.1.11): nothing is.
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    at_hash: Option<String>,
    hd: Option<String>,
    email: Option<String>,
    email_verified: Option<serde_json::Value>,
    name: Option<String>,
}

/// What a token says that is good.
#[derive(Debug)]
pub struct Said {
    pub person: PersonClaims,
    /// The Google Workspace domain of the account.
    pub hd: Option<String>,
}

/// A token in its three parts, not verified yet.
pub struct IdToken<'a> {
    algorithm: Algorithm,
    kid: Option<String>,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> IdToken<'a> {
    /// # Errors
    /// [`InvalidToken::Malformed`], [`InvalidToken::Algorithm`]
    pub fn parse(token: &'a str) -> Result<Self, InvalidToken> {
        if token.len() > MAX_BYTES {
            return Err(InvalidToken::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(InvalidToken::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(InvalidToken::Malformed)?;
        let header: AnyHeader = decode(header)?;
        let algorithm = serde_json::from_value(header.alg.into()).map_err(|_| InvalidToken::Algorithm)?;
        if header.crit.is_some() {
            return Err(InvalidToken::Malformed);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| InvalidToken::Malformed)?;
        Ok(Self { algorithm, kid: header.kid, signed, payload, signature })
    }

    /// Which key made it, if it says so.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// # Errors
    /// [`InvalidToken`]
    pub fn verify(&self, keys: &Jwks, expected: &Expected<'_>) -> Result<Said, InvalidToken> {
        if !keys.verify(self.algorithm, self.kid(), self.signed.as_bytes(), &self.signature) {
            return Err(InvalidToken::Signature);
        }
        let said: Payload = decode(self.payload)?;
        if !expected.issuers.contains(&said.iss.as_str()) {
            return Err(InvalidToken::Issuer);
        }
        let is_for_us = match &said.aud {
            Audience::One(one) => one == expected.client_id,
            // Others may use it too: then it says that it was made for us.
            Audience::Many(all) => {
                all.iter().any(|one| one == expected.client_id) && (all.len() == 1 || said.azp.is_some())
            }
        };
        if !is_for_us || said.azp.as_ref().is_some_and(|azp| azp != expected.client_id) {
            return Err(InvalidToken::Audience);
        }
        let now = expected.now.as_seconds();
        if seconds(said.exp) <= now - SKEW || seconds(said.iat) < now - MAX_AGE {
            return Err(InvalidToken::Expired);
        }
        if seconds(said.iat) > now + SKEW || said.nbf.is_some_and(|nbf| seconds(nbf) > now + SKEW) {
            return Err(InvalidToken::NotYet);
        }
        let nonce = said.nonce.unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
            return Err(InvalidToken::Nonce);
        }
        if let Some(at_hash) = said.at_hash
            && expected.access_token.map(|token| access_token_hash(self.algorithm, token)) != Some(at_hash)
        {
            return Err(InvalidToken::AccessToken);
        }
        // OpenID Connect Core 2: 255 ASCII characters at most.
        if said.sub.is_empty() || said.sub.len() > 255 {
            return Err(InvalidToken::Malformed);
        }
        let Payload { sub, email, email_verified, name, hd, .. } = said;
        Ok(Said { person: PersonClaims { sub, email, email_verified, name }, hd })
    }
}

/// The left half of the access token's hash (OpenID Connect Core 3.1.3.6): by the hash of the token's own algorithm, which is
/// SHA-512 of Ed25519.
fn access_token_hash(algorithm: Algorithm, access_token: &str) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 => digest(&SHA256, access_token.as_bytes()),
        Algorithm::EdDsa => digest(&SHA512, access_token.as_bytes()),
    };
    let hash = hash.as_ref();
    URL_SAFE_NO_PAD.encode(hash.get(..hash.len() / 2).unwrap_or_default())
}

/// Whole seconds of a NumericDate (RFC 7519 §2), which may have a fraction. What no clock says becomes the end of time.
#[allow(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
fn seconds(date: f64) -> i64 {
    date as i64
}

/// A member that stands twice is refused: readers could differ in which they take.
fn decode<T: DeserializeOwned>(part: &str) -> Result<T, InvalidToken> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidToken::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| InvalidToken::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_token_hash_is_the_left_half() {
        assert_eq!(access_token_hash(Algorithm::Rs256, "ya29.demo-access-token"), "V_OBzMisIccKAAAgMA0u2g");
    }

    #[test]
    fn a_token_without_a_signature_of_a_key_pair_is_no_token() {
        let token = |header: &str| {
            let parts = [header.as_bytes(), b"{}", b"x"].map(|part| URL_SAFE_NO_PAD.encode(part));
            IdToken::parse(&parts.join(".")).map(|token| token.algorithm)
        };
        for refused in ["none", "None", "HS256", "HS512", "RS512", "PS256", "ES384", "rs256", ""] {
            assert_eq!(
                token(&format!(r#"{{"alg":"{refused}"}}"#)),
                Err(InvalidToken::Algorithm),
                "{refused}"
            );
        }
        assert_eq!(token(r#"{"alg":"RS256"}"#), Ok(Algorithm::Rs256));
        assert_eq!(token(r#"{"alg":"RS256","alg":"none"}"#), Err(InvalidToken::Malformed));
        assert_eq!(token(r#"{"alg":"RS256","crit":["exp"]}"#), Err(InvalidToken::Malformed));
        for bad in ["", ".", "..", "a.b", "é.é.é", &"A".repeat(1 << 20)] {
            assert!(IdToken::parse(bad).is_err());
        }
    }
}
