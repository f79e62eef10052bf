//! A course as its archive has it becomes the content of a draft: with ids, and with addresses in its html.

use akademi_api::Ports;
use akademi_domain::{
    course::{Html, LessonBody, Subtitles, VideoSource},
    ids::{AssetId, CourseId, LessonId},
    quiz::{AnswerForm, AnswerKey, Quiz},
};
use akademi_olx::{Content, Lesson, Module, Reference, resolve};
use std::{collections::BTreeMap, sync::Arc};

use crate::{
    assets::media_path,
    content::{LessonInput, ModuleInput, SectionInput},
};

/// The longest name of a document, in characters.
const MAX_FILE_NAME: usize = 200;

/// A file of the course, by its path in the archive.
pub type Assets = BTreeMap<String, (AssetId, &'static str)>;

/// What html of the course may lead to.
struct Targets {
    course: CourseId,
    assets: Assets,
    /// By source key.
    lessons: BTreeMap<String, LessonId>,
    /// The source key of the lesson that a block's name leads to.
    links: BTreeMap<String, String>,
}

/// The content of the draft `course`, with ids for its lessons. A reference that leads nowhere goes away.
///
/// Parses all html of the course, which may take seconds.
pub fn content_of(
    modules: Vec<Module>,
    links: BTreeMap<String, String>,
    assets: Assets,
    course: CourseId,
    ports: &Ports,
) -> Vec<ModuleInput> {
    let now = ports.now();
    let lessons = modules
        .iter()
        .flat_map(|module| &module.sections)
        .flat_map(|section| &section.lessons)
        .map(|lesson| (lesson.source_key.clone(), LessonId::new(now, ports.random())))
        .collect();
    let targets = Arc::new(Targets { course, assets, lessons, links });
    let section = |section: akademi_olx::Section| SectionInput {
        id: None,
        title: section.title,
        lessons: section.lessons.into_iter().filter_map(|lesson| lesson_of(lesson, &targets)).collect(),
    };
    modules
        .into_iter()
        .map(|module| ModuleInput {
            id: None,
            title: module.title,
            at_least: None,
            opens: None,
            sections: module.sections.into_iter().map(section).collect(),
        })
        .collect()
}

/// The lesson; `None` if it shows a file that is not among the assets, which the importer rules out.
fn lesson_of(lesson: Lesson, targets: &Arc<Targets>) -> Option<LessonInput> {
    let (body, answers) = match lesson.content {
        Content::Html(html) => (LessonBody::Html { html: addressed(&html, targets) }, None),
        Content::Quiz { quiz, key } => {
            let key = AnswerKey { explanation: addressed(&key.explanation, targets), ..key };
            (LessonBody::Quiz { quiz: addressed_quiz(quiz, targets) }, Some(key))
        }
        Content::Document(path) => {
            let (asset, content_type) = *targets.assets.get(&path)?;
            let file_name = file_name(&path).chars().take(MAX_FILE_NAME).collect();
            (LessonBody::Document { asset, file_name, content_type: content_type.into() }, None)
        }
        Content::Video(video) => {
            let source = match video.source {
                akademi_olx::VideoSource::Youtube(id) => VideoSource::Youtube { id },
                akademi_olx::VideoSource::Asset(path) => {
                    VideoSource::Asset { asset: targets.assets.get(&path)?.0 }
                }
            };
            let subtitles = video.subtitles.into_iter().filter_map(|subtitles| {
                let (asset, _) = *targets.assets.get(&subtitles.asset)?;
                Some(Subtitles { language: subtitles.language, asset })
            });
            let subtitles = subtitles.collect();
            let (start_seconds, end_seconds) = (video.start_seconds, video.end_seconds);
            (LessonBody::Video { source, start_seconds, end_seconds, subtitles, delivery_bound: false }, None)
        }
    };
    let id = targets.lessons.get(&lesson.source_key).copied();
    Some(LessonInput { id, title: lesson.title, requirement: None, duration_seconds: None, body, answers })
}

fn addressed_quiz(mut quiz: Quiz, targets: &Arc<Targets>) -> Quiz {
    quiz.introduction = addressed(&quiz.introduction, targets);
    for question in &mut quiz.questions {
        question.prompt = addressed(&question.prompt, targets);
        if let AnswerForm::SingleChoice { choices }
        | AnswerForm::MultipleChoice { choices }
        | AnswerForm::DropDown { choices } = &mut question.form
        {
            for choice in choices {
                choice.label = addressed(&choice.label, targets);
            }
        }
    }
    quiz
}

fn addressed(html: &Html, targets: &Arc<Targets>) -> Html {
    let refers = ["asset:", "block:"].iter().any(|scheme| html.as_str().contains(scheme));
    if !refers {
        return html.clone();
    }
    let targets = Arc::clone(targets);
    resolve(html, move |reference| match reference {
        Reference::Asset(path) => {
            let (asset, _) = targets.assets.get(path)?;
            Some(media_path(*asset, file_name(path)))
        }
        Reference::Block(name) => {
            let lesson = targets.lessons.get(targets.links.get(name)?)?;
            Some(format!("/api/v1/learning/courses/{}/lessons/{lesson}", targets.course))
        }
    })
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
