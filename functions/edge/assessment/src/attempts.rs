//! Answers to a quiz, scored on the server.

use akademi_api::{Body, Caller, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::{
    ids::{CourseId, LessonId},
    quiz::{QuestionScore, Score, Submission, score},
};
use akademi_progress::{Change, Learner, Place};
use axum::extract::State;
use serde::Serialize;

use crate::{Assessment, store};

#[derive(Serialize, utoipa::ToSchema)]
pub struct AttemptResult {
    score: Score,
    /// One per question.
    questions: Vec<QuestionScore>,
    /// The best of all attempts.
    best_score: Score,
    attempts: i64,
    /// What the author says about the answers; HTML, may be empty.
    explanation: String,
    lesson_completed: bool,
    course_completed: bool,
}

/// Answer a quiz
#[utoipa::path(post, path = "/api/v1/learning/courses/{course_id}/lessons/{lesson_id}/attempts", tag = "learning", request_body = Submission,
    params(("course_id" = CourseId, Path, description = "The course"), ("lesson_id" = LessonId, Path, description = "The lesson")),
    responses((status = 200, description = "The attempt's score", body = AttemptResult),
              (status = 403, description = "The lesson is not open yet", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn submit(
    State(assessment): State<Assessment>,
    caller: Caller,
    PathParam((course, lesson)): PathParam<(CourseId, LessonId)>,
    Body(submission): Body<Submission>,
) -> Result<Body<AttemptResult>, Problem> {
    let place = Place { course, lesson };
    let database = assessment.edge.tenant(caller.tenant);
    let key = store::find_answer_key(&database, caller.user, place).await?.ok_or_else(Problem::not_found)?;
    let scored = score(&key, &submission).map_err(|error| Problem::field("answers", error))?;

    let recorded = assessment
        .recorder
        .record(Learner::from(&caller), place, &|standing, now| {
            let mut progress = standing.progress.clone();
            progress.opened_at.get_or_insert(now);
            progress.attempts += 1;
            progress.best_score = Some(better(progress.best_score, scored.score));
            Ok(Some(Change::new(progress, standing)))
        })
        .await?;
    Ok(Body(AttemptResult {
        score: scored.score,
        questions: scored.questions,
        best_score: recorded.progress.best_score.unwrap_or(scored.score),
        attempts: recorded.progress.attempts,
        explanation: key.explanation.as_str().to_owned(),
        lesson_completed: recorded.progress.completed_at.is_some(),
        course_completed: recorded.course_completed,
    }))
}

/// The one with the larger share; of a quiz that has changed since, the newer one if they are equal.
fn better(before: Option<Score>, now: Score) -> Score {
    let share = |score: Score, other: Score| u64::from(score.points) * u64::from(other.max);
    match before {
        Some(before) if share(before, now) > share(now, before) => before,
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_attempt_stays() {
        let score = |points, max| Score { points, max };
        assert_eq!(better(None, score(0, 2)), score(0, 2));
        assert_eq!(better(Some(score(2, 4)), score(1, 4)), score(2, 4));
        assert_eq!(better(Some(score(1, 2)), score(2, 3)), score(2, 3));
        assert_eq!(better(Some(score(1, 2)), score(2, 4)), score(2, 4));
    }
}
