//! AES-128 of whole segments (RFC 8216 §4.3.2.4, §5.2): CBC with the padding of PKCS #7.

use aes::Aes128;
use cbc::{
    Encryptor,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use serde::{Deserialize, Serialize};

/// What the segments of one video are encrypted with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentKey([u8; 16]);

/// Keys are in no log.
impl std::fmt::Debug for ContentKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ContentKey")
    }
}

impl ContentKey {
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The initialisation vector of a segment: no two segments of a video have the same.
    pub fn vector(track: u32, segment: u64) -> [u8; 16] {
        (u128::from(track) << 64 | u128::from(segment)).to_be_bytes()
    }

    pub fn encrypt(&self, vector: &[u8; 16], content: &[u8]) -> Vec<u8> {
        Encryptor::<Aes128>::new(&self.0.into(), &(*vector).into()).encrypt_padded_vec::<Pkcs7>(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST SP 800-38A §F.2.1: the first block; the second one is padding.
    #[test]
    fn a_block_is_what_nist_has() {
        let key = ContentKey::new(0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes());
        let vector = 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f_u128.to_be_bytes();
        let plain = 0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a_u128.to_be_bytes();
        let encrypted = key.encrypt(&vector, &plain);
        assert_eq!(encrypted.len(), 32);
        assert_eq!(encrypted[..16], 0x7649_abac_8119_b246_cee9_8e9b_12e9_197d_u128.to_be_bytes());
    }

    #[test]
    fn no_two_segments_share_a_vector() {
        assert_ne!(ContentKey::vector(0, 1), ContentKey::vector(1, 0));
        assert_eq!(ContentKey::vector(1, 2)[7..9], [1, 0]);
    }
}
