//! A store that tries each statement beside another academy's rows before it runs it.

use akademi_edge_store::{Database, Rows, Statement, StoreError, Value, rusqlite::SqliteFile};
use futures::future::BoxFuture;
use rusqlite::{Connection, params_from_iter, types::ValueRef};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// The other academy. It sorts before all others, so that its rows come first where an order decides.
const OTHER: &str = "00000000-0000-7000-8000-000000000001";
/// How often a statement is tried at most.
const RUNS: usize = 12;

/// What was found of a statement.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub runs: usize,
    /// How it sees or changes another academy's rows.
    pub leak: Option<String>,
    /// Whether it did otherwise without its predicate.
    pub is_needed: bool,
}

/// The store, and a connection of its own on which all is taken back.
pub struct Witness {
    engine: SqliteFile,
    trial: Mutex<Trial>,
}

struct Trial {
    connection: Connection,
    tables: Vec<Table>,
    seen: BTreeMap<&'static str, Seen>,
}

struct Table {
    name: String,
    /// All but what names the tenant.
    columns: Vec<String>,
    /// Those of them that hold integers.
    numbers: Vec<String>,
    tenant: &'static str,
}

/// What another academy has.
#[derive(Debug, Clone, Copy)]
enum Neighbour {
    /// The same rows.
    Same,
    /// The same rows, while the academy itself has none.
    Alone,
    /// The same rows, all numbers 0: versions, times.
    Expired,
    /// The same rows, while the academy's own numbers are 0.
    Older,
    /// The same rows of somebody else.
    Strangers,
    /// The same rows, all of whoever the statement names.
    Namesakes,
}

impl Neighbour {
    const ALL: [Self; 6] =
        [Self::Same, Self::Alone, Self::Expired, Self::Older, Self::Strangers, Self::Namesakes];
}

/// What a statement gave, and what both academies have after it.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    rows: Result<Vec<Vec<String>>, String>,
    own: Vec<String>,
}

impl Witness {
    pub async fn open(file: &Path, statements: Vec<Statement>) -> Self {
        let engine = SqliteFile::open(file).unwrap();
        engine.batch(statements).await.unwrap();
        let connection = Connection::open(file).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        // Rows of nobody are put beside others, and rows are taken from whoever refers to them.
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        let tables = tables(&connection);
        Self { engine, trial: Mutex::new(Trial { connection, tables, seen: BTreeMap::new() }) }
    }

    pub fn seen(&self) -> BTreeMap<&'static str, Seen> {
        self.trial.lock().unwrap_or_else(PoisonError::into_inner).seen.clone()
    }

    fn try_all(&self, statements: &[Statement]) {
        let mut trial = self.trial.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |trial: &Trial| statements.iter().any(|statement| trial.wants(statement));
        if !wanted(&trial) {
            return;
        }
        trial.execute("BEGIN IMMEDIATE");
        for statement in statements {
            if trial.wants(statement) {
                trial.examine(statement);
            }
            // What a batch refuses is tried on to its end all the same.
            drop(statement_rows(&trial.connection, statement.sql, &statement.params));
        }
        trial.execute("ROLLBACK");
    }
}

impl Database for Witness {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.try_all(std::slice::from_ref(&statement));
        self.engine.query(statement)
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        self.try_all(&statements);
        self.engine.batch(statements)
    }
}

impl Trial {
    fn execute(&self, sql: &str) {
        self.connection.execute_batch(sql).unwrap();
    }

    /// Whether a statement names an academy in a condition, and was not tried often enough.
    fn wants(&self, statement: &Statement) -> bool {
        let names_academy = matches!(statement.params.first(), Some(Value::Text(id)) if id.len() == 36);
        names_academy
            && without_predicate(statement.sql) != statement.sql
            && self
                .seen
                .get(statement.sql)
                .is_none_or(|seen| seen.runs < RUNS && !(seen.is_needed && seen.runs > 2))
    }

    fn examine(&mut self, statement: &Statement) {
        let Some(Value::Text(academy)) = statement.params.first() else { return };
        let mutant = without_predicate(statement.sql);
        let mut found = Seen::default();
        for neighbour in Neighbour::ALL {
            let alone = self.under(academy, neighbour, false, statement.sql, &statement.params);
            let beside = self.under(academy, neighbour, true, statement.sql, &statement.params);
            if alone.0 != beside.0 {
                let rows = (&alone.0.rows, &beside.0.rows);
                found.leak = Some(format!("{neighbour:?}: alone and beside others {rows:?}"));
            } else if beside.1 != beside.2 {
                found.leak = Some(format!("{neighbour:?}: it changes another academy's rows"));
            }
            let wrong = self.under(academy, neighbour, true, &mutant, &statement.params);
            found.is_needed |= wrong.0 != alone.0 || wrong.1 != wrong.2;
        }
        let seen = self.seen.entry(statement.sql).or_default();
        seen.runs += 1;
        seen.leak = seen.leak.take().or(found.leak);
        seen.is_needed |= found.is_needed;
    }

