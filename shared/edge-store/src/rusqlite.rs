//! The port on a SQLite file, for the local host.
//!
//! One thread writes. It takes all batches that wait, runs each within a savepoint of one transaction, and
//! answers them after its commit: many learners share one `fsync` (`synchronous=FULL`), and none is told
//! "saved" before it is. Reads take a connection of their own from a pool and see what was committed.

use futures::{channel::oneshot, future::BoxFuture};
use rusqlite::{
    Connection, OpenFlags,
    config::DbConfig,
    params_from_iter,
    types::{ToSqlOutput, ValueRef},
};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use crate::{
    database::{Database, Statement, StoreError, check},
    migrations::MIGRATIONS,
    value::{Row, Rows, Value},
};

/// How many batches share one commit at most.
const GROUP: usize = 128;
/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of the file a connection keeps in memory at most, in KiB.
const CACHE_KIB: i64 = 32 * 1024;

type Reply = oneshot::Sender<Result<Vec<Rows>, StoreError>>;

struct Job {
    statements: Vec<Statement>,
    reply: Reply,
}

/// A SQLite file.
pub struct SqliteFile {
    path: PathBuf,
    writer: mpsc::Sender<Job>,
    readers: Mutex<Vec<Connection>>,
}

impl SqliteFile {
    /// Opens `path`, makes it if it is not there, and applies the migrations that it lacks.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be opened or migrated.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection =
            connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        connection.pragma_update(None, "journal_mode", "wal").map_err(store_error)?;
        connection.pragma_update(None, "synchronous", "full").map_err(store_error)?;
        migrate(&mut connection)?;
        let (writer, jobs) = mpsc::channel();
        thread::Builder::new()
            .name("edge-store-writer".into())
            .spawn(move || write(&connection, &jobs))
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self { path: path.to_owned(), writer, readers: Mutex::new(Vec::new()) })
    }

    fn read(&self, statement: &Statement) -> Result<Rows, StoreError> {
        check(statement)?;
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                connection.pragma_update(None, "query_only", true).map_err(store_error)?;
                connection
            }
        };
        let rows = run(&connection, statement);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        rows
    }
}

impl Database for SqliteFile {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move { self.read(&statement) })
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        Box::pin(async move {
            statements.iter().try_for_each(check)?;
            let (reply, answer) = oneshot::channel();
            let gone = || StoreError::Engine("the writer has stopped".into());
            self.writer.send(Job { statements, reply }).map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        })
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(store_error)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(store_error)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(store_error)?;
    // Else a bound value that might make another plan better has the statement prepared again, each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(store_error)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(store_error)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// Applies what `connection` lacks; the ledger is the table that `wrangler d1 migrations` keeps too.
///
/// # Errors
/// [`StoreError`]; a migration that fails leaves nothing behind.
pub fn migrate(connection: &mut Connection) -> Result<usize, StoreError> {
    connection
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, \
             applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)",
        )
        .map_err(store_error)?;
    let mut applied = 0;
    for migration in MIGRATIONS {
        let transaction = connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(store_error)?;
        let is_new = transaction
            .execute("INSERT INTO d1_migrations (name) VALUES (?1) ON CONFLICT DO NOTHING", [migration.name])
            .map_err(store_error)?;
        if is_new == 1 {
            transaction.execute_batch(migration.sql).map_err(store_error)?;
            transaction.commit().map_err(store_error)?;
            applied += 1;
        }
    }
    Ok(applied)
}

fn write(connection: &Connection, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP - 1));
        let answers = commit_together(connection, &group).unwrap_or_else(|_| {
            // A commit that fails (a deferred foreign key) fails for one of them: each answers for itself.
            group.iter().map(|job| commit_alone(connection, job)).collect()
        });
        for (job, answer) in group.into_iter().zip(answers) {
            // Nobody waits for an answer whose request was cancelled; the change stays.
            let _ = job.reply.send(answer);
        }
    }
}

