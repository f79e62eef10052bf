//! Who somebody is to the revenue administration: VKN of companies, TCKN of citizens.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Digits that are no such number: another length, or a check digit that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a valid tax or identity number")]
pub struct InvalidTaxNumber;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident: $digits:literal, $check:path;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $digits]);

        impl FromStr for $name {
            type Err = InvalidTaxNumber;

            fn from_str(text: &str) -> Result<Self, InvalidTaxNumber> {
                let ascii: [u8; $digits] = text.as_bytes().try_into().map_err(|_| InvalidTaxNumber)?;
                if !ascii.iter().all(u8::is_ascii_digit) {
                    return Err(InvalidTaxNumber);
                }
                let digits = ascii.map(|digit| digit - b'0');
                if $check(&digits) { Ok(Self(digits)) } else { Err(InvalidTaxNumber) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidTaxNumber;

            fn try_from(text: String) -> Result<Self, InvalidTaxNumber> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(number: $name) -> String {
                number.to_string()
            }
        }
    )+};
}

numbers! {
    /// Vergi kimlik numarası: ten digits, the last of which checks the others.
    Vkn: 10, vkn_holds;
    /// T.C. kimlik numarası: eleven digits, the last two of which check the others.
    Tckn: 11, tckn_holds;
}

impl Tckn {
    /// What stands for a consumer who did not name a number.
    pub const CONSUMER: Self = Self([1; 11]);
    /// What stands for a foreigner without one.
    pub const FOREIGNER: Self = Self([2; 11]);
}

fn vkn_holds(digits: &[u8; 10]) -> bool {
    let [others @ .., check] = digits;
    let sum: u32 = others
        .iter()
        .zip((1..=9).rev())
        .map(|(digit, place)| {
            let shifted = (u32::from(*digit) + place) % 10;
            let spread = shifted * 2_u32.pow(place) % 9;
            if shifted != 0 && spread == 0 { 9 } else { spread }
        })
        .sum();
    (10 - sum % 10) % 10 == u32::from(*check)
}

fn tckn_holds(digits: &[u8; 11]) -> bool {
    let sum = |digits: &[u8]| digits.iter().map(|digit| i32::from(*digit)).sum::<i32>();
    let [first, .., tenth, eleventh] = *digits;
    let nine = digits.split_at(9).0;
    let odd: i32 = nine.iter().step_by(2).map(|digit| i32::from(*digit)).sum();
    let even = sum(nine) - odd;
    let stands_for_somebody = *digits == Tckn::CONSUMER.0 || *digits == Tckn::FOREIGNER.0;
    let holds = first != 0
        && (odd * 7 - even).rem_euclid(10) == i32::from(tenth)
        && (sum(nine) + i32::from(tenth)) % 10 == i32::from(eleventh);
    holds || stands_for_somebody
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many of all numbers with one digit changed are refused, of how many.
    fn slips<T: FromStr>(text: &str) -> (usize, usize) {
        let (mut refused, mut all) = (0, 0);
        for place in 0..text.len() {
            for digit in b'0'..=b'9' {
                let mut slip = text.as_bytes().to_vec();
                if slip[place] == digit {
                    continue;
                }
                slip[place] = digit;
                all += 1;
                refused += usize::from(std::str::from_utf8(&slip).unwrap().parse::<T>().is_err());
            }
        }
        (refused, all)
    }

    #[test]
    fn a_slip_of_one_digit_is_no_citizens_number() {
        for text in ["10000000146", "12345678950"] {
            assert_eq!(text.parse::<Tckn>().unwrap().to_string(), text);
            assert_eq!(slips::<Tckn>(text), (99, 99), "{text}");
        }
    }

    #[test]
    fn a_slip_of_one_digit_is_no_companys_number() {
        for text in ["1234567890", "4840847211"] {
            assert_eq!(text.parse::<Vkn>().unwrap().to_string(), text);
            assert_eq!(slips::<Vkn>(text), (90, 90), "{text}");
        }
    }

    #[test]
    fn other_lengths_and_letters_are_no_numbers() {
        for text in ["", "123456789", "12345678901", "123456789O", "１２３"] {
            assert_eq!(text.parse::<Vkn>(), Err(InvalidTaxNumber), "{text}");
        }
        for text in ["", "1000000014", "00000000000", "1000000014x"] {
            assert_eq!(text.parse::<Tckn>(), Err(InvalidTaxNumber), "{text}");
        }
        assert_eq!("11111111111".parse(), Ok(Tckn::CONSUMER));
        assert_eq!("22222222222".parse(), Ok(Tckn::FOREIGNER));
        assert!("33333333333".parse::<Tckn>().is_err());
    }

    /// Those of `numbers` that hold.
    fn holding<T: FromStr>(numbers: impl Iterator<Item = String>) -> Vec<String> {
        numbers.filter(|number| number.parse::<T>().is_ok()).collect()
    }

    proptest! {
        #[test]
        fn one_of_ten_last_digits_makes_a_companys_number_and_no_slip_another(nine in "[0-9]{9}") {
            let held = holding::<Vkn>((0..10).map(|check| format!("{nine}{check}")));
            prop_assert_eq!(held.len(), 1);
            prop_assert_eq!(slips::<Vkn>(&held[0]), (90, 90));
        }

        #[test]
        fn one_of_a_hundred_endings_makes_a_citizens_number_and_no_slip_another(nine in "[3-9][0-9]{8}") {
            let held = holding::<Tckn>((0..100).map(|check| format!("{nine}{check:02}")));
            prop_assert_eq!(held.len(), 1);
            prop_assert_eq!(slips::<Tckn>(&held[0]), (99, 99));
        }

        #[test]
        fn what_is_no_number_is_refused_whatever_it_is(text in ".*") {
            prop_assert!(text.parse::<Vkn>().is_err() || text.len() == 10);
            prop_assert!(text.parse::<Tckn>().is_err() || text.len() == 11);
        }
    }
}
