//! What an enrolled learner gets of a lesson.

use akademi_api::{Body, Caller, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::{
    course::LessonBody,
    ids::{CourseId, LessonId, SessionId},
    quiz::Score,
    time::Timestamp,
    watch::RefusedSeconds,
};
use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    Progress,
    openings::find_open,
    record::{Change, Learner, LessonProgress, Place},
};

/// How far the learner is in a lesson.
#[derive(Serialize, utoipa::ToSchema)]
pub struct LessonStanding {
    watched_seconds: u32,
    /// Seconds that were reported and did not count.
    refused_seconds: i64,
    /// Why they did not: seconds by reason, which the heartbeat's answer explains.
    refusals: RefusedSeconds,
    /// Where the learner was last, on any device, in whole seconds.
    position_seconds: u32,
    /// Where this device was last; null if it was not here, or not lately.
    device_position_seconds: Option<u32>,
    opened_at: Option<Timestamp>,
    /// The best attempt at a quiz.
    best_score: Option<Score>,
    attempts: i64,
    /// Since when staff says that this live class was attended, or this assignment accepted.
    marked_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
}

impl LessonStanding {
    /// As somebody sees it who asks from this device.
    fn new(progress: LessonProgress, device: SessionId) -> Self {
        Self {
            watched_seconds: progress.watched.seconds(),
            refused_seconds: progress.refused_seconds,
            refusals: progress.refusals,
            position_seconds: progress.position_seconds,
            device_position_seconds: progress.positions.of(device),
            opened_at: progress.opened_at,
            best_score: progress.best_score,
            attempts: progress.attempts,
            marked_at: progress.marked_at,
            completed_at: progress.completed_at,
        }
    }
}

/// A lesson as an enrolled learner sees it; a quiz without its answers.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Lesson {
    id: LessonId,
    #[schema(value_type = LessonBody)]
    body: Box<RawValue>,
    standing: LessonStanding,
}

/// A lesson and how far one is in it
#[utoipa::path(get, path = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}", tag = "learning",
    params(("course_id" = CourseId, Path, description = "The course"), ("lesson_id" = LessonId, Path, description = "The lesson")),
    responses((status = 200, description = "The lesson", body = Lesson),
              (status = 403, description = "The lesson is not open yet", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn show(
    State(progress): State<Progress>,
    caller: Caller,
    PathParam((course, lesson)): PathParam<(CourseId, LessonId)>,
) -> Result<Body<Lesson>, Problem> {
    let database = progress.edge.tenant(caller.tenant);
    let place = Place { course, lesson };
    let now = progress.edge.ports.now();
    let found = find_open(&database, caller.user, place, true, now).await?;
    let body = RawValue::from_string(found.body.unwrap_or_default()).map_err(Problem::broken)?;
    Ok(Body(Lesson { id: lesson, body, standing: LessonStanding::new(found.progress, caller.session) }))
}

/// Say that a lesson was opened
#[utoipa::path(post, path = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/opening", tag = "learning",
    params(("course_id" = CourseId, Path, description = "The course"), ("lesson_id" = LessonId, Path, description = "The lesson")),
    responses((status = 200, description = "How far one is now", body = LessonStanding),
              (status = 403, description = "The lesson is not open yet", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn open(
    State(progress): State<Progress>,
    caller: Caller,
    PathParam((course, lesson)): PathParam<(CourseId, LessonId)>,
) -> Result<Body<LessonStanding>, Problem> {
    let recorded = progress
        .recorder
        .record(Learner::from(&caller), Place { course, lesson }, &|standing, now| {
            let mut progress = standing.progress.clone();
            progress.opened_at.get_or_insert(now);
            Ok(Some(Change::new(progress, standing)))
        })
        .await?;
    Ok(Body(LessonStanding::new(recorded.progress, caller.session)))
}
