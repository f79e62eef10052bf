//! The API's document, which the component carries deflated, and the page that is made of it: each made once in an
//! instance's life.

use akademi_api::{Problem, conditional::fingerprint};
use bytes::Bytes;
use miniz_oxide::inflate::decompress_to_vec;
use std::sync::OnceLock;

use crate::page::reading_page;

/// In the form of RFC 1951.
const DEFLATED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.deflated"));

/// What is answered, and its `ETag`.
#[derive(Debug)]
pub struct Document {
    pub text: Bytes,
    pub etag: String,
}

impl Document {
    fn new(text: String) -> Self {
        Self { etag: fingerprint(&text), text: text.into() }
    }
}

/// OpenAPI 3.1, as JSON.
///
/// # Errors
/// `internal`, were it damaged.
pub fn json() -> Result<&'static Document, Problem> {
    static JSON: OnceLock<Document> = OnceLock::new();
    if let Some(json) = JSON.get() {
        return Ok(json);
    }
    let text = decompress_to_vec(DEFLATED).map_err(Problem::broken)?;
    let text = String::from_utf8(text).map_err(Problem::broken)?;
    Ok(JSON.get_or_init(|| Document::new(text)))
}

/// The same to read, as one page without scripts.
///
/// # Errors
/// `internal`, were it damaged.
pub fn page() -> Result<&'static Document, Problem> {
    static PAGE: OnceLock<Document> = OnceLock::new();
    if let Some(page) = PAGE.get() {
        return Ok(page);
    }
    let document = serde_json::from_slice(&json()?.text).map_err(Problem::broken)?;
    Ok(PAGE.get_or_init(|| Document::new(reading_page(&document))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_document_is_what_stands_in_the_repository_and_the_page_tells_of_each_path() {
        let carried: Value = serde_json::from_slice(&json().unwrap().text).unwrap();
        let committed: Value = serde_json::from_str(crate::OPENAPI_JSON).unwrap();
        assert_eq!(carried, committed);
        assert!(DEFLATED.len() * 9 < crate::OPENAPI_JSON.len());
        let page = str::from_utf8(&page().unwrap().text).unwrap();
        let paths = committed["paths"].as_object().unwrap();
        assert!(paths.len() > 100);
        for path in paths.keys() {
            assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
        }
        assert_ne!(json().unwrap().etag, super::page().unwrap().etag);
    }
}
