//! What learners did with lessons, many at a time.

use akademi_domain::{
    ids::{CourseId, LessonId, UserId},
    quiz::Score,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::types::Uuid;

/// Where a learner stands in a lesson.
#[derive(Debug, Clone)]
pub struct ProgressSummary {
    pub person: UserId,
    pub course: CourseId,
    pub lesson: LessonId,
    /// Of all days together, as are those that were not believed.
    pub seconds: i64,
    pub coverage_permille: u16,
    pub refused_seconds: i64,
    /// The best of a quiz.
    pub score: Option<Score>,
    pub completed_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

/// Saves the summaries, adds what each tells beyond the one before to its day in Istanbul, and has the reports of those days
/// derived again. No lesson of a learner stands twice in `told`.
pub async fn save_progress(tx: &mut TenantTransaction, told: &[ProgressSummary]) -> Result<(), StoreError> {
    fn column<T>(told: &[ProgressSummary], of: impl Fn(&ProgressSummary) -> T) -> Vec<T> {
        told.iter().map(of).collect()
    }
    let uuids = |of: fn(&ProgressSummary) -> Uuid| column(told, of);
    // All parts of the statement see the summaries as they were before.
    sqlx::query(
        "WITH told AS (
             SELECT told.*, DATE '1970-01-01' + epoch_day AS day, before.seconds AS seconds_before,
                    before.refused_seconds AS refused_before
             FROM UNNEST($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::int[], $7::bigint[], $8::bigint[],
                         $9::bigint[], $10::bigint[], $11::bigint[], $12::int[])
                  AS told (user_id, lesson_id, course_id, seconds, permille, completed_at, updated_at, refused_seconds,
                           score_points, score_max, epoch_day)
             LEFT JOIN progress_summary AS before ON before.tenant_id = $1 AND before.user_id = told.user_id
                                                 AND before.lesson_id = told.lesson_id
         ), saved AS (
             INSERT INTO progress_summary (tenant_id, user_id, lesson_id, course_id, seconds, permille, completed_at,
                                           updated_at, refused_seconds, score_points, score_max)
             SELECT $1, user_id, lesson_id, course_id, seconds, permille, completed_at, updated_at, refused_seconds,
                    score_points, score_max FROM told
             ON CONFLICT (tenant_id, user_id, lesson_id) DO UPDATE SET seconds = excluded.seconds,
             permille = excluded.permille, completed_at = excluded.completed_at, updated_at = excluded.updated_at,
             refused_seconds = excluded.refused_seconds, score_points = excluded.score_points,
             score_max = excluded.score_max
         ), due AS (
             INSERT INTO due_day (tenant_id, day) SELECT DISTINCT $1::uuid, day FROM told ON CONFLICT DO NOTHING
         )
         INSERT INTO watched_day (tenant_id, day, user_id, course_id, seconds, refused_seconds)
         SELECT $1, day, user_id, course_id, sum(greatest(seconds - COALESCE(seconds_before, 0), 0)),
                sum(greatest(refused_seconds - COALESCE(refused_before, 0), 0))
         FROM told GROUP BY day, user_id, course_id
         ON CONFLICT (tenant_id, day, user_id, course_id) DO UPDATE
         SET seconds = watched_day.seconds + excluded.seconds,
             refused_seconds = watched_day.refused_seconds + excluded.refused_seconds",
    )
    .bind(tx.tenant().as_uuid())
    .bind(uuids(|told| told.person.as_uuid()))
    .bind(uuids(|told| told.lesson.as_uuid()))
    .bind(uuids(|told| told.course.as_uuid()))
    .bind(column(told, |told| told.seconds))
    .bind(column(told, |told| i32::from(told.coverage_permille)))
    .bind(column(told, |told| told.completed_at.map(Timestamp::as_millis)))
    .bind(column(told, |told| told.updated_at.as_millis()))
    .bind(column(told, |told| told.refused_seconds))
    .bind(column(told, |told| told.score.map(|score| i64::from(score.points))))
    .bind(column(told, |told| told.score.map(|score| i64::from(score.max))))
    .bind(column(told, |told| told.updated_at.day_in_istanbul().epoch_days()))
    .execute(tx.connection())
    .await?;
    Ok(())
}
