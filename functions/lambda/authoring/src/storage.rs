//! Where files are, and the links through which people send and read them.

use akademi_api::Problem;
use akademi_domain::time::Timestamp;
use akademi_lambda_store::{
    content_type::ContentType,
    links::{Access, Grant, Link, Links},
    object_key::ObjectKey,
    objects::{Announced, Objects},
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// How long an upload may begin after it was asked for, in seconds.
const UPLOAD_SECONDS: i64 = 60 * 60;

/// The academies' files.
#[derive(Clone)]
pub struct Storage {
    pub objects: Objects,
    /// Of the same files.
    pub links: Arc<dyn Links>,
}

impl Storage {
    /// A link through which so many bytes of this type may be sent.
    pub(crate) fn upload(
        &self,
        key: ObjectKey,
        bytes: u64,
        content_type: ContentType,
        now: Timestamp,
    ) -> Result<UploadLink, Problem> {
        let access = Access::Upload { bytes, content_type };
        self.upload_link(Grant { key, access, expires_at: now.plus_seconds(UPLOAD_SECONDS) }, now)
    }

    /// A link through which exactly the announced bytes may be sent, until `last` at most.
    pub(crate) fn upload_part(
        &self,
        key: ObjectKey,
        announced: &Announced,
        now: Timestamp,
        last: Timestamp,
    ) -> Result<UploadLink, Problem> {
        let expires_at = now.plus_seconds(UPLOAD_SECONDS).min(last);
        self.upload_link(Grant { key, access: Access::UploadPart(announced.clone()), expires_at }, now)
    }

    fn upload_link(&self, grant: Grant, now: Timestamp) -> Result<UploadLink, Problem> {
        let Link { url, headers } = self.links.sign(&grant, now).map_err(Problem::broken)?;
        Ok(UploadLink { method: "PUT", url, headers, expires_at: grant.expires_at })
    }

    /// A link under which this may be read for so many seconds.
    pub(crate) fn download(
        &self,
        key: ObjectKey,
        access: Access,
        seconds: i64,
        now: Timestamp,
    ) -> Result<String, Problem> {
        let grant = Grant { key, access, expires_at: now.plus_seconds(seconds) };
        Ok(self.links.sign(&grant, now).map_err(Problem::broken)?.url)
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
