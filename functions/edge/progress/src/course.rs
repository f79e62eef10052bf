//! How far a learner is in a course: one query, whatever the number of lessons.

use akademi_api::{Body, Caller, PathParam, Problem};
use akademi_domain::{
    course::completion::{Completion, completion},
    ids::{CourseId, LessonId},
    time::Timestamp,
};
use axum::extract::State;
use serde::Serialize;

use crate::{Progress, store};

#[derive(Serialize, utoipa::ToSchema)]
pub struct CourseProgress {
    course: CourseId,
    enrolled_at: Timestamp,
    completed_at: Option<Timestamp>,
    completion: Completion,
    /// The lessons that were begun, in no order.
    lessons: Vec<LessonSummary>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct LessonSummary {
    lesson: LessonId,
    watched_seconds: u32,
    position_seconds: u32,
    /// Seconds that were reported and did not count; the lesson tells why.
    refused_seconds: u32,
    completed: bool,
}

/// One's own progress in a course
#[utoipa::path(get, path = "/api/v1/progress/courses/{course_id}", tag = "progress",
    params(("course_id" = CourseId, Path, description = "The course")),
    responses((status = 200, description = "How far one is", body = CourseProgress)))]
pub async fn show(
    State(progress): State<Progress>,
    caller: Caller,
    PathParam(course): PathParam<CourseId>,
) -> Result<Body<CourseProgress>, Problem> {
    let database = progress.edge.tenant(caller.tenant);
    let found = store::find_course(&database, caller.user, course).await?.ok_or_else(Problem::not_found)?;
    let completion = completion(&found.outline, &|lesson| found.state_of(lesson));
    let lessons = found
        .begun
        .iter()
        .map(|begun| LessonSummary {
            lesson: begun.lesson,
            watched_seconds: begun.seconds,
            position_seconds: begun.position_seconds,
            refused_seconds: begun.refused_seconds,
            completed: begun.completed,
        })
        .collect();
    Ok(Body(CourseProgress {
        course,
        enrolled_at: found.enrolled_at,
        completed_at: found.completed_at,
        completion,
        lessons,
    }))
}
