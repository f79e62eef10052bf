//! Links of our own that open one object for a while: what S3's presigned URLs are to a bucket, for the local folder.
//!
//! The signature is HMAC-SHA-256 (RFC 2104) over method, key, expiry and what may be sent; it is compared in
//! constant time. Two secrets are valid during a rotation, told apart by `kid`.

use akademi_api::{
    config::{Config, ConfigError},
    keys::{derive, parse_keys},
};
use akademi_domain::time::Timestamp;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;

use crate::{
    links::{Access, Grant, Link, Links, NotSigned},
    object_key::ObjectKey,
    objects::Announced,
};

/// The key of links is derived from the planes' root under this label (RFC 5869).
const LABEL: &str = "akademi/links/1";

/// What the signed text begins with, so that this secret signs nothing that means something elsewhere.
const PURPOSE: &str = "akademi object link v1";

/// Why a link opens nothing. All but `Expired` are one answer to the outside: 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefused {
    #[error("the link is not complete")]
    Malformed,
    #[error("the link has expired")]
    Expired,
    #[error("the link is not ours, or is for something else")]
    Forged,
}

/// A secret of the deployment and its name.
#[derive(Clone)]
pub struct LinkSecret {
    pub kid: String,
    pub bytes: [u8; 32],
}

/// Makes and checks links.
#[derive(Clone)]
pub struct LinkSigner {
    base: String,
    current: LinkSecret,
    previous: Option<LinkSecret>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    expires: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    kid: String,
    signature: String,
}

impl LinkSigner {
    /// `base` is what stands before the key, for example `https://media.example.org/objects`; `previous` is the secret
    /// before the rotation, as long as its links live.
    pub fn new(base: &str, current: LinkSecret, previous: Option<LinkSecret>) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), current, previous }
    }

    /// Links begin with the variable `storage_url` and are signed with a key of the planes' root.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(config: &Config<'_>) -> Result<Self, ConfigError> {
        let base = config.read(akademi_functions::STORAGE_URL, |base| {
            let is_http = base.starts_with("http://") || base.starts_with("https://");
            if is_http { Ok(base.to_owned()) } else { Err("must begin with http:// or https://") }
        })?;
        let roots = config.read(akademi_functions::PLANE_ROOT_KEYS, parse_keys)?;
        let mut secrets =
            roots.into_iter().map(|root| LinkSecret { bytes: *derive(&root.bytes, LABEL), kid: root.kid });
        // `parse_keys` gives at least one.
        let current = secrets.next().ok_or_else(|| ConfigError {
            variable: akademi_functions::PLANE_ROOT_KEYS.name,
            problem: "holds no key".into(),
        })?;
        Ok(Self::new(&base, current, secrets.next()))
    }

    /// The link for a grant: `{base}/{key}?expires=…&kid=…&signature=…`, and what it permits.
    pub fn link(&self, grant: &Grant) -> String {
        let expires = grant.expires_at.as_seconds();
        let signature = mac(&self.current, &grant.key, &grant.access, expires)
            .map(|mac| hex::encode(mac.finalize().into_bytes()))
            .unwrap_or_default();
        let (file_name, content_type, bytes, sha256) = match &grant.access {
            Access::Download { content_type, file_name } => {
                (file_name.clone(), Some(content_type.to_string()), None, None)
            }
            Access::Upload { bytes, content_type } => {
                (None, Some(content_type.to_string()), Some(*bytes), None)
            }
            Access::UploadPart(Announced { bytes, sha256 }) => {
                (None, None, Some(*bytes), Some(hex::encode(sha256)))
            }
        };
        let kid = self.current.kid.clone();
        let query = Query { expires, file_name, content_type, bytes, sha256, kid, signature };
        let query = serde_urlencoded::to_string(&query).unwrap_or_default();
        format!("{}/{}?{query}", self.base, grant.key)
    }

    /// What a request may do. `key` is the path after the base, `query` what follows `?`, both as they were sent; a
    /// DELETE or another method is refused like a forged link.
    pub fn verify(&self, method: &str, key: &str, query: &str, now: Timestamp) -> Result<Grant, LinkRefused> {
        let key: ObjectKey = key.parse().map_err(|_| LinkRefused::Malformed)?;
        let query: Query = serde_urlencoded::from_str(query).map_err(|_| LinkRefused::Malformed)?;
        let content_type = query.content_type.map(|text| text.parse()).transpose();
        let content_type = content_type.map_err(|_| LinkRefused::Malformed)?;
        let access = match (method, content_type, query.file_name, query.bytes, query.sha256) {
            ("GET" | "HEAD", Some(content_type), file_name, None, None) => {
                Access::Download { content_type, file_name }
            }
            ("PUT", Some(content_type), None, Some(bytes), None) => Access::Upload { bytes, content_type },
            ("PUT", None, None, Some(bytes), Some(sha256)) => {
                let sha256 = hex::decode(sha256).ok().and_then(|digest| digest.try_into().ok());
                Access::UploadPart(Announced { bytes, sha256: sha256.ok_or(LinkRefused::Malformed)? })
            }
            _ => return Err(LinkRefused::Forged),
        };
        let secret = [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|secret| secret.kid == query.kid)
            .ok_or(LinkRefused::Forged)?;
        let signature = hex::decode(&query.signature).map_err(|_| LinkRefused::Malformed)?;
        mac(secret, &key, &access, query.expires)
            .and_then(|mac| mac.verify_slice(&signature).ok())
            .ok_or(LinkRefused::Forged)?;
        if now.as_seconds() > query.expires {
            return Err(LinkRefused::Expired);
        }
        let expires_at = Timestamp::from_millis(query.expires.saturating_mul(1000));
        Ok(Grant { key, access, expires_at })
    }
}

