//! Public keys (JWK, RFC 7517) and signatures (JWA, RFC 7518; EdDSA, RFC 8037). The curves and RSA are `ring`'s.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

/// What signatures are taken of: no `none`, and nothing that is made with a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// A key set.
#[derive(Debug, Deserialize)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Debug, Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwks {
    pub fn has(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// Whether a key of this set made `signature`: that of `kid`, or where the token names none the only one that could.
    pub fn verify(&self, algorithm: Algorithm, kid: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.is_for(algorithm) && kid.is_none_or(|kid| key.kid.as_deref() == Some(kid)));
        let (Some(key), None) = (fitting.next(), fitting.next()) else { return false };
        key.verify(algorithm, message, signature).is_some()
    }
}

impl Jwk {
    fn is_for(&self, algorithm: Algorithm) -> bool {
        let (name, kty, crv) = match algorithm {
            Algorithm::Rs256 => ("RS256", "RSA", None),
            Algorithm::Es256 => ("ES256", "EC", Some("P-256")),
            Algorithm::EdDsa => ("EdDSA", "OKP", Some("Ed25519")),
        };
        self.kty == kty
            && self.crv.as_deref() == crv
            && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.alg.as_deref().is_none_or(|alg| alg == name)
    }

    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<()> {
        match algorithm {
            Algorithm::Rs256 => {
                let (n, e) = (bytes(&self.n)?, bytes(&self.e)?);
                let key = RsaPublicKeyComponents { n: &n, e: &e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).ok()
            }
            Algorithm::Es256 => {
                // SEC 1 §2.3.3, uncompressed.
                let point = [vec![4], bytes(&self.x)?, bytes(&self.y)?].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).ok()
            }
            Algorithm::EdDsa => {
                UnparsedPublicKey::new(&ED25519, bytes(&self.x)?).verify(message, signature).ok()
            }
        }
    }
}

fn bytes(text: &Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.as_ref()?).ok()
}
