//! The rules that a draft's content keeps, whoever sends it.

use akademi_api::{Ports, problem::FieldError};
use akademi_domain::{
    course::{LessonBody, LessonOutline, ModuleOutline, SectionOutline, opening::Opening},
    ids::{LessonId, ModuleId, SectionId},
    time::Timestamp,
    watch::LessonDuration,
};
use serde::Serialize;
use std::{collections::BTreeSet, fmt::Display};

use crate::{
    body_check::check_body,
    content::{LessonContent, LessonInput, Lessons, ModuleInput},
};

/// Most lessons of a course.
pub const MAX_LESSONS: usize = 2_000;
/// Most bytes of one lesson's body as JSON: at the edge it is a row with the lesson's words, of under 400 KB.
pub const MAX_BODY_BYTES: usize = 300_000;
/// Most bytes of one quiz's answer key as JSON: the lesson's event holds body, words and key.
pub const MAX_ANSWERS_BYTES: usize = 60_000;
/// Most bytes of titles, ids, lengths and requirements as JSON: they are the public outline, one row at the edge.
pub const MAX_STRUCTURE_BYTES: usize = 350_000;
/// Most bytes of all that as JSON: a draft is read and sent in one piece of at most 4 MB.
pub const MAX_CONTENT_BYTES: usize = 3_900_000;
/// Most wrong fields that one answer lists.
const MAX_FINDINGS: usize = 50;

/// What to do with an id that the draft does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewIds {
    /// People send only ids that they were given.
    Refused,
    /// A job has made it.
    Taken,
}

/// Content that keeps the rules.
#[derive(Debug)]
pub struct Checked {
    pub structure: Vec<ModuleOutline>,
    pub lessons: Lessons,
}

/// What is wrong so far.
#[derive(Debug, Default)]
pub struct Findings(Vec<FieldError>);

impl Findings {
    pub fn add(&mut self, field: impl Into<String>, message: impl Display) {
        if self.0.len() < MAX_FINDINGS {
            self.0.push(FieldError { field: field.into(), message: message.to_string() });
        }
    }

    /// `value`, if nothing is wrong.
    pub fn none_or<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

/// Every lesson with its path, as `modules[0].sections[2].lessons[1]`.
pub fn lessons_with_paths(modules: &mut [ModuleInput]) -> impl Iterator<Item = (String, &mut LessonInput)> {
    modules.iter_mut().enumerate().flat_map(|(m, module)| {
        module.sections.iter_mut().enumerate().flat_map(move |(s, section)| {
            section
                .lessons
                .iter_mut()
                .enumerate()
                .map(move |(l, lesson)| (format!("modules[{m}].sections[{s}].lessons[{l}]"), lesson))
        })
    })
}

/// Settles the ids of one kind of part.
struct Ids<I> {
    known: BTreeSet<I>,
    used: BTreeSet<I>,
    make: fn(Timestamp, [u8; 10]) -> I,
}

impl<I: Copy + Ord> Ids<I> {
    fn new(known: impl Iterator<Item = I>, make: fn(Timestamp, [u8; 10]) -> I) -> Self {
        Self { known: known.collect(), used: BTreeSet::new(), make }
    }

