//! The port: what an engine must do, and how it fails.

use futures::future::BoxFuture;

use crate::{
    sql::only_reads,
    value::{MAX_INTEGER, Rows, Value},
};

/// A statement and its parameters, `?1` first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub sql: &'static str,
    pub params: Vec<Value>,
}

/// A SQLite database behind any engine. `tests/store-contract` holds each engine to what is said here.
///
/// A text holds one statement, with parameters `?1` to `?100`. Foreign keys are on. A caller may go away in the midst
/// of either call: a batch is then done whole or not at all, and holds nothing.
pub trait Database: Send + Sync {
    /// The rows of one statement that only reads: `SELECT` or `VALUES`, with or without a `WITH`, or the plan
    /// of such a one. Columns may share a name.
    ///
    /// # Errors
    /// [`StoreError::Engine`] for any other statement, which does not run, and for a value that is no [`Value`]: a
    /// real number, or an integer beyond ±(2^53−1).
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>>;

    /// All statements in order as one atomic step; each one's rows. When this returns `Ok`, the change is as
    /// durable as the engine makes anything. No statements are a batch too.
    ///
    /// A statement that gives rows has names of their own for its columns, none of them a number: D1 gives the rows
    /// of a batch as objects. The other engines refuse it where that does not hold.
    ///
    /// # Errors
    /// As [`StoreError`] says; nothing of the batch stays. But where a row holds what is no [`Value`], D1 has
    /// committed before anybody reads it: so no statement that writes returns such a thing.
    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>>;
}

/// A rule of the schema that a statement ran against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    Unique,
    ForeignKey,
    Check,
    NotNull,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The batch's condition did not hold; nothing of it stays.
    #[error("the batch's guard failed")]
    Guard,
    /// The schema refused the change; nothing of the batch stays. `on` names the table and columns.
    #[error("{constraint:?} constraint failed: {on}")]
    Refused { constraint: Constraint, on: String },
    /// Somebody else holds the database; trying again may help.
    #[error("the database is busy")]
    Busy,
    /// The engine or its storage is down; whether a change was made is not known.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// A parameter that not every engine can keep, or too many of them.
    #[error("a parameter is out of bounds: {0}")]
    Parameter(&'static str),
    #[error("{0}")]
    Engine(String),
}

/// How engines say that no statement has a chance until their storage is back: SQLite's result codes for what lies below it,
/// and those of D1's errors that its documentation ("Debug D1", error list) has tried again.
const IS_DOWN: [&str; 8] = [
    "unable to open database file",
    "disk I/O error",
    "database or disk is full",
    "attempt to write a readonly database",
    "caused object to be reset",
    "reset because its code was updated",
    "D1 DB is overloaded",
    "too many connections opened",
];

impl StoreError {
    /// Reads SQLite's message, which is all that Spin and D1 hand on.
    pub(crate) fn from_message(message: &str) -> Self {
        const KINDS: [(&str, Constraint); 4] = [
            ("UNIQUE constraint failed", Constraint::Unique),
            ("FOREIGN KEY constraint failed", Constraint::ForeignKey),
            ("CHECK constraint failed", Constraint::Check),
            ("NOT NULL constraint failed", Constraint::NotNull),
        ];
        for (text, constraint) in KINDS {
            if let Some((_, rest)) = message.split_once(text) {
                let on = rest.trim_start_matches(": ");
                // D1 appends its own code, which is all there is where SQLite names nothing: `…: guard.ok:
                // SQLITE_CONSTRAINT`, `…: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)`.
                let on = on.split_once("SQLITE_CONSTRAINT").map_or(on, |(on, _)| on);
                let on = on.trim_end_matches([':', ' ']);
                return if constraint == Constraint::NotNull && on == "guard.ok" {
                    Self::Guard
                } else {
                    Self::Refused { constraint, on: on.to_owned() }
                };
            }
        }
        let is_busy = [
            "database is locked",
            "database table is locked",
            "SQLITE_BUSY",
            "D1_ERROR: Network connection lost",
        ];
        if is_busy.iter().any(|text| message.contains(text)) {
            return Self::Busy;
        }
        if IS_DOWN.iter().any(|text| message.contains(text)) {
            return Self::Unavailable(message.to_owned());
        }
        Self::Engine(message.to_owned())
    }

    /// Whether the schema refused a value that is already there, in a column of `table`.
    pub fn is_duplicate_of(&self, table: &str) -> bool {
        matches!(self, Self::Refused { constraint: Constraint::Unique, on }
            if on.split_once('.').is_some_and(|(name, _)| name == table))
    }
}

impl From<StoreError> for akademi_api::Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Guard => Self::conflict(),
            StoreError::Busy => Self::unavailable().retry_after(1),
            StoreError::Unavailable(_) => Self::unavailable().retry_after(2).because(error),
            StoreError::Parameter(_) => Self::field("", &error),
            StoreError::Refused { constraint: Constraint::Check, ref on } if on == "people_limit" => {
                Self::people_limit()
            }
            StoreError::Refused { .. } | StoreError::Engine(_) => Self::broken(error),
        }
    }
}

/// Refuses what not every engine takes: integers beyond ±(2^53−1), more than 100 parameters.
pub(crate) fn check(statement: &Statement) -> Result<(), StoreError> {
    if statement.params.len() > 100 {
        return Err(StoreError::Parameter("more than 100"));
    }
    let too_large =
        |value: &Value| matches!(value, Value::Integer(n) if !(-MAX_INTEGER..=MAX_INTEGER).contains(n));
    if statement.params.iter().any(too_large) {
        return Err(StoreError::Parameter("an integer beyond 2^53"));
    }
    Ok(())
}

/// As [`check`], and refuses what does not only read.
pub(crate) fn check_query(statement: &Statement) -> Result<(), StoreError> {
    check(statement)?;
    if only_reads(statement.sql) { Ok(()) } else { Err(StoreError::Engine("a query only reads".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_all_engines_are_understood() {
        let unique = |on: &str| StoreError::Refused { constraint: Constraint::Unique, on: on.into() };
        for (message, error) in [
            (
                "UNIQUE constraint failed: person.tenant_id, person.email_lookup",
                unique("person.tenant_id, person.email_lookup"),
            ),
            ("D1_ERROR: UNIQUE constraint failed: person.id: SQLITE_CONSTRAINT", unique("person.id")),
            ("NOT NULL constraint failed: guard.ok", StoreError::Guard),
            (
                "D1_ERROR: NOT NULL constraint failed: guard.ok: SQLITE_CONSTRAINT (extended: …)",
                StoreError::Guard,
            ),
            (
                "D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)",
                StoreError::Refused { constraint: Constraint::ForeignKey, on: String::new() },
            ),
            ("database is locked", StoreError::Busy),
            ("no such table: x", StoreError::Engine("no such table: x".into())),
            ("near \"SELEC\": syntax error", StoreError::Engine("near \"SELEC\": syntax error".into())),
            ("disk I/O error", StoreError::Unavailable("disk I/O error".into())),
            (
                "unable to open database file: /data/edge.sqlite",
                StoreError::Unavailable("unable to open database file: /data/edge.sqlite".into()),
            ),
            (
                "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
                StoreError::Unavailable(
                    "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset."
                        .into(),
                ),
            ),
        ] {
            assert_eq!(StoreError::from_message(message), error, "{message}");
        }
        assert!(unique("person.tenant_id, person.email_lookup").is_duplicate_of("person"));
        assert!(!unique("session.id").is_duplicate_of("person"));
    }
}
