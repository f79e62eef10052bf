//! Quizzes: what a learner sees, what they send, and what only the server knows.
//!
//! [`Quiz`] holds no answer and [`AnswerKey`] no question: they are two rows with two readers.

mod scoring;

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::course::{Html, Percent};
pub use scoring::{InvalidSubmission, QuestionScore, Scored, parse_number, score};

/// Text that does not have the form its type asks for; the message says which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuiz {
    #[error("is not 1 to 32 lower-case letters, digits, hyphens or underscores")]
    Id,
    #[error("is not a pattern that can be matched: {0}")]
    Pattern(String),
}

macro_rules! local_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, pattern = "^[a-z0-9_-]{1,32}$")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidQuiz;

            fn try_from(id: String) -> Result<Self, InvalidQuiz> {
                let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
                if (1..=32).contains(&id.len()) && id.bytes().all(allowed) { Ok(Self(id)) } else { Err(InvalidQuiz::Id) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    )+};
}

local_ids! {
    /// Names a question within its quiz.
    QuestionId,
    /// Names a choice within its question.
    ChoiceId,
}

/// What an enrolled learner sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quiz {
    /// What stands above the questions; may be empty.
    pub introduction: Html,
    pub questions: Vec<Question>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub id: QuestionId,
    pub prompt: Html,
    /// What a full answer is worth.
    pub points: u16,
    pub form: AnswerForm,
}

/// How a question is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AnswerForm {
    /// One of these, all in sight.
    SingleChoice { choices: Vec<Choice> },
    /// Any number of these.
    MultipleChoice { choices: Vec<Choice> },
    /// One of these, from a list that opens.
    DropDown { choices: Vec<Choice> },
    /// A line of text.
    Text,
    /// A decimal number.
    Number,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub id: ChoiceId,
    pub label: Html,
}

/// What only the server knows of a quiz.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerKey {
    pub questions: Vec<QuestionKey>,
    /// What a learner reads after the attempt; may be empty. It tells the answers.
    pub explanation: Html,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionKey {
    pub question: QuestionId,
    /// What a full answer is worth; at least 1.
    pub points: u16,
    pub rule: Rule,
}

/// What answers a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// One choice, and it is one of these.
    OneOf { correct: BTreeSet<ChoiceId> },
    /// Exactly these choices, in any order; perhaps none at all.
    AllOf { correct: BTreeSet<ChoiceId> },
    /// Text that one of these accepts.
    Text { accepted: Vec<TextRule> },
    /// A number that one of `accepted` takes earns all points, one of `half` takes half of them, rounded down.
    Number { accepted: Vec<NumberRule>, half: Vec<NumberRule> },
}

/// Which text is accepted. White space at the ends never counts, and the form is NFC on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "match", rename_all = "snake_case", deny_unknown_fields)]
pub enum TextRule {
    /// This text, letter by letter.
    Exact { text: String },
    /// This text, whatever the case and the runs of white space. `İ`, `I`, `ı` and `i` are one letter, since
    /// which of them pair depends on the writer's language; other diacritics count (`öl` is not `ol`).
    AnyCase { text: String },
    /// Text that the pattern matches from end to end.
    Pattern { pattern: Pattern, any_case: bool },
}

/// A regular expression in the syntax of the `regex` crate, of at most [`Pattern::MAX`] bytes: no
/// back-references and no look-around, so matching takes time linear in the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Pattern(String);

impl Pattern {
    /// The longest pattern, in bytes.
    pub const MAX: usize = 300;

    /// Bounds the compiled form, since `(a{99}){99}` is short only as text.
    const COMPILED_BYTES: usize = 64 << 10;

    fn compile(&self, any_case: bool) -> Result<regex_lite::Regex, InvalidQuiz> {
        Self::build(&self.0, any_case)
    }

    fn build(pattern: &str, any_case: bool) -> Result<regex_lite::Regex, InvalidQuiz> {
        if pattern.len() > Self::MAX {
            return Err(InvalidQuiz::Pattern(format!("longer than {} bytes", Self::MAX)));
        }
        // Checked on its own first: `a)|(b` would close the group that is put around it.
        for whole in [pattern, &format!("^(?:{pattern})$")] {
            let built = regex_lite::RegexBuilder::new(whole)
                .case_insensitive(any_case)
                .size_limit(Self::COMPILED_BYTES)
                .nest_limit(20)
                .build()
                .map_err(|error| InvalidQuiz::Pattern(error.to_string()))?;
            if whole.len() > pattern.len() {
                return Ok(built);
            }
        }
        Err(InvalidQuiz::Pattern("empty".to_owned()))
    }
}

impl TryFrom<String> for Pattern {
    type Error = InvalidQuiz;

    fn try_from(pattern: String) -> Result<Self, InvalidQuiz> {
        Self::build(&pattern, true)?;
        Ok(Self(pattern))
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.0
    }
}

/// Which numbers are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "match", rename_all = "snake_case", deny_unknown_fields)]
pub enum NumberRule {
    /// `value`, give or take the tolerance.
    Value { value: f64, tolerance: Tolerance },
    /// What lies between two numbers; each end counts unless it is left out.
    Range { from: f64, to: f64, without_from: bool, without_to: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tolerance {
    /// In the number's own unit.
    Absolute(f64),
    /// In percent of the value.
    Percent(f64),
}

/// What a learner sends: at most one answer a question; a question without one earns nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    pub answers: Vec<SubmittedAnswer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmittedAnswer {
    pub question: QuestionId,
    pub answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To a single choice, multiple choice or drop-down question.
    Choices(BTreeSet<ChoiceId>),
    /// To a text question, and to a number question as the learner typed it.
    Text(String),
}

/// Points reached of points possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    pub points: u32,
    pub max: u32,
}

impl Score {
    /// Whether at least this share of the points was reached. A quiz without points is never passed.
    pub fn reaches(self, percent: Percent) -> bool {
        self.max > 0 && u64::from(self.points) * 100 >= u64::from(self.max) * u64::from(percent.get())
    }

    /// The share in whole percent, rounded down; 0 for a quiz without points.
    pub fn percent(self) -> u8 {
        let share = (u64::from(self.points) * 100).checked_div(u64::from(self.max)).unwrap_or(0);
        u8::try_from(share.min(100)).unwrap_or(100)
    }
}

#[cfg(test)]
mod tests;
