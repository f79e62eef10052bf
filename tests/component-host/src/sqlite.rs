//! `spin:sqlite@3.1.0` on SQLite files.
//!
//! What matters is done as Spin 4.1 does it: each `open` is a connection of its own; a statement of the
//! asynchronous interface always starts well, and its errors come with the end of its rows; the rows go through
//! a channel of four, so that a statement whose rows nobody reads holds its connection. SQLite runs on threads
//! for blocking work, never on the ones that run guests.

use rusqlite::types::ValueRef;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use wasmtime::{
    StoreContextMut,
    component::{
        Access, Accessor, Destination, FutureReader, HasData, Resource, ResourceTable, StreamProducer,
        StreamReader, StreamResult,
    },
};

use crate::{
    bindings::spin::sqlite::sqlite::{
        Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
    },
    faults::Faults,
};

/// Rows that a statement is ahead of its reader (Spin 4.1).
const ROWS_AHEAD: usize = 4;
/// Bytes of values in one result (Spin 4.1).
const MAX_RESULT_BYTES: usize = 128 << 20;
/// Open connections of one instance (Spin 4.1).
const MAX_CONNECTIONS: usize = 256;
/// How long a statement waits for another connection's lock (rusqlite's own value, which Spin keeps).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The databases that a component may open.
#[derive(Clone)]
pub(crate) struct Databases {
    /// By name.
    pub(crate) files: Arc<BTreeMap<String, PathBuf>>,
    pub(crate) faults: Faults,
}

/// Makes the file if need be and puts it into WAL mode, which it then keeps.
pub(crate) fn prepare_file(path: &Path) -> rusqlite::Result<()> {
    let connection = open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")
}

fn open(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn io(error: impl ToString) -> Error {
    Error::Io(error.to_string())
}

/// Blocking work on a thread for it.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, Error> + Send + 'static,
) -> Result<R, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io(error)))
}

/// An open connection: what the guest's resource stands for.
#[derive(Clone)]
pub struct Connection {
    opened: Arc<Mutex<rusqlite::Connection>>,
    faults: Faults,
}

impl Connection {
    async fn open(path: PathBuf, faults: Faults) -> Result<Self, Error> {
        if let Some(message) = faults.open() {
            return Err(Error::Io(message));
        }
        blocking(move || Ok(Self { opened: Arc::new(Mutex::new(open(&path).map_err(io)?)), faults })).await
    }

    async fn read<R: Send + 'static>(&self, read: fn(&rusqlite::Connection) -> R) -> Result<R, Error> {
        let connection = self.clone();
        blocking(move || Ok(read(&connection.opened.lock().unwrap_or_else(PoisonError::into_inner)))).await
    }

    /// Runs one statement to its end, on this thread. `columns` is told before the first row; a row that
    /// `row` refuses ends the statement.
    fn run(
        &self,
        statement: &str,
        parameters: Vec<Value>,
        columns: impl FnOnce(Vec<String>),
        mut row: impl FnMut(RowResult) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(time) = self.faults.delay(statement, &parameters) {
            std::thread::sleep(time);
        }
        if let Some(message) = self.faults.statement() {
            return Err(Error::Io(message));
        }
        let connection = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached(statement).map_err(io)?;
        let names: Vec<_> = statement.column_names().into_iter().map(ToOwned::to_owned).collect();
        let width = names.len();
        columns(names);
        let parameters = parameters.into_iter().map(|value| match value {
            Value::Integer(value) => rusqlite::types::Value::Integer(value),
            Value::Real(value) => rusqlite::types::Value::Real(value),
            Value::Text(value) => rusqlite::types::Value::Text(value),
            Value::Blob(value) => rusqlite::types::Value::Blob(value),
            Value::Null => rusqlite::types::Value::Null,
        });
        let mut rows = statement.query(rusqlite::params_from_iter(parameters)).map_err(io)?;
        let mut bytes = 0;
        while let Some(found) = rows.next().map_err(io)? {
            let values = (0..width)
                .map(|column| found.get_ref(column).map_err(io).and_then(value))
                .collect::<Result<Vec<_>, _>>()?;
            bytes += values.iter().map(size).sum::<usize>();
            if bytes > MAX_RESULT_BYTES {
                return Err(io(format!("query result exceeds limit of {MAX_RESULT_BYTES} bytes")));
            }
            row(RowResult { values })?;
        }
        Ok(())
    }
}

