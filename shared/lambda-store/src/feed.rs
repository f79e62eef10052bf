//! The feed out: events are inserted unnumbered in the write's own transaction, and one publisher numbers what has
//! been committed.
//!
//! A sequence gives its numbers before the commit, and commits become visible in another order: a reader that goes by them
//! loses rows. The publisher's numbers come from `feed_state`, in a transaction of their own, one publisher at a time; so
//! a number is visible only when all smaller ones are, and a rollback leaves no gap.

use akademi_domain::{ids::TenantId, time::Timestamp};
use akademi_feed::LambdaEvent;
use serde_json::Value;

use crate::{
    error::StoreError,
    postgres::{Postgres, TenantTransaction},
};

/// Most events of a batch.
pub const MAX_BATCH_EVENTS: u32 = 100;
/// Most bytes of a batch's events as JSON.
pub const MAX_BATCH_BYTES: usize = 512 * 1024;
/// Most bytes of one payload as JSON: what the receiving store takes as one row.
pub const MAX_PAYLOAD_BYTES: usize = 400 * 1024;
/// How many rows the publisher numbers in one transaction.
const PUBLISH_AT_ONCE: u32 = 1000;

/// An event that readers may see.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedEvent {
    /// From 1, without gaps but for what was pruned.
    pub number: u64,
    pub tenant: TenantId,
    pub kind: String,
    pub version: i32,
    pub payload: Value,
    pub created_at: Timestamp,
}

/// Where the feed stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedHead {
    /// The name of this database as a source of events.
    pub source: String,
    /// Changes when the database is restored: who sees another one rebuilds.
    pub epoch: String,
    /// The newest number; 0 before the first.
    pub last_number: u64,
    /// What the other plane has taken over: up to here events may be pruned.
    pub acknowledged: u64,
}

/// Appends what the edge must hear of, in the transaction of the change itself; else as [`append_event`].
pub async fn append(
    tx: &mut TenantTransaction,
    event: &LambdaEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let record = event.record();
    let payload = serde_json::from_str(&record.payload)
        .map_err(|error| StoreError::Internal(sqlx::Error::Encode(error.into())))?;
    append_event(tx, record.kind, i32::try_from(record.version).unwrap_or(i32::MAX), &payload, now).await
}

/// Appends an event to the feed, visible to readers once this transaction has committed and [`publish`] has run.
/// Personal fields in the payload are encrypted by the caller.
///
/// # Errors
/// [`StoreError::TooLarge`] for a payload over [`MAX_PAYLOAD_BYTES`].
pub async fn append_event(
    tx: &mut TenantTransaction,
    kind: &str,
    version: i32,
    payload: &Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    let bytes = payload.to_string().len();
    if bytes > MAX_PAYLOAD_BYTES {
        return Err(StoreError::TooLarge { bytes, limit: MAX_PAYLOAD_BYTES });
    }
    sqlx::query(
        "INSERT INTO feed_event (tenant_id, kind, version, payload, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(kind)
    .bind(version)
    .bind(payload)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Numbers what has been committed, in the order of insertion, and returns how many events that were. Two at once wait
/// for each other.
pub async fn publish(postgres: &Postgres) -> Result<u64, StoreError> {
    let mut total = 0;
    loop {
        let mut platform = postgres.platform().await?;
        platform.lock_publisher().await?;
        let numbered = platform.number_committed_events(PUBLISH_AT_ONCE).await?;
        platform.commit().await?;
        total += numbered;
        if numbered < u64::from(PUBLISH_AT_ONCE) {
            return Ok(total);
        }
    }
}
