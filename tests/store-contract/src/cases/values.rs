//! Values go in and come out as they are, or not at all.

use akademi_edge_store::{Database, MAX_INTEGER, StoreError, Value};

use crate::{
    expect::{Outcome, engine_error, equal, error},
    schema::{insert_value, row, statement, values},
};

/// `value` by way of a parameter alone, and by way of `column` of a row.
async fn goes_round(database: &dyn Database, insert: &'static str, value: Value) -> Outcome {
    let expected = [row([value.clone()])];
    let found = database.query(statement("SELECT ?1 AS value", [value.clone()])).await?;
    equal("a parameter", found.as_slice(), expected.as_slice())?;
    let written = database
        .batch(vec![statement("DELETE FROM contract_value", []), statement(insert, [value.clone()])])
        .await?;
    equal("what a batch returns", written.get(1).map(Vec::as_slice), Some(expected.as_slice()))?;
    let sql = "SELECT coalesce(whole, words, bytes) AS value FROM contract_value";
    equal("a row", database.query(statement(sql, [])).await?.as_slice(), expected.as_slice())
}

pub async fn integers_within_bounds_are_exact(database: &dyn Database) -> Outcome {
    let insert = "INSERT INTO contract_value (id, whole) VALUES (1, ?1) RETURNING whole AS value";
    for value in [0, 1, -1, 1 << 31, -(1 << 31) - 1, MAX_INTEGER - 1, MAX_INTEGER, -MAX_INTEGER] {
        goes_round(database, insert, value.into()).await?;
    }
    let sql = "SELECT ?1 = 9007199254740991 AS largest, ?2 = -9007199254740991 AS smallest, \
               typeof(whole) AS kind FROM contract_value";
    let found = database.query(statement(sql, [MAX_INTEGER.into(), (-MAX_INTEGER).into()])).await?;
    equal("compared by the engine", found, vec![row([true.into(), true.into(), "integer".into()])])
}

pub async fn integers_beyond_bounds_are_refused_as_parameters(database: &dyn Database) -> Outcome {
    for value in [MAX_INTEGER + 1, -MAX_INTEGER - 1, i64::MAX, i64::MIN] {
        let refusal = StoreError::Parameter("an integer beyond 2^53");
        let query = database.query(statement("SELECT ?1 AS value", [value.into()])).await;
        equal(value, error(value, query)?, refusal.clone())?;
        let batch = database.batch(vec![insert_value(1), insert_value(value)]).await;
        equal(value, error(value, batch)?, refusal)?;
    }
    equal("nothing ran", values(database).await?, [0; 0])
}

pub async fn integers_beyond_bounds_are_refused_in_rows(database: &dyn Database) -> Outcome {
    for computed in [
        "SELECT 9007199254740991 + 1 AS value",
        "SELECT -9007199254740991 - 1 AS value",
        "SELECT 9223372036854775807 AS value",
        "SELECT -9223372036854775807 - 1 AS value",
    ] {
        engine_error(computed, database.query(statement(computed, [])).await)?;
    }
    let insert = "INSERT INTO contract_value (id, whole) VALUES (1, 9007199254740991 + 2)";
    database.batch(vec![statement(insert, [])]).await?;
    engine_error("a row", database.query(statement("SELECT whole AS value FROM contract_value", [])).await)?;
    engine_error(
        "a row in a batch",
        database.batch(vec![statement("SELECT whole AS value FROM contract_value", [])]).await,
    )?;
    // What is not given out may be larger.
    let found =
        database.query(statement("SELECT whole - 9007199254740991 AS value FROM contract_value", [])).await?;
    equal("computed from it", found, vec![row([2.into()])])
}

pub async fn an_integer_parameter_computes_as_an_integer(database: &dyn Database) -> Outcome {
    let sql = "SELECT typeof(?1) AS kind, ?1 / 2 AS half, 'n' || ?1 AS word, ?2 / ?1 AS quotient";
    let found = database.query(statement(sql, [7.into(), 100.into()])).await?;
    equal("computed", found, vec![row(["integer".into(), 3.into(), "n7".into(), 14.into()])])
}

pub async fn null_is_null(database: &dyn Database) -> Outcome {
    let insert = "INSERT INTO contract_value (id, whole) VALUES (1, ?1) RETURNING whole AS value";
    goes_round(database, insert, Value::Null).await
}

pub async fn bytes_come_back_as_they_were(database: &dyn Database) -> Outcome {
    let large = (0..100 * 1024_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let insert = "INSERT INTO contract_value (id, bytes) VALUES (1, ?1) RETURNING bytes AS value";
    for bytes in [vec![], vec![0], vec![0, 1, 0, 255, 0], (0..=255).collect(), large] {
        goes_round(database, insert, bytes.into()).await?;
    }
    Ok(())
}

pub async fn text_comes_back_as_it_was(database: &dyn Database) -> Outcome {
    let long = "Iğdır ".repeat(20 * 1024);
    let insert = "INSERT INTO contract_value (id, words) VALUES (1, ?1) RETURNING words AS value";
    for text in [
        "",
        "İıŞşĞğÜüÖöÇç",
        "👩🏽‍🏫 🇹🇷",
        // A letter and its marks, unlike the one letter that they look like.
        "s\u{327} i\u{307} I\u{307}",
        "first\0second\0",
        "'quoted' \"twice\" \\ ?1 ; --",
        "7",
        &long,
    ] {
        goes_round(database, insert, text.into()).await?;
    }
    Ok(())
}

pub async fn parameters_keep_their_type(database: &dyn Database) -> Outcome {
    let sql = "SELECT typeof(?1) AS a, typeof(?2) AS b, typeof(?3) AS c, typeof(?4) AS d, length(?4) AS e";
    let params = [Value::Null, "7".into(), vec![55_u8].into(), Vec::<u8>::new().into()];
    let expected = row(["null".into(), "text".into(), "blob".into(), "blob".into(), 0.into()]);
    equal("types", database.query(statement(sql, params)).await?, vec![expected])
}

pub async fn real_numbers_are_refused_in_rows(database: &dyn Database) -> Outcome {
    for sql in ["SELECT 0.5 AS value", "SELECT -1e300 AS value", "SELECT 1 AS whole, 1.0 / 3 AS part"] {
        engine_error(sql, database.query(statement(sql, [])).await)?;
        engine_error(sql, database.batch(vec![statement(sql, [])]).await)?;
    }
    Ok(())
}

/// D1 has committed when it is seen; the others keep nothing. See [`Database::batch`].
pub async fn a_change_that_returns_a_real_number_is_an_error(database: &dyn Database) -> Outcome {
    let sql = "INSERT INTO contract_value (id) VALUES (1) RETURNING id + 0.5 AS part";
    for batch in [vec![statement(sql, [])], vec![insert_value(2), statement(sql, [])]] {
        let all = if batch.len() == 1 { vec![1] } else { vec![1, 2] };
        engine_error("a batch", database.batch(batch).await)?;
        let found = values(database).await?;
        if !found.is_empty() {
            equal("stays", found, all)?;
        }
        database.batch(vec![statement("DELETE FROM contract_value", [])]).await?;
    }
    Ok(())
}
