//! Text by anybody, made fit for print.

use serde::Serialize;
use typst::layout::Abs;
use typst::text::{Font, FontInstance, FontVariant, FontVariations};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Characters of one text that are printed; the rest becomes an ellipsis.
const LONGEST: usize = 160;
/// Letters without a space after which a line may break anywhere: no word may be wider than the page.
const LONGEST_WORD: usize = 24;
/// Marks on one letter; more would only climb over other lines.
const MARKS_PER_LETTER: usize = 4;
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// A text that can be set as it is.
#[derive(Serialize)]
pub struct Line {
    pub text: String,
    /// Its length in em, without kerning.
    em: f64,
}

/// Knows which characters the embedded fonts can draw, and how wide.
pub struct Printable {
    fonts: Vec<FontInstance>,
}

impl Printable {
    /// Prints in these fonts: the first that has a letter draws it.
    pub fn new<'a>(fonts: impl IntoIterator<Item = &'a Font>) -> Self {
        let instance = |font: &Font| {
            font.clone().instantiate(FontVariant::default(), Abs::pt(12.0), &FontVariations::default())
        };
        Self { fonts: fonts.into_iter().map(instance).collect() }
    }

    /// The text in NFC as one line, in characters that the fonts have and that stay where they stand: white space
    /// of any kind is one space, invisible characters are left out, and a character that steers the direction of
    /// text, is a control or has no glyph is spelled as its code point (`[U+202E]`). `None` if nothing remains that
    /// takes room.
    pub fn line(&self, text: &str) -> Option<Line> {
        let mut line = String::with_capacity(text.len().min(LONGEST * 4));
        let mut printed = 0;
        let mut word = 0;
        for letter in Letters::of(text) {
            if printed >= LONGEST {
                line.truncate(line.trim_end().len());
                line.push('…');
                break;
            }
            if letter == " " {
                if !line.is_empty() && !line.ends_with(' ') {
                    line.push(' ');
                    printed += 1;
                }
                word = 0;
                continue;
            }
            if word >= LONGEST_WORD {
                line.push(ZERO_WIDTH_SPACE);
            }
            if self.is_drawable(&letter) {
                line.push_str(&letter);
                printed += letter.chars().count();
                word += 1;
            } else {
                for character in letter.chars() {
                    let code_point = format!("[U+{:04X}]", u32::from(character));
                    printed += code_point.len();
                    word += code_point.len();
                    line.push_str(&code_point);
                }
            }
        }
        line.truncate(line.trim_end().len());
        let em = line.chars().map(|character| self.advance(character)).sum();
        (em > 0.0).then_some(Line { text: line, em })
    }

    /// Whether one font has a letter with all its marks. Typst falls back to another font for whole letters only,
    /// and what no font has would be a box, which PDF/A refuses.
    fn is_drawable(&self, letter: &str) -> bool {
        let has = |font: &FontInstance| letter.chars().all(|c| font.info().coverage.contains(c.into()));
        !letter.chars().any(is_steering) && self.fonts.iter().any(has)
    }

    /// A character's width in em; nothing if it joins to the one before it.
    fn advance(&self, character: char) -> f64 {
        if character == ZERO_WIDTH_SPACE || is_combining_mark(character) {
            return 0.0;
        }
        let width = |font: &FontInstance| font.x_advance(font.ttf().glyph_index(character)?.0);
        self.fonts.iter().find_map(width).map_or(0.0, |em| em.get())
    }
}

/// Splits text into letters: a character with the combining marks that follow it. White space is `" "`.
struct Letters<I: Iterator<Item = char>> {
    characters: std::iter::Peekable<I>,
}

impl Letters<std::iter::Empty<char>> {
    fn of(text: &str) -> Letters<impl Iterator<Item = char>> {
        Letters { characters: text.nfc().filter(|&character| !is_invisible(character)).peekable() }
    }
}

impl<I: Iterator<Item = char>> Iterator for Letters<I> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let first = self.characters.next()?;
        if first.is_whitespace() {
            return Some(" ".to_owned());
        }
        let mut letter = String::from(first);
        let mut marks = 0;
        while let Some(mark) = self.characters.next_if(|&next| is_combining_mark(next)) {
            if marks < MARKS_PER_LETTER {
                letter.push(mark);
            }
            marks += 1;
        }
        Some(letter)
    }
}

/// Unicode's `Default_Ignorable_Code_Point`, without the joiners that Arabic and Persian spelling needs
/// (U+200C, U+200D) and without what steers direction, which is shown.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Controls, and the characters of UAX #9 that steer the direction of the text after them.
fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}')
}
