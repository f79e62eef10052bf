//! PayTR's one signature: Base64(HMAC-SHA256(merchant key, fields and merchant salt, concatenated without
//! separators)). Only the order of the fields differs (dev.paytr.com, iFrame API steps 1 and 2, iade, durum
//! sorgu).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::secret::Secret;

/// The merchant's key and salt, ready to sign.
#[derive(Clone)]
pub(super) struct Signer {
    keyed: Hmac<Sha256>,
    salt: Secret,
}

impl Signer {
    /// `None` only if HMAC refused the key, which it does for no length.
    pub(super) fn new(key: &Secret, salt: Secret) -> Option<Self> {
        Hmac::new_from_slice(key.expose().as_bytes()).ok().map(|keyed| Self { keyed, salt })
    }

    /// The `paytr_token` of a request: its signed fields in the endpoint's order, then the salt.
    pub(super) fn request_token(&self, fields: &[&str]) -> String {
        self.sign(fields, &[])
    }

    /// Whether `received` is the hash of a callback, in which the salt comes second. Takes the same time
    /// wherever the two differ.
    pub(super) fn callback_matches(&self, oid: &str, status: &str, total: &str, received: &str) -> bool {
        self.sign(&[oid], &[status, total]).as_bytes().ct_eq(received.as_bytes()).into()
    }

    fn sign(&self, before_salt: &[&str], after_salt: &[&str]) -> String {
        let mut mac = self.keyed.clone();
        for field in before_salt {
            mac.update(field.as_bytes());
        }
        mac.update(self.salt.expose().as_bytes());
        for field in after_salt {
            mac.update(field.as_bytes());
        }
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "ORD20260001";
    const BASKET: &str = "W1siUnVzdCBLdXJzdSIsIjE0OS45MCIsMV1d";

    fn signer() -> Signer {
        Signer::new(&Secret::new("demoMerchantKey1"), Secret::new("demoMerchantSalt")).unwrap()
    }

    #[test]
    fn request_tokens_match_the_vectors() {
        let (id, ip, email) = ("100200", "203.0.113.7", "ogrenci@example.com");
        for (name, fields, token) in [
            (
                "iFrame",
                &[id, ip, OID, email, "14990", BASKET, "0", "0", "TL", "1"][..],
                "iehJuHgw9LmDsZKJQnaIvcbU5NOxuRvWaPCAHxV90HE=",
            ),
            (
                "EFT iFrame",
                &[id, ip, OID, email, "14990", "eft", "1"],
                "m/9PUGEdaZoQscXvwReV+zE3LJYdx9U4bBolGT4TLBQ=",
            ),
            ("refund", &[id, OID, "49.90"], "UIXTjd0SudybX7b3FGy0VHrEB6X2Wwje0+hk3Fcdg8M="),
            ("status inquiry", &[id, OID], "WMipRDT8BrlCqH9tbHIfAlyUI9d9AWs4lluvLPwAvpY="),
            (
                "direct API",
                &[id, ip, OID, email, "149.90", "card", "0", "TL", "1", "0"],
                "cupGuqnXNDOJy8sXzpPLk6mq904BlUyeQjhLjMofHvk=",
            ),
        ] {
            assert_eq!(signer().request_token(fields), token, "{name}");
        }
    }

    #[test]
    fn callback_hashes_match_the_vectors_and_nothing_near_them() {
        let (success, failed) =
            ("ugMw/RuQUiLMswafQ0dvTQy9t17dx3GKVGBtnIN/vuY=", "7hGhvnAvbYy5tNFQ4IYGT94jtZ0mcwj/R4mya1xCzZY=");
        assert!(signer().callback_matches(OID, "success", "14990", success));
        assert!(signer().callback_matches(OID, "failed", "0", failed));
        assert!(!signer().callback_matches(OID, "success", "14991", success));
        assert!(!signer().callback_matches(OID, "success", "14990.00", success));
        assert!(!signer().callback_matches(OID, "failed", "14990", success));
        assert!(!signer().callback_matches(OID, "success", "14990", ""));
        assert!(!signer().callback_matches(OID, "success", "14990", success.trim_end_matches('=')));
    }
}
