//! The function's SQL: one function a statement.

use akademi_domain::{
    ids::{CourseId, EnrolmentId, LessonId, TenantId, UserId},
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
    pub seconds: i64,
    pub coverage_permille: u16,
    pub completed_at: Option<Timestamp>,
}

pub async fn save_progress(
    tx: &mut TenantTransaction,
    summary: &ProgressSummary,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO progress_summary
         (tenant_id, user_id, lesson_id, course_id, seconds, permille, completed_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (tenant_id, user_id, lesson_id) DO UPDATE SET seconds = excluded.seconds,
         permille = excluded.permille, completed_at = excluded.completed_at, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(summary.person.as_uuid())
    .bind(summary.lesson.as_uuid())
    .bind(summary.course.as_uuid())
    .bind(summary.seconds)
    .bind(i32::from(summary.coverage_permille))
    .bind(summary.completed_at.map(Timestamp::as_millis))
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}
