//! One response of a problem: how it is answered and what is right.

use roxmltree::{Document, Node};
use std::collections::BTreeSet;

use akademi_domain::{
    course::Html,
    quiz::{
        AnswerForm, Choice, ChoiceId, InvalidQuiz, NumberRule, Pattern, QuestionId, Rule, TextRule,
        Tolerance, parse_number,
    },
};

use super::HINTS;
use crate::xml::{self, content, elements, filled, name};

pub(super) struct Response {
    pub id: QuestionId,
    pub points: u16,
    pub form: AnswerForm,
    pub rule: Rule,
    pub note: Option<String>,
}

/// Elements of a response that are its answer or the field for it.
const FIELDS: [&str; 11] = [
    "choicegroup",
    "checkboxgroup",
    "radiogroup",
    "optioninput",
    "textline",
    "formulaequationinput",
    "responseparam",
    "additional_answer",
    "solution",
    "script",
    "hintgroup",
];

/// The question that stands inside the response itself.
pub(super) fn prompt(document: &Document<'_>, response: Node<'_, '_>) -> String {
    let is_field = |node: Node<'_, '_>| FIELDS.contains(&name(node)) || HINTS.contains(&name(node));
    elements(response)
        .filter(|child| !is_field(*child))
        .map(|child| {
            let text = xml::source(document, content(child), is_field);
            match name(child) {
                "label" | "description" => format!("<p>{text}</p>"),
                "p" | "div" | "pre" | "table" | "ul" | "ol" | "blockquote" | "img" => {
                    xml::source(document, child.range(), is_field)
                }
                _ => format!("<span>{text}</span>"),
            }
        })
        .collect()
}

/// Reads a response; the error says why it cannot be scored here.
pub(super) fn read(
    document: &Document<'_>,
    response: Node<'_, '_>,
    index: usize,
    clean: &mut impl FnMut(&str) -> Result<Html, String>,
) -> Result<Response, String> {
    let id = QuestionId::try_from(format!("q{}", index + 1)).map_err(|error| error.to_string())?;
    let mut points = 1;
    let mut note =
        filled(response, "partial_credit").map(|_| "only a fully right answer earns points".to_owned());
    let (form, rule) = match name(response) {
        "multiplechoiceresponse" => {
            let (choices, correct) = listed(document, response, "choice", clean)?;
            one_of(choices, correct, |choices| AnswerForm::SingleChoice { choices })?
        }
        "choiceresponse" => {
            let (choices, correct) = listed(document, response, "choice", clean)?;
            (AnswerForm::MultipleChoice { choices }, Rule::AllOf { correct })
        }
        "optionresponse" => {
            let (choices, correct) = options(document, response, clean)?;
            one_of(choices, correct, |choices| AnswerForm::DropDown { choices })?
        }
        "stringresponse" => (AnswerForm::Text, text_rule(response)?),
        "numericalresponse" => {
            let (accepted, half) = numbers(response)?;
            if !half.is_empty() {
                // Points are whole numbers, and half of one is none.
                points = 2;
                note = None;
            }
            (AnswerForm::Number, Rule::Number { accepted, half })
        }
        other => return Err(format!("answers of the kind {other} cannot be scored here")),
    };
    Ok(Response { id, points, form, rule, note })
}

type Choices = (Vec<Choice>, BTreeSet<ChoiceId>);

fn one_of(
    choices: Vec<Choice>,
    correct: BTreeSet<ChoiceId>,
    form: impl Fn(Vec<Choice>) -> AnswerForm,
) -> Result<(AnswerForm, Rule), String> {
    if correct.is_empty() {
        return Err("none of its choices is right".to_owned());
    }
    Ok((form(choices), Rule::OneOf { correct }))
}

fn choice_id(index: usize) -> Result<ChoiceId, String> {
    ChoiceId::try_from(format!("c{}", index + 1)).map_err(|error: InvalidQuiz| error.to_string())
}

/// The elements `tag` below a response, each with its text and whether it is correct.
fn listed(
    document: &Document<'_>,
    response: Node<'_, '_>,
    tag: &str,
    clean: &mut impl FnMut(&str) -> Result<Html, String>,
) -> Result<Choices, String> {
    let mut choices = Vec::new();
    let mut correct = BTreeSet::new();
    for (index, node) in response.descendants().filter(|node| node.has_tag_name(tag)).enumerate() {
        let id = choice_id(index)?;
        match node.attribute("correct").map(str::to_ascii_lowercase).as_deref() {
            Some("true") => {
                correct.insert(id.clone());
            }
            Some("false") | None => {}
            Some(other) => return Err(format!("a choice of it is {other:?}, neither right nor wrong")),
        }
        let label = clean(&xml::source(document, content(node), |node| HINTS.contains(&name(node))))?;
        choices.push(Choice { id, label });
    }
    if choices.is_empty() { Err("it has no choices".to_owned()) } else { Ok((choices, correct)) }
}