    /// What `sql` gives to `academy`, with or without the neighbour's rows, and those before and after; all of it is taken
    /// back.
    fn under(
        &self,
        academy: &str,
        neighbour: Neighbour,
        has_neighbour: bool,
        sql: &str,
        params: &[Value],
    ) -> (Outcome, Vec<String>, Vec<String>) {
        self.execute("SAVEPOINT trial");
        for table in &self.tables {
            if has_neighbour {
                table.copy(&self.connection, academy, neighbour, params.get(1));
            }
            let changed = match neighbour {
                // What two cannot have is the neighbour's.
                Neighbour::Alone if table.name == "domain" && has_neighbour => {
                    format!("UPDATE domain SET tenant_id = '{OTHER}'")
                }
                Neighbour::Alone if table.name != "tenant" => format!("DELETE FROM {}", table.name),
                Neighbour::Older if !table.numbers.is_empty() => {
                    let numbers: Vec<_> =
                        table.numbers.iter().map(|column| format!("{column} = 0")).collect();
                    format!("UPDATE OR IGNORE {} SET {}", table.name, numbers.join(", "))
                }
                _ => continue,
            };
            self.connection.execute(&format!("{changed} WHERE {} = ?1", table.tenant), [academy]).unwrap();
        }
        let before = self.rows_of("<>", academy);
        let rows = statement_rows(&self.connection, sql, params);
        let mut own = self.rows_of("=", academy);
        own.push(format!("{:?}", statement_rows(&self.connection, "SELECT number FROM feed_head", &[])));
        let outcome = Outcome { rows, own };
        let after = self.rows_of("<>", academy);
        self.execute("ROLLBACK TO trial");
        self.execute("RELEASE trial");
        (outcome, before, after)
    }

    /// The rows whose academy is `=` or `<>` this one.
    fn rows_of(&self, compared: &str, academy: &str) -> Vec<String> {
        let mut all = Vec::new();
        for table in &self.tables {
            let sql = format!("SELECT * FROM {} WHERE {} {compared} ?1", table.name, table.tenant);
            let rows = statement_rows(&self.connection, &sql, &[Value::Text(academy.to_owned())]).unwrap();
            let mut lines: Vec<_> =
                rows.into_iter().map(|row| format!("{} {}", table.name, row.join("|"))).collect();
            lines.sort_unstable();
            all.extend(lines);
        }
        all
    }
}

impl Table {
    /// Puts the academy's rows under the other's name, too; those that two cannot have are left out.
    fn copy(&self, connection: &Connection, academy: &str, neighbour: Neighbour, named: Option<&Value>) {
        let columns = self.columns.join(", ");
        let value = |column: &String| match (neighbour, column.as_str()) {
            // A slug is one academy's.
            (_, "slug") if self.name == "tenant" => "slug || '-other'".to_owned(),
            (Neighbour::Expired, _) if self.numbers.contains(column) => "0".to_owned(),
            (Neighbour::Strangers, "person_id") => format!("'{OTHER}'"),
            (Neighbour::Namesakes, "person_id") => match named {
                Some(Value::Text(id)) if id.len() == 36 => format!("'{id}'"),
                _ => column.clone(),
            },
            _ => column.clone(),
        };
        let values = self.columns.iter().map(value).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "INSERT OR IGNORE INTO {name} ({tenant}, {columns}) SELECT ?2, {values} FROM {name} WHERE {tenant} = ?1",
            name = self.name,
            tenant = self.tenant,
        );
        connection.execute(&sql, [academy, OTHER]).unwrap();
    }
}

/// The tables that belong to academies. The feed is the whole store's.
fn tables(connection: &Connection) -> Vec<Table> {
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'feed%' ORDER BY name";
    let names = statement_rows(connection, names, &[]).unwrap();
    let mut tables = Vec::new();
    for name in names.into_iter().flatten() {
        let columns = |only: &str| -> Vec<String> {
            let sql = format!("SELECT name FROM pragma_table_info('{name}') WHERE {only}");
            statement_rows(connection, &sql, &[]).unwrap().into_iter().flatten().collect()
        };
        // 0 is no rate, and no row has it.
        let numbers = columns("type = 'INTEGER' AND name <> 'watch_rate_percent'");
        let mut columns = columns("true");
        let tenant = if name == "tenant" { "id" } else { "tenant_id" };
        if let Some(place) = columns.iter().position(|column| column == tenant) {
            columns.remove(place);
            tables.push(Table { name, columns, numbers, tenant });
        }
    }
    tables
}

/// A statement that takes every academy for the one it names: `?1` compared is true.
fn without_predicate(sql: &str) -> String {
    let mut text = String::new();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once(" = ?1") {
        let is_first = !after.starts_with(|letter: char| letter.is_ascii_digit());
        let start = before.rfind(|letter: char| !(letter.is_ascii_alphanumeric() || "._".contains(letter)));
        let (kept, column) = before.split_at(start.map_or(0, |at| at + 1));
        let names_tenant = column.ends_with("tenant_id") || column == "id" || column == "tenant.id";
        if is_first && names_tenant {
            text.push_str(kept);
            text.push_str("?1 IS NOT NULL");
        } else {
            text.push_str(before);
            text.push_str(" = ?1");
        }
        rest = after;
    }
    text + rest
}

/// The rows as text, or the engine's refusal.
fn statement_rows(connection: &Connection, sql: &str, params: &[Value]) -> Result<Vec<Vec<String>>, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let mut prepared = connection.prepare_cached(sql).map_err(text)?;
    let columns = prepared.column_count();
    let params = params_from_iter(params.iter().map(|value| match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Integer(number) => rusqlite::types::Value::Integer(*number),
        Value::Text(text) => rusqlite::types::Value::Text(text.clone()),
        Value::Blob(bytes) => rusqlite::types::Value::Blob(bytes.clone()),
    }));
    let mut found = prepared.query(params).map_err(text)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(text)? {
        let cell = |column| match row.get_ref(column).unwrap() {
            ValueRef::Null => "NULL".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            ValueRef::Blob(bytes) => hex::encode(bytes),
        };
        rows.push((0..columns).map(cell).collect());
    }
    rows.sort_unstable();
    Ok(rows)
}
