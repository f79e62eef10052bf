//! What of all academies' orders, payments and refunds is due.

use akademi_domain::{
    ids::{OrderId, PaymentId, RefundId, TenantId},
    time::{Day, Timestamp},
};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::PlatformTransaction;
use crate::error::StoreError;

impl PlatformTransaction {
    /// Up to `limit` attempts that are to be asked about: nobody told their end until `first_before`, or the provider knew
    /// none when it was asked before `again_before`. The oldest first.
    pub async fn unsettled_payments(
        &mut self,
        first_before: Timestamp,
        again_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, PaymentId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT tenant_id, id FROM payment WHERE state IN ('begun', 'abandoned') AND asks < 4 AND created_at <= $1
                 AND (asked_at IS NULL OR asked_at <= $2)
             ORDER BY created_at LIMIT $3",
        )
        .bind(first_before.as_millis())
        .bind(again_before.as_millis())
        .bind(i64::from(limit))
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter().map(|row| of_academy(row, PaymentId::from_uuid)).collect()
    }

    /// Up to `limit` refunds that are to be sent or asked about, the oldest first.
    pub async fn due_refunds(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, RefundId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT tenant_id, id FROM refund WHERE state = 'requested' AND due_at <= $1 ORDER BY due_at LIMIT $2",
        )
        .bind(now.as_millis())
        .bind(i64::from(limit))
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter().map(|row| of_academy(row, RefundId::from_uuid)).collect()
    }

    /// Up to `limit` accounts at these providers whose reports are not read up to `day` and were not tried after
    /// `tried_before`, who has waited longest first.
    pub async fn unreconciled_accounts(
        &mut self,
        providers: &[&str],
        day: Day,
        tried_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT tenant_id, provider FROM payment_account LEFT JOIN reconciliation USING (tenant_id, provider)
             WHERE provider = ANY ($1) AND (done_day IS NULL OR done_day < 'epoch'::date + $2)
                 AND (tried_at IS NULL OR tried_at <= $3)
             ORDER BY tried_at NULLS FIRST, tenant_id, provider LIMIT $4",
        )
        .bind(providers)
        .bind(day.epoch_days())
        .bind(tried_before.as_millis())
        .bind(i64::from(limit))
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter()
            .map(|row| Ok((TenantId::from_uuid(row.try_get("tenant_id")?), row.try_get("provider")?)))
            .collect()
    }

    /// Up to `limit` orders whose time for paying is over, the oldest first.
    pub async fn overdue_orders(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, OrderId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT tenant_id, id FROM customer_order WHERE state = 'pending' AND expires_at <= $1
             ORDER BY expires_at LIMIT $2",
        )
        .bind(now.as_millis())
        .bind(i64::from(limit))
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter().map(|row| of_academy(row, OrderId::from_uuid)).collect()
    }
}

fn of_academy<T>(row: &PgRow, id: impl FnOnce(Uuid) -> T) -> Result<(TenantId, T), StoreError> {
    Ok((TenantId::from_uuid(row.try_get("tenant_id")?), id(row.try_get("id")?)))
}
