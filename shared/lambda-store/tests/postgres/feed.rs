//! Numbering of committed events, and what a reader with a cursor sees.

use akademi_lambda_store::{
    error::StoreError,
    feed::{MAX_PAYLOAD_BYTES, NumberedEvent, append_event, publish},
    postgres::TenantTransaction,
    testing::TestDatabase,
};
use serde_json::json;
use sqlx::{PgConnection, Row};

use crate::{NOW, tenant};

async fn append(tx: &mut TenantTransaction, n: u32) {
    append_event(tx, "course_published", 1, &json!({ "n": n }), NOW).await.unwrap();
}

async fn append_and_commit(database: &TestDatabase, n: u32) {
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    append(&mut tx, n).await;
    tx.commit().await.unwrap();
}

async fn read(database: &TestDatabase, after: u64) -> Vec<NumberedEvent> {
    database.postgres().platform().await.unwrap().read_events(after, 100, usize::MAX).await.unwrap()
}

fn payloads(events: &[NumberedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.payload["n"].as_u64().unwrap()).collect()
}

/// The feed without a publisher: the sequence's id is the number.
async fn read_by_sequence(superuser: &mut PgConnection, after: i64) -> Vec<(i64, u64)> {
    let rows = sqlx::query("SELECT id, payload FROM feed_event WHERE id > $1 ORDER BY id")
        .bind(after)
        .fetch_all(superuser)
        .await
        .unwrap();
    let payload =
        |row: &sqlx::postgres::PgRow| row.get::<serde_json::Value, _>("payload")["n"].as_u64().unwrap();
    rows.iter().map(|row| (row.get("id"), payload(row))).collect()
}

