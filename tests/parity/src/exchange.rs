//! A request and its answer, with everything that must differ from run to run given a common name.

use akademi_domain::activation_code::ActivationCode;
use akademi_local::api_client::Answer;
use anyhow::{Context, bail};
use flate2::read::GzDecoder;
use http::header;
use jiff::civil::Date;
use serde_json::Value;
use std::{fmt, io::Read};

use crate::{kind::Kind, seed::FILES};

/// The headers that must be the same on every host. Content-Length is none of them: a host may send an answer in chunks.
const COMPARED: [&str; 15] = [
    "allow",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-security-policy",
    "content-type",
    "etag",
    "idempotent-replayed",
    "location",
    "referrer-policy",
    "retry-after",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-robots-tag",
];

/// An answer as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The row, as `GET /api/v1/academy`; empty for an address that is none.
    pub route: String,
    pub kind: Kind,
    /// What of the row is asked.
    pub name: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Exchange {
    /// # Errors
    /// When the body is not in the coding that it is said to be in.
    pub fn new(route: String, kind: Kind, name: &str, answer: &Answer) -> anyhow::Result<Self> {
        let headers = COMPARED
            .iter()
            .filter_map(|name| {
                let values: Vec<_> = answer
                    .headers
                    .get_all(*name)
                    .iter()
                    .map(|value| scrubbed(&String::from_utf8_lossy(value.as_bytes())))
                    .collect();
                (!values.is_empty()).then(|| ((*name).to_owned(), values.join(", ")))
            })
            .collect();
        let body = comparable(&decoded(answer)?);
        Ok(Self { route, kind, name: name.to_owned(), status: answer.status.as_u16(), headers, body })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    #[cfg(test)]
    pub(crate) fn empty(route: String, kind: Kind, name: &str) -> Self {
        Self { route, kind, name: name.into(), status: 200, headers: Vec::new(), body: String::new() }
    }
}

/// What is asked, not what is answered.
impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { route, kind, name, .. } = self;
        write!(f, "{route} · {kind} · {name}")
    }
}

/// The body without its content coding (RFC 9110 §8.4). An answer to HEAD has the header and no body.
fn decoded(answer: &Answer) -> anyhow::Result<Vec<u8>> {
    let coding = answer.headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes());
    match coding {
        Some(b"gzip") if !answer.body.is_empty() => {
            let mut body = Vec::new();
            GzDecoder::new(answer.body.as_ref()).read_to_end(&mut body).context("the body is not in gzip")?;
            Ok(body)
        }
        None | Some(b"gzip" | b"identity") => Ok(answer.body.to_vec()),
        Some(other) => bail!("nobody asked for {}", String::from_utf8_lossy(other)),
    }
}

fn comparable(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(mut json) => {
            rename(&mut json);
            json.to_string()
        }
        Err(_) => scrubbed(&String::from_utf8_lossy(body)),
    }
}

