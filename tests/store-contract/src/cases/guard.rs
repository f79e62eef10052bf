//! The condition of a batch: its outcome goes into `guard`, which refuses a NULL.

use akademi_edge_store::{Database, Platform, Statement, StoreError};

use crate::{
    expect::{Outcome, equal, error},
    schema::{insert_value, integers, statement, values},
};

/// Holds if the counter has this version.
pub fn counter_is_at(version: i64) -> Statement {
    let sql =
        "INSERT INTO guard (ok) VALUES ((SELECT 1 FROM contract_counter WHERE id = 1 AND version = ?1))";
    statement(sql, [version.into()])
}

async fn guard_is_empty(database: &dyn Database) -> Outcome {
    let rows = statement("SELECT count(*) AS many FROM guard", []);
    equal("rows of guard", integers(database, rows).await?, [0])
}

pub async fn a_condition_that_holds_lets_the_batch_through(database: &dyn Database) -> Outcome {
    database.batch(vec![counter_is_at(0), insert_value(1), insert_value(2), Platform::clear_guard()]).await?;
    equal("done", values(database).await?, [1, 2])?;
    guard_is_empty(database).await
}

pub async fn a_condition_that_fails_leaves_nothing(database: &dyn Database) -> Outcome {
    for _ in 0..2 {
        let batch = vec![counter_is_at(5), insert_value(1), insert_value(2), Platform::clear_guard()];
        equal("the error", error("the batch", database.batch(batch).await)?, StoreError::Guard)?;
        equal("nothing", values(database).await?, [0; 0])?;
        guard_is_empty(database).await?;
    }
    a_condition_that_holds_lets_the_batch_through(database).await
}

pub async fn a_condition_that_fails_late_undoes_what_came_before(database: &dyn Database) -> Outcome {
    let batch = vec![
        counter_is_at(0),
        Platform::clear_guard(),
        insert_value(1),
        counter_is_at(1),
        insert_value(2),
        Platform::clear_guard(),
    ];
    equal("the error", error("the batch", database.batch(batch).await)?, StoreError::Guard)?;
    equal("nothing", values(database).await?, [0; 0])?;
    guard_is_empty(database).await
}
