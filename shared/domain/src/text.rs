//! Text as people write and search it: Unicode normalised, folded for Turkish, bounded in length.

use icu_normalizer::{
    ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed,
    properties::CanonicalCombiningClassMapBorrowed,
};
use std::borrow::Cow;

/// Text that does not have the form its type asks for; the message says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidForm(pub &'static str);

/// A text that is parsed when it is made and can be no other from then on.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $error:ty, $parse:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                let parse: fn(&str) -> Result<String, $error> = $parse;
                parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }
    };
}

pub(crate) use text_type;

/// `text` as search and comparison see it: lower case, without diacritics, the four Turkish letters
/// `İ i I ı` one letter `i`, runs of white space one space, none at the ends.
///
/// Plain lower-casing is wrong for Turkish (`IŞIK` would not find `ışık`), and SQLite's own folding knows
/// ASCII only, so what is stored for search and what is searched for both pass through here.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let classes = CanonicalCombiningClassMapBorrowed::new();
    for letter in DecomposingNormalizerBorrowed::new_nfd().normalize_iter(text.chars()) {
        if classes.get_u8(letter) != 0 || is_variation_selector(letter) {
            continue;
        }
        if letter.is_whitespace() {
            if !folded.is_empty() && !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else if letter == 'ı' {
            folded.push('i');
        } else {
            // `İ` has become `I` and a combining dot, which is gone: `I` lower-cases to `i`.
            folded.extend(letter.to_lowercase());
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// Whether it only chooses a look of the character before it: `❤` in colour is `❤`.
fn is_variation_selector(letter: char) -> bool {
    matches!(letter, '\u{fe00}'..='\u{fe0f}')
}

/// Why a text is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    #[error("is empty")]
    Empty,
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("holds a control character")]
    Control,
}

/// `text` in the composed form that everything is kept and compared in (Unicode Standard Annex 15, NFC).
pub fn nfc(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// `text` in NFC, trimmed, of 1 to `max` characters, without control characters.
pub fn line(text: &str, max: usize) -> Result<String, InvalidText> {
    let text: String = nfc(text.trim()).into_owned();
    if text.is_empty() {
        return Err(InvalidText::Empty);
    }
    if text.chars().count() > max {
        return Err(InvalidText::TooLong(max));
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidText::Control);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn turkish_letters_fold_to_one_spelling() {
        for (text, folded) in [
            ("İklim ve Işık: Açık Ders", "iklim ve isik: acik ders"),
            ("IŞIK", "isik"),
            ("ışık", "isik"),
            ("isik", "isik"),
            ("  ŞÜKRÜ\u{a0}\tIĞDIR ", "sukru igdir"),
            ("", ""),
            ("Ελληνικά \u{2764}\u{fe0f}", "ελληνικα \u{2764}"),
            ("\u{928}\u{93f}", "\u{928}\u{93f}"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn a_line_is_bounded_and_has_no_control_characters() {
        assert_eq!(line(" S\u{327}u\u{308}kru\u{308} ", 10), Ok("Şükrü".to_owned()));
        assert_eq!(line("  ", 10), Err(InvalidText::Empty));
        assert_eq!(line("abc", 2), Err(InvalidText::TooLong(2)));
        assert_eq!(line("a\u{0}b", 5), Err(InvalidText::Control));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
