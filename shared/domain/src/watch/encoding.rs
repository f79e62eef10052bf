//! Unsigned LEB128 (as in DWARF 5 §7.6), in its shortest form only, so that equal values have equal bytes.

/// Bytes that are not the encoding of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEncoding {
    #[error("ends in the middle of a number")]
    Truncated,
    #[error("holds a number beyond 32 bits")]
    Overflow,
    #[error("holds a number that is not in its shortest form")]
    NotShortest,
    #[error("reaches beyond its bounds")]
    OutOfBounds,
    #[error("goes on after its end")]
    TrailingBytes,
    #[error("has an unknown version")]
    UnknownVersion,
}

pub(super) fn write_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    out.push(number as u8);
}

/// What is left to read.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], InvalidEncoding> {
        let (head, rest) = self.bytes.split_first_chunk::<N>().ok_or(InvalidEncoding::Truncated)?;
        self.bytes = rest;
        Ok(*head)
    }

    pub(super) fn number(&mut self) -> Result<u32, InvalidEncoding> {
        let mut number = 0_u64;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if byte == 0 && shift > 0 {
                    return Err(InvalidEncoding::NotShortest);
                }
                return u32::try_from(number).map_err(|_| InvalidEncoding::Overflow);
            }
        }
        Err(InvalidEncoding::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_shortest_form_of_32_bits_is_a_number() {
        for (bytes, number) in [
            (&[0x80, 0x00][..], Err(InvalidEncoding::NotShortest)),
            (&[0xff, 0xff, 0xff, 0xff, 0x0f], Ok(u32::MAX)),
            (&[0xff, 0xff, 0xff, 0xff, 0x1f], Err(InvalidEncoding::Overflow)),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x01], Err(InvalidEncoding::Overflow)),
            (&[0x80], Err(InvalidEncoding::Truncated)),
            (&[], Err(InvalidEncoding::Truncated)),
        ] {
            assert_eq!(Reader::new(bytes).number(), number, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn a_number_comes_back(number: u32) {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.number(), Ok(number));
            prop_assert!(reader.is_empty());
        }
    }
}
