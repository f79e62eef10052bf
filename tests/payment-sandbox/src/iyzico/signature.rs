//! iyzico's signatures, as iyzico would check and make them: HMAC-SHA256 under the merchant's secret key, in hexadecimal.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;

use super::IyzicoMerchant;

fn hex_of(merchant: &IyzicoMerchant, message: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, merchant.secret_key.as_bytes());
    hmac::sign(&key, message).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an `Authorization: IYZWSv2 …` header says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub api_key: String,
    pub random_key: String,
    signature: String,
}

impl Credentials {
    pub(crate) fn read(header: &str) -> Option<Self> {
        let text = String::from_utf8(STANDARD.decode(header.strip_prefix("IYZWSv2 ")?).ok()?).ok()?;
        let (api_key, rest) = text.strip_prefix("apiKey:")?.split_once("&randomKey:")?;
        let (random_key, signature) = rest.split_once("&signature:")?;
        Some(Self {
            api_key: api_key.to_owned(),
            random_key: random_key.to_owned(),
            signature: signature.to_owned(),
        })
    }

    /// Whether they sign this request, whose path has no query here.
    pub(crate) fn sign(&self, merchant: &IyzicoMerchant, path: &str, body: &[u8]) -> bool {
        let message = [self.random_key.as_bytes(), path.as_bytes(), body].concat();
        hex_of(merchant, &message) == self.signature
    }
}

/// The `signature` of an answer with these values.
pub(crate) fn of_answer(merchant: &IyzicoMerchant, values: &[&str]) -> String {
    hex_of(merchant, values.join(":").as_bytes())
}

/// The `X-IYZ-SIGNATURE-V3` of a webhook with these values.
pub(crate) fn of_webhook(merchant: &IyzicoMerchant, values: &[&str]) -> String {
    hex_of(merchant, format!("{}{}", merchant.secret_key, values.concat()).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merchant(secret_key: &str) -> IyzicoMerchant {
        IyzicoMerchant {
            merchant_id: "1".to_owned(),
            api_key: "api_key".to_owned(),
            secret_key: secret_key.to_owned(),
            webhook_url: String::new(),
        }
    }

    #[test]
    fn the_vectors_hold_here_too() {
        let header = "IYZWSv2 YXBpS2V5OmFwaV9rZXkmcmFuZG9tS2V5OnJhbmRvbV9zdHJpbmcmc2lnbmF0dXJlOjAxNzUwODkyMWEyOWVlNTYwMWJjZDFmYmU4M2VmZDJlMmJlNDNhZjAyZWNlZmYzMGNmMmU5MWE1MzlhYWIzNTU=";
        let credentials = Credentials::read(header).unwrap();
        assert_eq!(
            (credentials.api_key.as_str(), credentials.random_key.as_str()),
            ("api_key", "random_string")
        );
        assert!(credentials.sign(&merchant("secret_key"), "uri", b"\"body\""));
        assert!(!credentials.sign(&merchant("secret_key"), "uri", b"\"Body\""));
        assert!(!credentials.sign(&merchant("other"), "uri", b"\"body\""));
        for header in ["", "IYZWS x", "IYZWSv2 çöp", "IYZWSv2 YQ=="] {
            assert_eq!(Credentials::read(header), None, "{header}");
        }
        assert_eq!(
            of_answer(&merchant("jLc7GQHD2pyJoqXDeEcTnGHYtP7Ai5jl"), &["", "", "1", "22484292", "success"]),
            "a4f73b80bb32a6ef8358090bbd8609a49a7b53f463048f8ef147496e236d04f0"
        );
        let sandbox = merchant("sandbox-UuLnD7wZa0a3DmytfIrwHQqAMfqCNJrs");
        let token = "e828c62d-fd12-4b1a-ad5a-380f15fe6596";
        assert_eq!(
            of_webhook(&sandbox, &["CHECKOUT_FORM_AUTH", "22483975", token, "conversationId", "SUCCESS"]),
            "4031c575763486a2d2bf3f7ace0baebfcd6bed65393ab4df3fe80c00d5fd6878"
        );
    }
}
