//! Compressed answers of a Spin component, which Spin sends as they are.

use akademi_api::compression::{Coding, Compressor};
use bytes::Bytes;
use crc::{CRC_32_ISO_HDLC, Crc};
use miniz_oxide::deflate::compress_to_vec;

/// Without flags, name, time and system (RFC 1952 §2.3).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
const LEVEL: u8 = 6;

/// No Brotli: the bytes of a component are bounded, and a CDN in front makes it from what this sends. A table of
/// 1 KB makes the checksum: one that is faster has 16 KB, which no component can spare.
pub struct Gzip {
    checksum: Crc<u32>,
}

impl Gzip {
    pub const fn new() -> Self {
        Self { checksum: Crc::<u32>::new(&CRC_32_ISO_HDLC) }
    }
}

impl Compressor for Gzip {
    fn codings(&self) -> &'static [Coding] {
        &[Coding::Gzip]
    }

    fn compress(&self, _: Coding, body: &Bytes) -> Option<Bytes> {
        // The format keeps the length modulo 2^32.
        let length = (body.len() as u64 & 0xffff_ffff) as u32;
        let trailer = [self.checksum.checksum(body), length].map(u32::to_le_bytes);
        Some([&HEADER[..], &compress_to_vec(body, LEVEL), trailer.as_flattened()].concat().into())
    }
}
