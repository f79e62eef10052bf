//! Problems with answers that can be compared: single choice, multiple choice, drop-down, text, number.
//!
//! What a problem says before its first response introduces the quiz; what stands between two responses goes
//! before the second, what stands after the last goes to the last. Responses in the cells of a table get the
//! row's text and the column's heading as their prompt. `<solution>`s become the explanation, which belongs to
//! the key.

mod response;
mod script;

use roxmltree::{Document, Node};
use std::{ops::Range, sync::Arc};

use akademi_domain::{
    course::Html,
    quiz::{AnswerKey, Question, QuestionKey, Quiz},
};

use crate::{
    ImportError,
    html::{Targets, sanitise_block, shows_something},
    xml::{self, content, elements, name},
};

/// A problem as a quiz, or the reason why it stays as it is.
pub(crate) enum Problem {
    Quiz { quiz: Quiz, key: AnswerKey, notes: Vec<String> },
    Raw { reason: String },
}

/// Elements that tell an answer or help towards one.
const HINTS: [&str; 9] = [
    "choicehint",
    "optionhint",
    "compoundhint",
    "correcthint",
    "stringequalhint",
    "regexphint",
    "numericalhint",
    "hintgroup",
    "demandhint",
];

pub(crate) fn convert(
    path: &str,
    source: &str,
    source_key: &str,
    targets: &Arc<Targets>,
) -> Result<Problem, ImportError> {
    if source.len() > Html::MAX {
        return Ok(Problem::Raw { reason: format!("it is longer than {} bytes", Html::MAX) });
    }
    let document = xml::parse(path, source)?;
    let mut notes = Vec::new();
    let scripts: Vec<Node<'_, '_>> =
        document.descendants().filter(|node| node.has_tag_name("script")).collect();
    let said = xml::source(&document, content(document.root_element()), |node| name(node) == "script");
    if scripts.is_empty() || script::references(&said).next().is_none() {
        return Ok(quiz_or_reason(&document, targets, notes));
    }
    let code: String = scripts.iter().filter_map(|script| script.text()).collect();
    let Some(variables) = script::run(&code, source_key) else {
        return Ok(Problem::Raw { reason: "its numbers are computed by a script".to_owned() });
    };
    let values: Vec<String> = variables.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    notes.push(format!("its random numbers were drawn once, the same for everybody: {}", values.join(", ")));
    let with_values = script::substitute(source, &variables);
    Ok(quiz_or_reason(&xml::parse(path, &with_values)?, targets, notes))
}

fn quiz_or_reason(document: &Document<'_>, targets: &Arc<Targets>, notes: Vec<String>) -> Problem {
    quiz_of(document, targets, notes).unwrap_or_else(|reason| Problem::Raw { reason })
}

fn quiz_of(
    document: &Document<'_>,
    targets: &Arc<Targets>,
    mut notes: Vec<String>,
) -> Result<Problem, String> {
    let problem = document.root_element();
    let responses: Vec<Node<'_, '_>> = problem
        .descendants()
        .filter(|node| node.is_element() && *node != problem && name(*node).ends_with("response"))
        .collect();
    if responses.is_empty() {
        return Err("it asks nothing that can be scored".to_owned());
    }
    let mut clean = |html: &str| -> Result<Html, String> {
        // What Open edX shows when a learner points at a mark in the text.
        let html = html.replace("<clarification>", " (").replace("</clarification>", ")");
        let (clean, left_out) = sanitise_block(&html, targets).map_err(|invalid| invalid.to_string())?;
        for note in left_out {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        Ok(clean)
    };
    let mut quiz = Quiz { introduction: Html::default(), questions: Vec::new() };
    let mut key = AnswerKey { questions: Vec::new(), explanation: Html::default() };
    let mut response_notes = Vec::new();
    let last = responses.len() - 1;
    let mut from = content(problem).start;
    for (index, node) in responses.iter().enumerate() {
        let mut prompt = String::new();
        let table = node.ancestors().filter(|ancestor| ancestor.has_tag_name("table")).last();
        let before = from..table.map_or(node.range().start, |table| table.range().start);
        if index == 0 {
            quiz.introduction = clean(&prose(document, before))?;
        } else if before.start < before.end {
            prompt.push_str(&prose(document, before));
        }
        if table.is_some() {
            prompt.push_str(&cell_prompt(document, *node));
        }
        prompt.push_str(&response::prompt(document, *node));
        if index == last {
            let after = table.map_or(node.range().end, |table| table.range().end)..content(problem).end;
            prompt.push_str(&prose(document, after));
        }
        from = node.range().end;
        let response = response::read(document, *node, index, &mut clean)?;
        response_notes.extend(response.note);
        key.questions.push(QuestionKey {
            question: response.id.clone(),
            points: response.points,
            rule: response.rule,
        });
        quiz.questions.push(Question {
            id: response.id,
            prompt: clean(&prompt)?,
            points: response.points,
            form: response.form,
        });
    }
    let solutions: String = problem
        .descendants()
        .filter(|node| node.has_tag_name("solution"))
        .map(|node| xml::source(document, content(node), |node| name(node) == "script"))
        .collect();
    key.explanation = clean(&solutions)?;
    notes.extend(response_notes);
    if problem.descendants().any(|node| HINTS.contains(&name(node))) {
        notes.push("hints were left out".to_owned());
    }
    Ok(Problem::Quiz { quiz, key, notes })
}

/// What a piece of a problem says to a learner: nothing that computes, answers or hints.
fn prose(document: &Document<'_>, range: Range<usize>) -> String {
    let text = xml::source(document, range, |node| {
        let name = name(node);
        name == "script" || name == "solution" || name.ends_with("response") || HINTS.contains(&name)
    });
    if shows_something(&text) { text } else { String::new() }
}

/// The text of the other cells of the row of a response and the heading of its column.
fn cell_prompt(document: &Document<'_>, response: Node<'_, '_>) -> String {
    let is_cell = |node: &Node<'_, '_>| node.has_tag_name("td") || node.has_tag_name("th");
    let Some(cell) = response.ancestors().find(is_cell) else {
        return String::new();
    };
    let Some(row) = cell.parent_element() else {
        return String::new();
    };
    let cells: Vec<Node<'_, '_>> = elements(row).filter(is_cell).collect();
    let column = cells.iter().position(|other| *other == cell).unwrap_or_default();
    let heading = row
        .ancestors()
        .find(|ancestor| ancestor.has_tag_name("table"))
        .and_then(|table| table.descendants().find(|node| node.has_tag_name("tr")))
        .filter(|first| *first != row)
        .and_then(|first| elements(first).filter(is_cell).nth(column));
    let asks = |node: &Node<'_, '_>| {
        node.descendants().any(|inner| inner.is_element() && name(inner).ends_with("response"))
    };
    let parts: Vec<String> = cells
        .into_iter()
        .filter(|other| !asks(other))
        .chain(heading.filter(|heading| !asks(heading)))
        .map(|cell| prose(document, content(cell)).trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect();
    if parts.is_empty() { String::new() } else { format!("<p>{}</p>", parts.join(" – ")) }
}
