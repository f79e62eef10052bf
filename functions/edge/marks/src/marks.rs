//! What staff says of a learner's part in a live class or an assignment.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
    problem::ProblemDocument,
};
use akademi_domain::{
    course::{LessonKind, Requirement},
    ids::{CourseId, LessonId, UserId},
    time::Timestamp,
};
use akademi_identity::{
    Origin,
    audit::{by_staff, person},
};
use akademi_progress::{Change, Learner, Place, Recorded};
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::{Marks, store};

/// A learner attended a live class, or their assignment is accepted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Mark {
    pub person: UserId,
    /// Since when staff says so.
    pub marked_at: Timestamp,
}

/// A mark and what came of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MarkResult {
    person: UserId,
    /// Since when staff says so.
    marked_at: Timestamp,
    lesson_completed: bool,
    course_completed: bool,
}

/// Say that a learner attended a live class, or that their assignment is accepted
///
/// Of whoever is enrolled, also before the lesson is open to them. Said again, it changes nothing. Whoever does not see to
/// everybody's courses says so in their own.
#[utoipa::path(put, path = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/marks/{person_id}", tag = "learning",
    params(("course_id" = CourseId, Path, description = "The course"), ("lesson_id" = LessonId, Path, description = "The lesson"),
           ("person_id" = UserId, Path, description = "The learner")),
    responses((status = 200, description = "The mark", body = MarkResult),
              (status = 409, description = "The lesson is neither a live class nor an assignment", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn give(
    State(marks): State<Marks>,
    caller: Caller,
    origin: Origin,
    PathParam((course, lesson, person)): PathParam<(CourseId, LessonId, UserId)>,
) -> Result<Body<MarkResult>, Problem> {
    let place = Place { course, lesson };
    let recorded = mark(&marks, (&caller, &origin), place, person, true).await?;
    let marked_at = recorded.progress.marked_at.ok_or_else(Problem::conflict)?;
    Ok(Body(MarkResult {
        person,
        marked_at,
        lesson_completed: recorded.progress.completed_at.is_some(),
        course_completed: recorded.course_completed,
    }))
}

/// Take a mark back
///
/// The lesson is no longer completed if the mark is what it requires. A course that was completed stays so, since its
/// certificate may have been issued: that is revoked for itself.
#[utoipa::path(delete, path = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/marks/{person_id}", tag = "learning",
    params(("course_id" = CourseId, Path, description = "The course"), ("lesson_id" = LessonId, Path, description = "The lesson"),
           ("person_id" = UserId, Path, description = "The learner")),
    responses((status = 204, description = "There is no mark now"),
              (status = 409, description = "The lesson is neither a live class nor an assignment", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn take_back(
    State(marks): State<Marks>,
    caller: Caller,
    origin: Origin,
    PathParam((course, lesson, person)): PathParam<(CourseId, LessonId, UserId)>,
) -> Result<StatusCode, Problem> {
    mark(&marks, (&caller, &origin), Place { course, lesson }, person, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn mark(
    marks: &Marks,
    by: (&Caller, &Origin),
    place: Place,
    learner: UserId,
    is_marked: bool,
) -> Result<Recorded, Problem> {
    let (caller, _) = by;
    expect_own_course(marks, caller, place.course).await?;
    let state = |is_marked: bool| json!({ "lesson": place.lesson, "marked": is_marked });
    let change = json!({ "before": state(!is_marked), "after": state(is_marked) });
    let action = if is_marked { "mark.given" } else { "mark.taken_back" };
    let audited = by_staff(&marks.edge, &marks.vault, by, action, person(learner), change).await?.to_vec();
    let learner = Learner { tenant: caller.tenant, user: learner, session: None };
    marks
        .recorder
        .record(learner, place, &|standing, now| {
            if !matches!(standing.kind, LessonKind::Live | LessonKind::Assignment) {
                return Err(nothing_to_mark());
            }
            if standing.progress.marked_at.is_some() == is_marked {
                return Ok(None);
            }
            let mut progress = standing.progress.clone();
            progress.marked_at = is_marked.then_some(now);
            if !is_marked && matches!(standing.rule(), Requirement::Attended | Requirement::Accepted) {
                progress.completed_at = None;
            }
            Ok(Some(Change { also: audited.clone(), ..Change::new(progress, standing) }))
        })
        .await
}

fn nothing_to_mark() -> Problem {
    let title = "This lesson is neither a live class nor an assignment.";
    Problem::new(StatusCode::CONFLICT, "nothing-to-mark", title)
}

/// # Errors
/// `not-found` unless the course is the caller's, or they see to everybody's.
async fn expect_own_course(marks: &Marks, caller: &Caller, course: CourseId) -> Result<(), Problem> {
    let database = marks.edge.tenant(caller.tenant);
    let is_own = store::is_course_of(&database, course, caller.courses_of()).await?;
    if is_own { Ok(()) } else { Err(Problem::not_found()) }
}

/// Whose part in a lesson is marked
#[utoipa::path(get, path = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/marks", tag = "learning",
    params(("course_id" = CourseId, Path, description = "The course"), ("lesson_id" = LessonId, Path, description = "The lesson"), PageParams),
    responses((status = 200, description = "A page of marks, by the learners' ids", body = Page<Mark>)))]
pub async fn list(
    State(marks): State<Marks>,
    caller: Caller,
    PathParam((course, lesson)): PathParam<(CourseId, LessonId)>,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<Mark>>, Problem> {
    expect_own_course(&marks, &caller, course).await?;
    let after = page.cursor.as_deref().map(Cursor::decode).transpose()?;
    let after = after.map(|cursor| cursor.id).unwrap_or_default();
    let database = marks.edge.tenant(caller.tenant);
    let found = store::list_marks(&database, Place { course, lesson }, after, page.limit.and_one()).await?;
    Ok(Body(Page::of(found, page.limit, |last| Cursor { key: 0, id: last.person.to_string() })))
}
