//! Who likes which course.

use akademi_domain::{
    ids::{CourseId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{MAX_INTEGER, StoreError, TenantDatabase, TenantSql, TenantStatement};

use super::{Place, course};
use crate::likes::LikedCourse;

/// A batch's condition: the catalog has the course, and the person has neither been suspended nor erased.
pub fn may_like((slug, person): Place<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM course \
         JOIN person ON person.tenant_id = ?1 AND person.id = ?3 AND person.state = 'active' \
         WHERE course.tenant_id = ?1 AND slug = ?2 AND withdrawn_at IS NULL))",
    );
    SQL.with([slug.into(), person.into()])
}

pub fn insert_like((slug, person): Place<'_>, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(concat!(
        "INSERT INTO course_like (tenant_id, person_id, course_id, created_at) VALUES (?1, ?3, ",
        course!(),
        ", ?4) ON CONFLICT DO NOTHING"
    ));
    SQL.with([slug.into(), person.into(), now.into()])
}

pub fn delete_like((slug, person): Place<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(concat!(
        "DELETE FROM course_like WHERE tenant_id = ?1 AND person_id = ?3 AND course_id = ",
        course!(),
    ));
    SQL.with([slug.into(), person.into()])
}

/// Courses of the catalog that somebody likes, after this place, the last liked first.
pub async fn list_likes(
    database: &TenantDatabase<'_>,
    person: UserId,
    after: Option<(Timestamp, CourseId)>,
    limit: i64,
) -> Result<Vec<LikedCourse>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT course.id, slug, title, course_like.created_at FROM course_like \
         JOIN course ON course.tenant_id = ?1 AND course.id = course_like.course_id AND withdrawn_at IS NULL \
         WHERE course_like.tenant_id = ?1 AND person_id = ?2 AND (course_like.created_at, course.id) < (?3, ?4) \
         ORDER BY course_like.created_at DESC, course.id DESC LIMIT ?5",
    );
    let (at, course) =
        after.map_or((MAX_INTEGER, String::new()), |(at, id)| (at.as_millis(), id.to_string()));
    let rows = database.rows(SQL.with([person.into(), at.into(), course.into(), limit.into()])).await?;
    rows.iter()
        .map(|row| {
            Ok(LikedCourse {
                course: row.parse(0)?,
                slug: row.text(1)?.to_owned(),
                title: row.text(2)?.to_owned(),
                liked_at: row.timestamp(3)?,
            })
        })
        .collect()
}
