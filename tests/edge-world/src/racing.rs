//! Requests that meet between their reading and their writing.

use akademi_edge_store::{Database, Rows, Statement, StoreError, rusqlite::SqliteFile};
use futures::future::BoxFuture;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Barrier;

/// Who meets, and whether what holds them apart is taken away.
#[derive(Debug, Clone)]
pub struct Meeting {
    /// Whoever reads by a statement with one of these words waits for the others.
    pub words: Vec<&'static str>,
    /// So many wait; whoever reads later goes on alone.
    pub many: usize,
    /// Whether every condition is taken for fulfilled.
    pub is_lax: bool,
}

pub(crate) struct Racing {
    engine: SqliteFile,
    meeting: Meeting,
    arrived: AtomicUsize,
    barrier: Barrier,
}

impl Racing {
    pub fn new(engine: SqliteFile, meeting: Meeting) -> Self {
        Self { engine, arrived: AtomicUsize::new(0), barrier: Barrier::new(meeting.many), meeting }
    }
}

impl Database for Racing {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move {
            let is_awaited = self.meeting.words.iter().any(|words| statement.sql.contains(*words));
            let rows = self.engine.query(statement).await;
            if is_awaited && self.arrived.fetch_add(1, Ordering::SeqCst) < self.meeting.many {
                self.barrier.wait().await;
            }
            rows
        })
    }

    fn batch(&self, mut statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        let conditions =
            statements.iter_mut().filter(|statement| statement.sql.starts_with("INSERT INTO guard"));
        for condition in conditions.filter(|_| self.meeting.is_lax) {
            let given: Vec<_> = (1..=condition.params.len()).map(|n| format!("?{n}")).collect();
            let sql = format!("INSERT INTO guard (ok) SELECT 1 FROM (SELECT {})", given.join(", "));
            condition.sql = sql.leak();
        }
        self.engine.batch(statements)
    }
}
