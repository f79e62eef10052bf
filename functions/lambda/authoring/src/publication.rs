//! Publishing: one transaction for the kept version and its events.

use akademi_api::{Body, Caller, PathParam, problem::ProblemDocument, signed::CallContext};
use akademi_domain::{
    course::{CourseOutline, ModuleOutline, Requirement, Title},
    ids::CourseId,
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    feed::append,
    postgres::TenantTransaction,
};
use axum::{Extension, extract::State};
use serde::Serialize;
use serde_json::json;

use crate::{
    Authoring, AuthoringError, audit,
    content::{LessonContent, Lessons},
    pictures, store,
    versions::store as versions,
    words::lesson_words,
};

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Publication {
    /// The version that learners see as soon as the edge has heard of it.
    version: i64,
}

/// Publish a course
///
/// Makes a new version of the draft as it is, also of one that has not changed. Learners see it at once or not at all.
#[utoipa::path(post, path = "/api/v1/authoring/courses/{course_id}/publish", tag = "authoring",
    params(("course_id" = CourseId, Path, description = "The course")),
    responses((status = 200, description = "The new version", body = Publication),
              (status = 422, description = "The course has no lesson, or requires a share of a video whose length is not known", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn publish(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(course): PathParam<CourseId>,
) -> Result<Body<Publication>, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let version = publish_course(&mut tx, course, &caller, authoring.ports.now()).await?;
    let published = Write {
        action: Action::CoursePublished,
        target: audit::target(course),
        before: json!({ "version": version - 1 }),
        after: json!({ "version": version }),
    };
    authoring.auditor.record(&mut tx, Actor::new(&caller, &call), published).await?;
    tx.commit().await?;
    if let Some(sync) = &authoring.sync {
        sync.wake();
    }
    Ok(Body(Publication { version }))
}

/// Publishes a draft in the caller's transaction: keeps it as the newest version and appends its events, the lessons
/// in order and the course last. Returns the new version.
///
/// # Errors
/// [`AuthoringError::NothingToPublish`], [`AuthoringError::UnknownLength`], [`AuthoringError::NotFound`],
/// [`AuthoringError::Store`].
pub async fn publish_course(
    tx: &mut TenantTransaction,
    course: CourseId,
    publisher: &Caller,
    now: Timestamp,
) -> Result<i64, AuthoringError> {
    let (head, structure) =
        store::lock_course(tx, course, publisher.courses_of()).await?.ok_or(AuthoringError::NotFound)?;
    let lessons = store::draft_lessons(tx, course).await?;
    let outline = CourseOutline {
        id: course,
        slug: head.slug,
        title: head.title,
        language: head.language,
        minimum_score: head.minimum_score,
        pictures: pictures::publish(tx, course).await?,
        modules: structure,
    };
    if outline.lessons().next().is_none() {
        return Err(AuthoringError::NothingToPublish);
    }
    let unknown = videos_without_length(&outline);
    if !unknown.is_empty() {
        return Err(AuthoringError::UnknownLength(unknown));
    }
    let version = head.version + 1;
    let summary = String::from(head.summary);
    versions::save_version(tx, version, &summary, &outline, publisher.user, now).await?;
    versions::end_replaced_lessons(tx, course, version).await?;
    versions::begin_new_lessons(tx, course, version).await?;
    versions::drop_old_versions(tx, course, version).await?;
    store::set_published(tx, course, version, now).await?;
    for event in lesson_events(&outline, lessons, version) {
        append(tx, &event?, now).await?;
    }
    let owner = Some(head.owner);
    append(tx, &LambdaEvent::CoursePublished { version, summary, outline, owner, at: now }, now).await?;
    Ok(version)
}

/// Videos of which a share is required that nobody could reach.
fn videos_without_length(outline: &CourseOutline) -> Vec<Title> {
    outline
        .lessons()
        .filter(|lesson| {
            matches!(lesson.requirement, Some(Requirement::Coverage { .. }))
                && lesson.duration_seconds.is_none()
        })
        .map(|lesson| lesson.title.clone())
        .collect()
}

fn lesson_events(
    outline: &CourseOutline,
    mut lessons: Lessons,
    version: i64,
) -> impl Iterator<Item = Result<LambdaEvent, serde_json::Error>> {
    let lessons_of = |module| ModuleOutline::lessons(module).map(move |lesson| (lesson, &module.opens));
    outline.modules.iter().flat_map(lessons_of).filter_map(move |(lesson, opens)| {
        let LessonContent { body, answers } = lessons.remove(&lesson.id)?;
        let answers = answers.map(serde_json::to_value).transpose();
        Some(answers.map(|answers| LambdaEvent::LessonPublished {
            course: outline.id,
            version,
            lesson: lesson.id,
            title: lesson.title.as_str().to_owned(),
            duration_seconds: lesson.duration_seconds,
            requirement: lesson.requirement,
            opens: opens.clone(),
            words: lesson_words(&body),
            body,
            answers,
        }))
    })
}
