//! Requests, what they are made of, and what is issued.

use akademi_domain::{
    ids::{CourseId, InvoiceId, OrderId, TenantId, UserId},
    money::{Currency, Money},
    pricing::BasisPoints,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, invoices::ReturnedLine, postgres::TenantTransaction};
use akademi_ubl::{InvoiceNumber, Profile};
use sqlx::{Row, postgres::PgRow, types::Json};

use super::{money, unreadable};
use crate::invoices::InvoiceState;

/// An invoice that waits to be issued, or to be handed over.
pub struct Requested {
    pub tenant: TenantId,
    pub id: InvoiceId,
    pub order: OrderId,
    /// What is given back; `None` for the sale itself.
    pub returned: Option<Vec<ReturnedLine>>,
    pub queued_at: Timestamp,
    pub issued: Option<Issued>,
}

/// What never changes any more.
pub struct Issued {
    pub number: InvoiceNumber,
    pub profile: Profile,
    pub issued_at: Timestamp,
    pub sealed_document: Vec<u8>,
}

/// `None` for an invoice that does not wait.
pub async fn find_queued(tx: &mut TenantTransaction, id: InvoiceId) -> Result<Option<Requested>, StoreError> {
    let row = sqlx::query("SELECT * FROM invoice WHERE tenant_id = $1 AND id = $2 AND state = 'queued'")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| {
        let returned: Option<Json<Vec<ReturnedLine>>> = row.try_get("returned")?;
        Ok(Requested {
            tenant: tx.tenant(),
            id,
            order: OrderId::from_uuid(row.try_get("order_id")?),
            returned: returned.map(|Json(lines)| lines),
            queued_at: Timestamp::from_millis(row.try_get("queued_at")?),
            issued: issued(&row)?,
        })
    })
    .transpose()
}

/// Whether the invoice waits to be issued; if so, nobody else issues it before the transaction ends.
pub async fn lock_queued(tx: &mut TenantTransaction, id: InvoiceId) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT id FROM invoice WHERE tenant_id = $1 AND id = $2 AND state = 'queued' AND number IS NULL FOR UPDATE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.is_some())
}

