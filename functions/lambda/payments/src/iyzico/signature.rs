//! iyzico's three signatures, all HMAC-SHA256 under the secret key in lower-case hexadecimal (docs.iyzico.com: HMACSHA256
//! auth, response signature validation, webhook).

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{keyed_hash::KeyedHash, secret::Secret};

/// The account's two keys, ready to sign.
#[derive(Clone)]
pub(super) struct Signer {
    api_key: String,
    secret_key: Secret,
    keyed: KeyedHash,
}

impl Signer {
    /// `None` only if HMAC refused the key, which it does for no length.
    pub(super) fn new(api_key: String, secret_key: Secret) -> Option<Self> {
        let keyed = KeyedHash::new(&secret_key)?;
        Some(Self { api_key, secret_key, keyed })
    }

    /// The `Authorization` header of a request ("IYZWSv2"): over the very bytes that are sent, under a text that no other
    /// request has. What stands behind `?` in `path` is not signed.
    pub(super) fn authorization(&self, random: &str, path: &str, body: &[u8]) -> String {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        format!("IYZWSv2 {}", STANDARD.encode(self.credentials(random, path, body)))
    }

    fn credentials(&self, random: &str, path: &str, body: &[u8]) -> String {
        let signature = self.keyed.hex(&[random.as_bytes(), path.as_bytes(), body]);
        format!("apiKey:{}&randomKey:{random}&signature:{signature}", self.api_key)
    }

    /// Whether `signature` is that of an answer with these values, in the order of its kind.
    pub(super) fn signs_answer(&self, values: &[&str], signature: &str) -> bool {
        self.keyed.matches(&[values.join(":").as_bytes()], signature)
    }

