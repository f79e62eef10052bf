//! What comes back from a statement, and that a query only reads.

use akademi_edge_store::{Database, Row, Value};

use crate::{
    expect::{Failure, Outcome, engine_error, equal, error},
    schema::{insert_value, row, statement, values},
};

pub async fn an_empty_result_has_no_rows(database: &dyn Database) -> Outcome {
    let none = || statement("SELECT id, words FROM contract_value", []);
    equal("a query", database.query(none()).await?, Vec::<Row>::new())?;
    equal("a batch", database.batch(vec![none(), none()]).await?, vec![Vec::<Row>::new(); 2])
}

pub async fn statements_that_return_nothing_have_no_rows(database: &dyn Database) -> Outcome {
    let answers = database
        .batch(vec![
            statement("CREATE TABLE contract_brief (id INTEGER) STRICT", []),
            insert_value(1),
            statement("UPDATE contract_value SET words = 'x'", []),
            statement("DELETE FROM contract_value WHERE id = 2", []),
            statement("DROP TABLE contract_brief", []),
        ])
        .await?;
    equal("answers", answers, vec![Vec::<Row>::new(); 5])
}

pub async fn ten_thousand_rows_arrive_in_order(database: &dyn Database) -> Outcome {
    let sql = "INSERT INTO contract_value (id, whole, words) \
               WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
               SELECT i, i * 3, 'satır ' || i FROM n";
    database.batch(vec![statement(sql, [])]).await?;
    let read = || statement("SELECT id, whole, words FROM contract_value ORDER BY id DESC", []);
    let in_batch = database.batch(vec![read()]).await?;
    for rows in [database.query(read()).await?, in_batch.concat()] {
        equal("rows", rows.len(), 10_000)?;
        for (found, n) in rows.iter().zip((1..=10_000_i64).rev()) {
            let expected: [Value; 3] = [n.into(), (n * 3).into(), format!("satır {n}").into()];
            equal("a row", found.0.as_slice(), expected.as_slice())?;
        }
    }
    Ok(())
}

pub async fn columns_keep_the_order_of_the_statement(database: &dyn Database) -> Outcome {
    let sql = "SELECT 1 AS zeynep, 2 AS \"büyük\", 3 AS ali, 4 AS \"two words\", 5 AS __proto, 6 AS _";
    let expected = vec![row([1, 2, 3, 4, 5, 6].map(Value::from))];
    equal("a query", database.query(statement(sql, [])).await?, expected.clone())?;
    equal("a batch", database.batch(vec![statement(sql, [])]).await?, vec![expected])
}

const ONE_NAME: &str = "SELECT 1 AS id, 2 AS id, 3 AS last";
/// Objects in JavaScript have the keys that are numbers first, in their own order.
const NUMBERS: &str = "SELECT 2, 1";

pub async fn columns_of_one_name_are_kept_by_a_query(database: &dyn Database) -> Outcome {
    let found = database.query(statement(ONE_NAME, [])).await?;
    equal("of one name", found, vec![row([1, 2, 3].map(Value::from))])?;
    let found = database.query(statement(NUMBERS, [])).await?;
    equal("with numbers for names", found, vec![row([2, 1].map(Value::from))])
}

/// D1 gives fewer values than there are columns, and commits before anybody sees that: see [`Database::batch`]. That
/// a statement of this sort is refused by the others keeps it from being written.
pub async fn columns_of_one_name_are_not_given_by_a_batch(database: &dyn Database) -> Outcome {
    match database.batch(vec![insert_value(1), statement(ONE_NAME, [])]).await {
        Ok(answers) => {
            let widths: Vec<_> = answers.iter().flatten().map(|row| row.0.len()).collect();
            equal("values", widths, [2])?;
        }
        refusal => {
            engine_error("of one name", refusal)?;
            equal("nothing stays", values(database).await?, [0; 0])?;
        }
    }
    engine_error("with numbers for names", database.batch(vec![statement(NUMBERS, [])]).await)
}

pub async fn a_query_that_would_write_is_refused(database: &dyn Database) -> Outcome {
    database.batch(vec![insert_value(1)]).await?;
    for sql in [
        "INSERT INTO contract_value (id) VALUES (2)",
        "  -- a comment\n insert into contract_value (id) VALUES (2) RETURNING id",
        "REPLACE INTO contract_value (id, words) VALUES (1, 'x')",
        "UPDATE contract_value SET words = 'x' RETURNING id",
        "DELETE FROM contract_value",
        "WITH n (i) AS (SELECT 2) INSERT INTO contract_value (id) SELECT i FROM n",
        "WITH n (i) AS (SELECT 1) DELETE FROM contract_value WHERE id IN (SELECT i FROM n) RETURNING id",
        "CREATE TABLE contract_unwanted (id INTEGER) STRICT",
        "DROP TABLE contract_value",
        "BEGIN IMMEDIATE",
        "PRAGMA user_version = 7",
    ] {
        engine_error(sql, database.query(statement(sql, [])).await)?;
    }
    equal("as it was", values(database).await?, [1])?;
    let sql = "SELECT words FROM contract_value \
               UNION ALL SELECT name FROM sqlite_schema WHERE name = 'contract_unwanted'";
    equal("as it was", database.query(statement(sql, [])).await?, vec![row([Value::Null])])?;

    for sql in [
        "WITH n (i) AS (SELECT 1) SELECT i FROM n",
        "/* DELETE */ SELECT 1 AS \"update\"",
        "VALUES (1)",
        "WITH \"insert\" (i) AS (SELECT 1) /* ) */ SELECT i FROM \"insert\" WHERE 'delete' <> ')'",
    ] {
        let found = database.query(statement(sql, [])).await.map_err(|e| Failure(format!("{sql}: {e}")))?;
        equal(sql, found, vec![row([1.into()])])?;
    }
    Ok(())
}

pub async fn a_second_statement_in_one_text_never_runs(database: &dyn Database) -> Outcome {
    database.batch(vec![insert_value(1)]).await?;
    let two = "SELECT 1 AS one; DELETE FROM contract_value";
    error("a query", database.query(statement(two, [])).await)?;
    error("a batch", database.batch(vec![statement(two, [])]).await)?;
    equal("as it was", values(database).await?, [1])?;
    // An end, and nothing after it, is no second statement.
    let ended = database.query(statement("SELECT ';' AS text; -- the end\n", [])).await?;
    equal("ended", ended, vec![row([";".into()])])
}
