//! What is kept of publications: one function a statement.

use akademi_domain::{
    course::CourseOutline,
    ids::{CourseId, UserId},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow, types::Json};

use super::{CourseVersionHead, KEPT_VERSIONS, KeptVersion};
use crate::{
    content::Lessons,
    store::{lessons, text},
};

/// Keeps this as the course's newest version.
pub async fn save_version(
    tx: &mut TenantTransaction,
    version: i64,
    summary: &str,
    outline: &CourseOutline,
    publisher: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO course_publication (tenant_id, course_id, version, summary, outline, published_by, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(outline.id.as_uuid())
    .bind(version)
    .bind(summary)
    .bind(Json(outline))
    .bind(publisher.as_uuid())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Ends at `version` what lessons held before it that they do not hold in the draft.
pub async fn end_replaced_lessons(
    tx: &mut TenantTransaction,
    course: CourseId,
    version: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE lesson_publication AS published SET until = $3
         WHERE tenant_id = $1 AND course_id = $2 AND until IS NULL AND NOT EXISTS (
             SELECT FROM lesson_draft AS draft
             WHERE draft.tenant_id = $1 AND draft.course_id = $2 AND draft.id = published.id
             AND draft.body = published.body AND draft.answers IS NOT DISTINCT FROM published.answers)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(version)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Keeps from `version` on what lessons of the draft hold and did not hold before.
pub async fn begin_new_lessons(
    tx: &mut TenantTransaction,
    course: CourseId,
    version: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO lesson_publication (tenant_id, course_id, id, body, answers, since)
         SELECT tenant_id, course_id, id, body, answers, $3 FROM lesson_draft AS draft
         WHERE tenant_id = $1 AND course_id = $2 AND NOT EXISTS (
             SELECT FROM lesson_publication AS published
             WHERE published.tenant_id = $1 AND published.course_id = $2 AND published.id = draft.id
             AND until IS NULL)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(version)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Drops the versions that are too old to be kept once `newest` is there.
pub async fn drop_old_versions(
    tx: &mut TenantTransaction,
    course: CourseId,
    newest: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "WITH old AS (DELETE FROM course_publication WHERE tenant_id = $1 AND course_id = $2 AND version <= $3)
         DELETE FROM lesson_publication WHERE tenant_id = $1 AND course_id = $2 AND until <= $3 + 1",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(newest - KEPT_VERSIONS)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The versions before this one, newest first.
pub async fn list_versions(
    tx: &mut TenantTransaction,
    course: CourseId,
    before: i64,
    limit: i64,
) -> Result<Vec<CourseVersionHead>, StoreError> {
    let rows = sqlx::query(
        "SELECT version, outline ->> 'title' AS title, published_by, published_at FROM course_publication
         WHERE tenant_id = $1 AND course_id = $2 AND version < $3 ORDER BY version DESC LIMIT $4",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(before)
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(head).collect()
}

pub async fn find_version(
    tx: &mut TenantTransaction,
    course: CourseId,
    version: i64,
) -> Result<Option<KeptVersion>, StoreError> {
    let row = sqlx::query(
        "SELECT version, outline ->> 'title' AS title, published_by, published_at, summary, outline
         FROM course_publication WHERE tenant_id = $1 AND course_id = $2 AND version = $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(version)
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        let Json(outline) = row.try_get("outline")?;
        Ok(KeptVersion { head: head(&row)?, summary: text(&row, "summary")?, outline })
    })
    .transpose()
}

/// What the lessons of a version hold.
pub async fn lessons_of_version(
    tx: &mut TenantTransaction,
    course: CourseId,
    version: i64,
) -> Result<Lessons, StoreError> {
    let rows = sqlx::query(
        "SELECT id, body, answers FROM lesson_publication
         WHERE tenant_id = $1 AND course_id = $2 AND since <= $3 AND (until IS NULL OR until > $3)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(version)
    .fetch_all(tx.connection())
    .await?;
    lessons(&rows)
}

fn head(row: &PgRow) -> Result<CourseVersionHead, StoreError> {
    Ok(CourseVersionHead {
        version: row.try_get("version")?,
        title: text(row, "title")?,
        published_at: Timestamp::from_millis(row.try_get("published_at")?),
        published_by: UserId::from_uuid(row.try_get("published_by")?),
    })
}
