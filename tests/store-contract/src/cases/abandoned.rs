//! A caller that goes away in the midst of its statement, as one whose client hung up.

use akademi_edge_store::{Database, Statement};

use crate::{
    abandon::abandon_after,
    expect::{Failure, Outcome, equal},
    schema::{insert_value, integers, row, statement},
};

/// How many polls a caller waits: from none to so many that the work is done, where waiting takes that long.
const POLLS: [usize; 18] = [0, 1, 2, 3, 4, 5, 6, 8, 11, 16, 22, 32, 45, 64, 128, 256, 1024, 4096];

fn of_attempt(attempt: i64) -> Statement {
    statement("SELECT id FROM contract_value WHERE whole = ?1 ORDER BY id", [attempt.into()])
}

pub async fn an_abandoned_batch_is_whole_or_not_there(database: &dyn Database) -> Outcome {
    let insert = |id: i64, attempt: i64| {
        let sql = "INSERT INTO contract_value (id, whole) VALUES (?1, ?2) RETURNING id";
        statement(sql, [id.into(), attempt.into()])
    };
    let mut abandoned = 0;
    for (polls, attempt) in POLLS.into_iter().zip(1..) {
        let ids: Vec<i64> = (1..=5).map(|n| attempt * 10 + n).collect();
        let batch = database.batch(ids.iter().map(|&id| insert(id, attempt)).collect());
        let is_done = abandon_after(polls, batch).await.transpose()?.is_some();
        abandoned += i32::from(!is_done);

        let after = -attempt;
        let next = vec![insert_value(after), statement("SELECT 1 AS one", [])];
        equal("the next batch", database.batch(next).await?, vec![vec![], vec![row([1.into()])]])?;
        let found = integers(database, of_attempt(attempt)).await?;
        if found != ids && (is_done || !found.is_empty()) {
            return Err(Failure(format!("after {polls} polls: found {found:?} of {ids:?}")));
        }
        // It was committed: another connection sees it.
        let seen = statement("SELECT id FROM contract_value WHERE id = ?1", [after.into()]);
        equal("seen by others", integers(database, seen).await?, [after])?;
    }
    equal("some were abandoned", abandoned > 0, true)
}

pub async fn an_abandoned_query_holds_nothing(database: &dyn Database) -> Outcome {
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
               SELECT i FROM n";
    for (polls, id) in POLLS.into_iter().zip(1..) {
        if let Some(rows) = abandon_after(polls, database.query(statement(sql, []))).await {
            equal("rows", rows?.len(), 10_000)?;
        }
        database.batch(vec![insert_value(id)]).await?;
        let last = statement("SELECT max(id) AS last FROM contract_value", []);
        equal("the next query", integers(database, last).await?, [id])?;
    }
    Ok(())
}
