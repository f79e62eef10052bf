//! Orders and their lines.

use akademi_domain::{
    ids::{BundleId, CourseId, EnrolmentId, OrderId, PaymentId, UserId},
    money::Money,
    order::{self, OrderState},
    pricing::BasisPoints,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{money, unreadable, vat_rate};

/// An order as it is stored, without its lines.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub id: OrderId,
    pub user: UserId,
    pub state: OrderState,
    pub subtotal: Money,
    pub discount: Money,
    pub total: Money,
    /// The VAT inside the total.
    pub vat: Money,
    pub captured_by: Option<PaymentId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub paid_at: Option<Timestamp>,
}

impl Order {
    /// What the state machine knows of it.
    pub const fn machine(&self) -> order::Order {
        order::Order { state: self.state, total: self.total, captured_by: self.captured_by }
    }
}

/// A line of an order.
#[derive(Debug, Clone)]
pub struct OrderLine {
    pub course: CourseId,
    pub bundle: Option<BundleId>,
    pub title: String,
    pub price: Money,
    pub discount: Money,
    pub total: Money,
    pub vat_rate: BasisPoints,
    pub vat: Money,
    pub enrolment: EnrolmentId,
}

/// The order with its lines, in the basket's order; answers the courses among them whose seats are counted. Refused
/// (`customer_order_key`) if the person has an order of this key.
pub async fn insert_order(
    tx: &mut TenantTransaction,
    order: &Order,
    lines: &[OrderLine],
    idempotency_key: &str,
) -> Result<Vec<CourseId>, StoreError> {
    let column = |value: fn(&OrderLine) -> i64| lines.iter().map(value).collect::<Vec<i64>>();
    let counted: Vec<Uuid> = sqlx::query_scalar(
        "WITH placed AS (
             INSERT INTO customer_order (tenant_id, id, user_id, idempotency_key, state, currency, subtotal, discount,
                                         total, vat, created_at, expires_at, paid_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ), line AS (
             INSERT INTO order_line (tenant_id, order_id, course_id, bundle_id, title, enrolment_id, price, discount, total,
                                     vat_basis_points, vat, place)
             SELECT $1, $2, course_id, bundle_id, title, enrolment_id, price, discount, total, vat_basis_points, vat, place - 1
             FROM UNNEST($14::uuid[], $15::uuid[], $16::text[], $17::uuid[], $18::bigint[], $19::bigint[], $20::bigint[],
                         $21::integer[], $22::bigint[]) WITH ORDINALITY
                  AS bought (course_id, bundle_id, title, enrolment_id, price, discount, total, vat_basis_points, vat, place)
             RETURNING course_id
         )
         SELECT course_id FROM line
         JOIN budget ON budget.tenant_id = $1 AND kind = 'seat' AND subject_id = course_id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.id.as_uuid())
    .bind(order.user.as_uuid())
    .bind(idempotency_key)
    .bind(order.state.name())
    .bind(order.total.currency.code())
    .bind(order.subtotal.amount)
    .bind(order.discount.amount)
    .bind(order.total.amount)
    .bind(order.vat.amount)
    .bind(order.created_at.as_millis())
    .bind(order.expires_at.as_millis())
    .bind(order.paid_at.map(Timestamp::as_millis))
    .bind(lines.iter().map(|line| line.course.as_uuid()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.bundle.map(|bundle| bundle.as_uuid())).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.title.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.enrolment.as_uuid()).collect::<Vec<_>>())
    .bind(column(|line| line.price.amount))
    .bind(column(|line| line.discount.amount))
    .bind(column(|line| line.total.amount))
    .bind(lines.iter().map(|line| i32::from(line.vat_rate.get())).collect::<Vec<_>>())
    .bind(column(|line| line.vat.amount))
    .fetch_all(tx.connection())
    .await?;
    Ok(counted.into_iter().map(CourseId::from_uuid).collect())
}

