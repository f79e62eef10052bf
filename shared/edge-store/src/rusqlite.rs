//! The port on a SQLite file, for the local host.
//!
//! One thread writes. It takes all batches that wait, runs them in one transaction, each whole or not at all, and
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
    database::{Database, Statement, StoreError, check, check_query},
    migrations::MIGRATIONS,
    value::{Row, Rows, Value, check_names},
};

/// How many batches share one commit at most.
const GROUP: usize = 128;
/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of the file a connection keeps in memory at most, in KiB.
const CACHE_KIB: i64 = 32 * 1024;
/// How many pages the write-ahead log holds before they go into the file, four times SQLite's own: a page that many
/// learners share is then written once for more of them.
const LOG_PAGES: i64 = 4_000;

type Reply = oneshot::Sender<Answer>;

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
        Self::open_synced(path, "full")
    }

    /// As [`Self::open`], but no commit waits for the disk: what was saved outlives the process, and not the machine. For
    /// tests that kill processes.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_disposable(path: &Path) -> Result<Self, StoreError> {
        Self::open_synced(path, "off")
    }

    fn open_synced(path: &Path, synchronous: &str) -> Result<Self, StoreError> {
        let mut connection =
            connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        connection.pragma_update(None, "journal_mode", "wal").map_err(store_error)?;
        connection.pragma_update(None, "synchronous", synchronous).map_err(store_error)?;
        migrate(&mut connection)?;
        let (writer, jobs) = mpsc::channel();
        thread::Builder::new()
            .name("edge-store-writer".into())
            .spawn(move || write(&connection, &jobs))
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self { path: path.to_owned(), writer, readers: Mutex::new(Vec::new()) })
    }

    fn read(&self, statement: &Statement) -> Result<Rows, StoreError> {
        check_query(statement)?;
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                connection.pragma_update(None, "query_only", true).map_err(store_error)?;
                connection
            }
        };
        let rows = query(&connection, statement);
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
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).map_err(store_error)?;
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
        let answers = commit_together(connection, &group, bare)
            .or_else(|undone| match undone {
                Undone::Midway => commit_together(connection, &group, in_savepoint),
                Undone::NotBegun(_) => Err(undone),
            })
            .unwrap_or_else(|undone| match undone {
                // A commit that fails (a deferred foreign key) fails for one of them: each answers for itself.
                Undone::Midway => group.iter().map(|job| commit_alone(connection, job)).collect(),
                // All of them have waited together.
                Undone::NotBegun(error) => group.iter().map(|_| Err(error.clone())).collect(),
            });
        for (job, answer) in group.into_iter().zip(answers) {
            // Nobody waits for an answer whose request was cancelled; the change stays.
            let _ = job.reply.send(answer);
        }
    }
}

type Answer = Result<Vec<Rows>, StoreError>;

/// Why a group's transaction cannot be committed.
enum Undone {
    /// Somebody else holds the file, or it is gone.
    NotBegun(StoreError),
    /// One of its batches has to be undone, which takes another way.
    Midway,
}

/// All jobs in one commit; `run` leaves of each either all or nothing.
fn commit_together(
    connection: &Connection,
    group: &[Job],
    run: fn(&Connection, &Job) -> Result<Answer, Undone>,
) -> Result<Vec<Answer>, Undone> {
    let commit = || {
        let answers = group.iter().map(|job| run(connection, job)).collect::<Result<_, _>>()?;
        execute(connection, "COMMIT").map_err(|_| Undone::Midway)?;
        Ok(answers)
    };
    execute(connection, "BEGIN IMMEDIATE").map_err(Undone::NotBegun)?;
    commit().inspect_err(|_| roll_back(connection))
}

/// Most batches that are refused are refused by their first statement, their condition: nothing of them is there to
/// be undone, and a savepoint for each costs more than doing the rare group again.
fn bare(connection: &Connection, job: &Job) -> Result<Answer, Undone> {
    let mut answer = Vec::with_capacity(job.statements.len());
    let before = connection.total_changes();
    for statement in &job.statements {
        match run(connection, statement) {
            Ok(rows) => answer.push(rows),
            // Some errors end the transaction itself; some leave what the statement did until then (`OR FAIL`, a
            // returned value that is none of ours).
            Err(error)
                if answer.is_empty()
                    && !connection.is_autocommit()
                    && connection.total_changes() == before =>
            {
                return Ok(Err(error));
            }
            Err(_) => return Err(Undone::Midway),
        }
    }
    Ok(Ok(answer))
}