/// A drop-down list, written as `<option>`s or as `options="('one','two')" correct="two"`.
fn options(
    document: &Document<'_>,
    response: Node<'_, '_>,
    clean: &mut impl FnMut(&str) -> Result<Html, String>,
) -> Result<Choices, String> {
    let mut inputs = response.descendants().filter(|node| node.has_tag_name("optioninput"));
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        return Err("it has not exactly one list".to_owned());
    };
    let Some(options) = input.attribute("options") else {
        return listed(document, input, "option", clean);
    };
    let right = filled(input, "correct").unwrap_or_default();
    let mut choices = Vec::new();
    let mut correct = BTreeSet::new();
    for (index, option) in quoted(options).into_iter().enumerate() {
        let id = choice_id(index)?;
        if option == right {
            correct.insert(id.clone());
        }
        choices.push(Choice { id, label: clean(&escaped(&option))? });
    }
    Ok((choices, correct))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The parts of `('one', "two", three)`.
fn quoted(tuple: &str) -> Vec<String> {
    let inside = tuple.trim().trim_start_matches('(').trim_end_matches(')');
    let mut parts = vec![String::new()];
    let mut quote = None;
    for letter in inside.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') if parts.last().is_none_or(|part| part.trim().is_empty()) => {
                quote = Some(letter)
            }
            (None, ',') => parts.push(String::new()),
            _ => {
                if let Some(part) = parts.last_mut() {
                    part.push(letter);
                }
            }
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The answer of a response and its additional answers.
fn answers<'a>(response: Node<'a, '_>) -> impl Iterator<Item = &'a str> {
    let more = response
        .descendants()
        .filter(|node| node.has_tag_name("additional_answer"))
        .filter_map(|node| filled(node, "answer").or_else(|| node.text().map(str::trim)));
    filled(response, "answer").into_iter().chain(more).filter(|answer| !answer.is_empty())
}

fn text_rule(response: Node<'_, '_>) -> Result<Rule, String> {
    let kinds: Vec<&str> = response.attribute("type").unwrap_or_default().split_whitespace().collect();
    let any_case = kinds.contains(&"ci");
    let accepted = answers(response)
        .map(|answer| {
            Ok(if kinds.contains(&"regexp") {
                let pattern = Pattern::try_from(answer.to_owned())
                    .map_err(|error| format!("its pattern {answer:?} {error}"))?;
                TextRule::Pattern { pattern, any_case }
            } else if any_case {
                TextRule::AnyCase { text: answer.to_owned() }
            } else {
                TextRule::Exact { text: answer.to_owned() }
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    if accepted.is_empty() { Err("it has no answer".to_owned()) } else { Ok(Rule::Text { accepted }) }
}

/// The numbers that are right, and those that are half right.
fn numbers(response: Node<'_, '_>) -> Result<(Vec<NumberRule>, Vec<NumberRule>), String> {
    let parameters = || response.descendants().filter(|node| node.has_tag_name("responseparam"));
    let tolerance = parameters()
        .filter(|node| node.attribute("type") == Some("tolerance"))
        .find_map(|node| filled(node, "default"))
        // What Open edX takes where nothing is said.
        .unwrap_or("0.001%");
    let unreadable = |text: &str| format!("{text:?} is no number");
    let tolerance = match tolerance.strip_suffix('%') {
        Some(percent) => Tolerance::Percent(parse_number(percent).ok_or_else(|| unreadable(tolerance))?),
        None => Tolerance::Absolute(parse_number(tolerance).ok_or_else(|| unreadable(tolerance))?),
    };
    let rule = |text: &str| number_rule(text, tolerance).ok_or_else(|| unreadable(text));
    let accepted = answers(response).map(rule).collect::<Result<Vec<_>, _>>()?;
    if accepted.is_empty() {
        return Err("it has no answer".to_owned());
    }
    let partial = filled(response, "partial_credit").is_some_and(|kinds| kinds.contains("list"));
    let half = parameters()
        .filter(|_| partial)
        .filter_map(|node| filled(node, "partial_answers"))
        .flat_map(|list| list.split(','))
        .map(rule)
        .collect::<Result<Vec<_>, _>>()?;
    Ok((accepted, half))
}

/// `12`, or a range as `[5, 10)`.
fn number_rule(text: &str, tolerance: Tolerance) -> Option<NumberRule> {
    let text = text.trim();
    let (Some(open), Some(close)) = (text.chars().next(), text.chars().last()) else {
        return None;
    };
    if !"[(".contains(open) || !"])".contains(close) {
        // A comma would be read as a decimal comma, which Open edX does not know.
        return if text.contains(',') {
            None
        } else {
            Some(NumberRule::Value { value: parse_number(text)?, tolerance })
        };
    }
    let (from, to) = text.get(1..text.len() - 1)?.split_once(',')?;
    Some(NumberRule::Range {
        from: parse_number(from)?,
        to: parse_number(to)?,
        without_from: open == '(',
        without_to: close == ')',
    })
}
