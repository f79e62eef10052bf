//! What the night deletes of all academies, by the rules of `akademi_domain::retention`.

use akademi_domain::{
    retention::{
        ANSWERS, CALLBACKS, IMPORTS, INVOICE_DETAILS, INVOICE_KEYS, JOBS, MAILS, QUARANTINE, Rule, TOMBSTONES,
    },
    time::Timestamp,
};

use super::PlatformTransaction;
use crate::error::StoreError;

macro_rules! delete {
    ($table:literal, $keys:literal, $moment:literal, $condition:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (",
            $keys,
            ") IN (SELECT ",
            $keys,
            " FROM ",
            $table,
            " WHERE ",
            $moment,
            " <= $1 AND ",
            $condition,
            " ORDER BY ",
            $moment,
            " LIMIT $2)"
        )
    };
}

/// Each rule of this plane and its statement.
const DELETIONS: &[(Rule, &str)] = &[
    (MAILS, delete!("mail", "tenant_id, id", "created_at", "state <> 'queued'")),
    (JOBS, delete!("job", "id", "updated_at", "state IN ('done', 'failed')")),
    (IMPORTS, delete!("course_import", "tenant_id, id", "created_at", "true")),
    (ANSWERS, delete!("idempotency", "tenant_id, user_id, route, key", "created_at", "true")),
    (
        INVOICE_DETAILS,
        delete!(
            "invoice_details",
            "tenant_id, order_id",
            "updated_at",
            "NOT EXISTS (SELECT FROM invoice WHERE invoice.tenant_id = invoice_details.tenant_id \
             AND invoice.order_id = invoice_details.order_id)"
        ),
    ),
    (QUARANTINE, delete!("feed_quarantine", "tenant_id, source, number", "at", "true")),
    (CALLBACKS, delete!("payment_callback", "tenant_id, provider, digest", "last_at", "true")),
    (INVOICE_KEYS, delete!("invoice_key", "tenant_id, year", "year_ended_at", "true")),
    (TOMBSTONES, delete!("tombstone", "tenant_id, person_id", "erased_at", "true")),
];

impl PlatformTransaction {
    /// Deletes what nobody need keep any longer at `now`, at most `limit` rows of each table; how many.
    pub async fn delete_what_is_due(&mut self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for (rule, statement) in DELETIONS {
            deleted += sqlx::query(*statement)
                .bind(rule.ends(now).as_millis())
                .bind(i64::from(limit))
                .execute(self.connection().await?)
                .await?
                .rows_affected();
        }
        Ok(deleted)
    }
}
