//! Invoices as people look at them.

use akademi_domain::{
    ids::{InvoiceId, OrderId, RefundId},
    money::Money,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};

use super::money;
use crate::invoices::InvoiceState;

/// An invoice without its document.
pub struct ListedInvoice {
    pub id: InvoiceId,
    pub order: OrderId,
    pub refund: Option<RefundId>,
    pub state: InvoiceState,
    pub attempts: i32,
    pub reason: Option<String>,
    pub created_at: Timestamp,
    pub delivered_at: Option<Timestamp>,
    pub number: Option<String>,
    pub profile: Option<String>,
    pub total: Option<Money>,
    pub vat: Option<Money>,
    pub issued_at: Option<Timestamp>,
}

pub async fn find_invoice(
    tx: &mut TenantTransaction,
    id: InvoiceId,
) -> Result<Option<ListedInvoice>, StoreError> {
    let row = sqlx::query(
        "SELECT id, order_id, refund_id, currency, state, attempts, reason, created_at, delivered_at, number, profile, total,
                vat, issued_at
         FROM invoice WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(listed).transpose()
}

/// Those of one order, the oldest first.
pub async fn list_invoices_of_order(
    tx: &mut TenantTransaction,
    order: OrderId,
) -> Result<Vec<ListedInvoice>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, order_id, refund_id, currency, state, attempts, reason, created_at, delivered_at, number, profile, total,
                vat, issued_at
         FROM invoice WHERE tenant_id = $1 AND order_id = $2 ORDER BY created_at, id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(listed).collect()
}

/// $1 tenant, $2 and $3 moment and id before which the page begins, $4 its length.
const NEWEST: &str = "
SELECT id, order_id, refund_id, currency, state, attempts, reason, created_at, delivered_at, number, profile, total, vat,
       issued_at
FROM invoice WHERE tenant_id = $1 AND (created_at, id) < ($2, $3)
ORDER BY created_at DESC, id DESC LIMIT $4";

/// As [`NEWEST`]; $5 the state.
const NEWEST_IN_STATE: &str = "
SELECT id, order_id, refund_id, currency, state, attempts, reason, created_at, delivered_at, number, profile, total, vat,
       issued_at
FROM invoice WHERE tenant_id = $1 AND state = $5 AND (created_at, id) < ($2, $3)
ORDER BY created_at DESC, id DESC LIMIT $4";

/// Where a page of a list begins: after this invoice, or with the newest.
pub type After = Option<(Timestamp, InvoiceId)>;

const BEFORE_ALL: (Timestamp, InvoiceId) =
    (Timestamp::from_millis(i64::MAX), InvoiceId::from_uuid(sqlx::types::Uuid::max()));

/// The academy's invoices, newest first.
pub async fn list_invoices(
    tx: &mut TenantTransaction,
    after: After,
    limit: i64,
) -> Result<Vec<ListedInvoice>, StoreError> {
    let (created_at, id) = after.unwrap_or(BEFORE_ALL);
    let rows = sqlx::query(NEWEST)
        .bind(tx.tenant().as_uuid())
        .bind(created_at.as_millis())
        .bind(id.as_uuid())
        .bind(limit)
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(listed).collect()
}

/// Those in one state, newest first.
pub async fn list_invoices_in_state(
    tx: &mut TenantTransaction,
    state: InvoiceState,
    after: After,
    limit: i64,
) -> Result<Vec<ListedInvoice>, StoreError> {
    let (created_at, id) = after.unwrap_or(BEFORE_ALL);
    let rows = sqlx::query(NEWEST_IN_STATE)
        .bind(tx.tenant().as_uuid())
        .bind(created_at.as_millis())
        .bind(id.as_uuid())
        .bind(limit)
        .bind(state.name())
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &PgRow) -> Result<ListedInvoice, StoreError> {
    let moment = |column| {
        let millis: Option<i64> = row.try_get(column)?;
        Ok::<_, StoreError>(millis.map(Timestamp::from_millis))
    };
    Ok(ListedInvoice {
        id: InvoiceId::from_uuid(row.try_get("id")?),
        order: OrderId::from_uuid(row.try_get("order_id")?),
        refund: row.try_get::<Option<_>, _>("refund_id")?.map(RefundId::from_uuid),
        state: InvoiceState::from_name(row.try_get("state")?),
        attempts: row.try_get("attempts")?,
        reason: row.try_get("reason")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        delivered_at: moment("delivered_at")?,
        number: row.try_get("number")?,
        profile: row.try_get("profile")?,
        total: money(row, "total")?,
        vat: money(row, "vat")?,
        issued_at: moment("issued_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_lambda_store::testing::TestDatabase;
    use sqlx::{AssertSqlSafe, types::Uuid};

    #[tokio::test]
    async fn a_page_is_read_from_the_index_in_its_order_whatever_is_asked() {
        let database = TestDatabase::new().await.unwrap();
        let mut superuser = database.superuser().await.unwrap();
        let seed = "ALTER TABLE invoice DISABLE TRIGGER ALL;
                    INSERT INTO invoice (tenant_id, id, order_id, currency, state, reason, created_at, queued_at)
                    SELECT lpad(to_hex(t), 32, '0')::uuid, gen_random_uuid(), gen_random_uuid(), 'TRY',
                           (ARRAY['queued', 'waiting', 'failed'])[n % 3 + 1], '', n, n
                    FROM generate_series(1, 2) AS t, generate_series(1, 20000) AS n;
                    ANALYZE invoice; SET plan_cache_mode = force_generic_plan";
        sqlx::raw_sql(seed).execute(&mut superuser).await.unwrap();
        let academy = Uuid::from_u128(1);
        for (name, sql, state, index) in [
            ("newest", NEWEST, "", "invoice_newest"),
            ("in_state", NEWEST_IN_STATE, ", 'queued'", "invoice_in_state"),
        ] {
            let types = if state.is_empty() { "" } else { ", text" };
            let prepare = format!("PREPARE {name} (uuid, bigint, uuid, bigint{types}) AS {sql}");
            sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut superuser).await.unwrap();
            let explain = format!("EXPLAIN EXECUTE {name} ('{academy}', 10000, '{academy}', 20{state})");
            let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut superuser).await.unwrap();
            let lines: Vec<String> = rows.iter().map(|row| row.try_get(0).unwrap()).collect();
            let plan = lines.join("\n");
            assert!(plan.contains(index) && plan.contains("$1") && !plan.contains("Sort"), "{plan}");
        }
    }
}
