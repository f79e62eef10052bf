//! Who has bought what: each course once, whatever orders are paid at the same moment.

use akademi_domain::ids::{CourseId, OrderId, UserId};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};

/// The person has bought the course with this order; whether they had not with another.
pub async fn insert_purchase(
    tx: &mut TenantTransaction,
    user: UserId,
    course: CourseId,
    order: OrderId,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO purchase (tenant_id, user_id, course_id, order_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id, user_id, course_id) DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(user.as_uuid())
    .bind(course.as_uuid())
    .bind(order.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// What was bought with this order is bought no longer.
pub async fn delete_purchase(
    tx: &mut TenantTransaction,
    user: UserId,
    course: CourseId,
    order: OrderId,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM purchase WHERE tenant_id = $1 AND user_id = $2 AND course_id = $3 AND order_id = $4",
    )
    .bind(tx.tenant().as_uuid())
    .bind(user.as_uuid())
    .bind(course.as_uuid())
    .bind(order.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(())
}
