//! Numbers of invoices: none twice, none left out, whoever rolls back.

use akademi_lambda_store::{
    error::StoreError,
    invoices::{TakenNumber, take_number},
    postgres::{Postgres, TenantTransaction},
    testing::TestDatabase,
};
use futures::future::BoxFuture;
use std::{collections::BTreeSet, sync::Arc};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{NOW, tenant};

const WRITERS: u32 = 32;
const ROUNDS: u32 = 5;

/// How a transaction gets its number.
type Take = fn(&mut TenantTransaction) -> BoxFuture<'_, u32>;

fn take(tx: &mut TenantTransaction) -> BoxFuture<'_, u32> {
    Box::pin(async { take_number(tx, "EDU", 2026, NOW).await.unwrap().sequence })
}

/// The twin: the database's own sequence.
fn take_from_sequence(tx: &mut TenantTransaction) -> BoxFuture<'_, u32> {
    Box::pin(async {
        let next = sqlx::query_scalar("SELECT nextval('twin_number')").fetch_one(tx.connection()).await;
        u32::try_from(next.map(|next: i64| next).unwrap()).unwrap()
    })
}

/// What 32 writers at once keep, of whom every third rolls back.
async fn race(database: &TestDatabase, take: Take) -> BTreeSet<u32> {
    let postgres = Postgres::new(database.options(), WRITERS);
    let barrier = Arc::new(Barrier::new(WRITERS as usize));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (postgres, barrier) = (postgres.clone(), barrier.clone());
        writers.spawn(async move {
            let mut kept = Vec::new();
            barrier.wait().await;
            for round in 0..ROUNDS {
                let mut tx = postgres.tenant(tenant(1)).await.unwrap();
                let number = take(&mut tx).await;
                tokio::task::yield_now().await;
                if (writer + round) % 3 == 0 {
                    tx.rollback().await.unwrap();
                } else {
                    tx.commit().await.unwrap();
                    kept.push(number);
                }
            }
            kept
        });
    }
    let kept: Vec<u32> = writers.join_all().await.into_iter().flatten().collect();
    let numbers: BTreeSet<u32> = kept.iter().copied().collect();
    assert_eq!(numbers.len(), kept.len(), "none twice");
    numbers
}

/// How many numbers below the last are missing.
fn gaps(numbers: &BTreeSet<u32>) -> usize {
    numbers.last().map_or(0, |last| *last as usize) - numbers.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_have_no_gaps_whoever_rolls_back() {
    let database = TestDatabase::new().await.unwrap();
    let numbers = race(&database, take).await;
    assert_eq!(gaps(&numbers), 0, "{numbers:?}");
    assert!(numbers.len() > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_leaves_gaps() {
    let database = TestDatabase::new().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let create = "CREATE SEQUENCE twin_number; GRANT USAGE ON twin_number TO akademi_app";
    sqlx::raw_sql(create).execute(&mut superuser).await.unwrap();
    assert!(gaps(&race(&database, take_from_sequence).await) > 0);
}

#[tokio::test]
async fn each_academy_series_and_year_counts_from_one_and_never_back_in_time() {
    let database = TestDatabase::new().await.unwrap();
    let take = async |academy, series, year, now| {
        let mut tx = database.postgres().tenant(tenant(academy)).await.unwrap();
        let taken = take_number(&mut tx, series, year, now).await.unwrap();
        tx.commit().await.unwrap();
        taken
    };
    let first = TakenNumber { sequence: 1, issued_at: NOW };
    for (academy, series, year) in [(1, "EDU", 2026), (1, "EAR", 2026), (1, "EDU", 2027), (2, "EDU", 2026)] {
        assert_eq!(take(academy, series, year, NOW).await, first);
    }
    // A clock that is behind.
    let second = take(1, "EDU", 2026, NOW.plus_seconds(-90)).await;
    assert_eq!(second, TakenNumber { sequence: 2, issued_at: NOW });
}

#[tokio::test]
async fn a_full_series_gives_no_number() {
    let database = TestDatabase::new().await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    take(&mut tx).await;
    tx.commit().await.unwrap();
    sqlx::raw_sql("UPDATE invoice_series SET last_number = 999999999").execute(&mut superuser).await.unwrap();
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    let refused =
        take_number(&mut tx, "EDU", 2026, NOW).await.map_err(|error| error.constraint().map(str::to_owned));
    assert_eq!(refused, Err(Some("invoice_series_full".to_owned())));
}

#[tokio::test]
async fn a_series_never_goes_back_by_a_delete() {
    let database = TestDatabase::new().await.unwrap();
    let mut tx = database.postgres().tenant(tenant(1)).await.unwrap();
    let refused =
        sqlx::query("DELETE FROM invoice_series").execute(tx.connection()).await.map_err(StoreError::from);
    assert!(matches!(refused, Err(StoreError::Forbidden(_))), "{refused:?}");
}
