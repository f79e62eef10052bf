//! Many writers at once. The twin reads the head without its lock.

use akademi_domain::{
    ids::{AuditId, TenantId},
    time::Timestamp,
};
use futures::future::join_all;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Barrier;

use super::{BEFORE_ALL, Head, NewEntry, Verdict, append, chain, verification::find_head, verify};
use crate::{error::StoreError, postgres::Postgres, testing::TestDatabase};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const WRITERS: u8 = 32;

fn academy() -> TenantId {
    TenantId::new(NOW, [1; 10])
}

fn entry(n: u8) -> NewEntry {
    NewEntry {
        id: AuditId::new(NOW, [n; 10]),
        at: NOW.plus_seconds(n.into()),
        action: "price.set".into(),
        actor: None,
        target: format!("course:{n}"),
        origin: Vec::new(),
        sealed_for: None,
        change: Some(json!({ "before": { "amount": n }, "after": { "amount": n + 1 } })),
    }
}

/// One transaction; with `together`, all have read the head before the first writes, which a lock makes impossible.
async fn write(postgres: &Postgres, n: u8, together: Option<&Barrier>) -> Result<bool, StoreError> {
    let mut tx = postgres.tenant(academy()).await?;
    let new = match together {
        None => append(&mut tx, entry(n)).await?,
        Some(barrier) => {
            let head = find_head(&mut tx).await?;
            barrier.wait().await;
            chain(&mut tx, head.unwrap_or(Head { number: 0, hash: BEFORE_ALL }), &entry(n)).await?
        }
    };
    tx.commit().await?;
    Ok(new)
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_writers_leave_one_chain_without_gaps() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    let written = join_all((0..WRITERS).map(|n| write(postgres, n, None))).await;
    assert!(written.iter().all(|new| matches!(new, Ok(true))), "{written:?}");
    assert_eq!(verify(postgres, academy()).await.unwrap(), Verdict::Whole { entries: WRITERS.into() });
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_they_lose_entries() {
    let database = TestDatabase::new().await.unwrap();
    let postgres = database.postgres();
    write(postgres, 0, None).await.unwrap();
    let together = Arc::new(Barrier::new(8));
    let written = join_all((1..=8).map(|n| write(postgres, n, Some(&together)))).await;
    assert_eq!(written.iter().filter(|new| new.is_ok()).count(), 1, "{written:?}");
    // And where the schema does not refuse the second entry of a number, the chain forks.
    let mut superuser = database.superuser().await.unwrap();
    sqlx::raw_sql(
        "ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_pkey; DROP TRIGGER audit_head_advances ON audit_head",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    let written = join_all((11..=18).map(|n| write(postgres, n, Some(&together)))).await;
    assert!(written.iter().all(Result::is_ok), "{written:?}");
    assert_eq!(verify(postgres, academy()).await.unwrap(), Verdict::Broken { number: 3 });
}
