//! Batches of codes.

use akademi_api::paging::Cursor;
use akademi_domain::{
    activation_code::CodePrefix,
    ids::{ActivationBatchId, CourseId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{
    Constraint, MAX_INTEGER, Row, StoreError, TenantDatabase, TenantSql, TenantStatement,
};

use super::whole;
use crate::codes::BatchKey;

fn courses(row: &Row, column: usize) -> Result<Vec<CourseId>, StoreError> {
    let ids = row.optional_text(column)?.unwrap_or_default().split(',').filter(|id| !id.is_empty());
    let mut courses = ids
        .map(|id| id.parse().map_err(|_| StoreError::Engine(format!("{id} is no course's id"))))
        .collect::<Result<Vec<CourseId>, _>>()?;
    courses.sort_unstable();
    Ok(courses)
}

/// A batch as the store has it.
pub struct FoundBatch {
    pub key: BatchKey,
    pub name: String,
    pub count: u32,
    pub uses_per_code: u32,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub uses: i64,
    pub created_by: UserId,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// In the order of their ids.
    pub courses: Vec<CourseId>,
}

/// The columns that [`found_batch`] reads, of the `activation_batch` of the query that they stand in.
macro_rules! batch_columns {
    () => {
        "SELECT activation_batch.id, number, prefix, name, count, uses_per_code, starts_at, ends_at, uses, created_by, \
         created_at, revoked_at, (SELECT group_concat(course_id) FROM activation_batch_course AS given \
         WHERE given.tenant_id = activation_batch.tenant_id AND given.batch_id = activation_batch.id) AS courses "
    };
}
pub(super) use batch_columns;

/// How many columns those are.
pub(super) const BATCH_COLUMNS: usize = 13;

pub(super) fn found_batch(row: &Row) -> Result<FoundBatch, StoreError> {
    let prefix: CodePrefix = row.parse(2)?;
    Ok(FoundBatch {
        key: BatchKey { id: row.parse(0)?, number: whole(row, 1)?, prefix },
        name: row.text(3)?.to_owned(),
        count: whole(row, 4)?,
        uses_per_code: whole(row, 5)?,
        starts_at: row.timestamp(6)?,
        ends_at: row.timestamp(7)?,
        uses: row.integer(8)?,
        created_by: row.parse(9)?,
        created_at: row.timestamp(10)?,
        revoked_at: row.optional_timestamp(11)?,
        courses: courses(row, 12)?,
    })
}

pub async fn find_batch(
    database: &TenantDatabase<'_>,
    batch: ActivationBatchId,
) -> Result<Option<FoundBatch>, StoreError> {
    const SQL: TenantSql =
        TenantSql::new(concat!(batch_columns!(), "FROM activation_batch WHERE tenant_id = ?1 AND id = ?2"));
    database.row(SQL.with([batch.into()])).await?.map(|row| found_batch(&row)).transpose()
}

/// Batches after this place, newest first.
pub async fn list_batches(
    database: &TenantDatabase<'_>,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<FoundBatch>, StoreError> {
    const SQL: TenantSql = TenantSql::new(concat!(
        batch_columns!(),
        "FROM activation_batch WHERE tenant_id = ?1 AND (created_at, id) < (?2, ?3) \
         ORDER BY created_at DESC, id DESC LIMIT ?4",
    ));
    let after = after.unwrap_or(Cursor { key: MAX_INTEGER, id: String::new() });
    let rows = database.rows(SQL.with([after.key.into(), after.id.into(), limit.into()])).await?;
    rows.iter().map(found_batch).collect()
}

pub struct NewBatch<'a> {
    pub id: ActivationBatchId,
    pub name: &'a str,
    pub prefix: &'a CodePrefix,
    pub count: u32,
    pub uses_per_code: u32,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub created_by: UserId,
    pub now: Timestamp,
}

/// Under the academy's next number.
pub fn insert_batch(new: NewBatch<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO activation_batch (tenant_id, id, number, name, prefix, count, uses_per_code, starts_at, ends_at, uses, \
         created_by, created_at) VALUES (?1, ?2, (SELECT COALESCE(max(number), 0) + 1 FROM activation_batch \
         WHERE tenant_id = ?1), ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10)",
    );
    SQL.with([
        new.id.into(),
        new.name.into(),
        new.prefix.as_str().into(),
        new.count.into(),
        new.uses_per_code.into(),
        new.starts_at.into(),
        new.ends_at.into(),
        new.created_by.into(),
        new.now.into(),
    ])
}

/// Whether a batch failed because [`insert_batch`] found no number that is left.
pub fn has_no_number(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused { constraint: Constraint::Check, on } if on == "batch_numbers")
}

/// Refused, and with it the batch, unless the course is in the catalog.
pub fn insert_course(batch: ActivationBatchId, course: CourseId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO activation_batch_course (tenant_id, batch_id, course_id) VALUES (?1, ?2, \
         (SELECT id FROM course WHERE tenant_id = ?1 AND id = ?3 AND withdrawn_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM price WHERE price.tenant_id = ?1 AND course_id = ?3 \
         AND seats_left IS NOT NULL)))",
    );
    SQL.with([batch.into(), course.into()])
}

/// Whether a batch failed because [`insert_course`] was refused.
pub fn lacks_a_course(error: &StoreError) -> bool {
    matches!(error, StoreError::Refused { constraint: Constraint::NotNull, on }
        if on == "activation_batch_course.course_id")
}

/// A batch's condition: these codes are still good.
pub fn is_not_revoked(batch: ActivationBatchId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM activation_batch \
         WHERE tenant_id = ?1 AND id = ?2 AND revoked_at IS NULL))",
    );
    SQL.with([batch.into()])
}

pub fn revoke_batch(batch: ActivationBatchId, now: Timestamp) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("UPDATE activation_batch SET revoked_at = ?3 WHERE tenant_id = ?1 AND id = ?2");
    SQL.with([batch.into(), now.into()])
}
