//! What can go wrong in the database, sorted once by what a caller can do about it.

use std::error::Error;

/// The constraint that refuses what would be more than an academy may store.
const STORAGE_FULL: &str = "storage_full";

/// Which rule of the database a statement broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    Unique,
    ForeignKey,
    Check,
    NotNull,
}

/// A failed statement. `Display` is safe to show and to log; what the database said is behind `source()`,
/// and goes to no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A constraint of the schema; its name is what a caller maps to an answer.
    #[error("the change breaks the rule `{name}`")]
    Constraint { kind: ConstraintKind, name: String, source: sqlx::Error },
    /// Another transaction was in the way (serialization failure, deadlock, lock time-out): a new try may succeed.
    #[error("the change met another one at the same time")]
    Conflict(#[source] sqlx::Error),
    /// A value that its column cannot hold: out of range, a NUL in a text, too long for an index.
    #[error("a value of the change cannot be stored")]
    InvalidValue(#[source] sqlx::Error),
    /// The statement took longer than its transaction allows, or somebody cancelled it.
    #[error("the statement took too long")]
    TimedOut(#[source] sqlx::Error),
    /// The connection was lost, or none could be had.
    #[error("the database is not reachable")]
    Unavailable(#[source] sqlx::Error),
    /// Row-level security or a missing grant stood against the statement: a defect of ours.
    #[error("the database refused the statement")]
    Forbidden(#[source] sqlx::Error),
    /// The schema is older than the program.
    #[error("the database is at migration {found}, this program needs {needed}")]
    Outdated { found: i64, needed: i64 },
    /// A feed event or a response above what may be stored.
    #[error("the record has {bytes} bytes, at most {limit} are allowed")]
    TooLarge { bytes: usize, limit: usize },
    /// The record is another's by now: the lease ran out in the meantime.
    #[error("the lease ran out and another holds it")]
    LeaseLost,
    /// The address of the database cannot be read.
    #[error("the database address is not valid")]
    Address(#[source] sqlx::Error),
    #[error("the migrations could not be applied")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// Anything else: a defect of ours, or of the data.
    #[error("the database answered something unexpected")]
    Internal(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether the same transaction, tried again from its start, may succeed.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Conflict(_) | Self::Unavailable(_) | Self::TimedOut(_))
    }

    /// Whether it was the change's own content that was refused: the same change will be refused again, and another
    /// may pass.
    pub fn refuses_content(&self) -> bool {
        matches!(self, Self::Constraint { .. } | Self::InvalidValue(_) | Self::TooLarge { .. })
    }

    /// Whether the academy would store more than it may.
    pub fn is_storage_full(&self) -> bool {
        self.constraint() == Some(STORAGE_FULL)
    }

    /// For the log: with what the database itself said behind the error.
    pub fn with_source(&self) -> String {
        self.source().map_or_else(|| self.to_string(), |source| format!("{self}: {source}"))
    }

    /// The name of the constraint that was broken, if it was one.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Constraint { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
                _ => Self::Internal(error),
            };
        };
        let name = database.constraint().unwrap_or_default().to_owned();
        let code = database.code().unwrap_or_default().into_owned();
        let constraint = |kind, source| Self::Constraint { kind, name, source };
        // PostgreSQL's Appendix A, by code and by class.
        match code.as_str() {
            "23505" => constraint(ConstraintKind::Unique, error),
            "23503" => constraint(ConstraintKind::ForeignKey, error),
            "23514" => constraint(ConstraintKind::Check, error),
            "23502" => constraint(ConstraintKind::NotNull, error),
            "40001" | "40P01" | "55P03" => Self::Conflict(error),
            "42501" => Self::Forbidden(error),
            "57014" => Self::TimedOut(error),
            // The server stops, restarts, or has no connection left.
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => Self::Unavailable(error),
            code if code.starts_with("08") => Self::Unavailable(error),
            // 54000: an index entry above what a page takes.
            code if code.starts_with("22") || code == "54000" => Self::InvalidValue(error),
            _ => Self::Internal(error),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_connection_may_be_tried_again_and_shows_nothing_inside() {
        let lost = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset by 10.0.0.7");
        let error = StoreError::from(sqlx::Error::Io(lost));
        assert!(error.retryable());
        assert!(!error.to_string().contains("10.0.0.7"));
        assert!(!StoreError::from(sqlx::Error::RowNotFound).retryable());
    }
}
