//! The transaction that spans tenants, and every statement that it can run: this file and those below it are the whole list.
//!
//! It serves the publisher and the feed (`sync`), workers that take the next job of any academy, and retention. Code
//! outside of this crate gets no connection from it: what it changes of an academy, it changes through
//! [`PlatformTransaction::tenant`], under that academy's row-level security.

mod commerce;
mod deletion;
mod pictures;
mod retention;
mod uploads;

use akademi_domain::{
    ids::{JobId, TenantId},
    time::Timestamp,
};
use sqlx::{AssertSqlSafe, PgConnection, PgTransaction, Row, postgres::PgRow};
use uuid::Uuid;

use crate::{
    error::StoreError,
    feed::{FeedHead, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, NumberedEvent},
    inbox::Cursor,
    jobs::ClaimedJob,
    postgres::{BECOME_PLATFORM, TenantTransaction, become_tenant},
};

pub use deletion::KEPT;

/// The publisher's advisory lock: "feed" in ASCII.
const PUBLISHER_LOCK: i64 = 0x6665_6564;
/// What an event's number, tenant, version and time take in a batch, rounded up.
const EVENT_ENVELOPE_BYTES: i64 = 256;

/// A transaction as `akademi_platform`.
#[derive(Debug)]
pub struct PlatformTransaction {
    /// Belongs to no tenant (the nil id) until [`Self::tenant`] names one.
    inner: TenantTransaction,
    in_tenant: bool,
}

impl PlatformTransaction {
    pub(crate) fn new(transaction: PgTransaction<'static>) -> Self {
        Self {
            inner: TenantTransaction { tenant: TenantId::from_uuid(Uuid::nil()), transaction },
            in_tenant: false,
        }
    }

    /// The same transaction as this tenant's, until the next use as the platform's. So events of many academies are
    /// applied in the one step that moves the cursor, each under its own academy's row-level security.
    pub async fn tenant(&mut self, tenant: TenantId) -> Result<&mut TenantTransaction, StoreError> {
        if !self.in_tenant || self.inner.tenant != tenant {
            sqlx::raw_sql(AssertSqlSafe(become_tenant(tenant))).execute(self.inner.connection()).await?;
            self.inner.tenant = tenant;
            self.in_tenant = true;
        }
        Ok(&mut self.inner)
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        self.inner.commit().await
    }

    pub async fn rollback(self) -> Result<(), StoreError> {
        self.inner.rollback().await
    }

    async fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        if self.in_tenant {
            sqlx::raw_sql(BECOME_PLATFORM).execute(self.inner.connection()).await?;
            self.in_tenant = false;
        }
        Ok(self.inner.connection())
    }
}

/// Feed out.
impl PlatformTransaction {
    /// Waits until no other publisher runs; held to the end of the transaction, after its rows are visible.
    pub(crate) async fn lock_publisher(&mut self) -> Result<(), StoreError> {
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(PUBLISHER_LOCK)
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// Numbers up to `limit` committed events. Only after [`Self::lock_publisher`], as a statement of its own, so that
    /// its snapshot is younger than the publisher before.
    pub(crate) async fn number_committed_events(&mut self, limit: u32) -> Result<u64, StoreError> {
        let numbered = sqlx::query(
            "WITH pending AS (
                 SELECT id, row_number() OVER (ORDER BY id) AS place
                 FROM (SELECT id FROM feed_event WHERE number IS NULL ORDER BY id LIMIT $1) AS oldest
             ), head AS (
                 UPDATE feed_state SET last_number = last_number + (SELECT count(*) FROM pending)
                 RETURNING last_number - (SELECT count(*) FROM pending) AS before
             )
             UPDATE feed_event SET number = head.before + pending.place
             FROM pending, head WHERE feed_event.id = pending.id",
        )
        .bind(i64::from(limit))
        .execute(self.connection().await?)
        .await?;
        Ok(numbered.rows_affected())
    }

    pub async fn feed_head(&mut self) -> Result<FeedHead, StoreError> {
        let row = sqlx::query("SELECT source, epoch, last_number, acknowledged FROM feed_state")
            .fetch_one(self.connection().await?)
            .await?;
        Ok(FeedHead {
            source: row.try_get("source")?,
            epoch: row.try_get("epoch")?,
            last_number: number(&row, "last_number")?,
            acknowledged: number(&row, "acknowledged")?,
        })
    }

