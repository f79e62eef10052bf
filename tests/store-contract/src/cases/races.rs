//! Writers that read, compute and write, all at once.

use akademi_edge_store::{Database, Platform, StoreError};
use futures::future::try_join_all;

use crate::{
    cases::guard::counter_is_at,
    expect::{Failure, Outcome, equal},
    schema::statement,
};

const WRITERS: i64 = 12;

/// The counter and its version, as somebody read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    value: i64,
    version: i64,
}

async fn read(database: &dyn Database) -> Result<Seen, StoreError> {
    let sql = "SELECT value, version FROM contract_counter WHERE id = 1";
    let rows = database.query(statement(sql, [])).await?;
    let row = rows.first().ok_or_else(|| StoreError::Engine("the counter is gone".into()))?;
    Ok(Seen { value: row.integer(0)?, version: row.integer(1)? })
}

/// Writes one more than was seen, if nobody else has written since and `is_guarded`.
async fn write(database: &dyn Database, seen: Seen, is_guarded: bool) -> Result<(), StoreError> {
    let sql = "UPDATE contract_counter SET value = ?1, version = version + 1 WHERE id = 1";
    let mut batch = vec![statement(sql, [(seen.value + 1).into()])];
    if is_guarded {
        batch.insert(0, counter_is_at(seen.version));
        batch.push(Platform::clear_guard());
    }
    database.batch(batch).await.map(drop)
}

/// Adds one. Of the writers that are left, one at least gets through in each round.
async fn increment(database: &dyn Database, mut seen: Seen, is_guarded: bool) -> Outcome {
    for _ in 0..WRITERS {
        match write(database, seen, is_guarded).await {
            Err(StoreError::Guard) => seen = read(database).await?,
            done => return Ok(done?),
        }
    }
    Err(Failure("a writer never got through".into()))
}

/// What the counter holds when all writers have read before the first of them writes.
async fn after_the_race(database: &dyn Database, is_guarded: bool) -> Result<Seen, Failure> {
    let seen = try_join_all((0..WRITERS).map(|_| read(database))).await?;
    try_join_all(seen.into_iter().map(|seen| increment(database, seen, is_guarded))).await?;
    Ok(read(database).await?)
}

pub async fn concurrent_increments_with_versions_are_all_kept(database: &dyn Database) -> Outcome {
    let kept = Seen { value: WRITERS, version: WRITERS };
    equal("the counter", after_the_race(database, true).await?, kept)
}

/// The twin of the case above: without the condition, all writes are done and all but one lost.
pub async fn concurrent_increments_without_versions_are_lost(database: &dyn Database) -> Outcome {
    let lost = Seen { value: 1, version: WRITERS };
    equal("the counter", after_the_race(database, false).await?, lost)
}
