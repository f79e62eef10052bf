//! A store of the edge in a folder, with its clock and its log.

use akademi_api::Ports;
use akademi_domain::{ids::TenantId, time::Timestamp};
use akademi_edge_store::{
    Edge, Platform, PlatformSql, Statement,
    operations::{NewAcademy, create_academy},
    rusqlite::SqliteFile,
};
use akademi_feed::{Decoded, EdgeEvent, Envelope};
use akademi_process::ports::{WriteLog, ports};
use futures::executor::block_on;
use std::sync::Arc;

use crate::{
    clock::MovedClock,
    log::Kept,
    racing::{Meeting, Racing},
    watched::Watched,
};

pub struct Store {
    pub edge: Edge,
    pub clock: Arc<MovedClock>,
    pub log: Kept,
    folder: tempfile::TempDir,
}

impl Store {
    /// With these academies, which are alike but for id and host.
    pub fn new(start: Timestamp, academies: &[(TenantId, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap();
        let (clock, log) = (Arc::new(MovedClock::new(start)), Kept::default());
        let ports = Ports { clock: clock.clone(), ..ports(Arc::new(WriteLog::new(log.clone()))) };
        let store = Self { edge: Edge { ports, database: Arc::new(engine) }, clock, log, folder };
        for (id, host) in academies {
            let new = NewAcademy {
                id: *id,
                slug: host.split('.').next().unwrap(),
                name: "Ümraniye Açık Akademi",
                locale: "tr",
                brand_colour: "#0b6e4f",
                hosts: &[host],
            };
            store.run(create_academy(&new, start));
        }
        store
    }

    fn engine(&self) -> SqliteFile {
        SqliteFile::open(&self.folder.path().join("edge.sqlite")).unwrap()
    }

    /// The same store as those see it who meet.
    pub fn racing(&self, meeting: Meeting) -> Edge {
        Edge { database: Arc::new(Racing::new(self.engine(), meeting)), ..self.edge.clone() }
    }

    /// The same store, watched.
    pub fn watched(&self) -> (Edge, Arc<Watched>) {
        let watched = Arc::new(Watched::new(self.engine()));
        (Edge { database: watched.clone(), ..self.edge.clone() }, watched)
    }

    /// How the engine reads what `statement` asks for.
    pub fn plan(&self, statement: &Statement) -> String {
        let sql: &'static str = format!("EXPLAIN QUERY PLAN {}", statement.sql).leak();
        let explain = Statement { sql, params: statement.params.clone() };
        let rows = block_on(self.edge.database.query(explain)).unwrap();
        rows.iter().map(|row| row.text(3).unwrap().to_owned() + "\n").collect()
    }

    pub fn now(&self) -> Timestamp {
        self.edge.ports.now()
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.wait(seconds);
    }

    pub fn run(&self, statements: Vec<Statement>) {
        block_on(Platform::new(self.edge.database.as_ref()).batch(statements)).unwrap();
    }

    pub fn execute(&self, sql: &'static str) {
        self.run(vec![PlatformSql::new(sql).with([])]);
    }

    /// One number of the store.
    pub fn count(&self, sql: &'static str) -> i64 {
        let platform = Platform::new(self.edge.database.as_ref());
        let rows = block_on(platform.rows(PlatformSql::new(sql).with([]))).unwrap();
        rows.first().unwrap().integer(0).unwrap()
    }

    /// The feed's events, in their order.
    pub fn events(&self) -> Vec<(TenantId, EdgeEvent)> {
        const EVENTS: PlatformSql = PlatformSql::new(
            "SELECT number, tenant_id, kind, version, payload FROM feed_event ORDER BY number",
        );
        let platform = Platform::new(self.edge.database.as_ref());
        let rows = block_on(platform.rows(EVENTS.with([]))).unwrap();
        rows.iter()
            .map(|row| {
                let envelope = Envelope {
                    number: row.integer(0).unwrap(),
                    tenant: row.parse(1).unwrap(),
                    kind: row.text(2).unwrap().to_owned(),
                    version: row.integer(3).unwrap().try_into().unwrap(),
                    payload: row.text(4).unwrap().to_owned(),
                };
                let Ok(Decoded::Known(event)) = EdgeEvent::decode(&envelope) else { panic!("{envelope:?}") };
                (envelope.tenant, event)
            })
            .collect()
    }

    /// All that was logged, and all bytes of the store's files.
    pub fn kept(&self) -> Vec<u8> {
        let mut bytes = self.log.bytes();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
        }
        bytes
    }
}

pub fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
