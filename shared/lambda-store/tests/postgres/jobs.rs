//! Jobs: taken once, held under a lease, tried again, given up.

use akademi_domain::{ids::JobId, time::Timestamp};
use akademi_lambda_store::{
    error::StoreError,
    jobs::{ClaimedJob, Failure, JobState, JobStatus, NewJob, complete, enqueue, fail, find_job, heartbeat},
    postgres::{Postgres, TenantTransaction},
    testing::TestDatabase,
};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{NOW, job_id, tenant};

const LEASE: i64 = 60_000;
const KIND: &str = "olx_import";
const WORKERS: usize = 8;

async fn queue(postgres: &Postgres, n: u16, dedupe_key: Option<&str>) -> JobId {
    let mut tx = postgres.tenant(tenant(1)).await.unwrap();
    let payload = json!({ "n": n });
    let job =
        NewJob { id: job_id(n), kind: KIND, dedupe_key, payload: &payload, max_attempts: 3, run_after: NOW };
    let id = enqueue(&mut tx, &job, NOW).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn claim(postgres: &Postgres, now: Timestamp) -> Option<ClaimedJob> {
    let mut platform = postgres.platform().await.unwrap();
    let job = platform.claim_job(KIND, now, LEASE).await.unwrap();
    platform.commit().await.unwrap();
    job
}

async fn own(postgres: &Postgres) -> TenantTransaction {
    postgres.tenant(tenant(1)).await.unwrap()
}

async fn status(postgres: &Postgres, n: u16) -> JobStatus {
    find_job(&mut own(postgres).await, job_id(n)).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_job_goes_from_the_queue_to_its_result() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    queue(postgres, 1, None).await;
    assert_eq!(status(postgres, 1).await.state, JobState::Queued);
    let job = claim(postgres, NOW).await.unwrap();
    assert_eq!(
        (job.id, job.tenant, job.attempt, &job.payload),
        (job_id(1), tenant(1), 1, &json!({ "n": 1 }))
    );
    let mut tx = own(postgres).await;
    heartbeat(&mut tx, &job, 400, "Bölümler okunuyor", LEASE, NOW.plus_seconds(5)).await.unwrap();
    tx.commit().await.unwrap();
    let running = status(postgres, 1).await;
    assert_eq!((running.state, running.progress_permille), (JobState::Running, 400));
    assert_eq!(running.message, "Bölümler okunuyor");
    let mut tx = own(postgres).await;
    complete(&mut tx, &job, &json!({ "lessons": 266 }), NOW.plus_seconds(9)).await.unwrap();
    tx.commit().await.unwrap();
    let done = status(postgres, 1).await;
    assert_eq!((done.state, done.progress_permille), (JobState::Done, 1000));
    assert_eq!(done.result, Some(json!({ "lessons": 266 })));
    assert_eq!((done.created_at, done.updated_at), (NOW, NOW.plus_seconds(9)));
    assert_eq!(claim(postgres, NOW.plus_seconds(9999)).await, None);
}

#[tokio::test]
async fn a_job_of_a_rolled_back_write_was_never_queued() {
    let database = TestDatabase::new().await.unwrap();
    let mut tx = own(database.postgres()).await;
    let payload = json!({});
    let job = NewJob {
        id: job_id(1),
        kind: KIND,
        dedupe_key: None,
        payload: &payload,
        max_attempts: 1,
        run_after: NOW,
    };
    enqueue(&mut tx, &job, NOW).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(claim(database.postgres(), NOW).await, None);
}

#[tokio::test]
async fn the_same_upload_is_queued_once() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    assert_eq!(queue(postgres, 1, Some("upload-1")).await, job_id(1));
    assert_eq!(queue(postgres, 2, Some("upload-1")).await, job_id(1));
    assert_eq!(queue(postgres, 3, Some("upload-2")).await, job_id(3));
    assert_eq!(queue(postgres, 4, None).await, job_id(4));
    assert_eq!(queue(postgres, 5, None).await, job_id(5));
}

