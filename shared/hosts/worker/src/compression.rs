//! Compressed answers of a Worker.

use akademi_api::compression::{Coding, Compressor};
use bytes::Bytes;

/// The runtime encodes a body as its `Content-Encoding` says when it leaves (`encodeBody: "automatic"` of a Response,
/// Brotli since the compatibility date 2024-04-29).
pub struct Runtime;

impl Compressor for Runtime {
    fn codings(&self) -> &'static [Coding] {
        &[Coding::Brotli, Coding::Gzip]
    }

    fn compress(&self, _: Coding, body: &Bytes) -> Option<Bytes> {
        Some(body.clone())
    }
}
