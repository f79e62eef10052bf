//! Using a code.

use akademi_domain::{
    ids::{ActivationBatchId, CourseId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{Row, StoreError, TenantDatabase, TenantSql, TenantStatement};

use super::batches::{BATCH_COLUMNS, FoundBatch, batch_columns, found_batch};
use crate::codes::Place;

/// The batch that a code says it is of, and how it stands with the code for one person.
pub struct Standing {
    pub batch: FoundBatch,
    /// Of the code, by whomever.
    pub uses: i64,
    /// When this person used it.
    pub used_at: Option<Timestamp>,
    /// Whether one of its courses has limited seats by now.
    pub has_seats: bool,
}

/// Whether a batch `$batch` of the academy `?1` gives a course with limited seats.
macro_rules! gives_seats {
    ($batch:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM activation_batch_course AS given JOIN price ON price.tenant_id = ?1 \
             AND price.course_id = given.course_id AND seats_left IS NOT NULL \
             WHERE given.tenant_id = ?1 AND given.batch_id = ",
            $batch,
            ")"
        )
    };
}

pub async fn find_standing(
    database: &TenantDatabase<'_>,
    place: Place,
    person: UserId,
) -> Result<Option<Standing>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        batch_columns!(),
        ", (SELECT code.uses FROM activation_code AS code WHERE code.tenant_id = ?1 \
         AND code.batch_id = activation_batch.id AND code.number = ?3) AS code_uses, \
         (SELECT used_at FROM activation_use WHERE activation_use.tenant_id = ?1 \
         AND activation_use.batch_id = activation_batch.id AND code_number = ?3 AND person_id = ?4) AS used_at, ",
        gives_seats!("activation_batch.id"),
        " AS has_seats FROM activation_batch WHERE tenant_id = ?1 AND number = ?2",
    ));
    let row = database.row(SQL.with([place.batch.into(), place.code.into(), person.into()])).await?;
    row.map(|row| {
        Ok(Standing {
            batch: found_batch(&row)?,
            uses: row.optional_integer(BATCH_COLUMNS)?.unwrap_or(0),
            used_at: row.optional_timestamp(BATCH_COLUMNS + 1)?,
            has_seats: row.integer(BATCH_COLUMNS + 2)? != 0,
        })
    })
    .transpose()
}

/// One use of a code by one person.
#[derive(Clone, Copy)]
pub struct Use {
    pub batch: ActivationBatchId,
    pub code: u32,
    pub person: UserId,
    pub at: Timestamp,
}

/// A batch's condition: the code is good at that moment, has a use left, this person has not used it, and it gives no
/// course with limited seats.
pub fn may_be_used(new: Use) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(concat!(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM activation_batch WHERE tenant_id = ?1 AND id = ?2 \
         AND starts_at <= ?5 AND ends_at > ?5 AND revoked_at IS NULL \
         AND uses_per_code > COALESCE((SELECT code.uses FROM activation_code AS code WHERE code.tenant_id = ?1 \
         AND code.batch_id = ?2 AND code.number = ?3), 0) \
         AND NOT EXISTS (SELECT 1 FROM activation_use WHERE activation_use.tenant_id = ?1 \
         AND activation_use.batch_id = ?2 AND code_number = ?3 AND person_id = ?4) \
         AND NOT ",
        gives_seats!("?2"),
        "))",
    ));
    SQL.with([new.batch.into(), new.code.into(), new.person.into(), new.at.into()])
}

/// The statements that write a use down and count it.
pub fn use_code(new: Use) -> [TenantStatement; 3] {
    const USE: TenantSql = TenantSql::new(
        "INSERT INTO activation_use (tenant_id, batch_id, code_number, person_id, used_at) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
    );
    const COUNT: TenantSql = TenantSql::new(
        "INSERT INTO activation_code (tenant_id, batch_id, number, uses) VALUES (?1, ?2, ?3, 1) \
         ON CONFLICT (tenant_id, batch_id, number) DO UPDATE SET uses = uses + 1",
    );
    const COUNT_OF_BATCH: TenantSql =
        TenantSql::new("UPDATE activation_batch SET uses = uses + 1 WHERE tenant_id = ?1 AND id = ?2");
    [
        USE.with([new.batch.into(), new.code.into(), new.person.into(), new.at.into()]),
        COUNT.with([new.batch.into(), new.code.into()]),
        COUNT_OF_BATCH.with([new.batch.into()]),
    ]
}

pub struct CourseRow {
    pub id: CourseId,
    pub slug: String,
    pub title: String,
}

/// The courses that a batch's codes give, in the order of their ids.
pub async fn list_courses(
    database: &TenantDatabase<'_>,
    batch: ActivationBatchId,
) -> Result<Vec<CourseRow>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT course.id, slug, title FROM activation_batch_course AS given \
         JOIN course ON course.tenant_id = given.tenant_id AND course.id = given.course_id \
         WHERE given.tenant_id = ?1 AND given.batch_id = ?2 ORDER BY given.course_id",
    );
    let rows = database.rows(SQL.with([batch.into()])).await?;
    let course = |row: &Row| {
        Ok(CourseRow { id: row.parse(0)?, slug: row.text(1)?.to_owned(), title: row.text(2)?.to_owned() })
    };
    rows.iter().map(course).collect()
}
