//! What a certificate is known by.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The sealed field, in both planes, that holds a certificate's holder: the name alone, in UTF-8.
pub const HOLDER_FIELD: &str = "certificate_holder";

/// Text that is no serial: anything but 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a certificate serial")]
pub struct InvalidSerial;

/// A certificate's serial: 128 random bits, written as 32 lower-case hexadecimal digits. Whoever knows it may see what
/// the certificate says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[0-9a-f]{32}$", example = "00112233445566778899aabbccddeeff")]
pub struct CertificateSerial(u128);

impl CertificateSerial {
    pub const fn new(random: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(random))
    }
}

impl fmt::Display for CertificateSerial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for CertificateSerial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CertificateSerial {
    type Err = InvalidSerial;

    fn from_str(text: &str) -> Result<Self, InvalidSerial> {
        let valid = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(text, 16).ok().filter(|_| valid);
        number.map(Self).ok_or(InvalidSerial)
    }
}

impl TryFrom<String> for CertificateSerial {
    type Error = InvalidSerial;

    fn try_from(text: String) -> Result<Self, InvalidSerial> {
        text.parse()
    }
}

impl From<CertificateSerial> for String {
    fn from(serial: CertificateSerial) -> Self {
        serial.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_is_32_lower_case_hex_digits() {
        let text = "00112233445566778899aabbccddeeff";
        assert_eq!(text.parse::<CertificateSerial>().map(|serial| serial.to_string()), Ok(text.to_owned()));
        let wrong = [
            "",
            "00112233445566778899AABBCCDDEEFF",
            "0011",
            "00112233445566778899aabbccddeefg",
            "+0112233445566778899aabbccddeeff",
        ];
        for text in wrong {
            assert_eq!(text.parse::<CertificateSerial>(), Err(InvalidSerial), "{text}");
        }
    }
}