/// The order that a request with this key made.
pub async fn find_order_by_key(
    tx: &mut TenantTransaction,
    user: UserId,
    key: &str,
) -> Result<Option<Order>, StoreError> {
    let row = sqlx::query(
        "SELECT * FROM customer_order WHERE tenant_id = $1 AND user_id = $2 AND idempotency_key = $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(user.as_uuid())
    .bind(key)
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(order).transpose()
}

/// One of the person's own orders.
pub async fn find_order(
    tx: &mut TenantTransaction,
    user: UserId,
    id: OrderId,
) -> Result<Option<Order>, StoreError> {
    let row = sqlx::query("SELECT * FROM customer_order WHERE tenant_id = $1 AND id = $2 AND user_id = $3")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .bind(user.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(order).transpose()
}

/// One of the academy's orders.
pub async fn find_sale(tx: &mut TenantTransaction, id: OrderId) -> Result<Option<Order>, StoreError> {
    let row = sqlx::query("SELECT * FROM customer_order WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(order).transpose()
}

/// The academy's orders of this state, or of any, after this one, newest first.
pub async fn list_sales(
    tx: &mut TenantTransaction,
    state: Option<OrderState>,
    after: Option<(Timestamp, OrderId)>,
    limit: i64,
) -> Result<Vec<Order>, StoreError> {
    let (created_at, id) =
        after.unwrap_or((Timestamp::from_millis(i64::MAX), OrderId::from_uuid(Uuid::max())));
    let rows = sqlx::query(
        "SELECT * FROM customer_order
         WHERE tenant_id = $1 AND (created_at, id) < ($2, $3) AND ($4::text IS NULL OR state = $4)
         ORDER BY created_at DESC, id DESC LIMIT $5",
    )
    .bind(tx.tenant().as_uuid())
    .bind(created_at.as_millis())
    .bind(id.as_uuid())
    .bind(state.map(OrderState::name))
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(order).collect()
}

/// An order, locked: whatever else happens to it waits for this transaction.
pub async fn lock_order(tx: &mut TenantTransaction, id: OrderId) -> Result<Option<Order>, StoreError> {
    let row = sqlx::query("SELECT * FROM customer_order WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(order).transpose()
}

/// The person's orders after this one, newest first.
pub async fn list_orders(
    tx: &mut TenantTransaction,
    user: UserId,
    after: Option<(Timestamp, OrderId)>,
    limit: i64,
) -> Result<Vec<Order>, StoreError> {
    let (created_at, id) =
        after.unwrap_or((Timestamp::from_millis(i64::MAX), OrderId::from_uuid(Uuid::max())));
    let rows = sqlx::query(
        "SELECT * FROM customer_order WHERE tenant_id = $1 AND user_id = $2 AND (created_at, id) < ($3, $4)
         ORDER BY created_at DESC, id DESC LIMIT $5",
    )
    .bind(tx.tenant().as_uuid())
    .bind(user.as_uuid())
    .bind(created_at.as_millis())
    .bind(id.as_uuid())
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(order).collect()
}

/// The lines of an order, in the basket's order.
pub async fn order_lines(tx: &mut TenantTransaction, id: OrderId) -> Result<Vec<OrderLine>, StoreError> {
    let rows = sqlx::query(
        "SELECT course_id, bundle_id, title, price, order_line.discount, order_line.total, vat_basis_points, order_line.vat,
                enrolment_id, currency
         FROM order_line JOIN customer_order ON customer_order.tenant_id = $1 AND customer_order.id = order_id
         WHERE order_line.tenant_id = $1 AND order_id = $2 ORDER BY place",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(OrderLine {
                course: CourseId::from_uuid(row.try_get("course_id")?),
                bundle: row.try_get::<Option<Uuid>, _>("bundle_id")?.map(BundleId::from_uuid),
                title: row.try_get("title")?,
                price: money(row, "price")?,
                discount: money(row, "discount")?,
                total: money(row, "total")?,
                vat_rate: vat_rate(row)?,
                vat: money(row, "vat")?,
                enrolment: EnrolmentId::from_uuid(row.try_get("enrolment_id")?),
            })
        })
        .collect()
}

/// Stores where an order stands after a transition.
pub async fn save_order_state(
    tx: &mut TenantTransaction,
    id: OrderId,
    machine: &order::Order,
    paid_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE customer_order SET state = $3, captured_by = $4, paid_at = COALESCE(paid_at, $5)
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(machine.state.name())
    .bind(machine.captured_by.map(|payment| payment.as_uuid()))
    .bind(paid_at.map(Timestamp::as_millis))
    .execute(tx.connection())
    .await?;
    Ok(())
}

fn order(row: &PgRow) -> Result<Order, StoreError> {
    let state = OrderState::from_name(row.try_get("state")?);
    let moment = |millis: Option<i64>| millis.map(Timestamp::from_millis);
    Ok(Order {
        id: OrderId::from_uuid(row.try_get("id")?),
        user: UserId::from_uuid(row.try_get("user_id")?),
        state: state.ok_or_else(|| unreadable("state", "is no state of an order"))?,
        subtotal: money(row, "subtotal")?,
        discount: money(row, "discount")?,
        total: money(row, "total")?,
        vat: money(row, "vat")?,
        captured_by: row.try_get::<Option<Uuid>, _>("captured_by")?.map(PaymentId::from_uuid),
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        expires_at: Timestamp::from_millis(row.try_get("expires_at")?),
        paid_at: moment(row.try_get("paid_at")?),
    })
}
