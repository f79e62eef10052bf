//! One key, one effect.

use akademi_api::idempotency::StoredResponse;
use akademi_domain::{retention::ANSWERS, time::Timestamp};
use akademi_lambda_store::{
    error::StoreError,
    idempotency::{Begin, Claim, Scope, begin, finish},
    postgres::Postgres,
    testing::TestDatabase,
};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{NOW, tenant, user};

const LEASE: i64 = 30_000;
const BODY: [u8; 32] = [7; 32];
const RACERS: usize = 16;

fn scope() -> Scope<'static> {
    Scope { user: user(1), route: "POST /api/v1/orders", key: "a-key" }
}

fn response() -> StoredResponse {
    StoredResponse {
        status: 201,
        headers: vec![
            ("content-type".into(), "application/json".into()),
            ("location".into(), "/api/v1/orders/1".into()),
        ],
        body: "{\"ad\":\"Şükrü\"}".into(),
    }
}

/// Begins and commits, as before a call to a provider.
async fn begin_alone(postgres: &Postgres, fingerprint: [u8; 32], now: Timestamp) -> Begin {
    let mut tx = postgres.tenant(tenant(1)).await.unwrap();
    let begun = begin(&mut tx, &scope(), &fingerprint, LEASE, now).await.unwrap();
    tx.commit().await.unwrap();
    begun
}

async fn finish_alone(postgres: &Postgres, claim: Claim) -> Result<(), StoreError> {
    let mut tx = postgres.tenant(tenant(1)).await.unwrap();
    finish(&mut tx, &scope(), claim, &response()).await?;
    tx.commit().await
}

fn claim(begun: Begin) -> Claim {
    match begun {
        Begin::Fresh(claim) => claim,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let database = TestDatabase::new().await.unwrap();
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    let first = claim(begin(&mut tx, &scope(), &BODY, LEASE, NOW).await.unwrap());
    finish(&mut tx, &scope(), first, &response()).await.unwrap();
    tx.commit().await.unwrap();
    // Also long after the lease.
    for now in [NOW, NOW.plus_seconds(86_400)] {
        assert_eq!(begin_alone(database.postgres(), BODY, now).await, Begin::Replay(response()));
    }
}

#[tokio::test]
async fn a_rolled_back_write_leaves_the_key_free() {
    let database = TestDatabase::new().await.unwrap();
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    let first = claim(begin(&mut tx, &scope(), &BODY, LEASE, NOW).await.unwrap());
    finish(&mut tx, &scope(), first, &response()).await.unwrap();
    tx.rollback().await.unwrap();
    claim(begin_alone(database.postgres(), BODY, NOW).await);
}

#[tokio::test]
async fn a_running_request_is_not_run_again_and_another_body_is_no_repetition() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    let first = claim(begin_alone(postgres, BODY, NOW).await);
    assert_eq!(begin_alone(postgres, BODY, NOW.plus_seconds(29)).await, Begin::Running);
    assert_eq!(begin_alone(postgres, [8; 32], NOW).await, Begin::Mismatch);
    // An ended lease is no licence for another body either.
    assert_eq!(begin_alone(postgres, [8; 32], NOW.plus_seconds(60)).await, Begin::Mismatch);
    finish_alone(postgres, first).await.unwrap();
    assert_eq!(begin_alone(postgres, [8; 32], NOW).await, Begin::Mismatch);
}

#[tokio::test]
async fn after_its_lease_the_key_is_free_and_the_old_holder_is_fenced_off() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    let old = claim(begin_alone(postgres, BODY, NOW).await);
    let new = claim(begin_alone(postgres, BODY, NOW.plus_seconds(30)).await);
    assert!(matches!(finish_alone(postgres, old).await, Err(StoreError::LeaseLost)));
    assert_eq!(begin_alone(postgres, BODY, NOW.plus_seconds(31)).await, Begin::Running);
    finish_alone(postgres, new).await.unwrap();
    assert!(matches!(finish_alone(postgres, new).await, Err(StoreError::LeaseLost)));
}

