//! A certificate that cannot be issued when its course is completed: the completion stands, and a job issues it later.

use akademi_certificates::{Completion, issue};
use akademi_domain::ids::JobId;
use akademi_lambda_store::{
    jobs::{self, ClaimedJob, Failure, JobState, NewJob},
    postgres::TenantTransaction,
};
use serde_json::{Value, json};

use crate::{Sync, SyncError};

const JOB: &str = "certificate";
/// Some ten days, at a quarter of an hour between most of them.
const MAX_ATTEMPTS: i32 = 1000;
const FIRST_PAUSE_SECONDS: i64 = 60;
/// How many a run takes up; the next one goes on.
const MAX_JOBS: usize = 100;
const LEASE_MILLIS: i64 = 60_000;

/// Issues the certificate of a completion in the caller's transaction, or queues it where something is missing; the log's
/// line then.
pub async fn issue_or_queue(
    sync: &Sync,
    tx: &mut TenantTransaction,
    completion: Completion,
) -> Result<Option<Value>, SyncError> {
    let error = match issue(tx, &sync.ports, &sync.vault, completion).await {
        Ok(()) => return Ok(None),
        Err(error) if error.withholds() => error,
        Err(error) => return Err(error.into()),
    };
    let now = sync.ports.now();
    let payload = serde_json::to_value(completion).map_err(|error| SyncError::Batch(error.to_string()))?;
    let job = NewJob {
        id: JobId::new(now, sync.ports.random()),
        kind: JOB,
        dedupe_key: Some(&completion.enrolment.to_string()),
        payload: &payload,
        max_attempts: MAX_ATTEMPTS,
        run_after: now.plus_seconds(FIRST_PAUSE_SECONDS),
    };
    jobs::enqueue(tx, &job, now).await?;
    Ok(Some(line(sync, tx, completion, &error.to_string())))
}

/// Takes up the certificates whose time has come.
pub async fn issue_due(sync: &Sync) -> Result<(), SyncError> {
    for _ in 0..MAX_JOBS {
        let mut platform = sync.postgres.platform().await?;
        let job = platform.claim_job(JOB, sync.ports.now(), LEASE_MILLIS).await?;
        platform.commit().await?;
        match job {
            Some(job) => attempt(sync, &job).await?,
            None => break,
        }
    }
    Ok(())
}

async fn attempt(sync: &Sync, job: &ClaimedJob) -> Result<(), SyncError> {
    let completion: Completion =
        serde_json::from_value(job.payload.clone()).map_err(|error| SyncError::Batch(error.to_string()))?;
    let mut tx = sync.postgres.tenant(job.tenant).await?;
    let now = sync.ports.now();
    let given_up = match issue(&mut tx, &sync.ports, &sync.vault, completion).await {
        Ok(()) => {
            jobs::complete(&mut tx, job, &Value::Null, now).await?;
            None
        }
        Err(error) if error.withholds() => {
            let state = jobs::fail(&mut tx, job, Failure::Passing, &error.to_string(), now).await?;
            (state == JobState::Failed).then(|| line(sync, &tx, completion, &format!("given up: {error}")))
        }
        Err(error) => return Err(error.into()),
    };
    tx.commit().await?;
    sync.log(given_up);
    Ok(())
}

fn line(sync: &Sync, tx: &TenantTransaction, completion: Completion, cause: &str) -> Value {
    json!({
        "at": sync.ports.now(), "function": "sync", "level": "error", "tenant": tx.tenant(),
        "certificate_withheld_from": completion.enrolment, "cause": cause,
    })
}
