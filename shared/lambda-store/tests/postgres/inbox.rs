//! The cursor of a source, as it stands in the database.

use akademi_lambda_store::{
    inbox::{Advance, Cursor, advance_cursor},
    testing::TestDatabase,
};

use crate::{NOW, tenant};

async fn apply(database: &TestDatabase, from: u64, to: u64) -> Advance {
    let mut platform = database.postgres().platform().await.unwrap();
    let advance = advance_cursor(&mut platform, "edge-1", "a", from, to).await.unwrap();
    if advance == Advance::Advanced {
        let tx = platform.tenant(tenant(1)).await.unwrap();
        sqlx::query("UPDATE progress_summary SET seconds = seconds + $1")
            .bind((to - from) as i64)
            .execute(tx.connection())
            .await
            .unwrap();
    }
    platform.commit().await.unwrap();
    advance
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_batch_sent_16_times_at_once_is_applied_once() {
    let database = std::sync::Arc::new(with_counter().await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let database = database.clone();
        tasks.spawn(async move { apply(&database, 0, 7).await });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Advance::Advanced).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Advance::Repeated).count(), 15);
    assert_eq!(applied(&database).await, 7);
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