/// Gives ids, times, tokens and sealed bytes common names, throughout.
fn rename(json: &mut Value) {
    match json {
        Value::String(text) => {
            *text = common_name(text).map_or_else(|| scrubbed(text), str::to_owned);
        }
        Value::Array(items) => items.iter_mut().for_each(rename),
        Value::Object(fields) => {
            // A folder's link holds it; a bucket takes it beside the link.
            fields.remove("x-amz-checksum-sha256");
            // Some names are ids.
            *fields =
                std::mem::take(fields).into_iter().map(|(name, value)| (scrubbed(&name), value)).collect();
            for (key, value) in fields {
                match (key.as_str(), &value) {
                    ("request_id", _) => *value = "<request>".into(),
                    // It holds the time at which the last entry was made.
                    ("next_cursor", Value::String(_)) => *value = "<cursor>".into(),
                    // Its end is the academy's own, which nobody can guess.
                    ("callback_path", Value::String(_)) => *value = "<callback>".into(),
                    // Each deployment has keys of its own.
                    ("x", Value::String(_)) => *value = "<key>".into(),
                    // The query of a provider's address holds a random state.
                    ("url", Value::String(text)) if text.contains("&state=") => {
                        *value = text.split('?').next().unwrap_or_default().into();
                    }
                    // Its code comes of a key of the deployment's own.
                    ("url", Value::String(text)) if text.contains("/data-deletion/") => {
                        *value = "/data-deletion/<opaque>".into();
                    }
                    // Each host listens on a port of its own.
                    ("url" | "share_url", Value::String(text)) if text.contains("via") => {
                        *value = without_port(text).into();
                    }
                    // What is counted is counted today.
                    ("day" | "from" | "to", Value::String(text)) if text.parse::<Date>().is_ok() => {
                        *value = "<day>".into();
                    }
                    // Random, and shorter than what is known to be.
                    ("secret" | "uri", Value::String(_)) => *value = "<secret>".into(),
                    ("challenge", Value::String(_)) => *value = "<challenge>".into(),
                    // A passkey's id, or its owner's: 32 bytes and 16 in base64url.
                    ("id", Value::String(text)) if matches!(text.len(), 22 | 43) => *value = "<bytes>".into(),
                    ("public_key", _) => *value = "<key>".into(),
                    ("recovery_codes", Value::Array(codes)) => *value = codes.len().into(),
                    // The feed's payloads are JSON in text.
                    ("payload", Value::String(text)) => {
                        if let Ok(mut inner) = serde_json::from_str::<Value>(text) {
                            rename(&mut inner);
                            *value = inner;
                        }
                    }
                    _ => rename(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An address without the port of its host, which may stand in it percent-encoded.
fn without_port(text: &str) -> String {
    let host = ".localhost";
    let Some((before, after)) = text.split_once(host) else { return text.to_owned() };
    let port = after.strip_prefix(':').or_else(|| after.strip_prefix("%3A"));
    let rest = port.map_or(after, |port| port.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    format!("{before}{host}{rest}")
}

fn common_name(text: &str) -> Option<&'static str> {
    if text.len() > 15 && text.parse::<jiff::Timestamp>().is_ok() {
        return Some("<time>");
    }
    if text.starts_with("edge:") {
        return Some("<source>");
    }
    // What a host's TXT record is to say.
    if text.starts_with("akademi=") {
        return Some("<challenge>");
    }
    let is_opaque = text.len() > 60 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_opaque.then_some("<opaque>")
}

/// The text with the links of a bucket, which listens on a port of its own, as if they began like those of a folder.
fn on_one_host(text: &str) -> String {
    const ANY_PORT: &str = "http://127.0.0.1:";
    let mut pieces = text.split(ANY_PORT);
    let mut found = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let path = piece.trim_start_matches(|digit: char| digit.is_ascii_digit());
        match path.strip_prefix("/akademi-files/") {
            Some(key) => found.extend([FILES, "/", key]),
            None => found.extend([ANY_PORT, piece]),
        }
    }
    found
}

/// The text without ids, without activation codes that have no prefix and without the signatures of links to files.
fn scrubbed(text: &str) -> String {
    const ID: usize = 36;
    const CODE: usize = 19;
    let mut scrubbed = String::with_capacity(text.len());
    let text = on_one_host(text);
    let (mut rest, mut in_link) = (text.as_str(), false);
    while let Some(next) = rest.chars().next() {
        in_link = match next {
            _ if rest.starts_with(FILES) => true,
            '"' | '\n' | ' ' => false,
            _ => in_link,
        };
        let is_id = rest.get(..ID).is_some_and(|id| id.parse::<uuid::Uuid>().is_ok());
        let is_code = rest
            .get(..CODE)
            .is_some_and(|code| code.parse().is_ok_and(|read: ActivationCode| read.to_string() == code));
        let (name, taken) = if is_id {
            ("<id>", ID)
        } else if is_code {
            ("<code>", CODE)
        } else if in_link && next == '?' {
            ("?<signature>", rest.find(['"', '\n', ' ']).unwrap_or(rest.len()))
        } else {
            scrubbed.push(next);
            ("", next.len_utf8())
        };
        scrubbed.push_str(name);
        rest = rest.get(taken..).unwrap_or_default();
    }
    scrubbed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_gets_a_common_name() {
        let body = serde_json::json!({
            "id": "01890000-0000-7000-8000-000000000001",
            "at": "2026-11-21T10:00:00.123Z",
            "name": "Şükrü",
            "request_id": "x",
            "events": [{ "payload": "{\"person\":\"01890000-0000-7000-8000-000000000001\"}" }],
        });
        let text = comparable(body.to_string().as_bytes());
        assert_eq!(
            text,
            r#"{"at":"<time>","events":[{"payload":{"person":"<id>"}}],"id":"<id>","name":"Şükrü","request_id":"<request>"}"#
        );
    }

    #[test]
    fn a_shared_link_loses_its_port() {
        let shared = serde_json::json!({ "url": "http://a.localhost:3000/courses/isik?via=x",
            "share_url": "https://t.me/share/url?url=http%3A%2F%2Fa.localhost%3A3000%2Fcourses%2Fisik%3Fvia%3Dx" });
        assert_eq!(
            comparable(shared.to_string().as_bytes()),
            r#"{"share_url":"https://t.me/share/url?url=http%3A%2F%2Fa.localhost%2Fcourses%2Fisik%3Fvia%3Dx","url":"http://a.localhost/courses/isik?via=x"}"#
        );
        assert_eq!(comparable(br#"{"day":"2026-11-22","to":"x"}"#), r#"{"day":"<day>","to":"x"}"#);
    }

    #[test]
    fn a_link_keeps_its_path_and_loses_ids_and_signature() {
        let link = format!("ş {FILES}/t/01890000-0000-7000-8000-000000000001/a.m4s?e=1&s=abc\nx?y");
        assert_eq!(scrubbed(&link), format!("ş {FILES}/t/<id>/a.m4s?<signature>\nx?y"));
        let bucket =
            "http://127.0.0.1:4566/akademi-files/t/01890000-0000-7000-8000-000000000001/a.m4s?X-Amz-Date=1";
        assert_eq!(scrubbed(bucket), format!("{FILES}/t/<id>/a.m4s?<signature>"));
        assert_eq!(scrubbed("/x?01890000-0000-7000-8000-000000000001"), "/x?<id>");
        assert_eq!(scrubbed("1,2222-2222-2222-2222,0"), "1,<code>,0");
        assert_eq!(scrubbed("1,2222-2222-2222-2223,0"), "1,2222-2222-2222-2223,0");
    }

    #[test]
    fn a_compressed_body_is_compared_as_it_decodes() {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all("{\"name\":\"Işık\"}".as_bytes()).unwrap();
        let mut answer = Answer {
            status: http::StatusCode::OK,
            headers: http::HeaderMap::from_iter([(
                header::CONTENT_ENCODING,
                http::HeaderValue::from_static("gzip"),
            )]),
            body: packed.finish().unwrap().into(),
        };
        let exchange = |answer: &Answer| Exchange::new(String::new(), Kind::Compressed, "x", answer);
        let compressed = exchange(&answer).unwrap();
        assert_eq!(compressed.body, "{\"name\":\"Işık\"}");
        assert_eq!(compressed.header("content-encoding"), Some("gzip"));
        answer.body = bytes::Bytes::from_static(b"no gzip");
        assert!(exchange(&answer).is_err());
    }
}
