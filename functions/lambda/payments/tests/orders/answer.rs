//! What the router answered.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The kind of problem that it is.
    pub fn problem(&self) -> (u16, String) {
        let kind =
            self.json()["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned();
        (self.status, kind)
    }
}
