//! Work that goes on after the answer: an import, a transcode, a nightly run.
//!
//! A job is queued in the transaction of the write that wants it, taken by a worker of any instance
//! ([`PlatformTransaction::claim_job`](crate::platform::PlatformTransaction::claim_job)) under a lease, and ended in the
//! transaction that keeps its outcome. The attempt's number is the fence: a worker whose lease ran out and whose job
//! was taken by another can report nothing any more.

use akademi_domain::{
    ids::{JobId, TenantId},
    time::Timestamp,
};
use serde_json::Value;
use sqlx::Row;

use crate::{error::StoreError, postgres::TenantTransaction};

/// The first pause before another attempt; each further one is twice as long.
const FIRST_PAUSE_MILLIS: i64 = 5_000;
const LONGEST_PAUSE_MILLIS: i64 = 15 * 60_000;

/// A job to be queued.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    pub id: JobId,
    /// Which workers take it, for example `olx_import`.
    pub kind: &'a str,
    /// Queued once per tenant, kind and such key, ever: an upload's id, a day. `None`: always queued.
    pub dedupe_key: Option<&'a str>,
    pub payload: &'a Value,
    pub max_attempts: i32,
    /// Not before this moment.
    pub run_after: Timestamp,
}

/// A job that this worker holds until its lease ends.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimedJob {
    pub id: JobId,
    pub tenant: TenantId,
    pub kind: String,
    pub payload: Value,
    /// From 1.
    pub attempt: i32,
    pub max_attempts: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    Queued,
    Running,
    Done,
    Failed,
}

/// A job as its owner sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobStatus {
    pub id: JobId,
    pub kind: String,
    pub state: JobState,
    pub attempts: i32,
    /// 0 to 1000.
    pub progress_permille: i32,
    /// For people: what it is doing, or why it failed.
    pub message: String,
    pub result: Option<Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What an attempt's failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Another attempt may succeed: storage did not answer, a provider was busy.
    Passing,
    /// No attempt will: the file is broken.
    Lasting,
}

/// The pause after this attempt (from 1): 5 s, 10 s, 20 s, … up to 15 min.
pub fn pause_millis(attempt: i32) -> i64 {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(30);
    FIRST_PAUSE_MILLIS.saturating_mul(1 << doublings).min(LONGEST_PAUSE_MILLIS)
}

/// Queues a job, in the caller's transaction, and returns its id: the new one, or that of the job which already has
/// this dedupe key.
pub async fn enqueue(
    tx: &mut TenantTransaction,
    job: &NewJob<'_>,
    now: Timestamp,
) -> Result<JobId, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO job (id, tenant_id, kind, dedupe_key, payload, state, max_attempts, due_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, $8)
         ON CONFLICT ON CONSTRAINT job_dedupe DO NOTHING",
    )
    .bind(job.id.as_uuid())
    .bind(tx.tenant().as_uuid())
    .bind(job.kind)
    .bind(job.dedupe_key)
    .bind(job.payload)
    .bind(job.max_attempts)
    .bind(job.run_after.as_millis())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    if inserted.rows_affected() == 1 { Ok(job.id) } else { find_duplicate(tx, job).await }
}

async fn find_duplicate(tx: &mut TenantTransaction, job: &NewJob<'_>) -> Result<JobId, StoreError> {
    let id = sqlx::query_scalar("SELECT id FROM job WHERE tenant_id = $1 AND kind = $2 AND dedupe_key = $3")
        .bind(tx.tenant().as_uuid())
        .bind(job.kind)
        .bind(job.dedupe_key)
        .fetch_one(tx.connection())
        .await?;
    Ok(JobId::from_uuid(id))
}

