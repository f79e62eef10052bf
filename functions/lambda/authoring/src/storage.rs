//! Where files are, and the signed links through which people send and read them.

use akademi_api::{
    config::{Config, ConfigError},
    keys::{derive, parse_keys},
};
use akademi_domain::time::Timestamp;
use akademi_lambda_store::{
    content_type::ContentType,
    object_key::ObjectKey,
    objects::{Announced, Objects},
    signed_url::{Access, Grant, LinkSecret, LinkSigner},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The key of links is derived from the planes' root under this label (RFC 5869).
const LINKS_LABEL: &str = "akademi/links/1";
/// How long an upload may begin after it was asked for, in seconds.
const UPLOAD_SECONDS: i64 = 60 * 60;

/// The academies' files.
#[derive(Clone)]
pub struct Storage {
    pub objects: Objects,
    pub links: LinkSigner,
}

impl Storage {
    /// Links begin with the variable `storage_url` and are signed with a key of the planes' root.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable that is missing or wrong.
    pub fn from_config(objects: Objects, config: &Config<'_>) -> Result<Self, ConfigError> {
        let base = config.read(akademi_functions::STORAGE_URL, |base| {
            let is_http = base.starts_with("http://") || base.starts_with("https://");
            if is_http { Ok(base.to_owned()) } else { Err("must begin with http:// or https://") }
        })?;
        let roots = config.read(akademi_functions::PLANE_ROOT_KEYS, parse_keys)?;
        let mut secrets = roots
            .into_iter()
            .map(|root| LinkSecret { bytes: *derive(&root.bytes, LINKS_LABEL), kid: root.kid });
        // `parse_keys` gives at least one.
        let current = secrets.next().ok_or_else(|| ConfigError {
            variable: akademi_functions::PLANE_ROOT_KEYS.name,
            problem: "holds no key".into(),
        })?;
        Ok(Self { objects, links: LinkSigner::new(&base, current, secrets.next()) })
    }

    /// A link through which exactly this may be sent.
    pub(crate) fn upload(
        &self,
        key: ObjectKey,
        max_bytes: u64,
        content_type: ContentType,
        now: Timestamp,
    ) -> UploadLink {
        let expires_at = now.plus_seconds(UPLOAD_SECONDS);
        let headers = BTreeMap::from([("content-type", content_type.to_string())]);
        let grant = Grant { key, access: Access::Upload { max_bytes, content_type }, expires_at };
        UploadLink { method: "PUT", url: self.links.link(&grant), headers, expires_at }
    }

    /// A link through which exactly the announced bytes may be sent, until `last` at most.
    pub(crate) fn upload_part(
        &self,
        key: ObjectKey,
        announced: &Announced,
        now: Timestamp,
        last: Timestamp,
    ) -> UploadLink {
        let expires_at = now.plus_seconds(UPLOAD_SECONDS).min(last);
        let grant = Grant { key, access: Access::UploadPart(announced.clone()), expires_at };
        UploadLink { method: "PUT", url: self.links.link(&grant), headers: BTreeMap::new(), expires_at }
    }

    /// A link under which this may be read for so many seconds.
    pub(crate) fn download(&self, key: ObjectKey, access: Access, seconds: i64, now: Timestamp) -> String {
        self.links.link(&Grant { key, access, expires_at: now.plus_seconds(seconds) })
    }
}

/// How a file is sent straight to storage: this method, this address, these headers, no token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UploadLink {
    /// Always `PUT`.
    method: &'static str,
    url: String,
    #[schema(value_type = BTreeMap<String, String>)]
    headers: BTreeMap<&'static str, String>,
    /// Until when the upload may begin.
    expires_at: Timestamp,
}
