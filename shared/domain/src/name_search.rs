//! People are found by the beginnings of the words of their names, in Turkish letters or without.
//!
//! Names are sealed, so the store has only beginnings of words under a key. They find who may be meant; who is, is decided by
//! the name itself.

use crate::{
    identity::PersonName,
    text::{InvalidText, fold, line},
};

/// The shortest and the longest beginning of a word that the index has, in folded letters.
const SHORTEST: usize = 2;
const LONGEST: usize = 6;
/// The words of one name that the index has: 40 beginnings at most.
const MAX_WORDS: usize = 8;
/// The words of a search that the index is asked for.
const MAX_LOOKUPS: usize = 3;

/// The beginnings of words by which a name is found, each once.
pub fn prefixes(name: &PersonName) -> Vec<String> {
    let mut prefixes = Vec::new();
    for beginning in words(name.as_str()).iter().take(MAX_WORDS).flat_map(|word| beginnings(word)) {
        if !prefixes.contains(&beginning) {
            prefixes.push(beginning);
        }
    }
    prefixes
}

fn beginnings(word: &str) -> impl Iterator<Item = String> {
    let letters: Vec<char> = word.chars().take(LONGEST).collect();
    (SHORTEST..=letters.len()).map(move |count| letters.iter().take(count).collect())
}

/// The words as search sees them: folded letters and digits.
fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// What staff types: beginnings of words, in any order. One of them has two letters or more.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct NameQuery(Vec<String>);

/// Why nothing can be searched by a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNameQuery {
    #[error(transparent)]
    Text(#[from] InvalidText),
    #[error("has no word of two letters or more")]
    TooShort,
}

impl TryFrom<String> for NameQuery {
    type Error = InvalidNameQuery;

    fn try_from(text: String) -> Result<Self, InvalidNameQuery> {
        let words = words(&line(&text, 200)?);
        let is_long = |word: &String| word.chars().nth(SHORTEST - 1).is_some();
        if words.iter().any(is_long) { Ok(Self(words)) } else { Err(InvalidNameQuery::TooShort) }
    }
}

impl NameQuery {
    /// The beginnings to look for, all of which a name that fits has: one to three, as they were typed.
    pub fn lookups(&self) -> Vec<String> {
        self.0.iter().filter_map(|word| beginnings(word).last()).take(MAX_LOOKUPS).collect()
    }

    /// Whether each word of the search begins a word of the name.
    pub fn fits(&self, name: &PersonName) -> bool {
        let words = words(name.as_str());
        self.0.iter().all(|wanted| words.iter().any(|word| word.starts_with(wanted.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> PersonName {
        text.to_owned().try_into().unwrap()
    }

    fn query(text: &str) -> NameQuery {
        text.to_owned().try_into().unwrap_or_else(|error: InvalidNameQuery| panic!("{text}: {error}"))
    }

    #[test]
    fn the_beginning_of_any_word_fits_with_and_without_turkish_letters() {
        let name = name("Şükrü Iğdır-Çağlayangöl");
        for fits in
            ["şükrü", "SUK", "igd", "ığ", "IĞDIR", "çağlayangöl", "cagl su", "Iğdır ş", "Şükrü  Iğdır"]
        {
            assert!(query(fits).fits(&name), "{fits}");
            let has = prefixes(&name);
            assert!(query(fits).lookups().iter().all(|lookup| has.contains(lookup)), "{fits}");
        }
        for other in ["krü", "iğdırlı", "şükrü ayşe", "caglayangolu"] {
            assert!(!query(other).fits(&name), "{other}");
        }
    }

    #[test]
    fn a_search_has_a_word_of_two_letters_and_asks_the_index_for_few() {
        for short in ["", " ", "a", "a b", "- !"] {
            assert!(NameQuery::try_from(short.to_owned()).is_err(), "{short}");
        }
        assert_eq!(query("a al ali muhammed mehmet").lookups(), ["al", "ali", "muhamm"]);
        let long = prefixes(&name(&(0..25).map(|n| format!("ad{n:04} ")).collect::<String>()));
        assert!(long.len() <= 40, "{}", long.len());
    }

    proptest! {
        #[test]
        fn whatever_begins_one_of_the_first_words_is_found(text in "[A-ZÇĞİÖŞÜa-zçğıöşü' -]{1,40}", at in 0..8_usize, count in 2..9_usize) {
            let Ok(name) = PersonName::try_from(text.clone()) else { return Ok(()) };
            let Some(word) = words(&text).into_iter().take(MAX_WORDS).nth(at) else { return Ok(()) };
            let typed: String = word.chars().take(count).collect();
            let Ok(query) = NameQuery::try_from(typed) else { return Ok(()) };
            prop_assert!(query.fits(&name));
            prop_assert!(query.lookups().iter().all(|lookup| prefixes(&name).contains(lookup)));
        }
    }
}
