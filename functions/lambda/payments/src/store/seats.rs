//! A course's seats: a budget that staff sets the ceiling of.

use akademi_domain::{ids::CourseId, time::Timestamp};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row as _;

/// How a course's seats stand.
#[derive(Debug, Default, Clone, Copy)]
pub struct SeatsBudget {
    /// `None` is without end.
    pub capacity: Option<i64>,
    pub held: i64,
    pub taken: i64,
}

pub async fn find_seats(
    tx: &mut TenantTransaction,
    course: CourseId,
) -> Result<Option<SeatsBudget>, StoreError> {
    let row = sqlx::query(
        "SELECT ceiling, held, used FROM budget WHERE tenant_id = $1 AND kind = 'seat' AND subject_id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(SeatsBudget {
            capacity: row.try_get("ceiling")?,
            held: row.try_get("held")?,
            taken: row.try_get("used")?,
        })
    })
    .transpose()
}

/// Keeps orders of the course from being made until the transaction ends; whether it has a price.
pub async fn lock_price(tx: &mut TenantTransaction, course: CourseId) -> Result<bool, StoreError> {
    let locked = sqlx::query("SELECT FROM price WHERE tenant_id = $1 AND course_id = $2 FOR UPDATE")
        .bind(tx.tenant().as_uuid())
        .bind(course.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    Ok(locked.is_some())
}

/// Keeps the orders of the course as they are until the transaction ends.
pub async fn lock_orders_of(tx: &mut TenantTransaction, course: CourseId) -> Result<(), StoreError> {
    sqlx::query(
        "SELECT FROM customer_order WHERE tenant_id = $1 AND id IN (
             SELECT order_id FROM order_line WHERE tenant_id = $1 AND course_id = $2)
         ORDER BY id FOR UPDATE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Gives every order that has bought the course its seat, and every order that waits for money a held one; one that has
/// ended without money would need one. The budget is new and the orders are locked.
pub async fn count_seats(
    tx: &mut TenantTransaction,
    course: CourseId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "WITH seated AS (
             INSERT INTO reservation (tenant_id, kind, subject_id, person_id, holder_id, amount, state, updated_at)
             SELECT $1, 'seat', $2, '00000000-0000-0000-0000-000000000000', customer_order.id, 1,
                    CASE WHEN purchase.order_id IS NOT NULL THEN 'confirmed'
                         WHEN customer_order.state = 'pending' THEN 'held' ELSE 'released' END, $3
             FROM order_line
             JOIN customer_order ON customer_order.tenant_id = $1 AND customer_order.id = order_id
             LEFT JOIN purchase ON purchase.tenant_id = $1 AND purchase.order_id = customer_order.id
                  AND purchase.course_id = $2
             WHERE order_line.tenant_id = $1 AND order_line.course_id = $2
               AND (purchase.order_id IS NOT NULL OR customer_order.state IN ('pending', 'failed', 'expired'))
             RETURNING state
         )
         UPDATE budget SET held = (SELECT count(*) FROM seated WHERE state = 'held'),
                           used = (SELECT count(*) FROM seated WHERE state = 'confirmed')
         WHERE tenant_id = $1 AND kind = 'seat' AND subject_id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}