#[tokio::test]
async fn the_same_key_elsewhere_is_another_key() {
    let database = TestDatabase::new().await.unwrap();
    claim(begin_alone(database.postgres(), BODY, NOW).await);
    let others = [
        (tenant(2), scope()),
        (tenant(1), Scope { user: user(2), ..scope() }),
        (tenant(1), Scope { route: "POST /api/v1/refunds", ..scope() }),
        (tenant(1), Scope { key: "A-key", ..scope() }),
    ];
    for (tenant, scope) in others {
        let mut tx = database.postgres().tenant(tenant).await.unwrap();
        claim(begin(&mut tx, &scope, &BODY, LEASE, NOW).await.unwrap());
    }
}

#[tokio::test]
async fn old_records_are_pruned() {
    let database = TestDatabase::new().await.unwrap();
    claim(begin_alone(database.postgres(), BODY, NOW).await);
    let mut platform = database.postgres().platform().await.unwrap();
    let end = NOW.plus_seconds(ANSWERS.days * 24 * 3600);
    assert_eq!(platform.delete_what_is_due(end.plus_seconds(-1), 10).await.unwrap(), 0);
    assert_eq!(platform.delete_what_is_due(end, 10).await.unwrap(), 1);
}

/// One request: begin, write an enrolment, finish, commit.
async fn write_once(postgres: &Postgres, racer: usize) -> Begin {
    let mut tx = postgres.tenant(tenant(1)).await.unwrap();
    let begun = begin(&mut tx, &scope(), &BODY, LEASE, NOW).await.unwrap();
    if let Begin::Fresh(claim) = begun {
        write(&mut tx, racer).await;
        finish(&mut tx, &scope(), claim, &response()).await.unwrap();
    }
    tx.commit().await.unwrap();
    begun
}

async fn write(tx: &mut akademi_lambda_store::postgres::TenantTransaction, racer: usize) {
    sqlx::query(
        "INSERT INTO enrolment (tenant_id, id, user_id, course_id, source, created_at) VALUES ($1, $2, $1, $1, 'order', 0)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(user(racer as u8).as_uuid())
    .execute(tx.connection())
    .await
    .unwrap();
}

async fn effects(postgres: &Postgres) -> i64 {
    let mut tx = postgres.tenant(tenant(1)).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM enrolment").fetch_one(tx.connection()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_16_at_once_one_writes_and_the_others_replay() {
    let database = TestDatabase::new().await.unwrap();
    let barrier = Arc::new(Barrier::new(RACERS));
    let mut tasks = JoinSet::new();
    for racer in 0..RACERS {
        let (postgres, barrier) = (database.postgres().clone(), barrier.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            write_once(&postgres, racer).await
        });
    }
    let outcomes = tasks.join_all().await;
    let fresh = outcomes.iter().filter(|outcome| matches!(outcome, Begin::Fresh(_))).count();
    let replayed = outcomes.iter().filter(|outcome| **outcome == Begin::Replay(response())).count();
    println!("{RACERS} at once: {fresh} fresh, {replayed} replayed");
    assert_eq!((fresh, replayed), (1, RACERS - 1));
    assert_eq!(effects(database.postgres()).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_unique_key_the_16_write_more_than_once() {
    let database = TestDatabase::new().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    sqlx::raw_sql("ALTER TABLE idempotency DROP CONSTRAINT idempotency_pkey")
        .execute(&mut superuser)
        .await
        .unwrap();
    let looked = Arc::new(Barrier::new(RACERS));
    let mut tasks = JoinSet::new();
    for racer in 0..RACERS {
        let (postgres, looked) = (database.postgres().clone(), looked.clone());
        tasks.spawn(async move {
            // Look, then write: what remains of `begin` without the key.
            let mut tx = postgres.tenant(tenant(1)).await.unwrap();
            let there: bool =
                sqlx::query_scalar("SELECT EXISTS (SELECT FROM idempotency WHERE key = 'a-key')")
                    .fetch_one(tx.connection())
                    .await
                    .unwrap();
            looked.wait().await;
            if !there {
                sqlx::query(
                    "INSERT INTO idempotency
                         (tenant_id, user_id, route, key, fingerprint, state, fence, lease_until, created_at)
                     VALUES ($1, $1, 'r', 'a-key', '', 'running', 1, 0, 0)",
                )
                .bind(tx.tenant().as_uuid())
                .execute(tx.connection())
                .await
                .unwrap();
                write(&mut tx, racer).await;
            }
            tx.commit().await.unwrap();
        });
    }
    tasks.join_all().await;
    let effects = effects(database.postgres()).await;
    println!("without the key: {effects} writes of {RACERS}");
    assert!(effects > 1, "{effects}");
}
