//! The function's SQL: one function a statement.

use akademi_domain::ids::{CourseId, UserId};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};
use akademi_progress::Place;

use crate::marks::Mark;

/// Whether the academy has published the course, and it is `owner`'s or anybody's.
pub async fn is_course_of(
    database: &TenantDatabase<'_>,
    course: CourseId,
    owner: Option<UserId>,
) -> Result<bool, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT 1 FROM course WHERE tenant_id = ?1 AND id = ?2 AND (?3 IS NULL OR owner_id = ?3)",
    );
    Ok(database.row(SQL.with([course.into(), owner.into()])).await?.is_some())
}

/// The marks of a lesson by the learners' ids, those after `after`.
pub async fn list_marks(
    database: &TenantDatabase<'_>,
    place: Place,
    after: String,
    limit: i64,
) -> Result<Vec<Mark>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT person_id, marked_at FROM progress WHERE tenant_id = ?1 AND course_id = ?2 AND lesson_id = ?3 \
         AND marked_at IS NOT NULL AND person_id > ?4 ORDER BY person_id LIMIT ?5",
    );
    let params = [place.course.into(), place.lesson.into(), after.into(), limit.into()];
    let rows = database.rows(SQL.with(params)).await?;
    rows.iter().map(|row| Ok(Mark { person: row.parse(0)?, marked_at: row.timestamp(1)? })).collect()
}