fn in_savepoint(connection: &Connection, job: &Job) -> Result<Answer, Undone> {
    let savepoint = |sql| execute(connection, sql).map_err(|_| Undone::Midway);
    savepoint("SAVEPOINT batch")?;
    let answer = run_all(connection, job);
    if answer.is_err() {
        savepoint("ROLLBACK TO batch")?;
    }
    savepoint("RELEASE batch")?;
    Ok(answer)
}

fn commit_alone(connection: &Connection, job: &Job) -> Answer {
    execute(connection, "BEGIN IMMEDIATE")?;
    let rows = run_all(connection, job);
    let committed = rows.and_then(|rows| execute(connection, "COMMIT").map(|()| rows));
    committed.inspect_err(|_| roll_back(connection))
}

fn roll_back(connection: &Connection) {
    // Fails only if the engine has rolled back already.
    let _ = execute(connection, "ROLLBACK");
}

fn run_all(connection: &Connection, job: &Job) -> Answer {
    job.statements.iter().map(|statement| run(connection, statement)).collect()
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute([]))
        .map(drop)
        .map_err(store_error)
}

/// The rows of a statement of a batch.
fn run(connection: &Connection, statement: &Statement) -> Result<Rows, StoreError> {
    let mut prepared = connection.prepare_cached(statement.sql).map_err(store_error)?;
    check_names(&prepared.column_names())?;
    rows(&mut prepared, &statement.params)
}

fn query(connection: &Connection, statement: &Statement) -> Result<Rows, StoreError> {
    let mut prepared = connection.prepare_cached(statement.sql).map_err(store_error)?;
    rows(&mut prepared, &statement.params)
}

fn rows(prepared: &mut rusqlite::Statement<'_>, params: &[Value]) -> Result<Rows, StoreError> {
    let columns = prepared.column_count();
    let params = params_from_iter(params.iter().map(|value| {
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
        ValueRef::Integer(value) => Value::received(value)?,
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

    fn job(statements: &[&'static str]) -> (Job, oneshot::Receiver<Answer>) {
        let (reply, answer) = oneshot::channel();
        let statements = statements.iter().map(|sql| Statement { sql, params: Vec::new() }).collect();
        (Job { statements, reply }, answer)
    }

    /// Three batches in one group, the second as given: whether each was done, and which rows are there then.
    fn group_with(second: &[&'static str]) -> (Vec<bool>, String) {
        let folder = tempfile::tempdir().unwrap();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = connect(&folder.path().join("group.sqlite"), flags).unwrap();
        connection.execute_batch("CREATE TABLE done (name TEXT NOT NULL PRIMARY KEY) STRICT").unwrap();
        let (sender, jobs) = mpsc::channel();
        let answers = [&["INSERT INTO done VALUES ('a')"], second, &["INSERT INTO done VALUES ('c')"]].map(
            |statements| {
                let (job, answer) = job(statements);
                sender.send(job).unwrap();
                answer
            },
        );
        drop(sender);
        write(&connection, &jobs);
        let is_done =
            |answer: oneshot::Receiver<Answer>| futures::executor::block_on(answer).unwrap().is_ok();
        let done = answers.into_iter().map(is_done).collect();
        let rows = "SELECT group_concat(name, '' ORDER BY name) FROM done";
        (done, connection.query_row(rows, [], |row| row.get(0)).unwrap())
    }

    #[test]
    fn a_batch_that_fails_leaves_nothing_and_takes_nobody_along() {
        let condition = "INSERT INTO done VALUES (NULL)";
        let change = "INSERT INTO done VALUES ('b')";
        let refused = (vec![true, false, true], "ac".to_owned());
        assert_eq!(group_with(&[condition, change]), refused);
        assert_eq!(group_with(&[change, condition]), refused);
        assert_eq!(group_with(&[change]), (vec![true; 3], "abc".into()));
    }

    #[test]
    fn a_group_without_savepoints_is_given_up_when_a_batch_fails_halfway() {
        let folder = tempfile::tempdir().unwrap();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = connect(&folder.path().join("group.sqlite"), flags).unwrap();
        connection.execute_batch("CREATE TABLE done (name TEXT NOT NULL PRIMARY KEY) STRICT").unwrap();
        let (halfway, _answer) = job(&["INSERT INTO done VALUES ('b')", "INSERT INTO done VALUES (NULL)"]);
        let rows =
            || connection.query_row("SELECT count(*) FROM done", [], |row| row.get::<_, i64>(0)).unwrap();
        assert!(commit_together(&connection, std::slice::from_ref(&halfway), bare).is_err());
        assert_eq!((rows(), connection.is_autocommit()), (0, true));
        let forgetful = |connection: &Connection, job: &Job| Ok(run_all(connection, job));
        assert!(commit_together(&connection, &[halfway], forgetful).is_ok());
        assert_eq!(rows(), 1, "half of it stays where nobody looks");
    }
}