fn value(value: ValueRef<'_>) -> Result<Value, Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text).map_err(io)?.to_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_owned()),
    })
}

fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            Value::Integer(_) | Value::Real(_) | Value::Null => 0,
        }
}

/// A running statement's rows on their way to the guest.
struct Rows(mpsc::Receiver<RowResult>);

impl<D> StreamProducer<D> for Rows {
    type Item = RowResult;
    type Buffer = Option<RowResult>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, RowResult, Option<RowResult>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        // A read of nothing asks whether there is something; a row taken for it could be lost.
        if destination.remaining(&mut store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        match self.0.poll_recv(cx) {
            Poll::Ready(Some(row)) => {
                destination.set_buffer(Some(row));
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(None) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The linker's handle for the interface.
pub(crate) struct Sqlite;

impl HasData for Sqlite {
    type Data<'a> = SqliteView<'a>;
}

/// What the host functions of this interface get from the store.
pub(crate) struct SqliteView<'a> {
    pub(crate) table: &'a mut ResourceTable,
    pub(crate) databases: &'a Databases,
    pub(crate) open_connections: &'a mut usize,
}

impl SqliteView<'_> {
    fn path(&self, database: &str) -> Result<(PathBuf, Faults), Error> {
        // A declared database always has a file: the host does not start without.
        let path = self.databases.files.get(database).ok_or(Error::AccessDenied)?;
        Ok((path.clone(), self.databases.faults.clone()))
    }

    fn admit(&mut self, connection: Connection) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        if *self.open_connections >= MAX_CONNECTIONS {
            return Ok(Err(io("too many connections opened")));
        }
        *self.open_connections += 1;
        Ok(Ok(self.table.push(connection)?))
    }

    fn connection(&self, handle: &Resource<Connection>) -> wasmtime::Result<Connection> {
        Ok(self.table.get(handle)?.clone())
    }
}

impl Host for SqliteView<'_> {}

impl HostConnection for SqliteView<'_> {
    async fn open(&mut self, database: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let opened = match self.path(&database) {
            Ok((path, faults)) => Connection::open(path, faults).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(connection) => self.admit(connection),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let connection = self.connection(&connection)?;
        connection.faults.trap(&statement, &parameters)?;
        Ok(blocking(move || {
            let mut result = QueryResult { columns: Vec::new(), rows: Vec::new() };
            let (columns, rows) = (&mut result.columns, &mut result.rows);
            connection.run(
                &statement,
                parameters,
                |names| *columns = names,
                |row| {
                    rows.push(row);
                    Ok(())
                },
            )?;
            Ok(result)
        })
        .await)
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> wasmtime::Result<i64> {
        let connection = self.connection(&connection)?;
        Ok(connection.read(rusqlite::Connection::last_insert_rowid).await?)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        let connection = self.connection(&connection)?;
        Ok(connection.read(rusqlite::Connection::changes).await?)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        *self.open_connections -= 1;
        Ok(())
    }
}

type Executed = (Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>);

impl<T: Send + 'static> HostConnectionWithStore<T> for Sqlite {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let opened = match accessor.with(|mut access| access.get().path(&database)) {
            Ok((path, faults)) => Connection::open(path, faults).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(connection) => accessor.with(|mut access| access.get().admit(connection)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<Executed, Error>> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        connection.faults.trap(&statement, &parameters)?;
        let (columns_sent, columns) = oneshot::channel();
        let (rows_sent, rows) = mpsc::channel(ROWS_AHEAD);
        let (end_sent, end) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let result = connection.run(
                &statement,
                parameters,
                // Whoever waited for columns, rows or the end may be gone with its instance.
                |names| drop(columns_sent.send(names)),
                |row| rows_sent.blocking_send(row).map_err(|_| io("the rows are no longer read")),
            );
            drop(rows_sent);
            drop(end_sent.send(result));
        });
        // A statement that cannot be prepared has no columns, and its error at the end.
        let columns = columns.await.unwrap_or_default();
        let end = async move {
            Ok::<_, wasmtime::Error>(end.await.unwrap_or_else(|_| Err(io("the statement did not end"))))
        };
        accessor.with(|mut access: Access<'_, T, Self>| {
            let rows = StreamReader::new(&mut access, Rows(rows))?;
            let end = FutureReader::new(&mut access, end)?;
            Ok(Ok((columns, rows, end)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        Ok(connection.read(rusqlite::Connection::last_insert_rowid).await?)
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        Ok(connection.read(rusqlite::Connection::changes).await?)
    }
}
