//! The content of a course, split by who may read it.
//!
//! | type | reader |
//! | --- | --- |
//! | [`CourseOutline`] | everybody: titles, kinds, lengths, what is required |
//! | [`LessonBody`] | whoever is enrolled; a quiz without its answers |
//! | [`crate::quiz::AnswerKey`] | the server alone |
//!
//! They are separate types that do not contain one another, so that a public page cannot hold a lesson body
//! and no learner's answer can hold a key.

pub mod completion;
mod lesson;
pub mod opening;
pub mod pictures;
mod requirement;

pub use lesson::*;
pub use requirement::Requirement;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{CourseId, LessonId, ModuleId, SectionId},
    text::{InvalidForm, InvalidText, fold, line, nfc, text_type},
};
use opening::Opening;
use pictures::CoursePictures;

text_type! {
    /// The title of a course, module, section or lesson: one line in NFC of 1 to [`Title::MAX`] characters.
    Title, InvalidText, |text| line(text, Title::MAX)
}

impl Title {
    /// The longest title, in characters (Unicode scalar values of the NFC form).
    pub const MAX: usize = 200;

    /// What stands where there is no title to be had.
    pub fn missing() -> Self {
        Self("–".to_owned())
    }

    /// A title from text that nobody is there to correct: control characters and runs of white space become
    /// one space, and what is too long ends in `…`. `None` if nothing is left.
    pub fn clipped(text: &str) -> Option<Self> {
        let spaced: String =
            text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let spaced = nfc(&spaced);
        let mut title = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
        if title.chars().nth(Self::MAX).is_some() {
            title = title.chars().take(Self::MAX - 1).chain(['…']).collect();
        }
        line(&title, Self::MAX).ok().map(Self)
    }
}

text_type! {
    /// The part of a URL that names a course in its academy: `[a-z0-9]+(-[a-z0-9]+)*`, at most
    /// [`Slug::MAX`] bytes.
    Slug, InvalidForm, |text| {
        let well_formed = (1..=Slug::MAX).contains(&text.len())
            && text.split('-').all(|word| {
                !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            });
        if well_formed { Ok(text.to_owned()) } else { Err(InvalidForm("is not lower-case words joined by hyphens")) }
    }
}

impl Slug {
    /// The longest slug, in bytes (all of them ASCII).
    pub const MAX: usize = 80;

    /// The slug of a title: folded for Turkish, so `İklim ve Işık: Açık Ders` gives `iklim-ve-isik-acik-ders`;
    /// cut at a word's end. `None` if the title has no Latin letter or digit.
    pub fn of(title: &Title) -> Option<Self> {
        let mut slug = String::new();
        let folded = fold(title.as_str());
        for word in
            folded.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
        {
            if slug.is_empty() {
                slug.extend(word.chars().take(Self::MAX));
            } else if slug.len() + 1 + word.len() > Self::MAX {
                break;
            } else {
                slug.push('-');
                slug.push_str(word);
            }
        }
        slug.parse().ok()
    }
}

text_type! {
    /// A language tag (BCP 47): a language of two or three letters and perhaps subtags, as `tr` or `pt-BR`.
    Language, InvalidForm, |text| {
        let mut subtags = text.split('-');
        let primary = subtags.next().unwrap_or_default();
        let well_formed = text.len() <= 35
            && (2..=3).contains(&primary.len())
            && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
            && subtags.all(|subtag| {
                (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        if well_formed { Ok(text.to_owned()) } else { Err(InvalidForm("is not a language tag")) }
    }
}

text_type! {
    /// The id of a video at YouTube: eleven letters, digits, `-` or `_`.
    YoutubeId, InvalidForm, |text| {
        let well_formed = text.len() == 11
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if well_formed { Ok(text.to_owned()) } else { Err(InvalidForm("is not a YouTube video id")) }
    }
}

/// Sanitised HTML. Only a sanitiser makes it: [`Html::sanitised`] is that claim, and reading it back from a
/// store or the feed repeats it. What people send is a plain `String` until it has been sanitised.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct Html(String);

impl Html {
    /// The longest HTML of one lesson, in bytes: a row at the edge stays under 400 KB with its other columns.
    pub const MAX: usize = 300_000;

    /// Takes the word of a sanitiser that `html` holds nothing active.
    pub const fn sanitised(html: String) -> Self {
        Self(html)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A share in whole percent, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "u8", into = "u8")]
#[schema(value_type = u8, minimum = 1, maximum = 100)]
pub struct Percent(u8);

impl Percent {
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = InvalidForm;

    fn try_from(percent: u8) -> Result<Self, InvalidForm> {
        if (1..=100).contains(&percent) {
            Ok(Self(percent))
        } else {
            Err(InvalidForm("is not 1 to 100 percent"))
        }
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> u8 {
        percent.0
    }
}

/// What everybody may know of a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CourseOutline {
    pub id: CourseId,
    pub slug: Slug,
    pub title: Title,
    pub language: Option<Language>,
    /// The least mean share of the required quizzes' points that completes the course.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_score: Option<Percent>,
    #[serde(default, skip_serializing_if = "CoursePictures::is_empty")]
    pub pictures: CoursePictures,
    /// In the order of the course, as every list below.
    pub modules: Vec<ModuleOutline>,
}

impl CourseOutline {
    /// All lessons in the order of the course.
    pub fn lessons(&self) -> impl Iterator<Item = &LessonOutline> {
        self.modules.iter().flat_map(ModuleOutline::lessons)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModuleOutline {
    pub id: ModuleId,
    pub title: Title,
    /// So many of its required lessons are enough; absent for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    /// What it waits for; absent if it is open from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<Opening>,
    pub sections: Vec<SectionOutline>,
}

impl ModuleOutline {
    pub fn lessons(&self) -> impl Iterator<Item = &LessonOutline> {
        self.sections.iter().flat_map(|section| &section.lessons)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SectionOutline {
    pub id: SectionId,
    pub title: Title,
    pub lessons: Vec<LessonOutline>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LessonOutline {
    pub id: LessonId,
    pub title: Title,
    pub kind: LessonKind,
    /// The length of a video in whole seconds, where it is known.
    pub duration_seconds: Option<u32>,
    /// What fulfils the lesson; absent if the course completes without it.
    pub requirement: Option<Requirement>,
}

#[cfg(test)]
mod tests;
