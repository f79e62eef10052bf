//! Html from people, until it has been sanitised.

use akademi_api::problem::FieldError;
use akademi_domain::{
    course::{Html, LessonBody},
    quiz::{AnswerForm, AnswerKey, Quiz},
};
use akademi_olx::{InvalidHtml, resolve};
use serde::Deserialize;

use crate::{
    check::{Findings, lessons_with_paths},
    content::{LessonInput, Lessons, ModuleInput},
};

/// A value whose [`Html`] nobody has vouched for: sanitising is the only way to what is in it.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Unsanitised<T>(T);

impl Unsanitised<Vec<ModuleInput>> {
    /// The content with its html sanitised. A lesson that is as it was stored has been already.
    ///
    /// # Errors
    /// One entry per field whose html is refused (see [`InvalidHtml`]).
    pub fn sanitise(self, stored: &Lessons) -> Result<Vec<ModuleInput>, Vec<FieldError>> {
        let mut modules = self.0;
        let mut findings = Findings::default();
        for (path, lesson) in lessons_with_paths(&mut modules) {
            let as_stored = lesson
                .id
                .and_then(|id| stored.get(&id))
                .is_some_and(|stored| stored.body == lesson.body && stored.answers == lesson.answers);
            if !as_stored {
                sanitise_lesson(lesson, &path, &mut findings);
            }
        }
        findings.none_or(modules)
    }
}

fn sanitise_lesson(lesson: &mut LessonInput, path: &str, findings: &mut Findings) {
    let LessonInput { id: _, title: _, requirement: _, duration_seconds: _, body, answers } = lesson;
    match body {
        LessonBody::Html { html } => clean(html, || format!("{path}.body.html"), findings),
        LessonBody::Quiz { quiz } => sanitise_quiz(quiz, &format!("{path}.body.quiz"), findings),
        LessonBody::Live { description, .. } => {
            clean(description, || format!("{path}.body.description"), findings);
        }
        LessonBody::Assignment { instructions, .. } => {
            clean(instructions, || format!("{path}.body.instructions"), findings);
        }
        LessonBody::Video { .. } | LessonBody::Document { .. } => {}
    }
    if let Some(AnswerKey { questions: _, explanation }) = answers {
        clean(explanation, || format!("{path}.answers.explanation"), findings);
    }
}

fn sanitise_quiz(quiz: &mut Quiz, path: &str, findings: &mut Findings) {
    clean(&mut quiz.introduction, || format!("{path}.introduction"), findings);
    for (q, question) in quiz.questions.iter_mut().enumerate() {
        clean(&mut question.prompt, || format!("{path}.questions[{q}].prompt"), findings);
        let (AnswerForm::SingleChoice { choices }
        | AnswerForm::MultipleChoice { choices }
        | AnswerForm::DropDown { choices }) = &mut question.form
        else {
            continue;
        };
        for (c, choice) in choices.iter_mut().enumerate() {
            clean(&mut choice.label, || format!("{path}.questions[{q}].form.choices[{c}].label"), findings);
        }
    }
}

fn clean(html: &mut Html, path: impl FnOnce() -> String, findings: &mut Findings) {
    match sanitised(html) {
        Ok(clean) => *html = clean,
        Err(error) => findings.add(path(), error),
    }
}

/// `html` under the policy of [`akademi_olx::sanitise`], save that paths within the academy's own site stay: an import
/// writes them into a lesson, and editing its text must not take its images away.
fn sanitised(html: &Html) -> Result<Html, InvalidHtml> {
    // Refuses what takes a parser too long, which `resolve` leaves to those who know their html.
    akademi_olx::sanitise(html.as_str())?;
    Ok(resolve(html, |_| None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(html: &str) -> String {
        sanitised(&Html::sanitised(html.to_owned())).unwrap().as_str().to_owned()
    }

    #[test]
    fn nothing_that_acts_comes_through_and_images_of_the_site_stay() {
        let hostile = "<p onclick=\"x()\" style=\"position:fixed\">Işık<script>alert(1)</script>\
             <a href=\"javascript:alert(1)\">a</a><iframe src=\"https://x\"></iframe><svg onload=\"x()\"></svg>\
             <img src=\"x\" onerror=\"x()\"><form action=\"/x\"><input></form></p>";
        let clean_html = clean(hostile);
        for sign in ["onclick", "style", "script", "iframe", "svg", "onerror", "form", "input", "alert"] {
            assert!(!clean_html.contains(sign), "{sign} in {clean_html}");
        }
        assert!(clean_html.contains("Işık"));
        assert_eq!(clean("<img src=\"/files/a.png\">"), "<img src=\"/files/a.png\">");
        assert_eq!(clean("<img src=\"asset:a.png\">"), "<img>", "references are an import's own");
        assert_eq!(clean(""), "");
    }

    #[test]
    fn sanitising_twice_changes_nothing() {
        let once = clean("<b>a &amp; b</b><table><td>1<p>x<img src='/a'>&nbsp;</table>");
        assert_eq!(clean(&once), once);
    }

    #[test]
    fn html_that_a_parser_takes_long_for_is_refused() {
        let deep = "<div>".repeat(400);
        assert!(sanitised(&Html::sanitised(deep)).is_err());
    }
}
