//! The function's SQL: one function a statement.

use akademi_domain::{ids::UserId, quiz::AnswerKey};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};
use akademi_progress::Place;

/// The answer key of a quiz that the learner is enrolled for.
pub async fn find_answer_key(
    database: &TenantDatabase<'_>,
    person: UserId,
    place: Place,
) -> Result<Option<AnswerKey>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT answers FROM enrolment \
         JOIN course ON course.tenant_id = ?1 AND course.id = ?3 \
         JOIN answer_key ON answer_key.tenant_id = ?1 AND answer_key.course_id = ?3 \
         AND answer_key.version = course.version AND answer_key.lesson_id = ?4 \
         WHERE enrolment.tenant_id = ?1 AND enrolment.person_id = ?2 AND enrolment.course_id = ?3",
    );
    let row = database.row(SQL.with([person.into(), place.course.into(), place.lesson.into()])).await?;
    let key = row.map(|row| Ok(serde_json::from_str(row.text(0)?))).transpose()?;
    key.transpose().map_err(|error: serde_json::Error| StoreError::Engine(error.to_string()))
}
