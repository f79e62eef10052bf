//! The number of an invoice: series, year and place in their sequence, as `EDU2026000000001`.

use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive, str::FromStr};

/// The last number of a series in a year.
pub const MAX_SEQUENCE: u32 = 999_999_999;
const YEARS: RangeInclusive<u16> = 2000..=2099;

/// What is no series or number of invoices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not three letters or digits, with a year and nine digits in a number")]
pub struct InvalidNumber;

/// Three of `A`–`Z` and `0`–`9`, and no other letters: a seller may have many series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Series([u8; 3]);

impl FromStr for Series {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let bytes: [u8; 3] = text.as_bytes().try_into().map_err(|_| InvalidNumber)?;
        let fits = bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if fits { Ok(Self(bytes)) } else { Err(InvalidNumber) }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl TryFrom<String> for Series {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        text.parse()
    }
}

impl From<Series> for String {
    fn from(series: Series) -> String {
        series.to_string()
    }
}

/// Sixteen characters: series, year, and the place in their sequence, from 1 and without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvoiceNumber {
    series: Series,
    year: u16,
    sequence: u32,
}

impl InvoiceNumber {
    /// # Errors
    /// [`InvalidNumber`] for a year that is not of this century, a sequence of 0 or beyond [`MAX_SEQUENCE`].
    pub fn new(series: Series, year: u16, sequence: u32) -> Result<Self, InvalidNumber> {
        if YEARS.contains(&year) && (1..=MAX_SEQUENCE).contains(&sequence) {
            Ok(Self { series, year, sequence })
        } else {
            Err(InvalidNumber)
        }
    }

    pub const fn series(self) -> Series {
        self.series
    }

    pub const fn year(self) -> u16 {
        self.year
    }

    pub const fn sequence(self) -> u32 {
        self.sequence
    }
}

impl fmt::Display for InvoiceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:09}", self.series, self.year, self.sequence)
    }
}

impl FromStr for InvoiceNumber {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let (series, rest) = text.split_at_checked(3).ok_or(InvalidNumber)?;
        let (year, sequence) = rest.split_at_checked(4).ok_or(InvalidNumber)?;
        let digits = sequence.len() == 9 && rest.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            return Err(InvalidNumber);
        }
        let year = year.parse().map_err(|_| InvalidNumber)?;
        let sequence = sequence.parse().map_err(|_| InvalidNumber)?;
        Self::new(series.parse()?, year, sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_letters_years_and_lengths_are_no_numbers() {
        for text in [
            "",
            "EDU202600000001",
            "EDU20260000000001",
            "edu2026000000001",
            "EDU2026000000000",
            "EDU1999000000001",
        ] {
            assert_eq!(text.parse::<InvoiceNumber>(), Err(InvalidNumber), "{text}");
        }
        // Neither Turkish capital is one of A to Z, nor is a sign a digit.
        for text in ["İD", "ıDU", "İDU2026000000001", "EDU+026000000001", "EDU2026+00000001"] {
            assert!(text.parse::<Series>().is_err() && text.parse::<InvoiceNumber>().is_err(), "{text}");
        }
        assert!(InvoiceNumber::new("EDU".parse().unwrap(), 2026, MAX_SEQUENCE + 1).is_err());
    }

    proptest! {
        #[test]
        fn a_number_reads_back_and_sorts_as_its_text(
            a in ("[A-Z0-9]{3}", 2000_u16..=2099, 1..=MAX_SEQUENCE),
            b in ("[A-Z0-9]{3}", 2000_u16..=2099, 1..=MAX_SEQUENCE),
        ) {
            let [a, b] = [a, b].map(|(series, year, sequence)| {
                InvoiceNumber::new(series.parse().unwrap(), year, sequence).unwrap()
            });
            prop_assert_eq!(a.to_string().len(), 16);
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
