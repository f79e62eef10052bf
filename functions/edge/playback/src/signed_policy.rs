//! Signed links to a CDN: CloudFront's URLs with a custom policy ("Create a signed URL using a custom policy" in its
//! developer guide), signed with ECDSA on P-256 and SHA-256, and the same check as CloudFront makes.
//!
//! A policy is signed once and opens everything below a folder; it stands in the query of each address. Its key is the
//! 32 bytes of the private scalar, named by the id that CloudFront knows the public key by. RFC 6979 makes the signature:
//! the same policy has the same one.

use akademi_api::keys::{InvalidKeys, parse_keys};
use akademi_domain::{ids::SessionId, time::Timestamp};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use p256::ecdsa::{
    DerSignature, SigningKey, VerifyingKey,
    signature::{Signer, Verifier},
};
use serde::Deserialize;

/// The parameters that CloudFront takes for itself: what a policy names is the address without them.
const OWN: [&str; 4] = ["Policy=", "Signature=", "Key-Pair-Id=", "Hash-Algorithm="];

/// Signs links below the address of a CDN.
#[derive(Clone)]
pub struct PolicySigner {
    base: String,
    kid: String,
    key: SigningKey,
}

/// Checks links below an address as CloudFront does.
#[derive(Clone)]
pub struct PolicyVerifier {
    base: String,
    keys: Vec<(String, VerifyingKey)>,
}

/// A policy for what lies in one folder and is asked for by one session.
pub struct SignedPolicy {
    folder: String,
    query: String,
}

/// Why a link opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRefused {
    #[error("the link is not complete")]
    Malformed,
    #[error("the link is not ours, or is for something else")]
    Forged,
    #[error("the link has expired")]
    Expired,
}

fn signing_keys(text: &str) -> Result<Vec<(String, SigningKey)>, InvalidKeys> {
    let keys = parse_keys(text)?;
    let key = |bytes: &[u8; 32]| SigningKey::from_slice(bytes).map_err(|_| InvalidKeys);
    keys.into_iter().map(|named| Ok((named.kid, key(&named.bytes)?))).collect()
}

impl PolicySigner {
    /// `base` is what stands before the names of objects; `keys` are `kid:key` pairs, of which the first signs.
    ///
    /// # Errors
    /// [`InvalidKeys`], which repeats nothing of the text.
    pub fn from_config(base: &str, keys: &str) -> Result<Self, InvalidKeys> {
        let (kid, key) = signing_keys(keys)?.into_iter().next().ok_or(InvalidKeys)?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), kid, key })
    }

    /// For everything below `folder`, until `expires_at`; milliseconds are cut off.
    pub fn folder(&self, folder: &str, session: SessionId, expires_at: Timestamp) -> SignedPolicy {
        let folder = format!("{}/{folder}", self.base);
        let query = self.query(&format!("{folder}/*"), session, expires_at);
        SignedPolicy { folder, query }
    }

    /// A link to the file of this path, and to nothing else.
    pub fn file(&self, path: &str, session: SessionId, expires_at: Timestamp) -> String {
        let address = format!("{}/{path}", self.base);
        let query = self.query(&address, session, expires_at);
        format!("{address}?{query}")
    }

    fn query(&self, addresses: &str, session: SessionId, expires_at: Timestamp) -> String {
        let expires = expires_at.as_seconds();
        let policy = format!(
            r#"{{"Statement":[{{"Resource":"{addresses}?session={session}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}"#
        );
        let signature: DerSignature = self.key.sign(policy.as_bytes());
        let (policy, signature) = (encoded(policy.as_bytes()), encoded(signature.as_bytes()));
        let kid = &self.kid;
        format!(
            "session={session}&Policy={policy}&Signature={signature}&Key-Pair-Id={kid}&Hash-Algorithm=SHA256"
        )
    }
}

impl SignedPolicy {
    /// The link to the file of this path below the folder.
    pub fn link(&self, path: &str) -> String {
        format!("{}/{path}?{}", self.folder, self.query)
    }
}

