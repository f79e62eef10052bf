//! What the schema and the engine refuse, and how that is told.

use akademi_edge_store::{Constraint, Database};

use crate::{
    expect::{Outcome, engine_error, equal, refused},
    schema::{insert_parent, insert_value, integers, statement, values},
};

pub async fn a_second_row_of_one_value_is_unique(database: &dyn Database) -> Outcome {
    database.batch(vec![insert_parent(1, "Şişli")]).await?;
    let id = database.batch(vec![insert_parent(1, "Iğdır")]).await;
    refused("the key", id, Constraint::Unique, "contract_parent.id")?;
    let name = database.batch(vec![insert_parent(2, "Şişli")]).await;
    refused("a column", name, Constraint::Unique, "contract_parent.name")
}

pub async fn two_columns_that_are_unique_together_are_both_named(database: &dyn Database) -> Outcome {
    let insert = |name: &str| {
        let sql = "INSERT INTO contract_parent (name, place, street) VALUES (?1, 'Moda', 'Bahariye')";
        statement(sql, [name.into()])
    };
    let batch = database.batch(vec![insert("a"), insert("b")]).await;
    refused("two columns", batch, Constraint::Unique, "contract_parent.place, contract_parent.street")
}

pub async fn a_child_without_its_parent_is_a_foreign_key(database: &dyn Database) -> Outcome {
    let insert = || statement("INSERT INTO contract_child (id, parent_id) VALUES (1, 9)", []);
    refused("a child", database.batch(vec![insert()]).await, Constraint::ForeignKey, "")?;
    // Not a deferred one: the parent has to be there before.
    let late = database.batch(vec![insert(), insert_parent(9, "Moda")]).await;
    refused("a parent that comes late", late, Constraint::ForeignKey, "")?;
    database.batch(vec![insert_parent(9, "Moda"), insert()]).await.map(drop)?;
    Ok(())
}

pub async fn a_parent_with_children_stays(database: &dyn Database) -> Outcome {
    let child = statement("INSERT INTO contract_child (id, parent_id) VALUES (1, 9)", []);
    database.batch(vec![insert_parent(9, "Moda"), child]).await?;
    let delete = database.batch(vec![statement("DELETE FROM contract_parent WHERE id = 9", [])]).await;
    refused("its end", delete, Constraint::ForeignKey, "")?;
    let update = statement("UPDATE contract_parent SET id = 10 WHERE id = 9", []);
    refused("its change", database.batch(vec![update]).await, Constraint::ForeignKey, "")?;
    let ids = integers(database, statement("SELECT id FROM contract_parent", [])).await?;
    equal("parents", ids, [9])
}

pub async fn a_broken_rule_is_a_check(database: &dyn Database) -> Outcome {
    let insert = statement("INSERT INTO contract_parent (name, size) VALUES ('Moda', ?1)", [0.into()]);
    refused("a rule", database.batch(vec![insert]).await, Constraint::Check, "size_is_positive")
}

pub async fn a_missing_value_is_not_null(database: &dyn Database) -> Outcome {
    let insert = statement("INSERT INTO contract_parent (id, name) VALUES (1, NULL)", []);
    refused("a value", database.batch(vec![insert]).await, Constraint::NotNull, "contract_parent.name")
}

pub async fn a_syntax_error_is_the_engines(database: &dyn Database) -> Outcome {
    for sql in ["SELECT FROM WHERE", "SELECT 1 AS one FROM nowhere", "SELECT nothing FROM contract_value"] {
        engine_error(sql, database.query(statement(sql, [])).await)?;
        engine_error(sql, database.batch(vec![insert_value(1), statement(sql, [])]).await)?;
    }
    let wrong_type = statement("INSERT INTO contract_value (id, whole) VALUES (1, ?1)", ["bir".into()]);
    engine_error("text in a column of integers", database.batch(vec![wrong_type]).await)?;
    equal("nothing stays", values(database).await?, [0; 0])
}

pub async fn an_error_in_the_midst_of_rows_is_told(database: &dyn Database) -> Outcome {
    let sql = "SELECT 1 AS value UNION ALL SELECT 2 UNION ALL SELECT abs(-9223372036854775807 - 1)";
    engine_error("a query", database.query(statement(sql, [])).await)?;
    engine_error("a batch", database.batch(vec![insert_value(1), statement(sql, [])]).await)?;
    equal("nothing stays", values(database).await?, [0; 0])
}
