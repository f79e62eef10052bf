//! Names of objects: `tenants/{tenant}/{part}/…`, and nothing that could leave an academy's own folder.

use akademi_domain::ids::TenantId;
use std::{fmt, str::FromStr};

const MAX_PARTS: usize = 8;
const MAX_PART_BYTES: usize = 128;

/// A name that is no key: an empty, hidden or too long part, or a character beyond `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the name of a file in storage")]
pub struct InvalidKey;

/// The name of an object, or of a folder of objects, of one tenant. Valid by construction: no part is empty, begins
/// with a dot, or holds a slash, so it means the same file in a folder, in S3 and in a URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    tenant: TenantId,
    text: String,
}

impl ObjectKey {
    /// `tenants/{tenant}/{parts joined by /}`; 1 to 8 parts of 1 to 128 bytes.
    pub fn new<'a>(tenant: TenantId, parts: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidKey> {
        let mut text = format!("tenants/{tenant}");
        let mut count = 0;
        for part in parts {
            count += 1;
            if count > MAX_PARTS || !is_part(part) {
                return Err(InvalidKey);
            }
            text.push('/');
            text.push_str(part);
        }
        if count == 0 { Err(InvalidKey) } else { Ok(Self { tenant, text }) }
    }

    /// The key in this folder.
    pub fn join(&self, part: &str) -> Result<Self, InvalidKey> {
        Self::new(self.tenant, self.parts().chain([part]))
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The last part.
    pub fn file_name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn parts(&self) -> impl Iterator<Item = &str> {
        self.text.split('/').skip(2)
    }
}

fn is_part(part: &str) -> bool {
    (1..=MAX_PART_BYTES).contains(&part.len())
        && !part.starts_with('.')
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ObjectKey {
    type Err = InvalidKey;

    /// Reads what `Display` writes, and nothing else.
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let rest = text.strip_prefix("tenants/").ok_or(InvalidKey)?;
        let (tenant, parts) = rest.split_once('/').ok_or(InvalidKey)?;
        let key = Self::new(tenant.parse().map_err(|_| InvalidKey)?, parts.split('/'))?;
        if key.text == text { Ok(key) } else { Err(InvalidKey) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::time::Timestamp;
    use proptest::prelude::*;

    fn tenant() -> TenantId {
        TenantId::new(Timestamp::from_millis(1_790_000_000_000), [1; 10])
    }

    #[test]
    fn no_name_leaves_the_academys_folder() {
        let long = "x".repeat(129);
        for part in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "%2e%2e",
            "a\0b",
            ".hidden",
            "ışık",
            "a b",
            "a#1",
            long.as_str(),
        ] {
            assert_eq!(ObjectKey::new(tenant(), ["media", part]), Err(InvalidKey), "{part:?}");
        }
        assert_eq!(ObjectKey::new(tenant(), []), Err(InvalidKey));
        assert_eq!(ObjectKey::new(tenant(), ["a"; 9]), Err(InvalidKey));
    }

    #[test]
    fn a_key_reads_back_from_its_text_only() {
        let key = ObjectKey::new(tenant(), ["media", "film-1_a.mp4"]).unwrap();
        assert_eq!(key.to_string(), format!("tenants/{}/media/film-1_a.mp4", tenant()));
        assert_eq!(key.as_str().parse(), Ok(key.clone()));
        assert_eq!(key.file_name(), "film-1_a.mp4");
        assert_eq!(key.join("part.1").unwrap().as_str(), format!("{key}/part.1"));
        let upper = key.as_str().replacen(&tenant().to_string(), &tenant().to_string().to_uppercase(), 1);
        for text in [
            upper.as_str(),
            "tenants",
            "tenants//x",
            &format!("/{key}"),
            &format!("{key}/"),
            &format!("{key}/../x"),
        ] {
            assert_eq!(text.parse::<ObjectKey>(), Err(InvalidKey), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_reads_as_a_key_stays_below_its_tenant(text in "(tenants/)?[a-f0-9./%-]{0,60}") {
            if let Ok(key) = text.parse::<ObjectKey>() {
                prop_assert!(!key.as_str().contains(".."));
                let below = format!("tenants/{}/", key.tenant());
                prop_assert!(key.as_str().starts_with(&below));
            }
        }
    }
}
