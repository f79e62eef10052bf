//! What whoever takes or gives back money and whoever issues invoices agree on, and the sequence of numbers.

use akademi_api::Ports;
use akademi_domain::{
    ids::{CourseId, InvoiceId, JobId, OrderId, RefundId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, types::Json};

use crate::{
    error::StoreError,
    jobs::{NewJob, enqueue},
    postgres::TenantTransaction,
};

/// The kind of the job that issues an invoice and hands it over.
pub const INVOICE: &str = "invoice";

/// The sealed field of whom a buyer wants an invoice to name.
pub const INVOICE_DETAILS_FIELD: &str = "invoice-details";

/// More than a week of attempts holds: time alone ends the trying.
const MAX_ATTEMPTS: i32 = 10_000;

/// The payload of an [`INVOICE`] job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceOrder {
    pub invoice: InvoiceId,
}

/// What of an order's line is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnedLine {
    pub course: CourseId,
    /// Gross, in minor units of the order's currency.
    pub total: i64,
    /// Inside the total.
    pub vat: i64,
}

/// Asks for the invoice of an order, in the transaction that makes it paid. However often it is asked for, there is one; an
/// order of nothing to pay has none.
pub async fn request(tx: &mut TenantTransaction, ports: &Ports, order: OrderId) -> Result<(), StoreError> {
    insert_and_enqueue(tx, ports, order, None).await
}

/// Asks for the invoice that takes a refund's part of an order back, in the transaction that keeps the refund: one for each
/// refund, issued after the order's own.
pub async fn request_return(
    tx: &mut TenantTransaction,
    ports: &Ports,
    order: OrderId,
    refund: RefundId,
    lines: &[ReturnedLine],
) -> Result<(), StoreError> {
    insert_and_enqueue(tx, ports, order, Some((refund, lines))).await
}

async fn insert_and_enqueue(
    tx: &mut TenantTransaction,
    ports: &Ports,
    order: OrderId,
    returned: Option<(RefundId, &[ReturnedLine])>,
) -> Result<(), StoreError> {
    let now = ports.now();
    let invoice = InvoiceId::new(now, ports.random());
    if insert_request(tx, invoice, order, returned, now).await? {
        enqueue_invoice(tx, invoice, JobId::new(now, ports.random()), now).await?;
    }
    Ok(())
}

/// Whether there was something to invoice that had not been asked for.
async fn insert_request(
    tx: &mut TenantTransaction,
    invoice: InvoiceId,
    order: OrderId,
    returned: Option<(RefundId, &[ReturnedLine])>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO invoice (tenant_id, id, order_id, refund_id, returned, currency, state, created_at, queued_at)
         SELECT $1, $2, id, $4, $5, currency, 'queued', $6, $6 FROM customer_order
         WHERE tenant_id = $1 AND id = $3 AND total > 0
         ON CONFLICT ON CONSTRAINT invoice_once DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(invoice.as_uuid())
    .bind(order.as_uuid())
    .bind(returned.map(|(refund, _)| refund.as_uuid()))
    .bind(returned.map(|(_, lines)| Json(lines)))
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Has an invoice issued and handed over from now on, in the transaction that queues its row.
pub async fn enqueue_invoice(
    tx: &mut TenantTransaction,
    invoice: InvoiceId,
    job: JobId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let payload = serde_json::json!(InvoiceOrder { invoice });
    let job = NewJob {
        id: job,
        kind: INVOICE,
        // The row says whether it waits.
        dedupe_key: None,
        payload: &payload,
        max_attempts: MAX_ATTEMPTS,
        run_after: now,
    };
    enqueue(tx, &job, now).await?;
    Ok(())
}

/// A place in a series' year that is this transaction's alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenNumber {
    /// From 1.
    pub sequence: u32,
    /// `now`, or the moment of the number before where that is later: clocks differ.
    pub issued_at: Timestamp,
}

/// Takes the next number of a series in a year. Whoever takes the one after it waits for this transaction to end, so a number
/// is lost to nobody: rolled back, it is the next one again.
///
/// # Errors
/// `invoice_series_full` after 999,999,999.
pub async fn take_number(
    tx: &mut TenantTransaction,
    series: &str,
    year: u16,
    now: Timestamp,
) -> Result<TakenNumber, StoreError> {
    let row = sqlx::query(
        "INSERT INTO invoice_series AS mine (tenant_id, series, year, last_number, last_issued_at)
         VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (tenant_id, series, year) DO UPDATE
         SET last_number = mine.last_number + 1, last_issued_at = GREATEST(mine.last_issued_at, excluded.last_issued_at)
         RETURNING last_number, last_issued_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(series)
    .bind(i32::from(year))
    .bind(now.as_millis())
    .fetch_one(tx.connection())
    .await?;
    let sequence = u32::try_from(row.try_get::<i64, _>("last_number")?);
    Ok(TakenNumber {
        // The schema lets no larger one in.
        sequence: sequence.unwrap_or(u32::MAX),
        issued_at: Timestamp::from_millis(row.try_get("last_issued_at")?),
    })
}