#[tokio::test]
async fn a_reader_loses_nothing_when_a_commit_comes_late_and_another_never() {
    let database = TestDatabase::new().await.unwrap();
    let mut late = database.postgres().tenant(tenant(1)).await.unwrap();
    append(&mut late, 1).await;
    let mut never = database.postgres().tenant(tenant(2)).await.unwrap();
    append(&mut never, 2).await;
    append_and_commit(&database, 3).await;
    never.rollback().await.unwrap();

    assert_eq!(publish(database.postgres()).await.unwrap(), 1);
    let seen = read(&database, 0).await;
    assert_eq!((payloads(&seen), seen[0].number), (vec![3], 1));
    late.commit().await.unwrap();
    append_and_commit(&database, 4).await;
    assert_eq!(publish(database.postgres()).await.unwrap(), 2);
    let rest = read(&database, 1).await;
    assert_eq!(payloads(&rest), [1, 4]);
    // No gap where the rollback was.
    assert_eq!(rest.iter().map(|event| event.number).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(rest[0].tenant, tenant(1));
    assert_eq!((rest[0].kind.as_str(), rest[0].version, rest[0].created_at), ("course_published", 1, NOW));
}

#[tokio::test]
async fn a_reader_by_the_sequence_loses_the_late_commit() {
    let database = TestDatabase::new().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let mut late = database.postgres().tenant(tenant(1)).await.unwrap();
    append(&mut late, 1).await;
    append_and_commit(&database, 3).await;

    let seen = read_by_sequence(&mut superuser, 0).await;
    let cursor = seen.last().unwrap().0;
    late.commit().await.unwrap();
    let rest = read_by_sequence(&mut superuser, cursor).await;
    let all: Vec<u64> = seen.iter().chain(&rest).map(|(_, n)| *n).collect();
    assert_eq!(all, [3], "event 1 is committed, and behind the cursor");
}

#[tokio::test]
async fn an_unpublished_event_is_read_by_nobody() {
    let database = TestDatabase::new().await.unwrap();
    append_and_commit(&database, 1).await;
    assert!(read(&database, 0).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_at_once_number_nothing_twice() {
    const WRITERS: u32 = 4;
    const EACH: u32 = 40;
    let database = TestDatabase::new().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let postgres = database.postgres().clone();
        tasks.spawn(async move {
            for n in 0..EACH {
                let mut tx = postgres.tenant(tenant(writer as u8)).await.unwrap();
                append(&mut tx, writer * EACH + n).await;
                if n % 5 == 4 { tx.rollback().await.unwrap() } else { tx.commit().await.unwrap() }
            }
            0
        });
    }
    for _ in 0..4 {
        let postgres = database.postgres().clone();
        tasks.spawn(async move {
            let mut total = 0;
            for _ in 0..20 {
                total += publish(&postgres).await.unwrap();
            }
            total
        });
    }
    let during: u64 = tasks.join_all().await.iter().sum();
    let total = during + publish(database.postgres()).await.unwrap();
    let committed = u64::from(WRITERS * EACH * 4 / 5);
    assert_eq!(total, committed);

    let mut events: Vec<NumberedEvent> = Vec::new();
    loop {
        let page = read(&database, events.last().map_or(0, |event| event.number)).await;
        if page.is_empty() {
            break;
        }
        events.extend(page);
    }
    let numbers: Vec<u64> = events.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (1..=committed).collect::<Vec<_>>());
    println!("{committed} events numbered by 4 publishers, {during} while they were written");
    // In insertion order for each writer.
    for writer in 0..WRITERS {
        let own: Vec<u64> = payloads(
            &events.iter().filter(|e| e.tenant == tenant(writer as u8)).cloned().collect::<Vec<_>>(),
        );
        assert!(own.is_sorted(), "{own:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers_without_the_lock_give_one_event_two_numbers() {
    // The publisher's statement, without waiting for the publisher before.
    const NUMBER: &str = "WITH pending AS (SELECT id FROM feed_event WHERE number IS NULL), head AS (
             UPDATE feed_state SET last_number = last_number + (SELECT count(*) FROM pending) RETURNING last_number
         )
         UPDATE feed_event SET number = head.last_number FROM pending, head WHERE feed_event.id = pending.id";
    let database = TestDatabase::new().await.unwrap();
    append_and_commit(&database, 1).await;
    let mut first = database.superuser().await.unwrap();
    let mut second = database.superuser().await.unwrap();
    sqlx::raw_sql("BEGIN").execute(&mut first).await.unwrap();
    assert_eq!(sqlx::raw_sql(NUMBER).execute(&mut first).await.unwrap().rows_affected(), 1);
    let second =
        tokio::spawn(
            async move { sqlx::raw_sql(NUMBER).execute(&mut second).await.unwrap().rows_affected() },
        );
    let mut watcher = database.superuser().await.unwrap();
    loop {
        // Until the second has looked at what is pending and waits for the first one's row.
        let waiting: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
            .fetch_one(&mut watcher)
            .await
            .unwrap();
        if waiting {
            break;
        }
    }
    sqlx::raw_sql("COMMIT").execute(&mut first).await.unwrap();
    assert_eq!(second.await.unwrap(), 1, "the same event again");
    assert_eq!(read(&database, 0).await[0].number, 2, "a reader that had seen number 1 applies it twice");
}

#[tokio::test]
async fn more_than_one_transaction_full_is_numbered_in_order() {
    let database = TestDatabase::new().await.unwrap();
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    sqlx::query(
        "INSERT INTO feed_event (tenant_id, kind, version, payload, created_at)
         SELECT $1, 'k', 1, jsonb_build_object('n', n), 0 FROM generate_series(1, 2500) AS n ORDER BY n",
    )
    .bind(tenant(1).as_uuid())
    .execute(tx.connection())
    .await
    .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(publish(database.postgres()).await.unwrap(), 2500);
    let page = read(&database, 1950).await;
    assert_eq!(page.len(), 100);
    assert!(page.iter().all(|event| event.payload["n"] == event.number));
}

#[tokio::test]
async fn a_batch_ends_before_its_bytes_but_never_empty() {
    let database = TestDatabase::new().await.unwrap();
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    let long = "ş".repeat(50_000);
    for _ in 0..8 {
        append_event(&mut tx, "k", 1, &json!({ "text": long }), NOW).await.unwrap();
    }
    tx.commit().await.unwrap();
    publish(database.postgres()).await.unwrap();
    let mut platform = database.postgres().platform().await.unwrap();
    let sizes = [(usize::MAX, 100, 5), (250_000, 100, 2), (10, 100, 1), (usize::MAX, 3, 3)];
    for (max_bytes, limit, events) in sizes {
        let page = platform.read_events(0, limit, max_bytes).await.unwrap();
        assert_eq!(page.len(), events, "{max_bytes} bytes, {limit} events");
    }
}

#[tokio::test]
async fn a_payload_that_fits_no_batch_is_refused() {
    let database = TestDatabase::new().await.unwrap();
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    let long = json!("x".repeat(MAX_PAYLOAD_BYTES));
    let error = append_event(&mut tx, "k", 1, &long, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }));
}

#[tokio::test]
async fn only_what_was_acknowledged_is_pruned() {
    let database = TestDatabase::new().await.unwrap();
    for n in 1..=5 {
        append_and_commit(&database, n).await;
    }
    publish(database.postgres()).await.unwrap();
    let mut platform = database.postgres().platform().await.unwrap();
    assert_eq!(platform.prune_acknowledged(100).await.unwrap(), 0);
    platform.acknowledge(3).await.unwrap();
    platform.acknowledge(2).await.unwrap();
    assert_eq!(platform.prune_acknowledged(2).await.unwrap(), 2);
    assert_eq!(platform.prune_acknowledged(100).await.unwrap(), 1);
    platform.commit().await.unwrap();
    assert_eq!(payloads(&read(&database, 3).await), [4, 5]);
    let mut platform = database.postgres().platform().await.unwrap();
    let head = platform.feed_head().await.unwrap();
    assert_eq!((head.source.as_str(), head.last_number, head.acknowledged), ("lambda", 5, 3));
    let beyond = platform.acknowledge(6).await.unwrap_err();
    assert_eq!(beyond.constraint(), Some("feed_state_acknowledged"));
}

#[tokio::test]
async fn a_restore_starts_an_epoch_that_readers_see() {
    let database = TestDatabase::new().await.unwrap();
    let mut platform = database.postgres().platform().await.unwrap();
    let before = platform.feed_head().await.unwrap().epoch;
    platform.start_epoch("after-restore").await.unwrap();
    assert_ne!(before, "after-restore");
    assert_eq!(platform.feed_head().await.unwrap().epoch, "after-restore");
}