    /// Whether `signature` (`X-IYZ-SIGNATURE-V3`) is that of a webhook with these values, in the order of its format. The
    /// secret key is the beginning of the message too.
    pub(super) fn signs_webhook(&self, values: &[&str], signature: &str) -> bool {
        let mut parts = vec![self.secret_key.expose().as_bytes()];
        parts.extend(values.iter().map(|value| value.as_bytes()));
        self.keyed.matches(&parts, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(api_key: &str, secret_key: &str) -> Signer {
        Signer::new(api_key.to_owned(), Secret::new(secret_key)).unwrap()
    }

    fn demo() -> Signer {
        signer("sandbox-demoApiKey0001", "sandbox-demoSecretKey0001")
    }

    #[test]
    fn request_signatures_match_the_vectors_of_iyzicos_libraries() {
        for (source, keys, random, path, body, expected) in [
            (
                "iyzipay-node",
                ("api_key", "secret_key"),
                "random_string",
                "uri",
                r#""body""#,
                "YXBpS2V5OmFwaV9rZXkmcmFuZG9tS2V5OnJhbmRvbV9zdHJpbmcmc2lnbmF0dXJlOjAxNzUwODkyMWEyOWVlNTYwMWJjZDFmYmU4M2VmZDJlMmJlNDNhZjAyZWNlZmYzMGNmMmU5MWE1MzlhYWIzNTU=",
            ),
            (
                "iyzipay-java, a body",
                ("apiKey", "secretKey"),
                "random",
                "/v2/uri",
                "\"[data\\u003dvalue]\"",
                "YXBpS2V5OmFwaUtleSZyYW5kb21LZXk6cmFuZG9tJnNpZ25hdHVyZTphOTBlYzFhZWNkNjhlMzdjYzMwOTQyZjg1Y2U2YjBkNTM0MzVhNGNhNDVlMDQ3NjliNDZlM2MzNWQ4MWJmNmZl",
            ),
            (
                "iyzipay-php, a query that is not signed",
                ("test", "test"),
                "123456789",
                "/v2/subscription/customers/?page=1&count=10",
                "",
                "YXBpS2V5OnRlc3QmcmFuZG9tS2V5OjEyMzQ1Njc4OSZzaWduYXR1cmU6NmYzODQwOTlhYWUzMjhmNzJkYWY5Y2RhYjEwNWViMzdmYjI5NjIwMjUxYzQ3YjRjNTgzZDc0OGQ5ZDBhYjc2NA==",
            ),
            (
                "a checkout form's detail",
                ("sandbox-demoApiKey0001", "sandbox-demoSecretKey0001"),
                "1722246017090123456",
                "/payment/iyzipos/checkoutform/auth/ecom/detail",
                r#"{"locale":"tr","conversationId":"conv-1001","token":"3f0d1c6e-demo-token"}"#,
                "YXBpS2V5OnNhbmRib3gtZGVtb0FwaUtleTAwMDEmcmFuZG9tS2V5OjE3MjIyNDYwMTcwOTAxMjM0NTYmc2lnbmF0dXJlOmQ0Mzk5ZjQxNDAwMjQzYzMyODIzNmZjMTM3M2E1OTc5MjBmMzNiZDUzMTljMTgwMzM2ZDJjNmMxYmIyZjRhODM=",
            ),
        ] {
            let header = signer(keys.0, keys.1).authorization(random, path, body.as_bytes());
            assert_eq!(header.strip_prefix("IYZWSv2 "), Some(expected), "{source}");
        }
    }

    #[test]
    fn a_body_is_signed_as_its_utf_8_bytes() {
        let path = "/payment/iyzipos/checkoutform/auth/ecom/detail";
        let body = r#"{"locale":"tr","buyer":{"name":"Göztepe"}}"#;
        let credentials = demo().credentials("1722246017090123456", path, body.as_bytes());
        assert!(
            credentials.ends_with("fb8d3083027fa5cf862852db97f6487fd8402908ddc21f1733e48ea2904054be"),
            "{credentials}"
        );
    }

    #[test]
    fn a_query_that_is_a_part_of_the_signed_path_changes_the_signature() {
        // iyzipay-java signs the path that it is given, query and all.
        let credentials = signer("apiKey", "secretKey").credentials("random", "/v2/uri?test=true", b"");
        assert_eq!(
            STANDARD.encode(credentials),
            "YXBpS2V5OmFwaUtleSZyYW5kb21LZXk6cmFuZG9tJnNpZ25hdHVyZTpiN2EyZjYzNGRlOWNkNTkzYWNjZDlhNTNhZjI4Zjc4YjgyZWM3NmRjMjYyN2Y2NTdmNjY0M2NmNjYyYzI2Njdh"
        );
    }

    #[test]
    fn answers_match_the_vectors_and_nothing_near_them() {
        let official = signer("", "jLc7GQHD2pyJoqXDeEcTnGHYtP7Ai5jl");
        let signature = "a4f73b80bb32a6ef8358090bbd8609a49a7b53f463048f8ef147496e236d04f0";
        assert!(official.signs_answer(&["", "", "1", "22484292", "success"], signature), "iyzipay-php");
        let (token, payment) = ("3f0d1c6e-demo-token", "22483975");
        for (kind, values, signature) in [
            (
                "initialize",
                &["conv-1001", token][..],
                "3d197103fcf4d7acf1289d27d051227240b7b0799a81e0692d93ac8f8fb1b587",
            ),
            (
                "retrieve",
                &["SUCCESS", payment, "TRY", "B67832", "conv-1001", "120.5", "120.5", token],
                "991089547075e32a9eb5b90ccb7c876e0d660abda030be2629980c7221de94e1",
            ),
            (
                "3-D Secure, begun",
                &[payment, "conv-1001"],
                "0608db97f86dded4ddb56e412d21b38ffade8538bd743dc4c02493e4aff3091f",
            ),
            (
                "payment",
                &[payment, "TRY", "B67832", "conv-1001", "120.5", "120.5"],
                "9aab2f58ba9429ae455c1a27da50f1b050cd9b2ffc543954978df82629007b9a",
            ),
            (
                "3-D Secure, returned",
                &["", "conv-1001", "1", payment, "success"],
                "5f2e41f2ee1ecf5654cfd264fcbbbe3b8c2108f4c74ed282f0398ba8d788f3b1",
            ),
            (
                "refund",
                &[payment, "120.5", "TRY", "conv-1001"],
                "c64fc3c614c76723a5b65decbc26fa3b56507927ffcc84c57c1cda37e648919e",
            ),
        ] {
            assert!(demo().signs_answer(values, signature), "{kind}");
            let others: Vec<_> = values.iter().map(|value| value.replace("120.5", "120.50")).collect();
            let others: Vec<_> = others.iter().map(String::as_str).collect();
            assert_eq!(demo().signs_answer(&others, signature), others == values, "{kind}: another notation");
            for wrong in ["", "çöp", &signature[2..], &signature.replace('8', "9")] {
                assert!(!demo().signs_answer(values, wrong), "{kind}: {wrong}");
            }
        }
    }

    #[test]
    fn webhooks_match_the_vectors_and_nothing_near_them() {
        let official = signer("", "sandbox-UuLnD7wZa0a3DmytfIrwHQqAMfqCNJrs");
        let (token, official_token) = ("3f0d1c6e-demo-token", "e828c62d-fd12-4b1a-ad5a-380f15fe6596");
        for (signer, values, signature) in [
            (
                &official,
                &["CHECKOUT_FORM_AUTH", "22483975", official_token, "conversationId", "SUCCESS"][..],
                "4031c575763486a2d2bf3f7ace0baebfcd6bed65393ab4df3fe80c00d5fd6878",
            ),
            (
                &official,
                &["API_AUTH", "22484059", "conversationId", "SUCCESS"],
                "92c7a72b7741bc83eb696066605c894778c87297b2c88d6037670666230e18ae",
            ),
            (
                &demo(),
                &["CHECKOUT_FORM_AUTH", "22483975", token, "conv-1001", "SUCCESS"],
                "aa284f44201face993115d981036d0bf30cd92107591ee32b1b46e36dbd47a29",
            ),
            (
                &demo(),
                &["THREE_DS_AUTH", "22483975", "conv-1001", "SUCCESS"],
                "94a3d3cffd7869b70a9a992a28137f1ebccca23ba01b6bf18abdecd930ebdfd0",
            ),
        ] {
            assert!(signer.signs_webhook(values, signature), "{values:?}");
            let failed: Vec<_> =
                values.iter().map(|value| if *value == "SUCCESS" { "FAILURE" } else { value }).collect();
            assert!(!signer.signs_webhook(&failed, signature), "{failed:?}");
            assert!(!signer.signs_answer(values, signature), "the key belongs to the message");
        }
    }
}
