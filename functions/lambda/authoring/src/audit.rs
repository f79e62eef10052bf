//! What the audit log says of a course.

use akademi_domain::{course::ModuleOutline, ids::CourseId};
use serde_json::{Value, json};

use crate::courses::CourseHead;

/// As what a course stands in the log.
pub fn target(course: CourseId) -> String {
    format!("course:{course}")
}

/// What staff changes of a course's head.
pub fn head(head: &CourseHead) -> Value {
    json!({
        "title": head.title, "slug": head.slug, "summary": head.summary, "language": head.language,
        "minimum_score": head.minimum_score, "revision": head.revision,
    })
}

/// How much there is of the content at a revision; the content itself is too large for a log.
pub fn content(revision: i64, structure: &[ModuleOutline]) -> Value {
    let sections = || structure.iter().flat_map(|module| &module.sections);
    json!({
        "revision": revision, "modules": structure.len(), "sections": sections().count(),
        "lessons": sections().map(|section| section.lessons.len()).sum::<usize>(),
    })
}
