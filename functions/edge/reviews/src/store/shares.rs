//! Shared links and their visits.

use akademi_domain::{
    ids::{CourseId, UserId},
    time::{Day, Timestamp},
};
use akademi_edge_store::{Row, StoreError, TenantDatabase, TenantSql, TenantStatement};

use crate::{
    shares::ShareSource,
    visits::{Counted, VisitCount},
};

/// A course of the catalog that is shared, and whether somebody has asked for a link of this mark before.
pub struct SharedCourse {
    pub course: CourseId,
    pub title: String,
    pub is_made: bool,
}

pub async fn find_shared_course(
    database: &TenantDatabase<'_>,
    slug: &str,
    source: ShareSource,
) -> Result<Option<SharedCourse>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT course.id, title, EXISTS (SELECT 1 FROM share_link WHERE share_link.tenant_id = ?1 \
         AND share_link.course_id = course.id AND source = ?3) AS made FROM course \
         WHERE course.tenant_id = ?1 AND slug = ?2 AND withdrawn_at IS NULL",
    );
    let row = database.row(SQL.with([slug.into(), source.name().into()])).await?;
    row.map(|row| {
        Ok(SharedCourse { course: row.parse(0)?, title: row.text(1)?.to_owned(), is_made: row.boolean(2)? })
    })
    .transpose()
}

pub fn make_link(course: CourseId, source: ShareSource, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO share_link (tenant_id, course_id, source, created_at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO NOTHING",
    );
    SQL.with([course.into(), source.name().into(), now.into()])
}

/// A course of the catalog that is visited, and what is known of the mark.
pub struct VisitedCourse {
    pub course: CourseId,
    /// Whether somebody has asked for a link of it.
    pub is_made: bool,
    /// On this day so far.
    pub visits: i64,
}

pub async fn find_visited_course(
    database: &TenantDatabase<'_>,
    slug: &str,
    source: ShareSource,
    day: Day,
) -> Result<Option<VisitedCourse>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT course.id, share_link.source IS NOT NULL AS made, coalesce(visits, 0) AS visits FROM course \
         LEFT JOIN share_link ON share_link.tenant_id = ?1 AND share_link.course_id = course.id \
         AND share_link.source = ?3 \
         LEFT JOIN link_visit ON link_visit.tenant_id = ?1 AND link_visit.course_id = course.id \
         AND link_visit.day = ?4 AND link_visit.source = ?3 \
         WHERE course.tenant_id = ?1 AND slug = ?2 AND withdrawn_at IS NULL",
    );
    let row = database.row(SQL.with([slug.into(), source.name().into(), day.epoch_days().into()])).await?;
    row.map(|row| {
        Ok(VisitedCourse { course: row.parse(0)?, is_made: row.boolean(1)?, visits: row.integer(2)? })
    })
    .transpose()
}

/// One visit more, up to so many on a day.
pub fn count_visit(counted: &Counted, most: i64) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO link_visit (tenant_id, course_id, day, source, visits) VALUES (?1, ?2, ?3, ?4, 1) \
         ON CONFLICT (tenant_id, course_id, day, source) DO UPDATE SET visits = visits + 1 WHERE visits < ?5",
    );
    SQL.with([counted.course.into(), counted.day.epoch_days().into(), counted.source.into(), most.into()])
}

/// Whether there is such a course, of `owner` or anybody's.
pub async fn may_see_course(
    database: &TenantDatabase<'_>,
    course: CourseId,
    owner: Option<UserId>,
) -> Result<bool, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT 1 AS found FROM course WHERE tenant_id = ?1 AND id = ?2 AND (?3 IS NULL OR owner_id = ?3)",
    );
    Ok(database.row(SQL.with([course.into(), owner.into()])).await?.is_some())
}

/// The counts of shared links on the days from one to another.
pub async fn list_visits(
    database: &TenantDatabase<'_>,
    course: CourseId,
    (from, to): (Day, Day),
) -> Result<Vec<VisitCount>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT day, source, visits FROM link_visit WHERE tenant_id = ?1 AND course_id = ?2 \
         AND day BETWEEN ?3 AND ?4 AND source <> 'sold_elsewhere' ORDER BY day, source",
    );
    let params = [course.into(), from.epoch_days().into(), to.epoch_days().into()];
    let rows = database.rows(SQL.with(params)).await?;
    rows.iter()
        .map(|row| {
            let unknown = || StoreError::Engine("a visit with a mark that is none".into());
            Ok(VisitCount {
                day: day(row, 0)?,
                via: ShareSource::parse(row.text(1)?).ok_or_else(unknown)?,
                visits: row.integer(2)?,
            })
        })
        .collect()
}

pub fn day(row: &Row, column: usize) -> Result<Day, StoreError> {
    let day = i32::try_from(row.integer(column)?);
    Ok(Day::from_epoch_days(day.map_err(|_| StoreError::Engine("a visit on a day that is none".into()))?))
}
