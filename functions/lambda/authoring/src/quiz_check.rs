//! A quiz and its answer key belong together.

use akademi_domain::quiz::{
    AnswerForm, AnswerKey, Choice, ChoiceId, NumberRule, Question, QuestionKey, Quiz, Rule, Tolerance,
};
use std::collections::{BTreeMap, BTreeSet};

use crate::check::Findings;

/// Checks that every question has one key and every key one question, and that each key can be met. `path` is the lesson's.
pub fn check_quiz(quiz: &Quiz, answers: &AnswerKey, path: &str, findings: &mut Findings) {
    if quiz.questions.is_empty() {
        findings.add(format!("{path}.body.quiz.questions"), "is empty");
    }
    let mut questions = BTreeMap::new();
    for (q, question) in quiz.questions.iter().enumerate() {
        let path = format!("{path}.body.quiz.questions[{q}]");
        check_question(question, &path, findings);
        if questions.insert(&question.id, question).is_some() {
            findings.add(format!("{path}.id"), "stands twice");
        }
    }
    let mut keyed = BTreeSet::new();
    for (k, key) in answers.questions.iter().enumerate() {
        let path = format!("{path}.answers.questions[{k}]");
        if !keyed.insert(&key.question) {
            findings.add(format!("{path}.question"), "stands twice");
        }
        match questions.get(&key.question) {
            Some(question) => check_key(question, key, &path, findings),
            None => findings.add(format!("{path}.question"), "is not a question of the quiz"),
        }
    }
    for (q, question) in quiz.questions.iter().enumerate() {
        if !keyed.contains(&question.id) {
            findings.add(format!("{path}.body.quiz.questions[{q}].id"), "has no answer in the key");
        }
    }
}

fn choices_of(form: &AnswerForm) -> Option<&[Choice]> {
    match form {
        AnswerForm::SingleChoice { choices }
        | AnswerForm::MultipleChoice { choices }
        | AnswerForm::DropDown { choices } => Some(choices),
        AnswerForm::Text | AnswerForm::Number => None,
    }
}

fn check_question(question: &Question, path: &str, findings: &mut Findings) {
    if question.points == 0 {
        findings.add(format!("{path}.points"), "is not at least 1");
    }
    let Some(choices) = choices_of(&question.form) else { return };
    if choices.is_empty() {
        findings.add(format!("{path}.form.choices"), "is empty");
    }
    let mut ids = BTreeSet::new();
    for (c, choice) in choices.iter().enumerate() {
        if !ids.insert(&choice.id) {
            findings.add(format!("{path}.form.choices[{c}].id"), "stands twice");
        }
    }
}

fn check_key(question: &Question, key: &QuestionKey, path: &str, findings: &mut Findings) {
    if key.points != question.points {
        findings.add(format!("{path}.points"), format!("is not the question's: {}", question.points));
    }
    match (&question.form, &key.rule) {
        (
            AnswerForm::SingleChoice { choices } | AnswerForm::DropDown { choices },
            Rule::OneOf { correct },
        ) => {
            if correct.is_empty() {
                findings.add(format!("{path}.rule.correct"), "is empty");
            }
            check_correct(choices, correct, path, findings);
        }
        (AnswerForm::MultipleChoice { choices }, Rule::AllOf { correct }) => {
            check_correct(choices, correct, path, findings);
        }
        (AnswerForm::Text, Rule::Text { accepted }) => {
            if accepted.is_empty() {
                findings.add(format!("{path}.rule.accepted"), "is empty");
            }
        }
        (AnswerForm::Number, Rule::Number { accepted, half }) => {
            if accepted.is_empty() {
                findings.add(format!("{path}.rule.accepted"), "is empty");
            }
            for (name, rules) in [("accepted", accepted), ("half", half)] {
                for (i, rule) in rules.iter().enumerate() {
                    if !can_be_met(*rule) {
                        findings.add(format!("{path}.rule.{name}[{i}]"), "takes no number");
                    }
                }
            }
        }
        _ => findings.add(format!("{path}.rule.kind"), "does not go with the question's form"),
    }
}

fn check_correct(choices: &[Choice], correct: &BTreeSet<ChoiceId>, path: &str, findings: &mut Findings) {
    for id in correct {
        if !choices.iter().any(|choice| choice.id == *id) {
            findings.add(
                format!("{path}.rule.correct"),
                format!("{:?} is not a choice of the question", id.as_str()),
            );
        }
    }
}

/// Whether there is a number that the rule takes. JSON has no infinity, so what is not finite could not be read back.
fn can_be_met(rule: NumberRule) -> bool {
    match rule {
        NumberRule::Value {
            value,
            tolerance: Tolerance::Absolute(tolerance) | Tolerance::Percent(tolerance),
        } => value.is_finite() && tolerance.is_finite(),
        NumberRule::Range { from, to, without_from, without_to } => {
            let is_empty = from > to || (from == to && (without_from || without_to));
            from.is_finite() && to.is_finite() && !is_empty
        }
    }
}
