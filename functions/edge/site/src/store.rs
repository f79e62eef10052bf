//! The function's SQL: one function a statement.

use akademi_domain::ids::{CourseId, LessonId};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};

/// The title of a lesson of a published course.
pub async fn find_title(
    database: &TenantDatabase<'_>,
    course: CourseId,
    lesson: LessonId,
) -> Result<Option<String>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT lesson.title FROM course JOIN lesson ON lesson.tenant_id = ?1 AND lesson.course_id = ?2 \
         AND lesson.version = course.version AND lesson.id = ?3 WHERE course.tenant_id = ?1 AND course.id = ?2",
    );
    let row = database.row(SQL.with([course.into(), lesson.into()])).await?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}
