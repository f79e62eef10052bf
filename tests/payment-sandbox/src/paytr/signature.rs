//! PayTR's signatures, as PayTR would check and make them: HMAC-SHA256 under the merchant's key, in Base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;

use crate::Merchant;

/// Whether `token` signs `message`, the request's fields in order; the salt ends the message.
pub(crate) fn accepts(merchant: &Merchant, message: &str, token: &str) -> bool {
    let salted = format!("{message}{}", merchant.merchant_salt);
    STANDARD.decode(token).is_ok_and(|tag| hmac::verify(&key(merchant), salted.as_bytes(), &tag).is_ok())
}

/// The `hash` of a notification.
pub(crate) fn notification_hash(merchant: &Merchant, oid: &str, status: &str, total: &str) -> String {
    let message = format!("{oid}{}{status}{total}", merchant.merchant_salt);
    STANDARD.encode(hmac::sign(&key(merchant), message.as_bytes()))
}

fn key(merchant: &Merchant) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, merchant.merchant_key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_hold_here_too() {
        let merchant = Merchant {
            merchant_id: "100200".to_owned(),
            merchant_key: "demoMerchantKey1".to_owned(),
            merchant_salt: "demoMerchantSalt".to_owned(),
            callback_url: String::new(),
        };
        let iframe =
            "100200203.0.113.7ORD20260001ogrenci@example.com14990W1siUnVzdCBLdXJzdSIsIjE0OS45MCIsMV1d00TL1";
        assert!(accepts(&merchant, iframe, "iehJuHgw9LmDsZKJQnaIvcbU5NOxuRvWaPCAHxV90HE="));
        assert!(!accepts(&merchant, iframe, "ieiJuHgw9LmDsZKJQnaIvcbU5NOxuRvWaPCAHxV90HE="));
        assert!(!accepts(&merchant, iframe, "çöp"));
        let refund = "100200ORD2026000149.90";
        assert!(accepts(&merchant, refund, "UIXTjd0SudybX7b3FGy0VHrEB6X2Wwje0+hk3Fcdg8M="));
        assert!(accepts(&merchant, "100200ORD20260001", "WMipRDT8BrlCqH9tbHIfAlyUI9d9AWs4lluvLPwAvpY="));
        for (status, total, hash) in [
            ("success", "14990", "ugMw/RuQUiLMswafQ0dvTQy9t17dx3GKVGBtnIN/vuY="),
            ("failed", "0", "7hGhvnAvbYy5tNFQ4IYGT94jtZ0mcwj/R4mya1xCzZY="),
        ] {
            assert_eq!(notification_hash(&merchant, "ORD20260001", status, total), hash);
        }
    }
}