impl PolicyVerifier {
    /// `keys` are those of the signer, all of which are believed.
    ///
    /// # Errors
    /// [`InvalidKeys`], which repeats nothing of the text.
    pub fn from_config(base: &str, keys: &str) -> Result<Self, InvalidKeys> {
        let public = |(kid, key): (String, SigningKey)| (kid, *key.verifying_key());
        let keys = signing_keys(keys)?.into_iter().map(public).collect();
        Ok(Self { base: base.trim_end_matches('/').to_owned(), keys })
    }

    /// The last moment of a link; `key` is the path below the base, `query` what follows `?`, both as they were sent.
    ///
    /// # Errors
    /// [`PolicyRefused`]
    pub fn verify(&self, key: &str, query: &str, now: Timestamp) -> Result<Timestamp, PolicyRefused> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Policy {
            statement: [Statement; 1],
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Statement {
            resource: String,
            condition: Condition,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Condition {
            date_less_than: DateLessThan,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct DateLessThan {
            #[serde(rename = "AWS:EpochTime")]
            seconds: i64,
        }

        let own = OWN.map(|name| query.split('&').find_map(|pair| pair.strip_prefix(name)));
        let [Some(policy), Some(signature), Some(kid), Some("SHA256")] = own else {
            return Err(PolicyRefused::Malformed);
        };
        let policy = decoded(policy).ok_or(PolicyRefused::Malformed)?;
        let signature = decoded(signature).ok_or(PolicyRefused::Malformed)?;
        let signature = DerSignature::from_bytes(&signature).map_err(|_| PolicyRefused::Malformed)?;
        let (_, public) = self.keys.iter().find(|(name, _)| name == kid).ok_or(PolicyRefused::Forged)?;
        public.verify(&policy, &signature).map_err(|_| PolicyRefused::Forged)?;
        let Policy { statement: [statement] } =
            serde_json::from_slice(&policy).map_err(|_| PolicyRefused::Malformed)?;
        let others: Vec<&str> =
            query.split('&').filter(|pair| !OWN.iter().any(|name| pair.starts_with(name))).collect();
        let address = format!("{}/{key}?{}", self.base, others.join("&"));
        if !matches_resource(statement.resource.as_bytes(), address.as_bytes()) {
            return Err(PolicyRefused::Forged);
        }
        let expires_at =
            Timestamp::from_millis(statement.condition.date_less_than.seconds.saturating_mul(1000));
        if now >= expires_at { Err(PolicyRefused::Expired) } else { Ok(expires_at) }
    }
}

/// Base64 (RFC 4648 §4) with the three characters replaced that a query has another use for.
fn encoded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes).replace('+', "-").replace('=', "_").replace('/', "~")
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.replace('-', "+").replace('_', "=").replace('~', "/")).ok()
}

