//! An academy's colour, and what can be read on it, or in it on paper.

use std::{fmt, str::FromStr};

/// Text that is no colour: anything but `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a colour of the form #rrggbb")]
pub struct InvalidColour;

/// An sRGB colour, written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// The contrast that WCAG 2.2 asks of text (success criterion 1.4.3).
const READABLE_CONTRAST: f64 = 4.5;

impl Colour {
    pub const BLACK: Self = Self { red: 0, green: 0, blue: 0 };
    pub const WHITE: Self = Self { red: 255, green: 255, blue: 255 };

    /// Black or white, whichever reads better on this colour: one of them always has the contrast of 4.5:1 that
    /// WCAG 2.2 asks of text (success criterion 1.4.3).
    pub fn ink(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// This colour, darkened as far as text on white needs: a contrast of 4.5:1 (WCAG 2.2).
    pub fn readable_on_white(self) -> Self {
        (0..=100)
            .rev()
            .map(|percent| self.scaled(percent))
            .find(|shade| shade.contrast(Self::WHITE) >= READABLE_CONTRAST)
            .unwrap_or(Self::BLACK)
    }

    fn scaled(self, percent: u16) -> Self {
        let scale = |channel: u8| u8::try_from(u16::from(channel) * percent / 100).unwrap_or(u8::MAX);
        Self { red: scale(self.red), green: scale(self.green), blue: scale(self.blue) }
    }

    /// WCAG 2.2, "contrast ratio": 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// WCAG 2.2, "relative luminance": 0 to 1.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl FromStr for Colour {
    type Err = InvalidColour;

    fn from_str(text: &str) -> Result<Self, InvalidColour> {
        let digits = text.strip_prefix('#').ok_or(InvalidColour)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| InvalidColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self { red, green, blue })
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_hex_digits_after_a_hash_are_a_colour() {
        assert_eq!("#0A7b8c".parse::<Colour>().unwrap().to_string(), "#0a7b8c");
        for text in [
            "", "#", "0a7b8c", "#0a7b8", "#0a7b8cc", "#+a7b8c", "#0a7b8g", "red", "#fff", "#çç3", "#000000;",
            "#000}*{",
        ] {
            assert_eq!(text.parse::<Colour>(), Err(InvalidColour), "{text}");
        }
    }

    #[test]
    fn text_reads_on_every_colour() {
        let channel = || (0..=255_u8).step_by(15);
        for red in channel() {
            for green in channel() {
                for blue in channel() {
                    let colour = Colour { red, green, blue };
                    assert!(colour.contrast(colour.ink()) >= READABLE_CONTRAST, "{colour}");
                }
            }
        }
        assert_eq!("#ffe600".parse::<Colour>().unwrap().ink(), Colour::BLACK);
        assert_eq!("#0b6e4f".parse::<Colour>().unwrap().ink(), Colour::WHITE);
    }
    #[test]
    fn pale_colours_are_darkened_until_they_read_on_white_and_dark_ones_stay() {
        for pale in ["#ffffff", "#ffff00", "#7fffd4", "#ff9900"] {
            let ink = pale.parse::<Colour>().unwrap().readable_on_white();
            assert!(ink.contrast(Colour::WHITE) >= READABLE_CONTRAST, "{pale} became {ink}");
        }
        let navy: Colour = "#12355b".parse().unwrap();
        assert_eq!(navy.readable_on_white(), navy);
    }
}
