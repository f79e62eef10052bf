//! The function's SQL: one function a statement.

use akademi_domain::{
    ids::{CourseId, EnrolmentId, LessonId, TenantId, UserId},
    quiz::Score,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};

/// An academy's public face as the edge tells it.
pub struct Academy {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    pub locale: String,
    pub brand_colour: String,
    pub state: String,
    pub domains: Vec<String>,
}

pub async fn save_academy(
    tx: &mut TenantTransaction,
    academy: &Academy,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO tenant (id, slug, name, locale, state, brand, domains, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, name = excluded.name, locale = excluded.locale,
         state = excluded.state, brand = excluded.brand, domains = excluded.domains, updated_at = excluded.updated_at",
    )
    .bind(academy.id.as_uuid())
    .bind(&academy.slug)
    .bind(&academy.name)
    .bind(&academy.locale)
    .bind(&academy.state)
    .bind(serde_json::json!({ "colour": academy.brand_colour }))
    .bind(&academy.domains)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn save_person(
    tx: &mut TenantTransaction,
    person: UserId,
    sealed_profile: &[u8],
    state: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO person (tenant_id, id, sealed_profile, state, updated_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, id) DO UPDATE SET sealed_profile = excluded.sealed_profile,
         state = excluded.state, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .bind(sealed_profile)
    .bind(state)
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn has_person_key(tx: &mut TenantTransaction, person: UserId) -> Result<bool, StoreError> {
    let found =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM person_key WHERE tenant_id = $1 AND user_id = $2)")
            .bind(tx.tenant().as_uuid())
            .bind(person.as_uuid())
            .fetch_one(tx.connection())
            .await?;
    Ok(found)
}

pub async fn save_person_key(
    tx: &mut TenantTransaction,
    person: UserId,
    wrapped: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO person_key (tenant_id, user_id, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .bind(wrapped)
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn save_enrolment(
    tx: &mut TenantTransaction,
    person: UserId,
    course: CourseId,
    enrolment: EnrolmentId,
    source: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO enrolment (tenant_id, id, user_id, course_id, source, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, id) DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(enrolment.as_uuid())
    .bind(person.as_uuid())
    .bind(course.as_uuid())
    .bind(source)
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn complete_enrolment(
    tx: &mut TenantTransaction,
    person: UserId,
    enrolment: EnrolmentId,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE enrolment SET completed_at = $4
         WHERE tenant_id = $1 AND id = $2 AND user_id = $3 AND completed_at IS NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(enrolment.as_uuid())
    .bind(person.as_uuid())
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Where a learner stands in a lesson.
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
}

/// Saves the summary, and adds what it tells beyond the one before to the day of `at` in Istanbul.
pub async fn save_progress(
    tx: &mut TenantTransaction,
    summary: &ProgressSummary,
    at: Timestamp,
) -> Result<(), StoreError> {
    // All parts of the statement see the summary as it was before.
    sqlx::query(
        "WITH before AS (
             SELECT seconds, refused_seconds FROM progress_summary
             WHERE tenant_id = $1 AND user_id = $2 AND lesson_id = $3
         ), saved AS (
             INSERT INTO progress_summary (tenant_id, user_id, lesson_id, course_id, seconds, permille, completed_at,
                                           updated_at, refused_seconds, score_points, score_max)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (tenant_id, user_id, lesson_id) DO UPDATE SET seconds = excluded.seconds,
             permille = excluded.permille, completed_at = excluded.completed_at, updated_at = excluded.updated_at,
             refused_seconds = excluded.refused_seconds, score_points = excluded.score_points,
             score_max = excluded.score_max
         )
         INSERT INTO watched_day (tenant_id, day, user_id, course_id, seconds, refused_seconds)
         VALUES ($1, DATE '1970-01-01' + $12, $2, $4,
                 greatest($5 - COALESCE((SELECT seconds FROM before), 0), 0),
                 greatest($9 - COALESCE((SELECT refused_seconds FROM before), 0), 0))
         ON CONFLICT (tenant_id, day, user_id, course_id) DO UPDATE
         SET seconds = watched_day.seconds + excluded.seconds,
             refused_seconds = watched_day.refused_seconds + excluded.refused_seconds",
    )
    .bind(tx.tenant().as_uuid())
    .bind(summary.person.as_uuid())
    .bind(summary.lesson.as_uuid())
    .bind(summary.course.as_uuid())
    .bind(summary.seconds)
    .bind(i32::from(summary.coverage_permille))
    .bind(summary.completed_at.map(Timestamp::as_millis))
    .bind(at.as_millis())
    .bind(summary.refused_seconds)
    .bind(summary.score.map(|score| i64::from(score.points)))
    .bind(summary.score.map(|score| i64::from(score.max)))
    .bind(at.day_in_istanbul().epoch_days())
    .execute(tx.connection())
    .await?;
    Ok(())
}