/// Whether an address is meant by a resource, in which `*` stands for any characters and `?` for any one.
fn matches_resource(resource: &[u8], address: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last `*` is, and how far what it stands for goes.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = address.get(from) {
        match resource.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted == byte => {
                (at, from) = (at + 1, from + 1);
            }
            _ => {
                let Some((before, end)) = star else { return false };
                star = Some((before, end + 1));
                (at, from) = (before + 1, end + 1);
            }
        }
    }
    resource.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
    const BASE: &str = "https://media.example/";

    fn keys(kid: &str, byte: u8) -> String {
        format!("{kid}:{}", URL_SAFE_NO_PAD.encode([byte; 32]))
    }

    fn session() -> SessionId {
        SessionId::new(NOW, [3; 10])
    }

    fn link() -> String {
        let signer = PolicySigner::from_config(BASE, &keys("K1", 7)).unwrap();
        signer.folder("tenants/t/media/a/1", session(), NOW.plus_seconds(600)).link("720p/segment-00001.m4s")
    }

    fn verifier() -> PolicyVerifier {
        PolicyVerifier::from_config(BASE, &format!("{},{}", keys("K2", 8), keys("K1", 7))).unwrap()
    }

    fn split(link: &str) -> (&str, &str) {
        link.strip_prefix(BASE).unwrap().split_once('?').unwrap()
    }

    #[test]
    fn policies_are_encoded_as_in_cloudfronts_own_example() {
        let policy = r#"{"Statement":[{"Resource":"https://d111111abcdef8.cloudfront.net/*","Condition":{"DateLessThan":{"AWS:EpochTime":1767290400},"IpAddress":{"AWS:SourceIp":"10.0.0.0/8"}}}]}"#;
        let vector = "eyJTdGF0ZW1lbnQiOlt7IlJlc291cmNlIjoiaHR0cHM6Ly9kMTExMTExYWJjZGVmOC5jbG91ZGZyb250Lm5ldC8qIiwiQ29uZGl0aW9uIjp7IkRhdGVMZXNzVGhhbiI6eyJBV1M6RXBvY2hUaW1lIjoxNzY3MjkwNDAwfSwiSXBBZGRyZXNzIjp7IkFXUzpTb3VyY2VJcCI6IjEwLjAuMC4wLzgifX19XX0_";
        assert_eq!(encoded(policy.as_bytes()), vector);
        assert_eq!(decoded(vector).unwrap(), policy.as_bytes());
    }

    #[test]
    fn one_policy_opens_a_folder_until_it_expires() {
        let link = link();
        let (key, query) = split(&link);
        let end = NOW.plus_seconds(600);
        assert_eq!(verifier().verify(key, query, NOW), Ok(end));
        for other in ["init.mp4", "360p/segment-00009.m4s", "a/b/c"] {
            assert_eq!(verifier().verify(&format!("tenants/t/media/a/1/{other}"), query, NOW), Ok(end));
        }
        assert_eq!(verifier().verify(key, query, end.plus_seconds(-1)), Ok(end));
        assert_eq!(verifier().verify(key, query, end), Err(PolicyRefused::Expired));
    }

    #[test]
    fn a_link_with_anything_changed_opens_nothing() {
        let link = link();
        let (key, query) = split(&link);
        for other in ["tenants/t/media/a/2/x", "tenants/t/media/b/1/x", "tenants/u/media/a/1/x", "x", ""] {
            assert_eq!(verifier().verify(other, query, NOW), Err(PolicyRefused::Forged), "{other}");
        }
        let another = SessionId::new(NOW, [4; 10]).to_string();
        for (from, to) in [
            (session().to_string().as_str(), another.as_str()),
            ("Key-Pair-Id=K1", "Key-Pair-Id=K2"),
            ("Key-Pair-Id=K1", "Key-Pair-Id=K9"),
        ] {
            assert!(query.contains(from));
            let changed = query.replacen(from, to, 1);
            assert_eq!(verifier().verify(key, &changed, NOW), Err(PolicyRefused::Forged), "{to}");
        }
        for (from, to) in [
            ("Policy=", "Policy=A"),
            ("SHA256", "SHA1"),
            ("Signature=", "Signature=!"),
            ("&Key-Pair-Id=K1", ""),
        ] {
            let changed = query.replacen(from, to, 1);
            assert!(verifier().verify(key, &changed, NOW).is_err(), "{to}");
        }
        let stranger = PolicyVerifier::from_config(BASE, &keys("K1", 9)).unwrap();
        assert_eq!(stranger.verify(key, query, NOW), Err(PolicyRefused::Forged));
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let zero = format!("K1:{}", URL_SAFE_NO_PAD.encode([0; 32]));
        for text in ["", "K1:short", zero.as_str()] {
            assert!(PolicySigner::from_config(BASE, text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn resources_mean_what_their_wildcards_say(resource in "[ab*?]{0,8}", address in "[ab]{0,8}") {
            fn slowly(resource: &[u8], address: &[u8]) -> bool {
                match (resource, address) {
                    ([], []) => true,
                    ([b'*', rest @ ..], _) => (0..=address.len()).any(|n| slowly(rest, &address[n..])),
                    ([b'?', rest @ ..], [_, more @ ..]) => slowly(rest, more),
                    ([a, rest @ ..], [b, more @ ..]) if a == b => slowly(rest, more),
                    _ => false,
                }
            }
            let (resource, address) = (resource.as_bytes(), address.as_bytes());
            prop_assert_eq!(matches_resource(resource, address), slowly(resource, address));
        }
    }
}
