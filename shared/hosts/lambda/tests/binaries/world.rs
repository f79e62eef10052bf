//! A database with an academy, the variables of a deployment, its queues and its edge.

use akademi_api::{
    Ports,
    config::Config,
    ports::{HttpClient, Unreachable},
    signed::PlaneKeys,
};
use akademi_domain::{
    ids::{CourseId, TenantId, UserId},
    time::Timestamp,
};
use akademi_edge_store::{Edge, rusqlite::SqliteFile};
use akademi_lambda_store::testing::TestDatabase;
use akademi_process::{
    ports::{WriteLog, ports},
    secrets,
    server::Server,
};
use akademi_runtime_api::{Binary, RuntimeApi, bucket::Bucket, environment, queue::Queues};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use sqlx::AssertSqlSafe;
use std::{collections::BTreeMap, sync::Arc};
use tempfile::TempDir;

const EARLY: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// How long an HTTP request may take behind API Gateway, in seconds.
pub const REQUEST_SECONDS: u64 = 29;

pub fn tenant() -> TenantId {
    TenantId::new(EARLY, [1; 10])
}

pub fn person() -> UserId {
    UserId::new(EARLY, [2; 10])
}

pub fn course() -> CourseId {
    CourseId::new(EARLY, [3; 10])
}

pub struct World {
    pub database: TestDatabase,
    pub queues: Queues,
    pub bucket: Bucket,
    pub variables: BTreeMap<String, String>,
    /// The system's own clock and randomness.
    pub ports: Ports,
    pub folder: TempDir,
}

impl World {
    /// One active academy with one published course.
    pub async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let (queues, bucket) = (Queues::start().await.unwrap(), Bucket::start().unwrap());
        let mut variables = secrets::generate().unwrap();
        variables.extend(environment(&queues, &bucket));
        let more = [
            ("database_url", database.url()),
            ("edge_url", "http://127.0.0.1:9".to_owned()),
            // Nobody listens there.
            ("mail_url", "smtp://127.0.0.1:9".to_owned()),
            ("mail_from", "Akademi <posta@akademi.example>".to_owned()),
        ];
        variables.extend(more.map(|(name, value)| (name.to_owned(), value)));
        let ports = ports(Arc::new(WriteLog::new(std::io::sink())));
        let world = Self { database, queues, bucket, variables, ports, folder: tempfile::tempdir().unwrap() };
        world
            .execute(&format!(
                "INSERT INTO tenant (id, slug, name, locale, state, brand, domains, updated_at)
                 VALUES ('{}', 'umraniye', 'Ümraniye', 'tr', 'active', '{{}}', '{{}}', 0)",
                tenant().as_uuid()
            ))
            .await;
        world
            .execute(&format!(
                "INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision, published_version,
                                           published_at, owner_id, created_at, updated_at)
                 VALUES ('{}', '{}', 'isik', 'Işık', '', '[]', 1, 1, 0, '{}', 0, 0)",
                tenant().as_uuid(),
                course().as_uuid(),
                person().as_uuid()
            ))
            .await;
        world
    }

    /// `program` with a Runtime API of its own.
    pub async fn start(&self, program: &str) -> Running {
        let api = RuntimeApi::start().await.unwrap();
        let binary = Binary::start(program, &api, &self.variables).unwrap();
        Running { api, binary }
    }

    pub fn planes(&self) -> Arc<PlaneKeys> {
        Arc::new(PlaneKeys::from_config(&self.variables["plane_root_keys"]).unwrap())
    }

    /// Runs a statement as superuser.
    pub async fn execute(&self, sql: &str) {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut superuser).await.unwrap();
    }

    /// The one number that a statement answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut superuser).await.unwrap()
    }

    /// The one column of text that a statement answers.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut superuser).await.unwrap()
    }

    /// The edge's feed function on a port, over SQLite; the binaries that start from now on find it.
    pub async fn serve_edge(&mut self) -> Server {
        let database = SqliteFile::open(&self.edge_file()).unwrap();
        let edge = Edge { ports: self.ports.clone(), database: Arc::new(database) };
        let lookup = |name: &str| self.variables.get(name).cloned();
        let nobody: Arc<dyn HttpClient> = Arc::new(Nobody);
        let router = akademi_edge_functions::router("feed", &edge, &nobody, &Config::new(&lookup));
        let server = Server::start(router.unwrap().unwrap(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        self.variables.insert("edge_url".to_owned(), format!("http://{}", server.address));
        server
    }

    /// The price of the course as the edge knows it.
    pub fn price_at_edge(&self) -> Option<i64> {
        let edge = rusqlite::Connection::open(self.edge_file()).unwrap();
        let mut prices = edge.prepare("SELECT amount FROM price").unwrap();
        prices.query_map([], |row| row.get(0)).unwrap().next().map(Result::unwrap)
    }

    fn edge_file(&self) -> std::path::PathBuf {
        self.folder.path().join("edge.sqlite")
    }
}

/// A binary that runs, and who gives it its events.
pub struct Running {
    pub api: RuntimeApi,
    pub binary: Binary,
}

/// The feed function calls nobody.
struct Nobody;

impl HttpClient for Nobody {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async { Err(Unreachable("nobody is there".into())) })
    }
}
