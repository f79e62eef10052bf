//! An academy's colour, and its shade that can be read on paper.

use std::{fmt, str::FromStr};

/// Text that is no colour: anything but `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a colour of the form #rrggbb")]
pub struct InvalidBrandColour;

/// An sRGB colour, written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrandColour {
    red: u8,
    green: u8,
    blue: u8,
}

/// The contrast that WCAG 2.2 asks of text (success criterion 1.4.3).
const READABLE_CONTRAST: f64 = 4.5;

impl BrandColour {
    /// This colour, darkened as far as text on white needs: a contrast of 4.5:1 (WCAG 2.2).
    pub fn readable_on_white(self) -> Self {
        (0..=100)
            .rev()
            .map(|percent| self.scaled(percent))
            .find(|shade| shade.contrast_on_white() >= READABLE_CONTRAST)
            .unwrap_or(self.scaled(0))
    }

    fn scaled(self, percent: u16) -> Self {
        let scale = |channel: u8| u8::try_from(u16::from(channel) * percent / 100).unwrap_or(u8::MAX);
        Self { red: scale(self.red), green: scale(self.green), blue: scale(self.blue) }
    }

    /// WCAG 2.2, "contrast ratio" and "relative luminance".
    fn contrast_on_white(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = 0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue);
        1.05 / (luminance + 0.05)
    }
}

impl FromStr for BrandColour {
    type Err = InvalidBrandColour;

    fn from_str(text: &str) -> Result<Self, InvalidBrandColour> {
        let digits = text.strip_prefix('#').ok_or(InvalidBrandColour)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidBrandColour);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| InvalidBrandColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self { red, green, blue })
    }
}

impl fmt::Display for BrandColour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_hex_digits_after_a_hash_are_a_colour() {
        assert_eq!("#0A7b8c".parse::<BrandColour>().unwrap().to_string(), "#0a7b8c");
        for text in
            ["", "#", "0a7b8c", "#0a7b8", "#0a7b8cc", "#+a7b8c", "#0a7b8g", "red", "#fff", "#çç3", "#000000;"]
        {
            assert_eq!(text.parse::<BrandColour>(), Err(InvalidBrandColour), "{text}");
        }
    }

    #[test]
    fn pale_colours_are_darkened_until_they_read_on_white_and_dark_ones_stay() {
        for pale in ["#ffffff", "#ffff00", "#7fffd4", "#ff9900"] {
            let ink = pale.parse::<BrandColour>().unwrap().readable_on_white();
            assert!(ink.contrast_on_white() >= READABLE_CONTRAST, "{pale} became {ink}");
        }
        let navy: BrandColour = "#12355b".parse().unwrap();
        assert_eq!(navy.readable_on_white(), navy);
    }
}
