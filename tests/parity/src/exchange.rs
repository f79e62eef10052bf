//! A request and its answer, with everything that must differ from run to run given a common name.

use akademi_local::api_client::Answer;
use serde_json::Value;

/// The headers that must be the same on every host.
const COMPARED: [&str; 11] = [
    "allow",
    "cache-control",
    "content-security-policy",
    "content-type",
    "etag",
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
    pub name: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Exchange {
    pub fn new(name: &str, answer: &Answer) -> Self {
        let headers = COMPARED
            .iter()
            .filter_map(|name| {
                let values: Vec<_> = answer
                    .headers
                    .get_all(*name)
                    .iter()
                    .map(|value| String::from_utf8_lossy(value.as_bytes()))
                    .collect();
                (!values.is_empty()).then(|| ((*name).to_owned(), values.join(", ")))
            })
            .collect();
        Self {
            name: name.to_owned(),
            status: answer.status.as_u16(),
            headers,
            body: comparable(&answer.body),
        }
    }
}

fn comparable(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(mut json) => {
            rename(&mut json);
            json.to_string()
        }
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}

/// Gives ids, times, tokens and sealed bytes common names, throughout.
fn rename(json: &mut Value) {
    match json {
        Value::String(text) => {
            if let Some(name) = common_name(text) {
                *text = name.to_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(rename),
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), &value) {
                    ("request_id", _) => *value = "<request>".into(),
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

fn common_name(text: &str) -> Option<&'static str> {
    if text.parse::<uuid::Uuid>().is_ok() {
        return Some("<id>");
    }
    if text.len() > 15 && text.parse::<jiff::Timestamp>().is_ok() {
        return Some("<time>");
    }
    if text.starts_with("edge:") {
        return Some("<source>");
    }
    let is_opaque = text.len() > 60 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    is_opaque.then_some("<opaque>")
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
}
