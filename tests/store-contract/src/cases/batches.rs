//! A batch is done whole or not at all.

use akademi_edge_store::{Constraint, Database, Statement, StoreError};

use crate::{
    expect::{Failure, Outcome, equal, error, refused},
    schema::{insert_parent, insert_value, integers, row, statement, values},
};

pub async fn each_statement_has_its_rows_and_sees_those_before_it(database: &dyn Database) -> Outcome {
    let count = || statement("SELECT count(*) AS many FROM contract_value", []);
    let answers = database.batch(vec![count(), insert_value(1), count(), insert_value(2), count()]).await?;
    let many = |count: i64| vec![row([count.into()])];
    equal("answers", answers, vec![many(0), vec![], many(1), vec![], many(2)])?;
    equal("stays", values(database).await?, [1, 2])
}

/// Runs `batch`, which must fail, and finds nothing of it; then a batch goes through as ever.
async fn leaves_nothing(database: &dyn Database, batch: Vec<Statement>) -> Result<StoreError, Failure> {
    let found = error("the batch", database.batch(batch).await)?;
    equal("after the failure", values(database).await?, [100])?;
    database.batch(vec![insert_value(101)]).await?;
    equal("after the next one", values(database).await?, [100, 101])?;
    Ok(found)
}

/// The row that a second one of its id is refused for.
async fn first_row(database: &dyn Database) -> Outcome {
    database.batch(vec![insert_value(100)]).await?;
    Ok(())
}

fn duplicate() -> StoreError {
    StoreError::Refused { constraint: Constraint::Unique, on: "contract_value.id".into() }
}

pub async fn a_first_statement_that_fails_leaves_nothing(database: &dyn Database) -> Outcome {
    first_row(database).await?;
    let batch = vec![insert_value(100), insert_value(1), insert_value(2)];
    equal("the error", leaves_nothing(database, batch).await?, duplicate())
}

pub async fn a_middle_statement_that_fails_leaves_nothing(database: &dyn Database) -> Outcome {
    first_row(database).await?;
    let batch = vec![insert_value(1), insert_value(100), insert_value(2)];
    equal("the error", leaves_nothing(database, batch).await?, duplicate())
}

pub async fn a_last_statement_that_fails_leaves_nothing(database: &dyn Database) -> Outcome {
    first_row(database).await?;
    let batch = vec![insert_value(1), insert_value(2), insert_value(100)];
    equal("the error", leaves_nothing(database, batch).await?, duplicate())
}

pub async fn a_commit_that_fails_leaves_nothing(database: &dyn Database) -> Outcome {
    first_row(database).await?;
    let late_child =
        || statement("INSERT INTO contract_late_child (id, parent_id) VALUES (1, ?1)", [7.into()]);
    let found = leaves_nothing(database, vec![insert_value(1), late_child(), insert_value(2)]).await?;
    equal("the error", found, StoreError::Refused { constraint: Constraint::ForeignKey, on: String::new() })?;

    // Its parent may come later in the same batch.
    database.batch(vec![late_child(), insert_parent(7, "Moda")]).await?;
    let children = statement("SELECT parent_id FROM contract_late_child", []);
    equal("the child", integers(database, children).await?, [7])?;
    // And must not go without it.
    let orphaned = vec![insert_value(1), statement("DELETE FROM contract_parent", [])];
    refused("the parent's end", database.batch(orphaned).await, Constraint::ForeignKey, "")?;
    equal("stays", values(database).await?, [100, 101])
}

pub async fn a_statement_that_ends_the_transaction_leaves_nothing(database: &dyn Database) -> Outcome {
    first_row(database).await?;
    let ending = statement("INSERT OR ROLLBACK INTO contract_value (id) VALUES (100)", []);
    let batch = vec![insert_value(1), ending, insert_value(2)];
    leaves_nothing(database, batch).await.map(drop)
}

pub async fn a_statement_that_fails_halfway_leaves_nothing(database: &dyn Database) -> Outcome {
    first_row(database).await?;
    // It keeps what it did until then, for whoever goes on.
    let halfway = || statement("INSERT OR FAIL INTO contract_value (id) VALUES (1), (100), (2)", []);
    equal("alone", leaves_nothing(database, vec![halfway()]).await?, duplicate())?;
    database.batch(vec![statement("DELETE FROM contract_value WHERE id = 101", [])]).await?;
    let batch = vec![insert_value(3), halfway(), insert_value(2)];
    equal("among others", leaves_nothing(database, batch).await?, duplicate())
}

pub async fn returning_gives_what_was_written(database: &dyn Database) -> Outcome {
    let insert = "INSERT INTO contract_value (id, words) VALUES (1, 'bir'), (2, 'iki') RETURNING id, words";
    let update = "UPDATE contract_value SET words = words || '!' WHERE id = ?1 RETURNING words";
    let delete = "DELETE FROM contract_value WHERE id = ?1 RETURNING id, words";
    let answers = database
        .batch(vec![
            statement(insert, []),
            statement(update, [2.into()]),
            statement(update, [3.into()]),
            statement(delete, [1.into()]),
        ])
        .await?;
    let pair = |id: i64, words: &str| row([id.into(), words.into()]);
    let expected =
        vec![vec![pair(1, "bir"), pair(2, "iki")], vec![row(["iki!".into()])], vec![], vec![pair(1, "bir")]];
    equal("answers", answers, expected)
}
