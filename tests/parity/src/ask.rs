//! A request before it is sent, and what else is made of it.

use akademi_api::signed::Purpose;
use akademi_functions::Route;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::Value;

const MEBIBYTE: usize = 1 << 20;

/// What is asked; who asks stands beside it.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: Method,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
    /// Signed as a call of the other plane, for this purpose.
    pub signed: Option<Purpose>,
}

impl Ask {
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: Vec::new(), body: Bytes::new(), signed: None }
    }

    pub fn get(target: impl Into<String>) -> Self {
        Self::new(Method::GET, target)
    }

    /// With a body of JSON.
    pub fn json(method: Method, target: impl Into<String>, json: &Value) -> Self {
        Self::new(method, target).body("application/json", json.to_string())
    }

    pub fn post(target: impl Into<String>, json: &Value) -> Self {
        Self::json(Method::POST, target, json)
    }

    pub fn body(self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self.with(header::CONTENT_TYPE, HeaderValue::from_static(content_type)) }
    }

    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn signed(self, purpose: Purpose) -> Self {
        Self { signed: Some(purpose), ..self }
    }

    pub fn by(&self, method: &'static str) -> Self {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        Self { method, ..self.clone() }
    }

    /// The same with white space after its body, 1 MiB in all.
    pub fn enlarged(&self) -> Self {
        let mut body = self.body.to_vec();
        body.resize(MEBIBYTE, b' ');
        Self { body: body.into(), ..self.clone() }
    }

    /// The same with one letter of the path as `%XX` (RFC 3986 §2.1): of its last parameter, or of its last segment where it
    /// has none.
    pub fn percent_encoded(&self, route: &Route) -> Self {
        let (path, query) = self.target.split_at(self.target.find('?').unwrap_or(self.target.len()));
        let segments: Vec<_> = route.path.split('/').collect();
        let spelled =
            segments.iter().rposition(|segment| segment.starts_with('{')).unwrap_or(segments.len() - 1);
        let spell = |(place, segment): (usize, &str)| {
            let letter = if place == spelled {
                segment.find(|letter: char| letter.is_ascii_alphanumeric())
            } else {
                None
            };
            match letter.map(|at| (segment.split_at(at), segment.as_bytes().get(at))) {
                Some(((before, rest), Some(letter))) => {
                    format!("{before}%{letter:02X}{}", rest.get(1..).unwrap_or_default())
                }
                _ => segment.to_owned(),
            }
        };
        let path: Vec<_> = path.split('/').enumerate().map(spell).collect();
        Self { target: format!("{}{query}", path.join("/")), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::row;

    #[test]
    fn a_letter_of_the_last_parameter_or_segment_is_spelled() {
        for (name, target, spelled) in [
            (
                "GET /api/v1/catalog/courses/{slug}",
                "/api/v1/catalog/courses/isik?x=1",
                "/api/v1/catalog/courses/%69sik?x=1",
            ),
            (
                "POST /api/v1/certificates/{serial}/revocation",
                "/api/v1/certificates/c0/revocation",
                "/api/v1/certificates/%630/revocation",
            ),
            (
                "GET /api/v1/media/{asset_id}/{*path}",
                "/api/v1/media/7/hls/a.m3u8",
                "/api/v1/media/7/%68ls/a.m3u8",
            ),
            ("GET /health/live", "/health/live", "/health/%6Cive"),
        ] {
            assert_eq!(Ask::get(target).percent_encoded(row(name).unwrap()).target, spelled);
        }
    }

    #[test]
    fn an_enlarged_body_says_the_same() {
        let ask = Ask::post("/x", &serde_json::json!({ "a": 1 })).enlarged();
        assert_eq!(ask.body.len(), MEBIBYTE);
        assert_eq!(serde_json::from_slice::<Value>(&ask.body).unwrap(), serde_json::json!({ "a": 1 }));
    }
}