impl Links for LinkSigner {
    fn sign(&self, grant: &Grant, _: Timestamp) -> Result<Link, NotSigned> {
        let headers = match &grant.access {
            Access::Upload { content_type, .. } => {
                BTreeMap::from([("content-type", content_type.to_string())])
            }
            Access::Download { .. } | Access::UploadPart(_) => BTreeMap::new(),
        };
        Ok(Link { url: self.link(grant), headers })
    }
}

/// HMAC takes a key of any length, so there always is one. No field but the last holds a line break, so each text has one
/// meaning.
fn mac(secret: &LinkSecret, key: &ObjectKey, access: &Access, expires: i64) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.bytes).ok()?;
    let limits = match access {
        Access::Download { content_type, file_name: None } => format!("GET\n{content_type}"),
        Access::Download { content_type, file_name: Some(name) } => format!("GET as\n{content_type}\n{name}"),
        Access::Upload { bytes, content_type } => format!("PUT\n{bytes}\n{content_type}"),
        Access::UploadPart(Announced { bytes, sha256 }) => {
            format!("PUT exactly\n{bytes}\n{}", hex::encode(sha256))
        }
    };
    mac.update(format!("{PURPOSE}\n{}\n{key}\n{expires}\n{limits}", secret.kid).as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::ids::TenantId;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn secret(kid: &str, byte: u8) -> LinkSecret {
        LinkSecret { kid: kid.into(), bytes: [byte; 32] }
    }

    fn signer() -> LinkSigner {
        LinkSigner::new("https://media.example/objects/", secret("b", 2), Some(secret("a", 1)))
    }

    fn upload() -> Grant {
        Grant {
            key: ObjectKey::new(TenantId::new(NOW, [3; 10]), ["imports", "course.tar.gz"]).unwrap(),
            access: Access::Upload { bytes: 16 << 20, content_type: "application/gzip".parse().unwrap() },
            expires_at: NOW.plus_seconds(600),
        }
    }

    fn part() -> Grant {
        let announced = Announced { bytes: 5, sha256: [7; 32] };
        Grant { access: Access::UploadPart(announced), ..upload() }
    }

    fn download(file_name: Option<&str>) -> Grant {
        let (content_type, file_name) = ("application/pdf".parse().unwrap(), file_name.map(str::to_owned));
        Grant { access: Access::Download { content_type, file_name }, ..upload() }
    }

    fn split(link: &str) -> (&str, &str) {
        link.strip_prefix("https://media.example/objects/").unwrap().split_once('?').unwrap()
    }

    #[test]
    fn a_link_opens_what_it_was_made_for_until_it_expires() {
        let named = download(Some("Işık \"notları\"&x.pdf"));
        for (method, grant) in [("GET", download(None)), ("GET", named), ("PUT", upload()), ("PUT", part())] {
            let link = signer().link(&grant);
            let (key, query) = split(&link);
            assert_eq!(signer().verify(method, key, query, NOW), Ok(grant.clone()));
            assert_eq!(signer().verify(method, key, query, NOW.plus_seconds(600)), Ok(grant));
            assert_eq!(signer().verify(method, key, query, NOW.plus_seconds(601)), Err(LinkRefused::Expired));
        }
    }

    #[test]
    fn a_link_with_anything_changed_opens_nothing() {
        let link = signer().link(&upload());
        let (key, query) = split(&link);
        let other = Grant { key: ObjectKey::new(TenantId::new(NOW, [4; 10]), ["x"]).unwrap(), ..upload() };
        assert_eq!(signer().verify("PUT", other.key.as_str(), query, NOW), Err(LinkRefused::Forged));
        for method in ["GET", "HEAD", "DELETE", "POST", "put"] {
            assert_eq!(signer().verify(method, key, query, NOW), Err(LinkRefused::Forged), "{method}");
        }
        for (from, to) in [
            ("expires=1790000600", "expires=1990000600"),
            ("bytes=16777216", "bytes=99999999"),
            ("application%2Fgzip", "text%2Fhtml"),
            ("kid=b", "kid=a"),
            ("kid=b", "kid=c"),
        ] {
            assert!(query.contains(from), "{query}");
            let changed = query.replace(from, to);
            assert_eq!(signer().verify("PUT", key, &changed, NOW), Err(LinkRefused::Forged), "{to}");
        }
        for changed in
            [format!("{query}&bytes=1"), format!("{query}&x=1"), query.replace("signature=", "signature=zz")]
        {
            assert_eq!(signer().verify("PUT", key, &changed, NOW), Err(LinkRefused::Malformed), "{changed}");
        }
    }

    #[test]
    fn a_link_for_a_part_takes_no_other_bytes_and_is_no_link_for_a_file() {
        let link = signer().link(&part());
        let (key, query) = split(&link);
        for (from, to) in [
            ("&bytes=5", "&bytes=6"),
            ("sha256=07", "sha256=08"),
            ("&bytes=5", "&bytes=5&content_type=text%2Fhtml"),
            ("&bytes=5", ""),
        ] {
            assert!(query.contains(from), "{query}");
            let changed = query.replacen(from, to, 1);
            assert_eq!(signer().verify("PUT", key, &changed, NOW), Err(LinkRefused::Forged), "{to}");
        }
        let short = query.replace("sha256=07", "sha256=");
        assert_eq!(signer().verify("PUT", key, &short, NOW), Err(LinkRefused::Malformed));
        assert_eq!(signer().verify("GET", key, query, NOW), Err(LinkRefused::Forged));
    }

    #[test]
    fn a_link_to_read_saves_under_no_other_name_and_as_no_other_type() {
        let link = signer().link(&download(Some("notes.pdf")));
        let (key, query) = split(&link);
        for (from, to) in [
            ("file_name=notes.pdf", "file_name=notes.exe"),
            ("file_name=notes.pdf", "file_name="),
            ("&file_name=notes.pdf", ""),
            ("application%2Fpdf", "text%2Fhtml"),
            ("&content_type=application%2Fpdf", ""),
            ("&content_type=application%2Fpdf", "&content_type=application%2Fpdf&bytes=1"),
        ] {
            assert!(query.contains(from), "{query}");
            let changed = query.replacen(from, to, 1);
            assert_eq!(signer().verify("GET", key, &changed, NOW), Err(LinkRefused::Forged), "{to}");
        }
        assert_eq!(signer().verify("PUT", key, query, NOW), Err(LinkRefused::Forged));
    }

    #[test]
    fn the_secret_before_a_rotation_still_opens_its_links() {
        let before = LinkSigner::new("https://media.example/objects", secret("a", 1), None);
        let link = before.link(&upload());
        let (key, query) = split(&link);
        assert_eq!(signer().verify("PUT", key, query, NOW), Ok(upload()));
        let after = LinkSigner::new("https://media.example/objects", secret("c", 3), Some(secret("b", 2)));
        assert_eq!(after.verify("PUT", key, query, NOW), Err(LinkRefused::Forged));
    }

    proptest! {
        #[test]
        fn no_changed_byte_of_a_signature_passes(place in 0usize..64, digit in "[0-9a-f]") {
            let link = signer().link(&upload());
            let (key, query) = split(&link);
            let start = query.find("signature=").unwrap() + "signature=".len();
            let mut changed = query.to_owned();
            changed.replace_range(start + place..=start + place, &digit);
            prop_assume!(changed != query);
            prop_assert_eq!(signer().verify("PUT", key, &changed, NOW), Err(LinkRefused::Forged));
        }
    }
}
