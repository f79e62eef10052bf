//! Scoring: the same key and the same submission always give the same points, and nothing that a learner
//! sends makes it fail half-way.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use super::{
    Answer, AnswerKey, NumberRule, Pattern, QuestionId, QuestionKey, Rule, Score, Submission, TextRule,
    Tolerance,
};
use crate::text::nfc;

/// The longest text answer that is looked at, in characters; a longer one is wrong.
const MAX_ANSWER: usize = 2_000;

/// A submission that does not belong to the quiz. A wrong or unreadable answer is no error: it earns nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubmission {
    #[error("there is no question {0:?}")]
    UnknownQuestion(String),
    #[error("question {0:?} is answered twice")]
    AnsweredTwice(String),
    #[error("question {0:?} takes another form of answer")]
    WrongForm(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Scored {
    pub score: Score,
    /// One per question, in the order of the key.
    pub questions: Vec<QuestionScore>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuestionScore {
    pub question: QuestionId,
    pub score: Score,
}

/// The points of a submission.
pub fn score(key: &AnswerKey, submission: &Submission) -> Result<Scored, InvalidSubmission> {
    let known: BTreeSet<&QuestionId> = key.questions.iter().map(|question| &question.question).collect();
    let mut answers: BTreeMap<&QuestionId, &Answer> = BTreeMap::new();
    for given in &submission.answers {
        if !known.contains(&given.question) {
            return Err(InvalidSubmission::UnknownQuestion(given.question.as_str().to_owned()));
        }
        if answers.insert(&given.question, &given.answer).is_some() {
            return Err(InvalidSubmission::AnsweredTwice(given.question.as_str().to_owned()));
        }
    }
    let mut total = Score::default();
    let mut questions = Vec::with_capacity(key.questions.len());
    for question in &key.questions {
        let points = match answers.get(&question.question) {
            Some(answer) => points(question, answer)?,
            None => 0,
        };
        let reached = Score { points, max: u32::from(question.points) };
        total.points = total.points.saturating_add(reached.points);
        total.max = total.max.saturating_add(reached.max);
        questions.push(QuestionScore { question: question.question.clone(), score: reached });
    }
    Ok(Scored { score: total, questions })
}

fn points(key: &QuestionKey, answer: &Answer) -> Result<u32, InvalidSubmission> {
    let full = u32::from(key.points);
    let all_or_nothing = |right: bool| if right { full } else { 0 };
    Ok(match (&key.rule, answer) {
        (Rule::OneOf { correct }, Answer::Choices(chosen)) => {
            all_or_nothing(chosen.len() == 1 && chosen.is_subset(correct))
        }
        (Rule::AllOf { correct }, Answer::Choices(chosen)) => all_or_nothing(chosen == correct),
        (Rule::Text { accepted }, Answer::Text(text)) => {
            let readable = text.chars().nth(MAX_ANSWER).is_none();
            all_or_nothing(readable && accepted.iter().any(|rule| rule.accepts(text)))
        }
        (Rule::Number { accepted, half }, Answer::Text(text)) => match parse_number(text) {
            Some(number) if accepted.iter().any(|rule| rule.accepts(number)) => full,
            Some(number) if half.iter().any(|rule| rule.accepts(number)) => full / 2,
            Some(_) | None => 0,
        },
        (Rule::OneOf { .. } | Rule::AllOf { .. }, Answer::Text(_))
        | (Rule::Text { .. } | Rule::Number { .. }, Answer::Choices(_)) => {
            return Err(InvalidSubmission::WrongForm(key.question.as_str().to_owned()));
        }
    })
}

impl TextRule {
    fn accepts(&self, given: &str) -> bool {
        match self {
            Self::Exact { text } => nfc(text.trim()) == nfc(given.trim()),
            Self::AnyCase { text } => any_case(text) == any_case(given),
            Self::Pattern { pattern, any_case } => pattern_accepts(pattern, *any_case, given),
        }
    }
}

fn pattern_accepts(pattern: &Pattern, any_case: bool, given: &str) -> bool {
    let given = nfc(given.trim());
    pattern.compile(any_case).is_ok_and(|compiled| compiled.is_match(&given))
}

/// `text` in lower case with single spaces, the four Turkish letters `İ I ı i` as one.
fn any_case(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        // NFC first, so that `I` with a combining dot is `İ` too.
        spaced.extend(
            nfc(word).chars().map(|letter| if matches!(letter, 'İ' | 'I' | 'ı') { 'i' } else { letter }),
        );
    }
    // Plain lower-casing, in a browser too, makes `i` and a combining dot of `İ`.
    nfc(&spaced.to_lowercase()).replace("i\u{307}", "i")
}

impl NumberRule {
    fn accepts(self, given: f64) -> bool {
        match self {
            Self::Value { value, tolerance } => {
                let allowed = match tolerance {
                    Tolerance::Absolute(allowed) => allowed.abs(),
                    Tolerance::Percent(percent) => (value * percent / 100.0).abs(),
                };
                // 0.4 - 0.3 is more than 0.1 in binary: the last bits are no reason to be wrong.
                let rounding = 1e-12 * value.abs().max(given.abs()).max(allowed);
                (given - value).abs() <= allowed + rounding
            }
            Self::Range { from, to, without_from, without_to } => {
                let above = if without_from { given > from } else { given >= from };
                let below = if without_to { given < to } else { given <= to };
                above && below
            }
        }
    }
}

/// A decimal number as people type it: a sign, digits, one decimal point or comma, an exponent (`1,5e3`).
/// No separators of thousands, since `1.234` would have two meanings. `None` for anything else and for what
/// is beyond an `f64`.
pub fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    let plain = text.replace(',', ".").replace('\u{2212}', "-");
    let (sign, unsigned) = match plain.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if mantissa.len() == mantissa.matches('.').count() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // As the key's own numbers are read. JSON wants a digit on each side of the point and no zeros before others.
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    serde_json::from_str(&format!("{sign}{whole}.{fraction}e{exponent}")).ok()
}
