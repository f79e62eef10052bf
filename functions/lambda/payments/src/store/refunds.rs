//! Refunds and what they give back of each line.

use akademi_domain::{
    ids::{CourseId, OrderId, PaymentId, RefundId, UserId},
    money::Money,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{money, unreadable};

/// Money of a payment that goes back.
#[derive(Debug, Clone)]
pub struct Refund {
    pub id: RefundId,
    pub payment: PaymentId,
    pub order: OrderId,
    pub state: RefundState,
    pub amount: Money,
    pub reason: String,
    /// Nobody: the money had come too late or twice.
    pub requested_by: Option<UserId>,
    /// When the provider was last told, if it may know of the refund.
    pub sent_at: Option<Timestamp>,
    pub failure: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// The provider has it, or is about to: what became of it is asked.
    Requested,
    /// The provider has booked it.
    Done,
    /// Nothing went back.
    Refused,
}

/// What a refund gives back of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundLine {
    pub course: CourseId,
    pub amount: Money,
    /// The VAT inside `amount`.
    pub vat: Money,
    /// The course is taken back: nothing is left of its line.
    pub withdraws: bool,
}

/// Refused (`refund_key`) if the person has made a refund with this key.
pub async fn insert_refund(
    tx: &mut TenantTransaction,
    refund: &Refund,
    idempotency_key: Option<&str>,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO refund (tenant_id, id, payment_id, order_id, state, amount, currency, reason, requested_by,
                             idempotency_key, sent_at, due_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'requested', $5, $6, $7, $8, $9, $10, $11, $12, $12)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(refund.id.as_uuid())
    .bind(refund.payment.as_uuid())
    .bind(refund.order.as_uuid())
    .bind(refund.amount.amount)
    .bind(refund.amount.currency.code())
    .bind(&refund.reason)
    .bind(refund.requested_by.map(|person| person.as_uuid()))
    .bind(idempotency_key)
    .bind(refund.sent_at.map(Timestamp::as_millis))
    .bind(due_at.as_millis())
    .bind(refund.created_at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn insert_refund_line(
    tx: &mut TenantTransaction,
    refund: &Refund,
    line: &RefundLine,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO refund_line (tenant_id, refund_id, order_id, course_id, amount, vat, withdraws)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(refund.id.as_uuid())
    .bind(refund.order.as_uuid())
    .bind(line.course.as_uuid())
    .bind(line.amount.amount)
    .bind(line.vat.amount)
    .bind(line.withdraws)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The refund that a request of this person with this key made.
pub async fn find_refund_by_key(
    tx: &mut TenantTransaction,
    person: UserId,
    key: &str,
) -> Result<Option<Refund>, StoreError> {
    let row = sqlx::query(
        "SELECT * FROM refund WHERE tenant_id = $1 AND requested_by = $2 AND idempotency_key = $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .bind(key)
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(refund).transpose()
}

/// A refund; after its order was locked, so that nobody else changes it.
pub async fn find_refund(tx: &mut TenantTransaction, id: RefundId) -> Result<Option<Refund>, StoreError> {
    let row = sqlx::query("SELECT * FROM refund WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(refund).transpose()
}

/// The refunds of an order, the oldest first.
pub async fn list_refunds(tx: &mut TenantTransaction, order: OrderId) -> Result<Vec<Refund>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM refund WHERE tenant_id = $1 AND order_id = $2 ORDER BY created_at, id")
            .bind(tx.tenant().as_uuid())
            .bind(order.as_uuid())
            .fetch_all(tx.connection())
            .await?;
    rows.iter().map(refund).collect()
}

/// What a refund gives back of each line.
pub async fn refund_lines(tx: &mut TenantTransaction, id: RefundId) -> Result<Vec<RefundLine>, StoreError> {
    let rows = sqlx::query(
        "SELECT refund_line.course_id, refund_line.amount, refund_line.vat, withdraws, currency
         FROM refund_line
         JOIN refund ON refund.tenant_id = $1 AND refund.id = refund_line.refund_id
         JOIN order_line ON order_line.tenant_id = $1 AND order_line.order_id = refund_line.order_id
              AND order_line.course_id = refund_line.course_id
         WHERE refund_line.tenant_id = $1 AND refund_line.refund_id = $2 ORDER BY place",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(RefundLine {
                course: CourseId::from_uuid(row.try_get("course_id")?),
                amount: money(row, "amount")?,
                vat: money(row, "vat")?,
                withdraws: row.try_get("withdraws")?,
            })
        })
        .collect()
}

/// What went back of each line of an order, or also what is on its way, by course: the amount, and whether the course was
/// taken back or is to be.
pub async fn refunded_of_lines(
    tx: &mut TenantTransaction,
    order: OrderId,
    also_requested: bool,
) -> Result<Vec<(CourseId, i64, bool)>, StoreError> {
    let rows = sqlx::query(
        "SELECT course_id, SUM(refund_line.amount)::bigint AS amount, bool_or(withdraws) AS withdrawn
         FROM refund_line
         JOIN refund ON refund.tenant_id = $1 AND refund.id = refund_id
              AND (state = 'done' OR $3 AND state <> 'refused')
         WHERE refund_line.tenant_id = $1 AND refund_line.order_id = $2 GROUP BY course_id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .bind(also_requested)
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let course = CourseId::from_uuid(row.try_get("course_id")?);
            Ok((course, row.try_get("amount")?, row.try_get("withdrawn")?))
        })
        .collect()
}

