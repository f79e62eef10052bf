//! The cursor of a source, as it stands in the database.

use akademi_lambda_store::{
    inbox::{Advance, Cursor, advance_cursor, decide},
    platform::PlatformTransaction,
    testing::TestDatabase,
};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

use crate::{NOW, tenant};

async fn apply(database: &TestDatabase, from: u64, to: u64) -> Advance {
    let mut platform = database.postgres().platform().await.unwrap();
    let advance = advance_cursor(&mut platform, "edge-1", "a", from, to).await.unwrap();
    if advance == Advance::Advanced {
        count(&mut platform, to - from).await;
    }
    platform.commit().await.unwrap();
    advance
}

/// The effect of a batch: as many seconds as it has events.
async fn count(platform: &mut PlatformTransaction, events: u64) {
    let tx = platform.tenant(tenant(1)).await.unwrap();
    sqlx::query("UPDATE progress_summary SET seconds = seconds + $1")
        .bind(events as i64)
        .execute(tx.connection())
        .await
        .unwrap();
}

async fn applied(database: &TestDatabase) -> i64 {
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    sqlx::query_scalar("SELECT seconds FROM progress_summary").fetch_one(tx.connection()).await.unwrap()
}

async fn with_counter() -> TestDatabase {
    let database = TestDatabase::new().await.unwrap();
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    sqlx::query(
        "INSERT INTO progress_summary (tenant_id, user_id, lesson_id, course_id, seconds, permille, updated_at)
         VALUES ($1, $1, $1, $1, 0, 0, $2)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(NOW.as_millis())
    .execute(tx.connection())
    .await
    .unwrap();
    tx.commit().await.unwrap();
    database
}

#[tokio::test]
async fn a_batch_is_applied_once_and_a_gap_names_what_is_wanted() {
    let database = with_counter().await;
    assert_eq!(apply(&database, 5, 9).await, Advance::Gap { wanted: 0 });
    assert_eq!(apply(&database, 0, 5).await, Advance::Advanced);
    assert_eq!(apply(&database, 0, 5).await, Advance::Repeated);
    assert_eq!(apply(&database, 3, 8).await, Advance::Gap { wanted: 5 });
    assert_eq!(apply(&database, 7, 9).await, Advance::Gap { wanted: 5 });
    assert_eq!(apply(&database, 5, 9).await, Advance::Advanced);
    assert_eq!(applied(&database).await, 9);
}

#[tokio::test]
async fn what_was_not_committed_was_not_applied() {
    let database = with_counter().await;
    let mut platform = database.postgres().platform().await.unwrap();
    assert_eq!(advance_cursor(&mut platform, "edge-1", "a", 0, 5).await.unwrap(), Advance::Advanced);
    platform.rollback().await.unwrap();
    let mut platform = database.postgres().platform().await.unwrap();
    assert_eq!(platform.cursor("edge-1").await.unwrap(), None);
}

/// A source that stands at 2, since the making of its row would keep racers apart too, and 16 transactions.
async fn racers() -> (TestDatabase, Vec<PlatformTransaction>) {
    let database = with_counter().await;
    assert_eq!(apply(&database, 0, 2).await, Advance::Advanced);
    let mut transactions = Vec::new();
    for _ in 0..16 {
        transactions.push(database.postgres().platform().await.unwrap());
    }
    (database, transactions)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_batch_sent_16_times_at_once_is_applied_once() {
    let (database, transactions) = racers().await;
    let mut tasks = JoinSet::new();
    for mut platform in transactions {
        tasks.spawn(async move {
            let advance = advance_cursor(&mut platform, "edge-1", "a", 2, 7).await.unwrap();
            if advance == Advance::Advanced {
                count(&mut platform, 5).await;
            }
            platform.commit().await.unwrap();
            advance
        });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Advance::Advanced).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Advance::Repeated).count(), 15);
    assert_eq!(applied(&database).await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_cursors_lock_it_is_applied_again_and_again() {
    let (database, transactions) = racers().await;
    let looked = Arc::new(Barrier::new(transactions.len()));
    let mut tasks = JoinSet::new();
    for mut platform in transactions {
        let looked = looked.clone();
        tasks.spawn(async move {
            let cursor = platform.cursor("edge-1").await.unwrap().unwrap();
            looked.wait().await;
            if decide(&cursor, "a", 2, 7) == Advance::Advanced {
                platform.set_cursor("edge-1", "a", 7).await.unwrap();
                count(&mut platform, 5).await;
            }
            platform.commit().await.unwrap();
        });
    }
    tasks.join_all().await;
    let applied = applied(&database).await;
    println!("without the lock: {applied} seconds instead of 7");
    assert!(applied > 7);
}

#[tokio::test]
async fn a_restored_source_is_applied_again_after_a_rebuild_only() {
    let database = with_counter().await;
    assert_eq!(apply(&database, 0, 5).await, Advance::Advanced);
    let mut platform = database.postgres().platform().await.unwrap();
    let other = advance_cursor(&mut platform, "edge-1", "b", 5, 6).await.unwrap();
    assert_eq!(other, Advance::OtherEpoch { known: "a".into() });
    platform.set_cursor("edge-1", "b", 2).await.unwrap();
    assert_eq!(advance_cursor(&mut platform, "edge-1", "b", 2, 3).await.unwrap(), Advance::Advanced);
    let cursor = platform.cursor("edge-1").await.unwrap();
    assert_eq!(cursor, Some(Cursor { epoch: "b".into(), number: 3 }));
}
