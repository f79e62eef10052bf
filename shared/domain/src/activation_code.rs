//! Activation codes: text that people read aloud, type, and mistype.
//!
//! `PREFIX-XXXX-XXXX-XXXX-XXXX`: the academy's prefix, if it has one, 15 symbols that hold a number, and a check symbol over
//! all of it. There are 31 symbols, a prime number: a sum over the symbols, each times its place, modulo 31 is another one
//! after any single wrong symbol and after any two that have changed places.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Neither 0 nor O, neither 1 nor I nor L.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
const SYMBOLS: u8 = 31;
/// The symbols after the prefix; the last one is the check symbol.
const BODY: usize = 16;
const GROUP: usize = 4;
const MAX_PREFIX: usize = 10;
// Beyond 30 places one would weigh nothing, and two the same.
const _: () = assert!(MAX_PREFIX + BODY < SYMBOLS as usize);
/// More than a code with a separator after each symbol.
const MAX_TEXT: usize = 100;

/// What people and programs put between symbols beside white space: dashes, soft hyphens, marks of no width.
const SEPARATORS: &[char] = &[
    '-', '_', '.', '\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2010}', '\u{2011}', '\u{2012}',
    '\u{2013}', '\u{2014}', '\u{2015}', '\u{2060}', '\u{2212}', '\u{feff}',
];

fn symbol(letter: char) -> Option<u8> {
    let letter = letter.to_ascii_uppercase();
    let place = ALPHABET.iter().position(|known| char::from(*known) == letter)?;
    u8::try_from(place).ok()
}

fn letter(symbol: u8) -> char {
    ALPHABET.get(usize::from(symbol)).copied().map_or('2', char::from)
}

/// Each symbol times its place from the right, modulo 31; zero of a code that is typed rightly.
fn weighted_sum(symbols: &[u8]) -> u8 {
    let sum: u32 = symbols.iter().rev().zip(1_u32..).map(|(symbol, place)| u32::from(*symbol) * place).sum();
    (sum % u32::from(SYMBOLS)) as u8
}

/// Text that no code of an academy begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not up to 10 of the letters A to Z without I, L and O, and the digits 2 to 9")]
pub struct InvalidPrefix;

/// What all codes of a batch begin with: 0 to 10 symbols, in upper case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, max_length = 10, pattern = "^[2-9A-HJKMNP-Za-hjkmnp-z]{0,10}$", example = "BAHAR")]
pub struct CodePrefix(String);

impl CodePrefix {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of_symbols(symbols: &[u8]) -> Self {
        Self(symbols.iter().map(|symbol| letter(*symbol)).collect())
    }

    fn symbols(&self) -> Vec<u8> {
        self.0.chars().filter_map(symbol).collect()
    }
}

impl FromStr for CodePrefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let symbols: Option<Vec<u8>> = text.chars().map(symbol).collect();
        let symbols = symbols.filter(|symbols| symbols.len() <= MAX_PREFIX).ok_or(InvalidPrefix)?;
        Ok(Self::of_symbols(&symbols))
    }
}

impl TryFrom<String> for CodePrefix {
    type Error = InvalidPrefix;

    fn try_from(text: String) -> Result<Self, InvalidPrefix> {
        text.parse()
    }
}

impl From<CodePrefix> for String {
    fn from(prefix: CodePrefix) -> Self {
        prefix.0
    }
}

/// Why a text is no code, for whoever typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCode {
    #[error("holds “{0}”: a code has the letters A to Z without I, L and O, and the digits 2 to 9")]
    Letter(char),
    #[error("has too few or too many characters: type the whole code")]
    Length,
    #[error("is mistyped: a character is wrong, or two have changed places")]
    Check,
}

/// A code as it is handed out. It is read in either case, with spaces and dashes anywhere; its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ActivationCode {
    prefix: String,
    payload: u128,
}

impl ActivationCode {
    /// How many numbers a code can hold: somewhat more than 2^74.
    pub const PAYLOADS: u128 = (SYMBOLS as u128).pow(BODY as u32 - 1);

    /// The code that holds `payload` modulo [`Self::PAYLOADS`].
    pub fn new(prefix: &CodePrefix, payload: u128) -> Self {
        Self { prefix: prefix.0.clone(), payload: payload % Self::PAYLOADS }
    }

    pub fn has_prefix(&self, prefix: &CodePrefix) -> bool {
        self.prefix == prefix.0
    }

    pub const fn payload(&self) -> u128 {
        self.payload
    }
}

impl FromStr for ActivationCode {
    type Err = InvalidCode;

    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        if text.len() > MAX_TEXT {
            return Err(InvalidCode::Length);
        }
        let letters = text.chars().filter(|letter| !letter.is_whitespace() && !SEPARATORS.contains(letter));
        let symbols = letters
            .map(|letter| symbol(letter).ok_or(InvalidCode::Letter(letter)))
            .collect::<Result<Vec<u8>, _>>()?;
        let prefix = symbols.len().checked_sub(BODY).filter(|length| *length <= MAX_PREFIX);
        let (prefix, body) = prefix.and_then(|at| symbols.split_at_checked(at)).ok_or(InvalidCode::Length)?;
        if weighted_sum(&symbols) != 0 {
            return Err(InvalidCode::Check);
        }
        let payload = body
            .iter()
            .take(BODY - 1)
            .fold(0, |number, symbol| number * u128::from(SYMBOLS) + u128::from(*symbol));
        Ok(Self { prefix: CodePrefix::of_symbols(prefix).0, payload })
    }
}

impl TryFrom<String> for ActivationCode {
    type Error = InvalidCode;

    fn try_from(text: String) -> Result<Self, InvalidCode> {
        text.parse()
    }
}

