//! What an academy asks consent to: kinds, and the texts that people read.

use crate::text::{InvalidForm, text_type};

text_type! {
    /// What is consented to, as the academy calls it in addresses: `[a-z0-9]+(-[a-z0-9]+)*`, at most 40 bytes.
    ConsentKind, InvalidForm, |text| {
        let well_formed = (1..=40).contains(&text.len())
            && text.split('-').all(|word| {
                !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            });
        if well_formed { Ok(text.to_owned()) } else { Err(InvalidForm("is not lower-case words joined by hyphens")) }
    }
}

text_type! {
    /// What somebody reads who is asked: 1 byte to 20 KB of plain text.
    ConsentText, InvalidForm, |text| {
        if text.trim().is_empty() {
            Err(InvalidForm("is empty"))
        } else if text.len() > 20 * 1024 {
            Err(InvalidForm("is longer than 20 KB"))
        } else if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\t')) {
            Err(InvalidForm("holds control characters"))
        } else {
            Ok(text.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_words_of_addresses_and_texts_are_plain_and_bounded() {
        for good in ["kvkk", "mail-2"] {
            assert!(good.parse::<ConsentKind>().is_ok(), "{good}");
        }
        for bad in ["", "KVKK", "a--b", "-a", "rıza", &"a".repeat(41)] {
            assert!(bad.parse::<ConsentKind>().is_err(), "{bad}");
        }
        assert!("Açık rıza metni\n\tmadde 1".parse::<ConsentText>().is_ok());
        for bad in [" \n", "a\0b", "a\rb", &"ş".repeat(10 * 1024 + 1)] {
            assert!(bad.parse::<ConsentText>().is_err());
        }
    }
}
