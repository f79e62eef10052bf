//! What Facebook sends when somebody wants their data deleted ("Data Deletion Request Callback"): who, signed by the app's
//! secret.

use akademi_api::federation::{Deletion, Subject};
use akademi_domain::time::Timestamp;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::{facebook::ISSUER, settings::FacebookSettings};

/// Facebook pads nothing; its libraries take both.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a request is not Facebook's. None of it names the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignedRequest {
    #[error("it has another form")]
    Malformed,
    #[error("it is signed by another secret")]
    WrongSignature,
    #[error("it is signed in another way")]
    OtherAlgorithm,
}

#[derive(Deserialize)]
struct Payload {
    algorithm: String,
    user_id: String,
    /// Seconds since 1970.
    issued_at: Option<i64>,
}

/// Whose data is to be deleted, by `signature.payload`. A request that does not say when it was made was made `now`.
///
/// # Errors
/// [`InvalidSignedRequest`]
pub fn verify(
    settings: &FacebookSettings,
    signed_request: &str,
    now: Timestamp,
) -> Result<Deletion, InvalidSignedRequest> {
    let (signature, payload) = signed_request.split_once('.').ok_or(InvalidSignedRequest::Malformed)?;
    let decode = |part: &str| BASE64URL.decode(part).map_err(|_| InvalidSignedRequest::Malformed);
    // A key of any length is taken.
    let mac = Hmac::<Sha256>::new_from_slice(settings.app_secret.expose().as_bytes());
    let mut mac = mac.map_err(|_| InvalidSignedRequest::WrongSignature)?;
    mac.update(payload.as_bytes());
    mac.verify_slice(&decode(signature)?).map_err(|_| InvalidSignedRequest::WrongSignature)?;
    let payload: Payload =
        serde_json::from_slice(&decode(payload)?).map_err(|_| InvalidSignedRequest::Malformed)?;
    if !payload.algorithm.eq_ignore_ascii_case("HMAC-SHA256") {
        return Err(InvalidSignedRequest::OtherAlgorithm);
    }
    let issued_at = payload.issued_at.and_then(|seconds| seconds.checked_mul(1000));
    Ok(Deletion {
        issuer: ISSUER.to_owned(),
        subject: Subject(payload.user_id),
        wanted_at: issued_at.map_or(now, |millis| Timestamp::from_millis(millis).min(now)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn settings() -> FacebookSettings {
        let settings = json!({ "app_id": "1", "app_secret": "demo_app_secret_0001", "version": "v23.0" });
        serde_json::from_value(settings).unwrap()
    }

    fn signed(payload: &Value) -> String {
        let payload = BASE64URL.encode(payload.to_string());
        let mut mac = Hmac::<Sha256>::new_from_slice(b"demo_app_secret_0001").unwrap();
        mac.update(payload.as_bytes());
        format!("{}.{payload}", BASE64URL.encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn a_request_of_facebook_says_who_and_when() {
        let request = "Z_fk1jqfe8_DIQ9qtNOti5HA0-BvDh6ooWKURVRIeVE.\
            eyJ1c2VyX2lkIjoiMTIzNDU2IiwiYWxnb3JpdGhtIjoiSE1BQy1TSEEyNTYiLCJpc3N1ZWRfYXQiOjE3MDAwMDAwMDB9";
        let deletion = verify(&settings(), request, NOW).unwrap();
        assert_eq!(deletion.subject.0, "123456");
        assert_eq!(deletion.wanted_at, Timestamp::from_millis(1_700_000_000_000));
        let (signature, payload) = request.split_once('.').unwrap();
        let padded = format!("{signature}=.{payload}");
        assert_eq!(verify(&settings(), &padded, NOW).unwrap(), deletion, "padded");
    }

    #[test]
    fn what_is_signed_otherwise_or_says_something_else_is_refused() {
        let good = json!({ "user_id": "1", "algorithm": "HMAC-SHA256", "issued_at": 1 });
        assert!(verify(&settings(), &signed(&good), NOW).is_ok());
        let (signature, _) =
            signed(&good).split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let other = BASE64URL.encode(json!({ "user_id": "2", "algorithm": "HMAC-SHA256" }).to_string());
        let plain = json!({ "user_id": "1", "algorithm": "none" });
        for (request, refused) in [
            (format!("{signature}.{other}"), InvalidSignedRequest::WrongSignature),
            (format!(".{other}"), InvalidSignedRequest::WrongSignature),
            (format!("!.{other}"), InvalidSignedRequest::Malformed),
            (other, InvalidSignedRequest::Malformed),
            (signed(&plain), InvalidSignedRequest::OtherAlgorithm),
            (signed(&json!({ "algorithm": "HMAC-SHA256" })), InvalidSignedRequest::Malformed),
        ] {
            assert_eq!(verify(&settings(), &request, NOW), Err(refused), "{request}");
        }
    }

    #[test]
    fn a_request_of_the_future_is_one_of_now() {
        for issued_at in [json!(i64::MAX), json!(9_999_999_999_i64), Value::Null] {
            let request = json!({ "user_id": "1", "algorithm": "hmac-sha256", "issued_at": issued_at });
            assert_eq!(verify(&settings(), &signed(&request), NOW).unwrap().wanted_at, NOW);
        }
    }
}