impl fmt::Display for ActivationCode {
    /// The prefix and four groups of four, with dashes between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut symbols = CodePrefix(self.prefix.clone()).symbols();
        let prefix = symbols.len();
        let powers = (0..BODY as u32 - 1).rev().map(|power| u128::from(SYMBOLS).pow(power));
        symbols.extend(powers.map(|power| (self.payload / power % u128::from(SYMBOLS)) as u8));
        symbols.push(0);
        let check = (SYMBOLS - weighted_sum(&symbols)) % SYMBOLS;
        symbols.pop();
        symbols.push(check);
        for (place, symbol) in symbols.into_iter().enumerate() {
            if place >= prefix && place > 0 && (place - prefix).is_multiple_of(GROUP) {
                f.write_str("-")?;
            }
            write!(f, "{}", letter(symbol))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(prefix: &str, payload: u128) -> ActivationCode {
        ActivationCode::new(&prefix.parse().unwrap(), payload)
    }

    fn codes() -> impl Strategy<Value = ActivationCode> {
        ("[2-9A-HJKMNP-Z]{0,10}", 0..ActivationCode::PAYLOADS)
            .prop_map(|(prefix, payload)| code(&prefix, payload))
    }

    fn symbols(code: &ActivationCode) -> Vec<char> {
        code.to_string().chars().filter(|letter| *letter != '-').collect()
    }

    fn read(letters: &[char]) -> Result<ActivationCode, InvalidCode> {
        letters.iter().collect::<String>().parse()
    }

    #[test]
    fn no_symbol_looks_or_sounds_like_another_and_their_number_is_prime() {
        assert!(!ALPHABET.iter().any(|letter| b"01ILO".contains(letter)));
        let unique: std::collections::BTreeSet<_> = ALPHABET.iter().collect();
        assert_eq!((unique.len(), ALPHABET.len()), (31, usize::from(SYMBOLS)));
        assert!((2..31).all(|divisor| 31 % divisor != 0));
    }

    #[test]
    fn a_code_stays_the_same_for_ever() {
        assert_eq!(code("", 0).to_string(), "2222-2222-2222-2222");
        assert_eq!(code("BAHAR", 1).to_string(), "BAHAR-2222-2222-2222-223T");
        assert_eq!(code("", ActivationCode::PAYLOADS - 1).to_string(), "ZZZZ-ZZZZ-ZZZZ-ZZZD");
        assert_eq!(code("", 0x12_3456_789a_bcde_f012).to_string(), "2FSC-KFRZ-UTS6-GVGY");
    }

    #[test]
    fn a_code_is_read_as_people_and_phones_write_it() {
        let wanted = code("BAHAR", 123_456_789_012_345_678);
        let text = wanted.to_string();
        let spelled = |from: &str, to: &str| text.replace(from, to).parse::<ActivationCode>();
        for other in ["", " ", " - ", "\u{2013}", "\u{a0}", "\u{ad}", "\u{200b}", ".", "\n"] {
            assert_eq!(spelled("-", other), Ok(wanted.clone()), "{other:?}");
        }
        assert_eq!(text.to_lowercase().parse(), Ok(wanted.clone()));
        assert_eq!(format!("  {text}\t").parse(), Ok(wanted));
    }

    #[test]
    fn what_is_in_no_code_is_named() {
        for (letter, named) in
            [("i", 'i'), ("ı", 'ı'), ("İ", 'İ'), ("I", 'I'), ("0", '0'), ("l", 'l'), ("ş", 'ş'), ("'", '\'')]
        {
            let text = format!("2222-222{letter}-2222-2222");
            assert_eq!(text.parse::<ActivationCode>(), Err(InvalidCode::Letter(named)));
        }
        let eighteen = "22".repeat(9);
        for text in ["", "-", "2222", "2222-2222-2222-222", &"2".repeat(27), &"-".repeat(101)] {
            assert_eq!(text.parse::<ActivationCode>(), Err(InvalidCode::Length), "{text}");
        }
        assert_eq!(eighteen.parse(), Ok(code("22", 0)));
    }

    #[test]
    fn a_prefix_is_of_the_same_symbols() {
        assert_eq!("bahar26".parse::<CodePrefix>().unwrap().as_str(), "BAHAR26");
        for bad in ["YILBASI", "GÜZ", "A B", "A-B", "KURS1", "ABCDEFGHJKM"] {
            assert_eq!(bad.parse::<CodePrefix>(), Err(InvalidPrefix), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_code_comes_back_as_it_was(code in codes()) {
            prop_assert_eq!(code.to_string().parse(), Ok(code.clone()));
            prop_assert_eq!(code.to_string().to_lowercase().replace('-', "").parse(), Ok(code));
        }

        #[test]
        fn every_wrong_character_is_noticed(code in codes(), place in 0_usize..26, by in 1_u8..31) {
            let mut letters = symbols(&code);
            let place = place % letters.len();
            letters[place] = letter((symbol(letters[place]).unwrap() + by) % SYMBOLS);
            prop_assert_eq!(read(&letters), Err(InvalidCode::Check));
        }

        #[test]
        fn two_that_have_changed_places_are_noticed(code in codes(), one in 0_usize..26, other in 0_usize..26) {
            let mut letters = symbols(&code);
            let (one, other) = (one % letters.len(), other % letters.len());
            prop_assume!(letters[one] != letters[other]);
            letters.swap(one, other);
            prop_assert_eq!(read(&letters), Err(InvalidCode::Check));
        }

        #[test]
        fn no_text_is_read_as_a_code_that_is_written_otherwise(text in "[2-9A-HJKMNP-Z -]{14,32}") {
            if let Ok(code) = text.parse::<ActivationCode>() {
                let plain: String = text.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
                prop_assert_eq!(code.to_string().replace('-', ""), plain);
            }
        }
    }
}