#[tokio::test]
async fn another_tenant_finds_no_such_job() {
    let database = TestDatabase::new().await.unwrap();
    queue(database.postgres(), 1, None).await;
    let mut other = database.postgres().tenant(tenant(2)).await.unwrap();
    assert_eq!(find_job(&mut other, job_id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_after_a_pause_and_in_the_end_tells_people() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    queue(postgres, 1, None).await;
    let mut now = NOW;
    for (attempt, pause) in [(1, 5), (2, 10)] {
        let job = claim(postgres, now).await.unwrap();
        assert_eq!(job.attempt, attempt);
        let mut tx = own(postgres).await;
        let state = fail(&mut tx, &job, Failure::Passing, "Depo yanıt vermedi", now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(state, JobState::Queued);
        assert_eq!(claim(postgres, now.plus_seconds(pause - 1)).await, None, "too early");
        now = now.plus_seconds(pause);
    }
    let last = claim(postgres, now).await.unwrap();
    let mut tx = own(postgres).await;
    let state = fail(&mut tx, &last, Failure::Passing, "Depo yanıt vermedi", now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state, JobState::Failed);
    assert_eq!(status(postgres, 1).await.message, "Depo yanıt vermedi");
    assert_eq!(claim(postgres, now.plus_seconds(9999)).await, None);
}

#[tokio::test]
async fn a_lasting_failure_is_not_tried_again() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    queue(postgres, 1, None).await;
    let job = claim(postgres, NOW).await.unwrap();
    let mut tx = own(postgres).await;
    let state = fail(&mut tx, &job, Failure::Lasting, "Arşiv bozuk", NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state, JobState::Failed);
    assert_eq!(claim(postgres, NOW.plus_seconds(9999)).await, None);
}

#[tokio::test]
async fn a_vanished_workers_job_is_taken_over_and_the_worker_is_fenced_off() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    queue(postgres, 1, None).await;
    let old = claim(postgres, NOW).await.unwrap();
    let mut tx = own(postgres).await;
    heartbeat(&mut tx, &old, 100, "", LEASE, NOW.plus_seconds(50)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claim(postgres, NOW.plus_seconds(109)).await, None, "the heartbeat held it");
    let now = NOW.plus_seconds(110);
    let new = claim(postgres, now).await.unwrap();
    assert_eq!((new.id, new.attempt), (old.id, 2));
    let mut tx = own(postgres).await;
    assert!(matches!(heartbeat(&mut tx, &old, 200, "", LEASE, now).await, Err(StoreError::LeaseLost)));
    assert!(matches!(complete(&mut tx, &old, &json!(1), now).await, Err(StoreError::LeaseLost)));
    assert!(matches!(fail(&mut tx, &old, Failure::Lasting, "x", now).await, Err(StoreError::LeaseLost)));
    complete(&mut tx, &new, &json!(2), now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(status(postgres, 1).await.result, Some(json!(2)));
}

#[tokio::test]
async fn a_job_that_kills_its_workers_ends_and_is_reported() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    queue(postgres, 1, None).await;
    let mut now = NOW;
    for _ in 0..3 {
        claim(postgres, now).await.unwrap();
        now = now.plus_seconds(60);
    }
    assert_eq!(claim(postgres, now).await, None);
    let mut platform = postgres.platform().await.unwrap();
    let ended = platform.fail_abandoned_jobs(KIND, "Dosya işlenemedi", now).await.unwrap();
    platform.commit().await.unwrap();
    assert_eq!(ended, [(tenant(1), job_id(1))]);
    let failed = status(postgres, 1).await;
    assert_eq!((failed.state, failed.message.as_str()), (JobState::Failed, "Dosya işlenemedi"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_workers_do_every_job_once() {
    const JOBS: u16 = 120;
    let database = TestDatabase::new().await.unwrap();
    for n in 0..JOBS {
        queue(database.postgres(), n, None).await;
    }
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let postgres = database.postgres().clone();
        workers.spawn(async move {
            let mut done = Vec::new();
            while let Some(job) = claim(&postgres, NOW).await {
                let mut tx = postgres.tenant(job.tenant).await.unwrap();
                complete(&mut tx, &job, &json!(null), NOW).await.unwrap();
                tx.commit().await.unwrap();
                done.push(job.id);
            }
            done
        });
    }
    let done: Vec<Vec<JobId>> = workers.join_all().await;
    let all: Vec<JobId> = done.iter().flatten().copied().collect();
    println!("{} jobs by {WORKERS} workers: {:?}", all.len(), done.iter().map(Vec::len).collect::<Vec<_>>());
    assert_eq!(all.len(), usize::from(JOBS));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), usize::from(JOBS));
}

#[tokio::test]
async fn a_worker_passes_over_what_another_is_just_taking() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    queue(postgres, 1, None).await;
    queue(postgres, 2, None).await;
    let mut first = postgres.platform().await.unwrap();
    let mut second = postgres.platform().await.unwrap();
    let one = first.claim_job(KIND, NOW, LEASE).await.unwrap().unwrap();
    // Neither waits for the first to commit nor gets its job.
    let waiting = second.claim_job(KIND, NOW, LEASE);
    let two = tokio::time::timeout(std::time::Duration::from_secs(30), waiting)
        .await
        .expect("waits")
        .unwrap()
        .unwrap();
    assert_eq!((one.id, two.id), (job_id(1), job_id(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_look_without_a_lock_take_the_same_job() {
    let database = TestDatabase::new().await.unwrap();
    queue(database.postgres(), 1, None).await;
    let looked = Arc::new(Barrier::new(WORKERS));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (postgres, looked) = (database.postgres().clone(), looked.clone());
        workers.spawn(async move {
            let mut tx = own(&postgres).await;
            let id: uuid::Uuid = sqlx::query_scalar("SELECT id FROM job WHERE state = 'queued' LIMIT 1")
                .fetch_one(tx.connection())
                .await
                .unwrap();
            looked.wait().await;
            let taken = sqlx::query("UPDATE job SET state = 'running' WHERE id = $1")
                .bind(id)
                .execute(tx.connection())
                .await
                .unwrap();
            tx.commit().await.unwrap();
            taken.rows_affected()
        });
    }
    let taken: u64 = workers.join_all().await.iter().sum();
    println!("without the lock: one job taken {taken} times");
    assert!(taken > 1);
}

#[tokio::test]
async fn taking_a_job_reads_the_index_of_what_is_due() {
    let database = TestDatabase::new().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO job (id, tenant_id, kind, payload, state, max_attempts, due_at, created_at, updated_at)
         SELECT gen_random_uuid(), gen_random_uuid(), 'olx_import', '{}', CASE WHEN n % 100 = 0 THEN 'queued' ELSE 'done' END, 3, n, n, n
         FROM generate_series(1, 20000) AS n; ANALYZE job; SET ROLE akademi_platform",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN SELECT id FROM job
         WHERE kind = 'olx_import' AND state IN ('queued', 'running') AND due_at <= 20000 AND attempts < max_attempts
         ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("Index Scan using job_due") && !plan.contains("Sort"), "{plan}");
}
