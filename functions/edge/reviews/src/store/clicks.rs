//! Clicks on the way to a shop that sells a course instead: visits of a link as those of shared ones, under a mark that no
//! shared link has.

use akademi_domain::{ids::CourseId, time::Day};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};

use super::day;
use crate::clicks::ClickCount;

/// The mark.
pub const SOLD_ELSEWHERE: &str = "sold_elsewhere";

/// The shop that sells a course of the catalog.
pub struct Shop {
    pub course: CourseId,
    pub url: String,
    /// On this day so far.
    pub clicks: i64,
}

pub async fn find_shop(
    database: &TenantDatabase<'_>,
    slug: &str,
    day: Day,
) -> Result<Option<Shop>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT course.id, url, coalesce(visits, 0) AS clicks FROM course \
         JOIN sold_elsewhere ON sold_elsewhere.tenant_id = ?1 AND sold_elsewhere.course_id = course.id \
         LEFT JOIN link_visit ON link_visit.tenant_id = ?1 AND link_visit.course_id = course.id \
         AND link_visit.day = ?3 AND link_visit.source = 'sold_elsewhere' \
         WHERE course.tenant_id = ?1 AND slug = ?2 AND withdrawn_at IS NULL AND url IS NOT NULL",
    );
    let row = database.row(SQL.with([slug.into(), day.epoch_days().into()])).await?;
    row.map(|row| Ok(Shop { course: row.parse(0)?, url: row.text(1)?.to_owned(), clicks: row.integer(2)? }))
        .transpose()
}

/// The clicks of the days from one to another.
pub async fn list_clicks(
    database: &TenantDatabase<'_>,
    course: CourseId,
    (from, to): (Day, Day),
) -> Result<Vec<ClickCount>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT day, visits FROM link_visit WHERE tenant_id = ?1 AND course_id = ?2 AND day BETWEEN ?3 AND ?4 \
         AND source = 'sold_elsewhere' ORDER BY day",
    );
    let params = [course.into(), from.epoch_days().into(), to.epoch_days().into()];
    let rows = database.rows(SQL.with(params)).await?;
    rows.iter().map(|row| Ok(ClickCount { day: day(row, 0)?, clicks: row.integer(1)? })).collect()
}
