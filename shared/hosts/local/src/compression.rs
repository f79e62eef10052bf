//! Compressed answers.

use akademi_api::compression::{Coding, Compressor};
use brotli::{CompressorWriter, enc::BrotliEncoderParams};
use bytes::Bytes;
use flate2::write::GzEncoder;
use std::io::Write;

/// Of 11: beyond it a kilobyte takes milliseconds.
const BROTLI_QUALITY: i32 = 5;

pub struct Compression;

impl Compressor for Compression {
    fn codings(&self) -> &'static [Coding] {
        &[Coding::Brotli, Coding::Gzip]
    }

    fn compress(&self, coding: Coding, body: &Bytes) -> Option<Bytes> {
        let compressed = match coding {
            Coding::Brotli => brotli(body),
            Coding::Gzip => gzip(body),
        };
        compressed.ok().map(Bytes::from)
    }
}

fn brotli(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let parameters = BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        size_hint: body.len(),
        ..BrotliEncoderParams::default()
    };
    let mut writer = CompressorWriter::with_params(Vec::new(), 4096, &parameters);
    writer.write_all(body)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(body)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn both_codings_are_smaller_and_decode_to_the_body() {
        let body = Bytes::from("{\"name\":\"Işığın yolculuğu\"},".repeat(1000));
        let decoded = |coding, compressed: &[u8]| {
            let mut decoded = Vec::new();
            match coding {
                Coding::Brotli => brotli::Decompressor::new(compressed, 4096).read_to_end(&mut decoded),
                Coding::Gzip => flate2::read::GzDecoder::new(compressed).read_to_end(&mut decoded),
            }
            .unwrap();
            decoded
        };
        for &coding in Compression.codings() {
            let compressed = Compression.compress(coding, &body).unwrap();
            assert!(compressed.len() < body.len() / 20, "{coding:?}: {} bytes", compressed.len());
            assert_eq!(decoded(coding, &compressed), body, "{coding:?}");
        }
    }
}
