//! S3's presigned URLs (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"): links that S3 itself checks.
//!
//! What is signed with a link cannot be sent otherwise. A part's link holds its length and its SHA-256 as signed headers: with
//! another length the signature is not the request's, and S3 compares the checksum with the bytes before it stores them. What
//! is read comes with the type and the name that the link says, whatever whoever sent it said.
//!
//! A role's credentials end, and its links with them, however long these were to hold.

use akademi_domain::time::Timestamp;
use akademi_lambda_store::{
    links::{Access, Grant, Link, Links, NotSigned, content_disposition},
    objects::Announced,
};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningError, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_store::aws::AwsCredential;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// S3 takes no more: seven days.
const MAX_SECONDS: u64 = 7 * 24 * 60 * 60;
/// SHA-256 in base64, which S3 compares with what it got.
const CHECKSUM: &str = "x-amz-checksum-sha256";
/// What a signed query encodes: all but unreserved characters (RFC 3986 §2.3).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Signs for a bucket.
pub struct Presigned {
    /// What stands before the slash and the key.
    base: String,
    region: String,
    credentials: Credentials,
}

impl Presigned {
    pub fn new(base: String, region: String, credential: &AwsCredential) -> Self {
        let AwsCredential { key_id, secret_key, token } = credential;
        let credentials = Credentials::new(key_id, secret_key, token.clone(), None, "role");
        Self { base, region, credentials }
    }

    fn signed(
        &self,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<Link, Box<dyn std::error::Error + Send + Sync>> {
        let seconds = u64::try_from(grant.expires_at.millis_since(now) / 1000).unwrap_or_default();
        let Request { method, query, signed, headers } = request(&grant.access, seconds);
        let fields = query.iter().map(|(name, value)| encoded(name, value)).collect::<Vec<_>>();
        let url = format!("{}/{}?{}", self.base, grant.key, fields.join("&"));

        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(seconds.clamp(1, MAX_SECONDS)));
        // As S3 alone has it.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(now.as_seconds().try_into()?))
            .settings(settings)
            .build()?
            .into();
        let headers_signed = signed.iter().map(|(name, value)| (*name, value.as_str()));
        let request =
            SignableRequest::new(method, url.as_str(), headers_signed, SignableBody::UnsignedPayload)?;
        let signature = sign(request, &params).map_err(|error: SigningError| error)?.into_parts().0;
        let more = signature.params().iter().map(|(name, value)| encoded(name, value));
        let url = more.fold(url, |url, field| {
            let separator = if url.ends_with('?') { "" } else { "&" };
            format!("{url}{separator}{field}")
        });
        Ok(Link { url, headers })
    }
}

impl Links for Presigned {
    fn sign(&self, grant: &Grant, now: Timestamp) -> Result<Link, NotSigned> {
        self.signed(grant, now).map_err(NotSigned)
    }
}

fn encoded(name: &str, value: &str) -> String {
    format!("{name}={}", utf8_percent_encode(value, QUERY))
}

/// What a link is signed with.
struct Request {
    method: &'static str,
    query: Vec<(&'static str, String)>,
    signed: Vec<(&'static str, String)>,
    /// Those of the signed headers that HTTP clients do not send by themselves.
    headers: BTreeMap<&'static str, String>,
}

fn request(access: &Access, seconds: u64) -> Request {
    match access {
        Access::Download { content_type, file_name } => {
            let mut query = vec![
                ("response-cache-control", format!("private, max-age={seconds}")),
                ("response-content-type", content_type.to_string()),
            ];
            // A page may not run in the bucket's origin, and S3 sends no Content-Security-Policy.
            let kind = if content_type.is_active() { "attachment" } else { "inline" };
            match file_name {
                Some(name) => query.push(("response-content-disposition", content_disposition(kind, name))),
                None if content_type.is_active() => {
                    query.push(("response-content-disposition", kind.to_owned()));
                }
                None => {}
            }
            Request { method: "GET", query, signed: Vec::new(), headers: BTreeMap::new() }
        }
        Access::Upload { bytes, content_type } => put(*bytes, "content-type", content_type.to_string()),
        Access::UploadPart(Announced { bytes, sha256 }) => put(*bytes, CHECKSUM, STANDARD.encode(sha256)),
    }
}

fn put(bytes: u64, name: &'static str, value: String) -> Request {
    let signed = vec![("content-length", bytes.to_string()), (name, value.clone())];
    Request { method: "PUT", query: Vec::new(), signed, headers: BTreeMap::from([(name, value)]) }
}
