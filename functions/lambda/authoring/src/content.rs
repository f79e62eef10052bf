//! A draft's content: read as a whole, replaced as a whole.

use akademi_api::{
    Body, Caller, PathParam, Ports, gate::PLANE_BODY_LIMIT, problem::ProblemDocument, signed::CallContext,
};
use akademi_domain::{
    course::{
        LessonBody, LessonOutline, ModuleOutline, Requirement, SectionOutline, Title, VideoSource,
        opening::Opening,
    },
    ids::{AssetId, CourseId, LessonId, ModuleId, SectionId},
    quiz::AnswerKey,
    watch::LessonDuration,
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    postgres::TenantTransaction,
};
use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::{
    Authoring, AuthoringError,
    assets::{lengths_of_videos, videos_that_do_not_play},
    audit,
    check::{Checked, NewIds, check},
    courses::{CourseDraft, expect_revision},
    sanitising::Unsanitised,
    store,
};

/// A module as it is sent: with its id to stay the same one, without one to be new.
#[derive(Debug, Clone, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModuleInput {
    pub id: Option<ModuleId>,
    pub title: Title,
    /// So many of its required lessons are enough; absent for all of them.
    #[schema(minimum = 1)]
    pub at_least: Option<u32>,
    /// What it waits for; absent if it is open from the beginning. It waits only for modules before it.
    pub opens: Option<Opening>,
    pub sections: Vec<SectionInput>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SectionInput {
    pub id: Option<SectionId>,
    pub title: Title,
    pub lessons: Vec<LessonInput>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LessonInput {
    /// Keeps learners' progress with the lesson.
    pub id: Option<LessonId>,
    pub title: Title,
    /// What fulfils the lesson; absent if the course completes without it.
    pub requirement: Option<Requirement>,
    /// Of a video: its length in whole seconds, 1 to 43,200, where it is known.
    #[schema(minimum = 1, maximum = 43_200)]
    pub duration_seconds: Option<u32>,
    pub body: LessonBody,
    /// Of a quiz, and of nothing else.
    pub answers: Option<AnswerKey>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentChange {
    /// The revision that the change was made from.
    revision: i64,
    /// In the order of the course.
    #[schema(value_type = Vec<ModuleInput>)]
    modules: Unsanitised<Vec<ModuleInput>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DraftModule {
    pub id: ModuleId,
    pub title: Title,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens: Option<Opening>,
    pub sections: Vec<DraftSection>,
}

#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DraftSection {
    pub id: SectionId,
    pub title: Title,
    pub lessons: Vec<DraftLesson>,
}

#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct DraftLesson {
    pub id: LessonId,
    pub title: Title,
    pub requirement: Option<Requirement>,
    /// The length of a video in whole seconds, where it is known.
    pub duration_seconds: Option<u32>,
    pub body: LessonBody,
    pub answers: Option<AnswerKey>,
}

/// What of a lesson does not stand in the course's structure.
#[derive(Debug, Clone, PartialEq)]
pub struct LessonContent {
    pub body: LessonBody,
    pub answers: Option<AnswerKey>,
}

/// The content of a draft, by lesson.
pub type Lessons = BTreeMap<LessonId, LessonContent>;

impl DraftModule {
    /// The structure with the lessons' content put in.
    pub fn joined(structure: Vec<ModuleOutline>, mut lessons: Lessons) -> Vec<Self> {
        let mut lesson = |outline: LessonOutline| {
            let LessonContent { body, answers } = lessons.remove(&outline.id)?;
            let LessonOutline { id, title, kind: _, duration_seconds, requirement } = outline;
            Some(DraftLesson { id, title, requirement, duration_seconds, body, answers })
        };
        let mut section = |SectionOutline { id, title, lessons }| DraftSection {
            id,
            title,
            lessons: lessons.into_iter().filter_map(&mut lesson).collect(),
        };
        structure
            .into_iter()
            .map(|ModuleOutline { id, title, at_least, opens, sections }| Self {
                id,
                title,
                at_least,
                opens,
                sections: sections.into_iter().map(&mut section).collect(),
            })
            .collect()
    }
}

/// Replace a draft's content
///
/// Modules, sections and lessons that are sent with their id stay the same ones; without an id they are new; those
/// that are missing are gone. Html is sanitised. Nothing is written if anything is wrong, and `errors` says what, by path.
#[utoipa::path(put, path = "/api/v1/authoring/courses/{course_id}/content", tag = "authoring",
    params(("course_id" = CourseId, Path, description = "The course")), request_body = ContentChange,
    responses((status = 200, description = "The draft as it is now", body = CourseDraft),
              (status = 409, description = "The draft has moved on", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn replace(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(course): PathParam<CourseId>,
    Body(change): Body<ContentChange, PLANE_BODY_LIMIT>,
) -> Result<Body<CourseDraft>, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let found = store::lock_course(&mut tx, course, caller.courses_of()).await?;
    let (mut head, structure) = found.ok_or(AuthoringError::NotFound)?;
    expect_revision(&head, change.revision)?;
    let before = audit::content(head.revision, &structure);
    let stored = store::draft_lessons(&mut tx, course).await?;
    let modules = change.modules.sanitise(&stored).map_err(AuthoringError::Invalid)?;
    let mut checked =
        check(modules, &structure, NewIds::Refused, &authoring.ports).map_err(AuthoringError::Invalid)?;
    tell_lengths(&mut checked, &lengths_of_videos(&mut tx, course).await?);
    head.updated_at = authoring.ports.now();
    head.revision = save(&mut tx, course, &checked, &stored, &authoring.ports).await?;
    let replaced = Write {
        action: Action::CourseContentReplaced,
        target: audit::target(course),
        before,
        after: audit::content(head.revision, &checked.structure),
    };
    authoring.auditor.record(&mut tx, Actor::new(&caller, &call), replaced).await?;
    let videos = videos_that_do_not_play(&mut tx, course).await?;
    tx.commit().await?;
    Ok(Body(CourseDraft { head, modules: DraftModule::joined(checked.structure, checked.lessons), videos }))
}

/// Lessons of videos that play already learn their length, unless their author says one.
fn tell_lengths(checked: &mut Checked, lengths: &BTreeMap<AssetId, i64>) {
    for lesson in checked
        .structure
        .iter_mut()
        .flat_map(|module| &mut module.sections)
        .flat_map(|section| &mut section.lessons)
        .filter(|lesson| lesson.duration_seconds.is_none())
    {
        let body = checked.lessons.get(&lesson.id).map(|content| &content.body);
        let Some(LessonBody::Video { source: VideoSource::Asset { asset }, .. }) = body else { continue };
        let length = lengths.get(asset).map(|ms| LessonDuration::from_seconds(*ms as f64 / 1000.0));
        lesson.duration_seconds = length.and_then(Result::ok).map(LessonDuration::seconds);
    }
}

/// What an import made of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedContent {
    /// The draft's revision now.
    pub revision: i64,
    /// The content with the ids that it has now.
    pub structure: Vec<ModuleOutline>,
}

/// Replaces a draft's content, whatever its revision, in the caller's transaction.
///
/// Ids that the draft does not have are new ones that the caller has made, so that html may link to lessons of the same
/// import. The html in `modules` is the word of a sanitiser; its references are `http(s)` URLs or paths from `/`
/// ([`akademi_olx::resolve`]).
///
/// # Errors
/// [`AuthoringError::Invalid`] with paths as in the request `{"modules": …}`; [`AuthoringError::NotFound`];
/// [`AuthoringError::Store`]. Nothing has been written then but what the transaction held before.
pub async fn import_content(
    tx: &mut TenantTransaction,
    course: CourseId,
    modules: Vec<ModuleInput>,
    ports: &Ports,
) -> Result<ImportedContent, AuthoringError> {
    let (_, structure) = store::lock_course(tx, course, None).await?.ok_or(AuthoringError::NotFound)?;
    let stored = store::draft_lessons(tx, course).await?;
    let checked = check(modules, &structure, NewIds::Taken, ports).map_err(AuthoringError::Invalid)?;
    let revision = save(tx, course, &checked, &stored, ports).await?;
    Ok(ImportedContent { revision, structure: checked.structure })
}

/// Writes what differs from what is stored; the draft's new revision.
pub async fn save(
    tx: &mut TenantTransaction,
    course: CourseId,
    checked: &Checked,
    stored: &Lessons,
    ports: &Ports,
) -> Result<i64, AuthoringError> {
    let changed = checked.lessons.iter().filter(|(id, content)| stored.get(id) != Some(content));
    store::save_lessons(tx, course, changed).await?;
    let gone = stored.keys().filter(|id| !checked.lessons.contains_key(id));
    store::delete_lessons(tx, course, gone).await?;
    Ok(store::save_structure(tx, course, &checked.structure, ports.now()).await?)
}
