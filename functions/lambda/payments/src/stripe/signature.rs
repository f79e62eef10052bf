//! The signature of a webhook: `Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>…]` over `t.body`
//! (docs.stripe.com/webhooks/signature). During a rotation of the endpoint's secret there is one `v1` for each.

use akademi_domain::time::Timestamp;
use http::HeaderMap;

use crate::{keyed_hash::KeyedHash, provider::CallbackRefused};

pub(super) const SIGNATURE: &str = "stripe-signature";
/// How old a signature may be, in seconds: Stripe's libraries take the same.
const TOLERANCE_SECONDS: i64 = 300;

/// Whether Stripe signed `body` within the last five minutes, under any of `secrets`. A time to come is taken, as
/// Stripe's libraries take it.
pub(super) fn verify(
    secrets: &[KeyedHash],
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), CallbackRefused> {
    let malformed = CallbackRefused::Malformed(SIGNATURE);
    let mut values = headers.get_all(SIGNATURE).iter();
    let (Some(Ok(header)), None) = (values.next().map(|value| value.to_str()), values.next()) else {
        return Err(malformed);
    };
    let pairs = || header.split(',').filter_map(|pair| pair.trim().split_once('='));
    let time = pairs().find(|(scheme, _)| *scheme == "t").map(|(_, time)| time).ok_or(malformed)?;
    let seconds: i64 = time.parse().map_err(|_| malformed)?;
    // Other schemes are passed over: `v0` is a false one of test mode.
    let is_signed = pairs().filter(|(scheme, _)| *scheme == "v1").any(|(_, signature)| {
        secrets.iter().any(|secret| secret.matches(&[time.as_bytes(), b".", body], signature))
    });
    if !is_signed {
        return Err(CallbackRefused::WrongSignature);
    }
    if now.as_millis().div_euclid(1000).saturating_sub(seconds) > TOLERANCE_SECONDS {
        return Err(CallbackRefused::Stale);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const FIXTURE: &str = "{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}";
    const SIGNED: &str = "4f1cd7feda9826e746b7d482c4badebb657398df1099e1046364f6196a230150";

    fn key(secret: &str) -> KeyedHash {
        KeyedHash::new(&Secret::new(secret)).unwrap()
    }

    fn check(secrets: &[&str], header: &str, body: &str, seconds: i64) -> Result<(), CallbackRefused> {
        let secrets: Vec<_> = secrets.iter().map(|secret| key(secret)).collect();
        let headers =
            HeaderMap::from_iter([(http::HeaderName::from_static(SIGNATURE), header.parse().unwrap())]);
        verify(&secrets, &headers, body.as_bytes(), Timestamp::from_millis(seconds * 1000))
    }

    #[test]
    fn the_hash_matches_the_vectors_of_stripes_library() {
        for (message, hash) in [
            ("", "f7f9bd47fb987337b5796fdc1fdb9ba221d0d5396814bfcaf9521f43fd8927fd"),
            (
                r#"{"obj1":"hello","obj2":"world"}"#,
                "bebb1a643997f419b315ddba19e6f5411e1ce7f810ba6d3617ce72823092f363",
            ),
            ("\u{1F600}", "837da296d05c4fe31f61d5d7ead035099d9585a5bcde87de952012a78f0b0c43"),
        ] {
            assert_eq!(key("test_secret").hex(&[message.as_bytes()]), hash, "{message}");
        }
    }

    #[test]
    fn webhooks_match_the_vectors_and_nothing_near_them() {
        let demo = r#"{"id":"evt_demo_1","object":"event","type":"payment_intent.succeeded"}"#;
        for (secret, seconds, body, signature) in [
            ("whsec_test_secret", 1_700_000_000, FIXTURE, SIGNED),
            (
                "whsec_test_secret",
                1_614_265_330,
                FIXTURE,
                "af4ead0627a34a8cca29808e8de9ada8e41a92e6237c63cef6eacf51d36cca34",
            ),
            (
                "whsec_demo_secret_0001",
                1_700_000_000,
                demo,
                "8c73054f85754f9e1090668d91e58f03f30e4152506b971c13d5353e63463e8d",
            ),
        ] {
            let header = format!("t={seconds},v1={signature}");
            assert_eq!(check(&[secret], &header, body, seconds), Ok(()));
            let wrong = Err(CallbackRefused::WrongSignature);
            assert_eq!(check(&[secret], &header, &format!("{body} "), seconds), wrong);
            assert_eq!(check(&["whsec_other"], &header, body, seconds), wrong);
            assert_eq!(check(&[secret], &format!("t={},v1={signature}", seconds + 1), body, seconds), wrong);
            assert_eq!(check(&[secret], &format!("t={seconds},v0={signature}"), body, seconds), wrong);
        }
    }

    #[test]
    fn a_signature_holds_for_five_minutes() {
        let header = format!("t=1700000000,v1={SIGNED}");
        let at = |seconds| check(&["whsec_test_secret"], &header, FIXTURE, seconds);
        assert_eq!(at(1_700_000_300), Ok(()));
        assert_eq!(at(1_700_000_301), Err(CallbackRefused::Stale));
        assert_eq!(at(1_699_999_000), Ok(()), "Stripe's clock may be ahead");
    }

    #[test]
    fn a_rotation_knows_two_secrets_on_either_side() {
        let both = format!("t=1700000000,v1={},v1=nohex,v1={SIGNED},v0=00", "0".repeat(64));
        assert_eq!(check(&["whsec_test_secret"], &both, FIXTURE, 1_700_000_000), Ok(()), "two signatures");
        let header = format!("t=1700000000,v1={SIGNED}");
        let secrets = ["whsec_new", "whsec_test_secret"];
        assert_eq!(check(&secrets, &header, FIXTURE, 1_700_000_000), Ok(()), "two secrets");
    }

    #[test]
    fn what_is_no_signature_is_malformed() {
        let malformed = Err(CallbackRefused::Malformed(SIGNATURE));
        for header in ["", "v1=00", "t=,v1=00", "t=x,v1=00", "1700000000"] {
            assert_eq!(check(&["whsec_test_secret"], header, FIXTURE, 1_700_000_000), malformed, "{header}");
        }
        assert_eq!(verify(&[], &HeaderMap::new(), b"", Timestamp::from_millis(0)), malformed);
    }
}
