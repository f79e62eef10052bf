//! What a lesson of each kind must be.

use akademi_domain::{
    course::{LessonBody, SubmissionForm, SubmittedFiles, VideoSource},
    text::line,
    upload::FileKind,
};
use akademi_lambda_store::content_type::ContentType;
use std::collections::BTreeSet;

use crate::{check::Findings, content::LessonInput, quiz_check::check_quiz};

/// The longest name of a document, in characters.
const MAX_FILE_NAME: usize = 200;

/// Checks what a lesson holds, and that an answer key stands with a quiz only. `path` is the lesson's.
pub fn check_body(lesson: &LessonInput, path: &str, findings: &mut Findings) {
    if !matches!(lesson.body, LessonBody::Quiz { .. }) && lesson.answers.is_some() {
        findings.add(format!("{path}.answers"), "are for quizzes only");
    }
    match &lesson.body {
        LessonBody::Video { source, start_seconds, end_seconds, subtitles, delivery_bound } => {
            if end_seconds.is_some_and(|end| end <= start_seconds.unwrap_or(0)) {
                findings.add(format!("{path}.body.end_seconds"), "is not after the start");
            }
            if *delivery_bound && matches!(source, VideoSource::Youtube { .. }) {
                findings.add(format!("{path}.body.delivery_bound"), "is for videos of the academy's own");
            }
            let mut languages = BTreeSet::new();
            for (i, subtitles) in subtitles.iter().enumerate() {
                if !languages.insert(&subtitles.language) {
                    findings.add(format!("{path}.body.subtitles[{i}].language"), "stands twice");
                }
            }
        }
        LessonBody::Html { html: _ } => {}
        LessonBody::Document { asset: _, file_name, content_type } => {
            if let Err(error) = line(file_name, MAX_FILE_NAME) {
                findings.add(format!("{path}.body.file_name"), error);
            } else if file_name.contains(['/', '\\']) {
                findings.add(format!("{path}.body.file_name"), "is a path");
            }
            if let Err(error) = content_type.parse::<ContentType>() {
                findings.add(format!("{path}.body.content_type"), error);
            }
        }
        LessonBody::Live { description: _, starts_at: _, duration_minutes, seats } => {
            in_range(*duration_minutes, LessonBody::MAX_LIVE_MINUTES, path, "duration_minutes", findings);
            if *seats == Some(0) {
                findings.add(format!("{path}.body.seats"), "is not at least 1");
            }
        }
        LessonBody::Assignment { instructions: _, due_at: _, max_points, submission } => {
            in_range(*max_points, LessonBody::MAX_POINTS, path, "max_points", findings);
            check_submission(submission, &format!("{path}.body.submission"), findings);
        }
        LessonBody::Quiz { quiz } => match &lesson.answers {
            Some(answers) => check_quiz(quiz, answers, path, findings),
            None => findings.add(format!("{path}.answers"), "are missing: a quiz needs a key"),
        },
    }
}

fn in_range(value: u32, max: u32, path: &str, field: &str, findings: &mut Findings) {
    if !(1..=max).contains(&value) {
        findings.add(format!("{path}.body.{field}"), format!("is not 1 to {max}"));
    }
}

fn check_submission(form: &SubmissionForm, path: &str, findings: &mut Findings) {
    let Some(SubmittedFiles { at_most, content_types }) = &form.files else {
        if !form.text {
            findings.add(path, "takes neither a text nor files");
        }
        return;
    };
    if !(1..=SubmittedFiles::MAX).contains(at_most) {
        findings.add(format!("{path}.files.at_most"), format!("is not 1 to {}", SubmittedFiles::MAX));
    }
    if content_types.is_empty() {
        findings.add(format!("{path}.files.content_types"), "is empty");
    }
    let mut seen = BTreeSet::new();
    for (i, content_type) in content_types.iter().enumerate() {
        let field = || format!("{path}.files.content_types[{i}]");
        let is_taken = [FileKind::Document, FileKind::Image]
            .iter()
            .any(|kind| kind.content_types().contains(&content_type.as_str()));
        if !is_taken {
            findings.add(field(), "is no type of documents or images that are taken");
        } else if !seen.insert(content_type) {
            findings.add(field(), "stands twice");
        }
    }
}
