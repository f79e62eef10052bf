//! The port on Spin's SQLite (`spin:sqlite@3.1.0`).
//!
//! Every query and every batch has a connection to itself while it runs. Rows are drained and `result()` is awaited for
//! every statement: errors come only there, and undrained rows hold the connection.
//!
//! To open a connection costs more than a query, since SQLite reads the schema anew. So one that came to a good end
//! waits for the next; one whose query or batch failed or was given up goes, and with it whatever was left open there.

use futures::future::BoxFuture;
use spin_sdk::sqlite::{Connection, Error, QueryResult, Value as SpinValue};
use std::cell::RefCell;

use crate::{
    alone::Alone,
    database::{Database, Statement, StoreError, check, check_query},
    value::{Row, Rows, Value, check_names},
};

/// The database `default` of the component's manifest.
pub struct SpinDatabase;

impl Database for SpinDatabase {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(Alone::new(async move {
            check_query(&statement)?;
            let connection = connection().await?;
            let rows = collect(start(&connection, statement).await?).await?;
            keep(connection);
            Ok(rows)
        }))
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        Box::pin(Alone::new(async move {
            statements.iter().try_for_each(check)?;
            let connection = connection().await?;
            execute(&connection, "BEGIN IMMEDIATE").await?;
            let rows = async {
                let mut rows = Vec::with_capacity(statements.len());
                for statement in statements {
                    let result = start(&connection, statement).await?;
                    check_names(result.columns())?;
                    rows.push(collect(result).await?);
                }
                execute(&connection, "COMMIT").await?;
                Ok(rows)
            }
            .await;
            if rows.is_ok() {
                keep(connection);
            } else {
                // Fails only if the engine has rolled back already.
                let _ = execute(&connection, "ROLLBACK").await;
            }
            rows
        }))
    }
}

thread_local! {
    /// This instance's connections that nobody uses: at most as many as it has had queries at once.
    static IDLE: RefCell<Vec<Connection>> = const { RefCell::new(Vec::new()) };
}

async fn connection() -> Result<Connection, StoreError> {
    if let Some(connection) = IDLE.with_borrow_mut(Vec::pop) {
        return Ok(connection);
    }
    let connection = Connection::open_default().await.map_err(store_error)?;
    execute(&connection, "PRAGMA foreign_keys = ON").await?;
    Ok(connection)
}

/// Keeps a connection on which no statement and no transaction is open.
fn keep(connection: Connection) {
    IDLE.with_borrow_mut(|idle| idle.push(connection));
}

async fn execute(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    collect(start(connection, Statement { sql, params: Vec::new() }).await?).await.map(drop)
}

async fn start(connection: &Connection, statement: Statement) -> Result<QueryResult, StoreError> {
    let params = statement.params.into_iter().map(|value| match value {
        Value::Null => SpinValue::Null,
        Value::Integer(value) => SpinValue::Integer(value),
        Value::Text(value) => SpinValue::Text(value),
        Value::Blob(value) => SpinValue::Blob(value),
    });
    connection.execute(statement.sql, params).await.map_err(store_error)
}

async fn collect(result: QueryResult) -> Result<Rows, StoreError> {
    let rows = result.collect().await.map_err(store_error)?;
    rows.into_iter().map(|row| row.values.into_iter().map(value).collect::<Result<_, _>>().map(Row)).collect()
}

fn value(value: SpinValue) -> Result<Value, StoreError> {
    Ok(match value {
        SpinValue::Null => Value::Null,
        SpinValue::Integer(value) => Value::received(value)?,
        SpinValue::Real(_) => return Err(StoreError::Engine("a statement gave a real number".into())),
        SpinValue::Text(value) => Value::Text(value),
        SpinValue::Blob(value) => Value::Blob(value),
    })
}

fn store_error(error: Error) -> StoreError {
    match error {
        Error::Io(message) => StoreError::from_message(&message),
        other => StoreError::Engine(other.to_string()),
    }
}
