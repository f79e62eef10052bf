//! What is durable: a database of PostgreSQL and a file of SQLite with the academy in both, and those who look from outside.

use akademi_api::Ports;
use akademi_lambda_store::testing::TestDatabase;
use anyhow::Context;
use sqlx::PgConnection;
use std::path::PathBuf;

use crate::{
    academy::{Callbacks, populate},
    edge::EdgePlane,
    gate::Gate,
    invariants::VIEWS,
};

const EDGE_FILE: &str = "edge.sqlite";
/// What was appended to the feed, kept when the feed is pruned.
const KEEP_WHAT_WAS_APPENDED: &str = "
    CREATE TABLE appended (place bigserial, kind text NOT NULL, payload jsonb NOT NULL);
    CREATE FUNCTION keep_appended() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN INSERT INTO appended (kind, payload) VALUES (NEW.kind, NEW.payload); RETURN NULL; END $$;
    CREATE TRIGGER keep_appended AFTER INSERT ON feed_event FOR EACH ROW EXECUTE FUNCTION keep_appended()";
/// The academy's accounts, of which a history has one or both.
const KEEP_ACCOUNTS: &str = "
    CREATE TABLE known_account AS TABLE payment_account; UPDATE known_account SET takes_orders = false";
/// How the edge's cursor moved.
const KEEP_WHAT_WAS_APPLIED: &str = "
    CREATE TABLE applied (first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
    INSERT INTO applied SELECT 0, number FROM feed_cursor;
    CREATE TRIGGER cursor_began AFTER INSERT ON feed_cursor BEGIN
        INSERT INTO applied VALUES (0, NEW.number); END;
    CREATE TRIGGER cursor_moved AFTER UPDATE ON feed_cursor BEGIN
        INSERT INTO applied VALUES (OLD.number, NEW.number); END";

pub struct Ground {
    pub database: TestDatabase,
    /// For the edge's file and for sockets.
    pub folder: tempfile::TempDir,
    pub gate: Gate,
    /// The edge's functions.
    pub edge: EdgePlane,
    /// A superuser of PostgreSQL.
    pub observer: PgConnection,
    pub callbacks: Callbacks,
}

impl Ground {
    /// With so many learners.
    pub async fn new(people: u8, ports: &Ports) -> anyhow::Result<Self> {
        let database = TestDatabase::new().await?;
        let folder = tempfile::tempdir()?;
        let gate = Gate::default();
        let mut observer = database.superuser().await?;
        let edge_file = folder.path().join(EDGE_FILE);
        let edge = EdgePlane::start(&edge_file, &gate, ports)?;
        let callbacks = populate(people, ports, database.postgres(), &mut observer, &edge).await?;
        database.postgres().close().await;
        sqlx::raw_sql(KEEP_WHAT_WAS_APPENDED).execute(&mut observer).await?;
        sqlx::raw_sql(KEEP_ACCOUNTS).execute(&mut observer).await?;
        sqlx::raw_sql(VIEWS).execute(&mut observer).await?;
        let edge_observer = rusqlite::Connection::open(&edge_file)?;
        edge_observer.execute_batch(KEEP_WHAT_WAS_APPLIED)?;
        Ok(Self { database, folder, gate, edge, observer, callbacks })
    }

    pub fn edge_file(&self) -> PathBuf {
        self.folder.path().join(EDGE_FILE)
    }

    /// Where PostgreSQL listens.
    pub fn server_socket(&self) -> anyhow::Result<PathBuf> {
        let options = self.database.options();
        Ok(options.get_socket().context("the server has a socket")?.join(".s.PGSQL.5432"))
    }
}
