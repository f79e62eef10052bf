//! Links that open one object for a while, for whoever holds them: a port with two sides that look alike. A folder's are of our
//! own ([`crate::signed_url`]) and checked by whoever serves the folder; a bucket's are S3's presigned URLs and checked by S3.

use akademi_domain::time::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;

use crate::{content_type::ContentType, object_key::ObjectKey, objects::Announced};

/// What a link permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// GET and HEAD, answered as of this type; with a name, a browser saves it under that.
    Download { content_type: ContentType, file_name: Option<String> },
    /// PUT of so many bytes, sent with this Content-Type, as often as one likes.
    Upload { bytes: u64, content_type: ContentType },
    /// PUT of exactly these bytes, as often as one likes.
    UploadPart(Announced),
}

/// A link's meaning: this object, this way, until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub key: ObjectKey,
    pub access: Access,
    /// The last moment, in whole seconds: milliseconds are cut off.
    pub expires_at: Timestamp,
}

/// A request that storage answers: GET for a download, PUT for an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub url: String,
    /// Headers that must be sent with these values; an upload's Content-Length is the body's, which HTTP clients send anyhow.
    pub headers: BTreeMap<&'static str, String>,
}

/// There is no link. What the signer said is behind `source()`.
#[derive(Debug, thiserror::Error)]
#[error("a link could not be signed")]
pub struct NotSigned(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Makes links.
pub trait Links: Send + Sync {
    /// The link for a grant, made at `now`.
    ///
    /// # Errors
    /// [`NotSigned`] when there is nothing to sign with, or the signer takes something of the grant for no request.
    fn sign(&self, grant: &Grant, now: Timestamp) -> Result<Link, NotSigned>;
}

/// The value of Content-Disposition that has a browser show a file, or save it, by its own name (RFC 6266 §4.3, RFC 8187
/// §3.2). `kind` is `inline` or `attachment`.
pub fn content_disposition(kind: &str, file_name: &str) -> String {
    format!("{kind}; filename*=UTF-8''{}", utf8_percent_encode(file_name, NON_ALPHANUMERIC))
}
