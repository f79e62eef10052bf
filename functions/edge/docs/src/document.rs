//! A document that the component carries deflated and inflates once.

use akademi_api::{Problem, conditional::fingerprint};
use bytes::Bytes;
use miniz_oxide::inflate::decompress_to_vec;
use std::sync::OnceLock;

/// One of the two documents.
pub struct Document {
    deflated: &'static [u8],
    inflated: OnceLock<Inflated>,
}

/// What is answered, and its `ETag`.
#[derive(Clone)]
pub struct Inflated {
    pub text: Bytes,
    pub etag: String,
}

impl Document {
    /// Of bytes in the form of RFC 1951.
    pub const fn new(deflated: &'static [u8]) -> Self {
        Self { deflated, inflated: OnceLock::new() }
    }

    /// The document; the first request of an instance inflates it.
    ///
    /// # Errors
    /// `internal`, were it damaged.
    pub fn inflate(&self) -> Result<&Inflated, Problem> {
        if let Some(inflated) = self.inflated.get() {
            return Ok(inflated);
        }
        let text = decompress_to_vec(self.deflated).map_err(Problem::broken)?;
        let text = String::from_utf8(text).map_err(Problem::broken)?;
        let etag = fingerprint(&text);
        Ok(self.inflated.get_or_init(|| Inflated { text: text.into(), etag }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_documents_are_what_stands_in_the_repository() {
        let html = crate::HTML.inflate().unwrap();
        assert_eq!(
            (html.text.as_ref(), &html.etag),
            (crate::OPENAPI_HTML.as_bytes(), &fingerprint(crate::OPENAPI_HTML))
        );
        let json: Value = serde_json::from_slice(&crate::JSON.inflate().unwrap().text).unwrap();
        assert_eq!(json, serde_json::from_str::<Value>(crate::OPENAPI_JSON).unwrap());
        for (document, text) in [(&crate::JSON, crate::OPENAPI_JSON), (&crate::HTML, crate::OPENAPI_HTML)] {
            assert!(document.deflated.len() * 9 < text.len());
        }
    }

    #[test]
    fn a_damaged_document_is_an_error() {
        assert!(Document::new(b"\xff").inflate().is_err());
    }
}
