//! What requests read by, and how often they commit.

use akademi_edge_store::{Database, Rows, Statement, StoreError, rusqlite::SqliteFile};
use futures::future::BoxFuture;
use std::sync::Mutex;

pub struct Watched {
    engine: SqliteFile,
    seen: Mutex<(Vec<Statement>, usize)>,
}

impl Watched {
    pub(crate) fn new(engine: SqliteFile) -> Self {
        Self { engine, seen: Mutex::default() }
    }

    /// The statements that were read by, and how often something was committed, since the last time.
    pub fn take(&self) -> (Vec<Statement>, usize) {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl Database for Watched {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.seen.lock().unwrap().0.push(statement.clone());
        self.engine.query(statement)
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        self.seen.lock().unwrap().1 += 1;
        self.engine.batch(statements)
    }
}