    /// The events after number `after`, at most `limit` and `max_bytes` (both capped at a batch's size), and at least one
    /// if there is any.
    pub async fn read_events(
        &mut self,
        after: u64,
        limit: u32,
        max_bytes: usize,
    ) -> Result<Vec<NumberedEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, tenant_id, kind, version, payload, created_at
             FROM (
                 SELECT page.*, row_number() OVER oldest_first AS place,
                        sum(octet_length(payload::text) + octet_length(kind) + $4) OVER oldest_first AS bytes
                 FROM (SELECT * FROM feed_event WHERE number > $1 ORDER BY number LIMIT $2) AS page
                 WINDOW oldest_first AS (ORDER BY number)
             ) AS measured
             WHERE bytes <= $3 OR place = 1
             ORDER BY number",
        )
        .bind(signed(after))
        .bind(i64::from(limit.min(MAX_BATCH_EVENTS)))
        .bind(i64::try_from(max_bytes.min(MAX_BATCH_BYTES)).unwrap_or(i64::MAX))
        .bind(EVENT_ENVELOPE_BYTES)
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter().map(event).collect()
    }

    /// Notes that the other plane has applied everything up to `number`. Never goes back; refused
    /// (`feed_state_acknowledged`) beyond the newest number.
    pub async fn acknowledge(&mut self, number: u64) -> Result<(), StoreError> {
        sqlx::query("UPDATE feed_state SET acknowledged = greatest(acknowledged, $1)")
            .bind(signed(number))
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    /// Deletes up to `limit` of the oldest events that were acknowledged, and returns how many.
    pub async fn prune_acknowledged(&mut self, limit: u32) -> Result<u64, StoreError> {
        let pruned = sqlx::query(
            "DELETE FROM feed_event WHERE number IN (
                 SELECT number FROM feed_event
                 WHERE number <= (SELECT acknowledged FROM feed_state) ORDER BY number LIMIT $1)",
        )
        .bind(i64::from(limit))
        .execute(self.connection().await?)
        .await?;
        Ok(pruned.rows_affected())
    }

    /// After a restore: whoever reads this feed sees another epoch and rebuilds its copy.
    pub async fn start_epoch(&mut self, epoch: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE feed_state SET epoch = $1").bind(epoch).execute(self.connection().await?).await?;
        Ok(())
    }
}

/// Feed in.
impl PlatformTransaction {
    /// The source's cursor, locked to the end of the transaction; a new source stands at 0 in this epoch.
    pub(crate) async fn lock_cursor(&mut self, source: &str, epoch: &str) -> Result<Cursor, StoreError> {
        let connection = self.connection().await?;
        sqlx::query(
            "INSERT INTO feed_cursor (source, epoch, number) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING",
        )
        .bind(source)
        .bind(epoch)
        .execute(&mut *connection)
        .await?;
        let row = sqlx::query("SELECT epoch, number FROM feed_cursor WHERE source = $1 FOR UPDATE")
            .bind(source)
            .fetch_one(connection)
            .await?;
        Ok(Cursor { epoch: row.try_get("epoch")?, number: number(&row, "number")? })
    }

    /// How far `source` has been applied; `None` if nothing of it ever was.
    pub async fn cursor(&mut self, source: &str) -> Result<Option<Cursor>, StoreError> {
        let row = sqlx::query("SELECT epoch, number FROM feed_cursor WHERE source = $1")
            .bind(source)
            .fetch_optional(self.connection().await?)
            .await?;
        row.map(|row| Ok(Cursor { epoch: row.try_get("epoch")?, number: number(&row, "number")? }))
            .transpose()
    }

    /// Puts the cursor of a source somewhere: after a rebuild, in the transaction that made the copy anew.
    pub async fn set_cursor(&mut self, source: &str, epoch: &str, number: u64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO feed_cursor (source, epoch, number) VALUES ($1, $2, $3)
             ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, number = excluded.number",
        )
        .bind(source)
        .bind(epoch)
        .bind(signed(number))
        .execute(self.connection().await?)
        .await?;
        Ok(())
    }
}

