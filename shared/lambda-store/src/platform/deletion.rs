//! An academy is deleted for good: its rows in all tables that the schema has, in bounded steps.

use akademi_domain::ids::TenantId;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::PlatformTransaction;
use crate::error::StoreError;

const MONEY: &str =
    "records of sales and payments are kept for ten years (Law 6102 art. 82); they name nobody";

const INVOICES: &str = "invoices are kept for ten years (Law 6102 art. 82), sealed under a key of their own";

/// Tables whose rows stay, and why. The row of `tenant` stays too, without its name: nothing brings the academy back.
pub const KEPT: &[(&str, &str)] = &[
    ("audit_entry", "who did what is proof, the deletion among it; what it seals opens no more"),
    ("audit_head", "the end of that chain"),
    ("tombstone", "records of erasures go by their own rule"),
    ("payment_callback", "goes by its own rule"),
    ("feed_event", "is on its way to the edge, and goes when it has come"),
    ("customer_order", MONEY),
    ("order_line", MONEY),
    ("bundle", MONEY),
    ("coupon", MONEY),
    ("payment", MONEY),
    ("payment_alarm", MONEY),
    ("budget", MONEY),
    ("reservation", MONEY),
    ("refund", MONEY),
    ("refund_line", MONEY),
    ("ledger_transaction", MONEY),
    ("ledger_entry", MONEY),
    ("provider_transaction", MONEY),
    ("reconciliation_difference", MONEY),
    ("invoice", INVOICES),
    ("invoice_series", INVOICES),
    ("invoice_key", INVOICES),
];

/// foreign_key_violation: other rows go first.
const REFERENCED: &str = "23503";

impl PlatformTransaction {
    /// The academies that the edge has deleted.
    pub async fn deleted_academies(&mut self) -> Result<Vec<TenantId>, StoreError> {
        let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM tenant WHERE state = 'deleted' ORDER BY id")
            .fetch_all(self.connection().await?)
            .await?;
        Ok(ids.into_iter().map(TenantId::from_uuid).collect())
    }

    /// The tables that [`Self::delete_academy`] empties, by name: all with a column `tenant_id` but [`KEPT`].
    pub async fn tables_of_academies(&mut self) -> Result<Vec<String>, StoreError> {
        let kept: Vec<&str> = KEPT.iter().map(|(table, _)| *table).collect();
        let tables = sqlx::query_scalar(
            "SELECT relname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attname = 'tenant_id' AND NOT attisdropped
             AND relname <> ALL ($1) ORDER BY relname",
        )
        .bind(kept)
        .fetch_all(self.connection().await?)
        .await?;
        Ok(tables)
    }

    /// Deletes at most `limit` rows of each table; how many. None are left once it is 0.
    pub async fn delete_academy(&mut self, tenant: TenantId, limit: u32) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for table in self.tables_of_academies().await? {
            let connection = self.connection().await?;
            sqlx::raw_sql("SAVEPOINT one_table").execute(&mut *connection).await?;
            // The schema's own name of a table, quoted by its kind: lower case and underscores.
            let statement = format!(
                "DELETE FROM \"{table}\" WHERE ctid = ANY (ARRAY(
                     SELECT ctid FROM \"{table}\" WHERE tenant_id = $1 LIMIT $2))"
            );
            let outcome = sqlx::query(AssertSqlSafe(statement))
                .bind(tenant.as_uuid())
                .bind(i64::from(limit))
                .execute(&mut *connection)
                .await;
            match outcome {
                Ok(gone) => {
                    deleted += gone.rows_affected();
                    sqlx::raw_sql("RELEASE SAVEPOINT one_table").execute(&mut *connection).await?;
                }
                Err(error)
                    if error.as_database_error().and_then(|error| error.code()).as_deref()
                        == Some(REFERENCED) =>
                {
                    let undo = "ROLLBACK TO SAVEPOINT one_table; RELEASE SAVEPOINT one_table";
                    sqlx::raw_sql(undo).execute(&mut *connection).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(deleted)
    }
}