/// Whether the invoice of an order's sale is issued, which stays so until the transaction ends; `None` if nobody has asked
/// for it.
pub async fn lock_sale(tx: &mut TenantTransaction, order: OrderId) -> Result<Option<bool>, StoreError> {
    let issued = sqlx::query_scalar(
        "SELECT number IS NOT NULL FROM invoice WHERE tenant_id = $1 AND order_id = $2 AND refund_id IS NULL FOR UPDATE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(issued)
}

/// The issued invoice of an order's sale.
pub async fn find_sale(
    tx: &mut TenantTransaction,
    order: OrderId,
) -> Result<Option<(InvoiceId, Issued)>, StoreError> {
    let row = sqlx::query(
        "SELECT * FROM invoice WHERE tenant_id = $1 AND order_id = $2 AND refund_id IS NULL AND number IS NOT NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id = InvoiceId::from_uuid(row.try_get("id")?);
    Ok(issued(&row)?.map(|issued| (id, issued)))
}

/// What an invoice says; `None` if it is not issued.
pub async fn find_issued(tx: &mut TenantTransaction, id: InvoiceId) -> Result<Option<Issued>, StoreError> {
    let row = sqlx::query("SELECT * FROM invoice WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map_or(Ok(None), issued)
}

fn issued(row: &PgRow) -> Result<Option<Issued>, StoreError> {
    let Some(number) = row.try_get::<Option<String>, _>("number")? else { return Ok(None) };
    let name: String = row.try_get("profile")?;
    let profile = Profile::ALL.into_iter().find(|profile| profile.name() == name);
    Ok(Some(Issued {
        number: number.parse().map_err(|error| unreadable("number", error))?,
        profile: profile.ok_or_else(|| unreadable("profile", "is none of UBL-TR's"))?,
        issued_at: Timestamp::from_millis(row.try_get("issued_at")?),
        sealed_document: row.try_get("sealed_document")?,
    }))
}

/// What an invoice says of its order.
pub struct InvoicedOrder {
    pub id: OrderId,
    pub user: UserId,
    pub total: Money,
    /// The VAT inside the total.
    pub vat: Money,
    pub created_at: Timestamp,
    pub paid_at: Option<Timestamp>,
    /// Where it was paid.
    pub provider: Option<String>,
}

pub async fn find_order(
    tx: &mut TenantTransaction,
    id: OrderId,
) -> Result<Option<InvoicedOrder>, StoreError> {
    let row = sqlx::query(
        "SELECT user_id, customer_order.currency, total, vat, customer_order.created_at, paid_at, provider
         FROM customer_order
         LEFT JOIN payment ON payment.tenant_id = $1 AND payment.id = captured_by
         WHERE customer_order.tenant_id = $1 AND customer_order.id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        let amount = |column| money(&row, column)?.ok_or_else(|| unreadable(column, "is null"));
        Ok(InvoicedOrder {
            id,
            user: UserId::from_uuid(row.try_get("user_id")?),
            total: amount("total")?,
            vat: amount("vat")?,
            created_at: Timestamp::from_millis(row.try_get("created_at")?),
            paid_at: row.try_get::<Option<i64>, _>("paid_at")?.map(Timestamp::from_millis),
            provider: row.try_get("provider")?,
        })
    })
    .transpose()
}

/// A line of an order, in minor units.
pub struct OrderLine {
    pub course: CourseId,
    pub title: String,
    pub price: i64,
    pub discount: i64,
    pub total: i64,
    pub vat: i64,
    pub vat_rate: BasisPoints,
}

/// In the order's own order.
pub async fn order_lines(tx: &mut TenantTransaction, order: OrderId) -> Result<Vec<OrderLine>, StoreError> {
    let rows = sqlx::query(
        "SELECT course_id, title, price, discount, total, vat, vat_basis_points FROM order_line
         WHERE tenant_id = $1 AND order_id = $2 ORDER BY place",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let rate = u16::try_from(row.try_get::<i32, _>("vat_basis_points")?);
            let rate = rate.map_err(|error| unreadable("vat_basis_points", error))?;
            Ok(OrderLine {
                course: CourseId::from_uuid(row.try_get("course_id")?),
                title: row.try_get("title")?,
                price: row.try_get("price")?,
                discount: row.try_get("discount")?,
                total: row.try_get("total")?,
                vat: row.try_get("vat")?,
                vat_rate: BasisPoints::new(rate).map_err(|error| unreadable("vat_basis_points", error))?,
            })
        })
        .collect()
}

/// Keeps what is issued, for good. Amounts are minor units of the order's currency.
pub async fn save_issued(
    tx: &mut TenantTransaction,
    id: InvoiceId,
    issued: &Issued,
    total: i64,
    vat: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE invoice SET number = $3, year = $4, profile = $5, total = $6, vat = $7, issued_at = $8,
                            sealed_document = $9
         WHERE tenant_id = $1 AND id = $2 AND number IS NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(issued.number.to_string())
    .bind(i32::from(issued.number.year()))
    .bind(issued.profile.name())
    .bind(total)
    .bind(vat)
    .bind(issued.issued_at.as_millis())
    .bind(&issued.sealed_document)
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn mark_delivered(
    tx: &mut TenantTransaction,
    id: InvoiceId,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE invoice SET state = 'delivered', attempts = attempts + 1, reason = NULL, delivered_at = $3
         WHERE tenant_id = $1 AND id = $2 AND state = 'queued'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// An attempt delivered nothing: the invoice waits for another one, or for staff.
pub async fn mark_undelivered(
    tx: &mut TenantTransaction,
    id: InvoiceId,
    state: InvoiceState,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE invoice SET state = $3, attempts = attempts + 1, reason = $4
         WHERE tenant_id = $1 AND id = $2 AND state = 'queued'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(state.name())
    .bind(reason)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Whoever has an invoice wait, and whoever sets what some wait for, holds this until the transaction ends.
pub async fn lock_waiting(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::query("SELECT lock_waiting_invoices($1)")
        .bind(tx.tenant().as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Queues the invoices that wait, of one currency or of all; which.
pub async fn queue_waiting(
    tx: &mut TenantTransaction,
    currency: Option<Currency>,
    from: Timestamp,
) -> Result<Vec<InvoiceId>, StoreError> {
    let ids = sqlx::query_scalar(
        "UPDATE invoice SET state = 'queued', queued_at = $3
         WHERE tenant_id = $1 AND (state = 'waiting' OR state = 'queued' AND queued_at > $3)
           AND ($2::text IS NULL OR currency = $2) RETURNING id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(currency.map(Currency::code))
    .bind(from.as_millis())
    .fetch_all(tx.connection())
    .await?;
    Ok(ids.into_iter().map(InvoiceId::from_uuid).collect())
}

/// Where the invoice is, which stays so until the transaction ends.
pub async fn lock_state(
    tx: &mut TenantTransaction,
    id: InvoiceId,
) -> Result<Option<InvoiceState>, StoreError> {
    let state: Option<String> =
        sqlx::query_scalar("SELECT state FROM invoice WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
            .bind(tx.tenant().as_uuid())
            .bind(id.as_uuid())
            .fetch_optional(tx.connection())
            .await?;
    Ok(state.as_deref().map(InvoiceState::from_name))
}

pub async fn queue_again(
    tx: &mut TenantTransaction,
    id: InvoiceId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE invoice SET state = 'queued', queued_at = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .bind(now.as_millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}