/// Jobs and tenants.
impl PlatformTransaction {
    /// Takes the oldest job of this kind that is due, of any tenant: queued, or left by a worker whose lease ran out.
    /// Commit before working on it. Parallel workers never wait for each other and never get the same job.
    pub async fn claim_job(
        &mut self,
        kind: &str,
        now: Timestamp,
        lease_millis: i64,
    ) -> Result<Option<ClaimedJob>, StoreError> {
        let row = sqlx::query(
            "UPDATE job SET state = 'running', attempts = attempts + 1, due_at = $2 + $3, updated_at = $2
             WHERE id = (
                 SELECT id FROM job
                 WHERE kind = $1 AND state IN ('queued', 'running') AND due_at <= $2 AND attempts < max_attempts
                 ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING id, tenant_id, kind, payload, attempts, max_attempts",
        )
        .bind(kind)
        .bind(now.as_millis())
        .bind(lease_millis)
        .fetch_optional(self.connection().await?)
        .await?;
        row.map(|row| {
            Ok(ClaimedJob {
                id: JobId::from_uuid(row.try_get("id")?),
                tenant: TenantId::from_uuid(row.try_get("tenant_id")?),
                kind: row.try_get("kind")?,
                payload: row.try_get("payload")?,
                attempt: row.try_get("attempts")?,
                max_attempts: row.try_get("max_attempts")?,
            })
        })
        .transpose()
    }

    /// Ends the jobs of this kind whose last worker vanished (a file that kills each of them), and returns them, so that
    /// what they were for can be told. `message` is for people.
    pub async fn fail_abandoned_jobs(
        &mut self,
        kind: &str,
        message: &str,
        now: Timestamp,
    ) -> Result<Vec<(TenantId, JobId)>, StoreError> {
        let rows = sqlx::query(
            "UPDATE job SET state = 'failed', message = $2, updated_at = $3
             WHERE kind = $1 AND state = 'running' AND due_at <= $3 AND attempts >= max_attempts
             RETURNING tenant_id, id",
        )
        .bind(kind)
        .bind(message)
        .bind(now.as_millis())
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter()
            .map(|row| {
                Ok((TenantId::from_uuid(row.try_get("tenant_id")?), JobId::from_uuid(row.try_get("id")?)))
            })
            .collect()
    }

    /// The academies whose facts have arrived here, in any state, ordered by id.
    pub async fn tenants(&mut self) -> Result<Vec<TenantId>, StoreError> {
        let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM tenant ORDER BY id")
            .fetch_all(self.connection().await?)
            .await?;
        Ok(ids.into_iter().map(TenantId::from_uuid).collect())
    }

    /// The academies that have an audit log, or whose facts have arrived here, by name.
    pub async fn audited_academies(&mut self) -> Result<Vec<(TenantId, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, COALESCE(slug, id::text) AS name
             FROM (SELECT tenant_id AS id FROM audit_head UNION SELECT tenant_id FROM audit_entry
                   UNION SELECT id FROM tenant) AS academy
             LEFT JOIN tenant USING (id) ORDER BY name, id",
        )
        .fetch_all(self.connection().await?)
        .await?;
        rows.iter().map(|row| Ok((TenantId::from_uuid(row.try_get("id")?), row.try_get("name")?))).collect()
    }

    /// The academy whose account at `provider` has this token in its callback's address.
    pub async fn tenant_of_callback(
        &mut self,
        provider: &str,
        token: &str,
    ) -> Result<Option<TenantId>, StoreError> {
        let id: Option<Uuid> = sqlx::query_scalar(
            "SELECT tenant_id FROM payment_account WHERE callback_token = $2 AND provider = $1",
        )
        .bind(provider)
        .bind(token)
        .fetch_optional(self.connection().await?)
        .await?;
        Ok(id.map(TenantId::from_uuid))
    }
}

fn event(row: &PgRow) -> Result<NumberedEvent, StoreError> {
    Ok(NumberedEvent {
        number: number(row, "number")?,
        tenant: TenantId::from_uuid(row.try_get("tenant_id")?),
        kind: row.try_get("kind")?,
        version: row.try_get("version")?,
        payload: row.try_get("payload")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

/// Numbers count from 0 and are checked so by the schema.
fn number(row: &PgRow, column: &str) -> Result<u64, StoreError> {
    Ok(row.try_get::<i64, _>(column)?.unsigned_abs())
}

/// No feed gets as far as 2^63.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