type Answers = Vec<Result<Vec<Rows>, StoreError>>;

/// Each job in a savepoint of its own, all in one commit.
fn commit_together(connection: &Connection, group: &[Job]) -> Result<Answers, StoreError> {
    execute(connection, "BEGIN IMMEDIATE")?;
    let answers = group.iter().map(|job| in_savepoint(connection, job)).collect();
    execute(connection, "COMMIT").inspect_err(|_| roll_back(connection))?;
    Ok(answers)
}

fn commit_alone(connection: &Connection, job: &Job) -> Result<Vec<Rows>, StoreError> {
    execute(connection, "BEGIN IMMEDIATE")?;
    let rows = run_all(connection, job);
    let committed = rows.and_then(|rows| execute(connection, "COMMIT").map(|()| rows));
    committed.inspect_err(|_| roll_back(connection))
}

fn in_savepoint(connection: &Connection, job: &Job) -> Result<Vec<Rows>, StoreError> {
    execute(connection, "SAVEPOINT batch")?;
    let rows = run_all(connection, job).inspect_err(|_| {
        let _ = execute(connection, "ROLLBACK TO batch");
    });
    execute(connection, "RELEASE batch")?;
    rows
}

fn roll_back(connection: &Connection) {
    // Fails only if the engine has rolled back already.
    let _ = execute(connection, "ROLLBACK");
}

fn run_all(connection: &Connection, job: &Job) -> Result<Vec<Rows>, StoreError> {
    job.statements.iter().map(|statement| run(connection, statement)).collect()
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute([]))
        .map(drop)
        .map_err(store_error)
}

fn run(connection: &Connection, statement: &Statement) -> Result<Rows, StoreError> {
    let mut prepared = connection.prepare_cached(statement.sql).map_err(store_error)?;
    let columns = prepared.column_count();
    let params = params_from_iter(statement.params.iter().map(|value| {
        ToSqlOutput::Borrowed(match value {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Blob(value) => ValueRef::Blob(value),
        })
    }));
    let mut found = prepared.query(params).map_err(store_error)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(store_error)? {
        let values = (0..columns)
            .map(|column| value(row.get_ref(column).map_err(store_error)?))
            .collect::<Result<_, _>>()?;
        rows.push(Row(values));
    }
    Ok(rows)
}

fn value(value: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(_) => return Err(StoreError::Engine("a statement gave a real number".into())),
        ValueRef::Text(bytes) => Value::Text(
            String::from_utf8(bytes.to_vec()).map_err(|error| StoreError::Engine(error.to_string()))?,
        ),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

fn store_error(error: rusqlite::Error) -> StoreError {
    StoreError::from_message(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::rusqlite::StatementStatus;

    /// How often a statement was prepared again while values of all sorts were bound to it.
    fn prepared_again(connection: &Connection) -> i32 {
        connection
            .execute_batch(
                "CREATE TABLE seen (a TEXT, b INTEGER, c TEXT) STRICT; CREATE INDEX s ON seen (a, b, c)",
            )
            .unwrap();
        let sql = "SELECT c FROM seen WHERE a = ?1 AND (b, c) < (?2, ?3) ORDER BY b DESC, c DESC LIMIT ?4";
        let mut statement = connection.prepare(sql).unwrap();
        for n in 0..4_i64 {
            assert!(!statement.exists((n.to_string(), n, n.to_string(), n)).unwrap());
        }
        statement.get_status(StatementStatus::RePrepare)
    }

    #[test]
    fn a_statement_keeps_its_plan_whatever_is_bound_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = |name| {
            connect(
                &folder.path().join(name),
                OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            )
            .unwrap()
        };
        assert_eq!(prepared_again(&open("ours.sqlite")), 0);
        let without = open("without.sqlite");
        without.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, false).unwrap();
        assert!(prepared_again(&without) > 0, "the guarantee is what keeps it");
    }
}
