//! What learners say of a course: stars, text, and what is counted of them.

use serde::{Deserialize, Serialize};

use crate::text::{InvalidForm, nfc, text_type};

/// How many stars a review gives: 1 to 5.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "i64", into = "i64")]
#[schema(value_type = i32, minimum = 1, maximum = 5)]
pub struct Stars(u8);

/// A number of stars that no review gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a whole number from 1 to 5")]
pub struct InvalidStars;

impl Stars {
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<i64> for Stars {
    type Error = InvalidStars;

    fn try_from(stars: i64) -> Result<Self, InvalidStars> {
        match u8::try_from(stars) {
            Ok(stars @ 1..=5) => Ok(Self(stars)),
            _ => Err(InvalidStars),
        }
    }
}

impl From<Stars> for i64 {
    fn from(stars: Stars) -> i64 {
        stars.0.into()
    }
}

text_type! {
    /// What a review says: 1 to 2,000 characters of plain text in NFC, trimmed. Lines may break; there are no other control
    /// characters.
    ReviewText, InvalidForm, |text| plain(text, 2000, InvalidForm("is longer than 2000 characters"))
}

text_type! {
    /// What staff tells an author whose review it hides: 1 to 500 characters, as [`ReviewText`].
    HidingNote, InvalidForm, |text| plain(text, 500, InvalidForm("is longer than 500 characters"))
}

/// Of at most `max` characters; `too_long` is what a longer one is refused with.
fn plain(text: &str, max: usize, too_long: InvalidForm) -> Result<String, InvalidForm> {
    let text = nfc(text.trim()).replace("\r\n", "\n");
    if text.is_empty() {
        Err(InvalidForm("is empty"))
    } else if text.chars().count() > max {
        Err(too_long)
    } else if text.chars().any(|letter| letter.is_control() && letter != '\n') {
        Err(InvalidForm("holds a control character"))
    } else {
        Ok(text)
    }
}

/// What is wrong with a review, as a reader reports it or staff says who hides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewFault {
    Advertising,
    Insult,
    PersonalData,
    OffTopic,
    Other,
}

impl ReviewFault {
    pub const ALL: [Self; 5] =
        [Self::Advertising, Self::Insult, Self::PersonalData, Self::OffTopic, Self::Other];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Advertising => "advertising",
            Self::Insult => "insult",
            Self::PersonalData => "personal_data",
            Self::OffTopic => "off_topic",
            Self::Other => "other",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

/// How many reviews give 1, 2, 3, 4 and 5 stars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StarCounts(pub [i64; 5]);

impl StarCounts {
    pub fn total(self) -> i64 {
        self.0.iter().sum()
    }

    /// The mean, rounded to hundredths, half up; nothing without a review.
    pub fn average(self) -> Option<f64> {
        let total = self.total();
        let stars: i64 = (1..).zip(self.0).map(|(stars, count)| stars * count).sum();
        (total > 0).then(|| ((200 * stars + total) / (2 * total)) as f64 / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_are_one_to_five() {
        for stars in 1..=5 {
            assert_eq!(serde_json::from_value::<Stars>(stars.into()).unwrap().get(), stars);
        }
        for bad in ["0", "6", "-1", "4.5", "\"5\"", "257", "9007199254740993", "null"] {
            assert!(serde_json::from_str::<Stars>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_text_is_plain_composed_and_bounded() {
        let text: ReviewText = "  C\u{327}ok I\u{307}yi\r\n\nbir ders 👩‍🏫 ".parse().unwrap();
        assert_eq!(text.as_str(), "Çok İyi\n\nbir ders 👩‍🏫");
        for bad in ["", " \n ", "a\0b", "a\tb", "a\u{85}b", "a\rb", &"ş".repeat(2001)] {
            assert!(bad.parse::<ReviewText>().is_err(), "{bad:?}");
        }
        assert!("ş".repeat(2000).parse::<ReviewText>().is_ok());
        assert!("ş".repeat(501).parse::<HidingNote>().is_err());
    }

    #[test]
    fn a_mean_has_two_decimals() {
        for (counts, average) in [
            ([0; 5], None),
            ([0, 0, 0, 0, 3], Some(5.0)),
            ([1, 0, 0, 0, 2], Some(3.67)),
            ([0, 0, 0, 1, 2], Some(4.67)),
            ([0, 0, 0, 1, 199], Some(5.0)),
            ([0, 0, 0, 1, 99], Some(4.99)),
        ] {
            assert_eq!(StarCounts(counts).average(), average, "{counts:?}");
        }
    }

    proptest! {
        #[test]
        fn a_mean_lies_between_the_fewest_and_the_most_stars(counts in prop::array::uniform5(0_i64..1_000_000)) {
            let given = |counts: [i64; 5]| (1..).zip(counts).filter(|(_, count)| *count > 0).map(|(stars, _)| f64::from(stars));
            let average = StarCounts(counts).average();
            prop_assert_eq!(average.is_some(), StarCounts(counts).total() > 0);
            if let (Some(average), Some(least), Some(most)) = (average, given(counts).next(), given(counts).last()) {
                prop_assert!((least..=most).contains(&average));
            }
        }
    }
}