/// Reports progress (0 to 1000) with a message for people, and holds the job for `lease_millis` more.
///
/// # Errors
/// [`StoreError::LeaseLost`] if another worker has the job by now: stop.
pub async fn heartbeat(
    tx: &mut TenantTransaction,
    job: &ClaimedJob,
    progress_permille: i32,
    message: &str,
    lease_millis: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let held = sqlx::query(
        "UPDATE job SET progress_permille = $4, message = $5, due_at = $6 + $7, updated_at = $6
         WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND state = 'running'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(job.id.as_uuid())
    .bind(job.attempt)
    .bind(progress_permille.clamp(0, 1000))
    .bind(message)
    .bind(now.as_millis())
    .bind(lease_millis)
    .execute(tx.connection())
    .await?;
    if held.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Ends the job well, in the transaction that keeps what it made.
///
/// # Errors
/// [`StoreError::LeaseLost`] if another worker has the job by now: roll back.
pub async fn complete(
    tx: &mut TenantTransaction,
    job: &ClaimedJob,
    result: &Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ended = sqlx::query(
        "UPDATE job SET state = 'done', progress_permille = 1000, message = '', result = $4, updated_at = $5
         WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND state = 'running'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(job.id.as_uuid())
    .bind(job.attempt)
    .bind(result)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    if ended.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Ends the attempt: the job is queued again after a pause, or has failed if that was its last attempt or the
/// failure lasts. `message` is for people. Returns the job's state.
///
/// # Errors
/// [`StoreError::LeaseLost`] if another worker has the job by now.
pub async fn fail(
    tx: &mut TenantTransaction,
    job: &ClaimedJob,
    failure: Failure,
    message: &str,
    now: Timestamp,
) -> Result<JobState, StoreError> {
    let state = if failure == Failure::Passing && job.attempt < job.max_attempts {
        JobState::Queued
    } else {
        JobState::Failed
    };
    let ended = sqlx::query(
        "UPDATE job SET state = $4, message = $5, due_at = $6 + $7, updated_at = $6
         WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND state = 'running'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(job.id.as_uuid())
    .bind(job.attempt)
    .bind(state.name())
    .bind(message)
    .bind(now.as_millis())
    .bind(pause_millis(job.attempt))
    .execute(tx.connection())
    .await?;
    if ended.rows_affected() == 1 { Ok(state) } else { Err(StoreError::LeaseLost) }
}

/// Puts the job aside, since it waits for other jobs: the attempt does not count. It is due again at `until`, unless
/// [`take_up`] comes first.
///
/// # Errors
/// [`StoreError::LeaseLost`] if another worker has the job by now: roll back.
pub async fn put_aside(
    tx: &mut TenantTransaction,
    job: &ClaimedJob,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let put = sqlx::query(
        "UPDATE job SET state = 'queued', attempts = attempts - 1, due_at = $4, updated_at = $5
         WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND state = 'running'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(job.id.as_uuid())
    .bind(job.attempt)
    .bind(until.as_millis())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    if put.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Makes a job that was put aside due, in the transaction that ends what it waited for.
pub async fn take_up(tx: &mut TenantTransaction, id: JobId, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE job SET due_at = $3, updated_at = $3 WHERE tenant_id = $1 AND id = $2 AND state = 'queued'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Reports how far a job is that was put aside.
pub async fn tell_aside(
    tx: &mut TenantTransaction,
    id: JobId,
    progress_permille: i32,
    message: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE job SET progress_permille = $3, message = $4, updated_at = $5
         WHERE tenant_id = $1 AND id = $2 AND state = 'queued'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(progress_permille.clamp(0, 1000))
    .bind(message)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Ends a job that was put aside, since what it waited for has failed. `message` is for people.
pub async fn fail_aside(
    tx: &mut TenantTransaction,
    id: JobId,
    message: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE job SET state = 'failed', message = $3, updated_at = $4
         WHERE tenant_id = $1 AND id = $2 AND state = 'queued'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(message)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The job as its owner sees it; `None` if this tenant has no such job.
pub async fn find_job(tx: &mut TenantTransaction, id: JobId) -> Result<Option<JobStatus>, StoreError> {
    let row = sqlx::query(
        "SELECT id, kind, state, attempts, progress_permille, message, result, created_at, updated_at
         FROM job WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(JobStatus {
            id,
            kind: row.try_get("kind")?,
            state: JobState::from_name(row.try_get("state")?),
            attempts: row.try_get("attempts")?,
            progress_permille: row.try_get("progress_permille")?,
            message: row.try_get("message")?,
            result: row.try_get("result")?,
            created_at: Timestamp::from_millis(row.try_get("created_at")?),
            updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
        })
    })
    .transpose()
}

impl JobState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// The schema lets no other name in.
    fn from_name(name: &str) -> Self {
        match name {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "done" => Self::Done,
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let pauses: Vec<i64> = (1..=5).map(pause_millis).collect();
        assert_eq!(pauses, [5_000, 10_000, 20_000, 40_000, 80_000]);
        assert_eq!(pause_millis(9), 900_000);
        assert_eq!(pause_millis(i32::MAX), 900_000);
    }
}
