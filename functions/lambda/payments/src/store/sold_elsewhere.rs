//! Which courses another shop sells.

use akademi_domain::{ids::CourseId, time::Timestamp};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row as _;
use uuid::Uuid;

use crate::sold_elsewhere::SoldElsewhere;

pub async fn find_sold_elsewhere(
    tx: &mut TenantTransaction,
    course: CourseId,
) -> Result<Option<SoldElsewhere>, StoreError> {
    let row = sqlx::query(
        "SELECT label, url, updated_at FROM sold_elsewhere WHERE tenant_id = $1 AND course_id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(SoldElsewhere {
            course,
            label: row.try_get("label")?,
            url: row.try_get("url")?,
            updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
        })
    })
    .transpose()
}

pub async fn set_sold_elsewhere(tx: &mut TenantTransaction, shop: &SoldElsewhere) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sold_elsewhere (tenant_id, course_id, label, url, updated_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, course_id) DO UPDATE SET label = excluded.label, url = excluded.url,
         updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(shop.course.as_uuid())
    .bind(&shop.label)
    .bind(&shop.url)
    .bind(shop.updated_at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn delete_sold_elsewhere(tx: &mut TenantTransaction, course: CourseId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sold_elsewhere WHERE tenant_id = $1 AND course_id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(course.as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Whether another shop sells one of the courses. With their prices locked it stays so.
pub async fn is_one_sold_elsewhere(
    tx: &mut TenantTransaction,
    courses: &[CourseId],
) -> Result<bool, StoreError> {
    let ids: Vec<Uuid> = courses.iter().map(CourseId::as_uuid).collect();
    let found = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM sold_elsewhere WHERE tenant_id = $1 AND course_id = ANY ($2))",
    )
    .bind(tx.tenant().as_uuid())
    .bind(&ids)
    .fetch_one(tx.connection())
    .await?;
    Ok(found)
}