    /// The id that was sent, or a new one.
    fn settle(
        &mut self,
        sent: Option<I>,
        new_ids: NewIds,
        ports: &Ports,
        path: &str,
        findings: &mut Findings,
    ) -> I {
        let Some(id) = sent else { return (self.make)(ports.now(), ports.random()) };
        if new_ids == NewIds::Refused && !self.known.contains(&id) {
            findings.add(format!("{path}.id"), "is not in this draft: leave it out for a new part");
        } else if !self.used.insert(id) {
            findings.add(format!("{path}.id"), "stands twice");
        }
        id
    }
}

/// Takes `modules` as the content of a draft that has `structure` now.
///
/// # Errors
/// What is wrong, by path; at most 50 entries.
pub fn check(
    modules: Vec<ModuleInput>,
    structure: &[ModuleOutline],
    new_ids: NewIds,
    ports: &Ports,
) -> Result<Checked, Vec<FieldError>> {
    let mut findings = Findings::default();
    let sections = || structure.iter().flat_map(|module| &module.sections);
    let lessons = || sections().flat_map(|section| &section.lessons);
    let mut module_ids = Ids::new(structure.iter().map(|module| module.id), ModuleId::new);
    let mut section_ids = Ids::new(sections().map(|section| section.id), SectionId::new);
    let mut lesson_ids = Ids::new(lessons().map(|lesson| lesson.id), LessonId::new);

    let mut checked = Checked { structure: Vec::with_capacity(modules.len()), lessons: Lessons::new() };
    let mut bytes = 0;
    for (m, module) in modules.into_iter().enumerate() {
        let path = format!("modules[{m}]");
        let id = module_ids.settle(module.id, new_ids, ports, &path, &mut findings);
        let ModuleInput { id: _, title, at_least, opens, sections } = module;
        let mut outline = ModuleOutline { id, title, at_least, opens, sections: Vec::new() };
        for (s, section) in sections.into_iter().enumerate() {
            let path = format!("{path}.sections[{s}]");
            let id = section_ids.settle(section.id, new_ids, ports, &path, &mut findings);
            let mut lessons = Vec::with_capacity(section.lessons.len());
            for (l, lesson) in section.lessons.into_iter().enumerate() {
                let path = format!("{path}.lessons[{l}]");
                let id = lesson_ids.settle(lesson.id, new_ids, ports, &path, &mut findings);
                bytes += check_lesson(&lesson, &path, &mut findings);
                let LessonInput { id: _, title, requirement, duration_seconds, body, answers } = lesson;
                lessons.push(LessonOutline { id, title, kind: body.kind(), duration_seconds, requirement });
                checked.lessons.insert(id, LessonContent { body, answers });
            }
            outline.sections.push(SectionOutline { id, title: section.title, lessons });
        }
        check_rules(&outline, &checked.structure, &path, &mut findings);
        checked.structure.push(outline);
    }
    let lesson_count = checked.structure.iter().flat_map(|module| &module.sections);
    let lesson_count: usize = lesson_count.map(|section| section.lessons.len()).sum();
    if lesson_count > MAX_LESSONS {
        findings.add("modules", format!("has {lesson_count} lessons, at most {MAX_LESSONS} are taken"));
    }
    let structure_bytes = stored_bytes(&checked.structure, MAX_STRUCTURE_BYTES, "modules", &mut findings);
    if bytes + structure_bytes > MAX_CONTENT_BYTES {
        findings.add("modules", format!("is longer than {MAX_CONTENT_BYTES} bytes"));
    }
    findings.none_or(checked)
}

/// Checks what a module wants and waits for, beside the modules before it.
fn check_rules(module: &ModuleOutline, before: &[ModuleOutline], path: &str, findings: &mut Findings) {
    let required = module.lessons().filter(|lesson| lesson.requirement.is_some()).count();
    if module.at_least.is_some_and(|enough| enough == 0 || enough as usize > required) {
        findings.add(format!("{path}.at_least"), format!("is not 1 to {required}, the required lessons"));
    }
    let Some(Opening { after, from: _, days }) = &module.opens else { return };
    if days.is_some_and(|days| days > Opening::MAX_DAYS) {
        findings.add(format!("{path}.opens.days"), format!("is more than {}", Opening::MAX_DAYS));
    }
    for (i, waited) in after.iter().enumerate() {
        if !before.iter().any(|earlier| earlier.id == *waited) {
            findings.add(format!("{path}.opens.after[{i}]"), "is no module before this one");
        } else if after.iter().take(i).any(|other| other == waited) {
            findings.add(format!("{path}.opens.after[{i}]"), "stands twice");
        }
    }
}

/// Checks a lesson on its own and returns the bytes of its content as JSON.
fn check_lesson(lesson: &LessonInput, path: &str, findings: &mut Findings) -> usize {
    let kind = lesson.body.kind();
    if lesson.requirement.is_some_and(|requirement| !requirement.fits(kind)) {
        findings.add(format!("{path}.requirement"), "cannot be fulfilled by a lesson of this kind");
    }
    if let Some(seconds) = lesson.duration_seconds {
        let field = || format!("{path}.duration_seconds");
        if !matches!(lesson.body, LessonBody::Video { .. }) {
            findings.add(field(), "is for videos only");
        } else if let Err(error) = LessonDuration::from_seconds(f64::from(seconds)) {
            findings.add(field(), error);
        }
    }
    check_body(lesson, path, findings);
    let body = stored_bytes(&lesson.body, MAX_BODY_BYTES, &format!("{path}.body"), findings);
    let answers = lesson
        .answers
        .as_ref()
        .map_or(0, |answers| stored_bytes(answers, MAX_ANSWERS_BYTES, &format!("{path}.answers"), findings));
    body + answers
}

/// The bytes of `value` as JSON; a finding where they are more than `limit`, or could not be stored.
fn stored_bytes(value: &impl Serialize, limit: usize, path: &str, findings: &mut Findings) -> usize {
    match serde_json::to_string(value) {
        Ok(json) => {
            if json.len() > limit {
                findings.add(path, format!("is longer than {limit} bytes"));
            }
            if holds_nul(&json) {
                findings.add(path, "holds a NUL character");
            }
            json.len()
        }
        Err(error) => {
            findings.add(path, error);
            0
        }
    }
}

/// Whether a string in `json` holds U+0000, which PostgreSQL's `jsonb` cannot.
fn holds_nul(json: &str) -> bool {
    let mut rest = json;
    while let Some((_, escape)) = rest.split_once('\\') {
        if escape.starts_with("u0000") {
            return true;
        }
        // All escapes begin with an ASCII letter or sign, and that may be another backslash.
        rest = escape.get(1..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_and_its_spelling_is_not() {
        for (text, found) in
            [("a\0b", true), ("\\u0000", false), ("\\\0", true), ("\"\\", false), ("", false)]
        {
            assert_eq!(holds_nul(&serde_json::to_string(text).unwrap()), found, "{text:?}");
        }
    }
}