/// What a part of a refund is now that the provider has booked it.
pub async fn save_refund_line(
    tx: &mut TenantTransaction,
    id: RefundId,
    line: &RefundLine,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE refund_line SET vat = $4, withdraws = $5 WHERE tenant_id = $1 AND refund_id = $2 AND course_id = $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(line.course.as_uuid())
    .bind(line.vat.amount)
    .bind(line.withdraws)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Ends a requested refund: the provider has booked it.
pub async fn save_refund_done(
    tx: &mut TenantTransaction,
    id: RefundId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE refund SET state = 'done', due_at = NULL, updated_at = $3 WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Ends a requested refund: nothing went back, and why, in the provider's words.
pub async fn save_refund_refused(
    tx: &mut TenantTransaction,
    id: RefundId,
    code: &str,
    message: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE refund SET state = 'refused', due_at = NULL, failure_code = $3, failure_message = $4, updated_at = $5
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(code)
    .bind(message)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Takes a refund that is due, so that nobody else does before `until`; whether it was.
pub async fn claim_refund(
    tx: &mut TenantTransaction,
    id: RefundId,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let claimed = sqlx::query(
        "UPDATE refund SET due_at = $3 WHERE tenant_id = $1 AND id = $2 AND state = 'requested' AND due_at <= $4",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(until.as_millis())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// When a requested refund is looked at again; `sent_at` is none if the provider knows nothing of it for sure.
pub async fn postpone_refund(
    tx: &mut TenantTransaction,
    id: RefundId,
    sent_at: Option<Timestamp>,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE refund SET sent_at = $3, due_at = $4, updated_at = $5
         WHERE tenant_id = $1 AND id = $2 AND state = 'requested'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(sent_at.map(Timestamp::as_millis))
    .bind(due_at.as_millis())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

fn refund(row: &PgRow) -> Result<Refund, StoreError> {
    let state = match row.try_get("state")? {
        "requested" => RefundState::Requested,
        "done" => RefundState::Done,
        "refused" => RefundState::Refused,
        _ => return Err(unreadable("state", "is no state of a refund")),
    };
    Ok(Refund {
        id: RefundId::from_uuid(row.try_get("id")?),
        payment: PaymentId::from_uuid(row.try_get("payment_id")?),
        order: OrderId::from_uuid(row.try_get("order_id")?),
        state,
        amount: money(row, "amount")?,
        reason: row.try_get("reason")?,
        requested_by: row.try_get::<Option<Uuid>, _>("requested_by")?.map(UserId::from_uuid),
        sent_at: row.try_get::<Option<i64>, _>("sent_at")?.map(Timestamp::from_millis),
        failure: row.try_get("failure_message")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
    })
}
