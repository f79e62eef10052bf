//! The tables that the cases work on, and statements over them. They stand beside the product's own, of which the
//! cases use `guard`.

use akademi_edge_store::{Database, Row, Statement, StoreError, Value};

const TABLES: [&str; 14] = [
    "DROP TABLE IF EXISTS contract_value",
    "DROP TABLE IF EXISTS contract_child",
    "DROP TABLE IF EXISTS contract_late_child",
    "DROP TABLE IF EXISTS contract_parent",
    "DROP TABLE IF EXISTS contract_counter",
    "DROP TABLE IF EXISTS contract_search",
    "CREATE TABLE contract_value (
        id INTEGER NOT NULL PRIMARY KEY, whole INTEGER, words TEXT, bytes BLOB
    ) STRICT",
    "CREATE TABLE contract_parent (
        id INTEGER NOT NULL PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        size INTEGER NOT NULL DEFAULT 1 CONSTRAINT size_is_positive CHECK (size > 0),
        place TEXT NOT NULL DEFAULT '',
        street TEXT NOT NULL DEFAULT ''
    ) STRICT",
    "CREATE UNIQUE INDEX contract_address ON contract_parent (place, street) WHERE place <> ''",
    "CREATE TABLE contract_child (
        id INTEGER NOT NULL PRIMARY KEY, parent_id INTEGER NOT NULL REFERENCES contract_parent (id)
    ) STRICT",
    "CREATE TABLE contract_late_child (
        id INTEGER NOT NULL PRIMARY KEY,
        parent_id INTEGER NOT NULL REFERENCES contract_parent (id) DEFERRABLE INITIALLY DEFERRED
    ) STRICT",
    "CREATE TABLE contract_counter (
        id INTEGER NOT NULL PRIMARY KEY, value INTEGER NOT NULL, version INTEGER NOT NULL
    ) STRICT",
    "INSERT INTO contract_counter (id, value, version) VALUES (1, 0, 0)",
    // As the product's search: text is folded before it comes here.
    "CREATE VIRTUAL TABLE contract_search USING fts5 (words, tokenize = 'unicode61')",
];

/// Makes the tables new and empty.
///
/// # Errors
/// As [`Database::batch`].
pub async fn reset(database: &dyn Database) -> Result<(), StoreError> {
    database.batch(TABLES.map(|sql| statement(sql, [])).into()).await.map(drop)
}

pub fn statement<const N: usize>(sql: &'static str, params: [Value; N]) -> Statement {
    Statement { sql, params: params.into() }
}

/// A row of `contract_value` with nothing but its id.
pub fn insert_value(id: i64) -> Statement {
    statement("INSERT INTO contract_value (id) VALUES (?1)", [id.into()])
}

/// The ids in `contract_value`.
pub async fn values(database: &dyn Database) -> Result<Vec<i64>, StoreError> {
    integers(database, statement("SELECT id FROM contract_value ORDER BY id", [])).await
}

pub fn insert_parent(id: i64, name: &str) -> Statement {
    statement("INSERT INTO contract_parent (id, name) VALUES (?1, ?2)", [id.into(), name.into()])
}

/// The first column of what `statement` finds.
pub async fn integers(database: &dyn Database, statement: Statement) -> Result<Vec<i64>, StoreError> {
    database.query(statement).await?.iter().map(|row| row.integer(0)).collect()
}

pub fn row<const N: usize>(values: [Value; N]) -> Row {
    Row(values.into())
}
