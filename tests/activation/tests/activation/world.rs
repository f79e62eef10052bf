//! Two academies with courses on one edge store, people who are signed in, and a clock that the test moves.

use akademi_activation::Activation;
use akademi_api::{Caller, Ports, caller::ClientAddress, config::Config, ports::Clock, token::TokenSigner};
use akademi_domain::{
    ids::{CourseId, SessionId, TenantId, UserId},
    permission::{Permissions, Role},
    time::Timestamp,
};
use akademi_edge_store::{
    Database, Edge, Platform, PlatformSql, Rows, Statement, StoreError,
    operations::{NewAcademy, create_academy},
    rusqlite::SqliteFile,
};
use akademi_feed::{Decoded, EdgeEvent, Envelope};
use akademi_process::{
    ports::{WriteLog, ports},
    secrets::{Variables, generate},
};
use akademi_progress::Progress;
use akademi_seal::{PersonKey, Vault};
use axum::{Router, body::Body};
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU16, AtomicUsize, Ordering},
};
use tower::ServiceExt;

pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub const HOSTS: [&str; 2] = ["one.example", "two.example"];
pub const BATCHES: &str = "/api/v1/activation-codes/batches";
pub const REDEMPTIONS: &str = "/api/v1/activation-codes/redemptions";
const NAME: &str = "Şükrü Iğdır";

struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A store in which the first readers of a code wait for each other, so that their changes meet; perhaps one that takes
/// every condition for fulfilled.
struct Racing {
    engine: SqliteFile,
    many: usize,
    arrived: AtomicUsize,
    meeting: tokio::sync::Barrier,
    is_lax: bool,
}

impl Database for Racing {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move {
            let is_awaited =
                statement.sql.contains(" AS code_uses") || statement.sql.contains("FROM idempotency");
            let rows = self.engine.query(statement).await;
            // Whoever looks a second time goes on alone.
            if is_awaited && self.arrived.fetch_add(1, Ordering::SeqCst) < self.many {
                self.meeting.wait().await;
            }
            rows
        })
    }

    fn batch(&self, mut statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        let conditions =
            statements.iter_mut().filter(|statement| statement.sql.starts_with("INSERT INTO guard"));
        for condition in conditions.filter(|_| self.is_lax) {
            let given: Vec<_> = (1..=condition.params.len()).map(|n| format!("?{n}")).collect();
            let sql = format!("INSERT INTO guard (ok) SELECT 1 FROM (SELECT {})", given.join(", "));
            condition.sql = sql.leak();
        }
        self.engine.batch(statements)
    }
}

/// A store that keeps what it is read by.
struct Watched {
    engine: SqliteFile,
    seen: Arc<Mutex<Vec<Statement>>>,
}

impl Database for Watched {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.seen.lock().unwrap().push(statement.clone());
        self.engine.query(statement)
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        self.engine.batch(statements)
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub struct World {
    pub edge: Edge,
    variables: Variables,
    vault: Vault,
    clock: Arc<Moved>,
    router: Router,
    log: Kept,
    people: AtomicU16,
    folder: tempfile::TempDir,
}

/// Of the first or the second academy: 0 or 1.
pub fn tenant(academy: usize) -> TenantId {
    TenantId::new(START, [academy as u8 + 1; 10])
}

pub fn course(academy: usize, number: u8) -> CourseId {
    CourseId::new(START, [academy as u8 + 1, number, 0, 0, 0, 0, 0, 0, 0, 0])
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The problem's status and name.
    pub fn problem(&self) -> (u16, String) {
        let document: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let slug = document["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned();
        (self.status, slug)
    }

    /// The field that is wrong.
    pub fn field(&self) -> String {
        self.expect(422)["errors"][0]["field"].as_str().unwrap_or_default().to_owned()
    }

    pub fn retry_after(&self) -> i64 {
        self.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap()
    }
}

/// Somebody who is signed in, and where they sit.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: UserId,
    academy: usize,
    address: String,
    token: String,
}

impl Person {
    pub fn at(&self, address: &str) -> Self {
        Self { address: address.into(), ..self.clone() }
    }
}

fn routers(edge: &Edge, variables: &Variables) -> Router {
    let lookup = |name: &str| variables.get(name).cloned();
    let config = Config::new(&lookup);
    akademi_activation::router(Activation::from_config(edge.clone(), &config).unwrap())
        .merge(akademi_progress::router(Progress::from_config(edge.clone(), &config).unwrap()))
}

pub fn request(who: &Person, method: Method, path: &str, key: Option<&str>, body: &Value) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, HOSTS[who.academy])
        .header(header::AUTHORIZATION, format!("Bearer {}", who.token))
        .extension(ClientAddress(who.address.clone()));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    if body.is_null() {
        return request.body(Body::empty()).unwrap();
    }
    request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap()
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// What was asked at once, answered.
pub async fn at_once(router: &Router, requests: Vec<Request<Body>>) -> Vec<Answer> {
    let asked = requests.into_iter().map(|request| {
        let router = router.clone();
        tokio::spawn(async move { send(&router, request).await })
    });
    let mut answers = Vec::new();
    for asked in asked.collect::<Vec<_>>() {
        answers.push(asked.await.unwrap());
    }
    answers
}

/// A batch of the first academy's two courses: ten codes, good for a day.
pub fn batch() -> Value {
    json!({ "name": "Bahar dönemi", "prefix": "bahar", "count": 10, "uses_per_code": 1,
            "starts_at": START, "ends_at": START.plus_seconds(86_400), "courses": [course(0, 1), course(0, 2)] })
}

/// The same, otherwise in these fields.
pub fn batch_with(fields: Value) -> Value {
    let mut batch = batch();
    for (name, value) in fields.as_object().unwrap() {
        batch[name] = value.clone();
    }
    batch
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap();
        let clock = Arc::new(Moved(AtomicI64::new(START.as_millis())));
        let log = Kept::default();
        let ports = Ports { clock: clock.clone(), ..ports(Arc::new(WriteLog::new(log.clone()))) };
        let edge = Edge { ports, database: Arc::new(engine) };
        let variables = generate().unwrap();
        let world = Self {
            router: routers(&edge, &variables),
            vault: Vault::from_config(&variables["edge_master_key"]).unwrap(),
            people: AtomicU16::new(0),
            edge,
            variables,
            clock,
            log,
            folder,
        };
        for (academy, host) in HOSTS.into_iter().enumerate() {
            let new = NewAcademy {
                id: tenant(academy),
                slug: host.split('.').next().unwrap(),
                name: "Ümraniye Açık Akademi",
                locale: "tr",
                brand_colour: "#0b6e4f",
                hosts: &[host],
            };
            world.run(create_academy(&new, START));
            for number in 1..=2 {
                world.publish(academy, number);
            }
        }
        world
    }

    fn publish(&self, academy: usize, number: u8) {
        const COURSE: PlatformSql = PlatformSql::new(
            "INSERT INTO course (tenant_id, id, slug, version, title, summary, outline, lesson_count, duration_seconds, \
             published_at) VALUES (?1, ?2, ?3, 1, ?4, '', ?5, 0, 0, ?6)",
        );
        let (id, slug) = (course(academy, number), format!("ders-{number}"));
        let outline =
            json!({ "id": id, "slug": slug, "title": "Işık", "language": null, "modules": [] }).to_string();
        self.run(vec![COURSE.with([
            tenant(academy).into(),
            id.into(),
            slug.into(),
            format!("Işık {number}").into(),
            outline.into(),
            START.into(),
        ])]);
    }

    pub fn run(&self, statements: Vec<Statement>) {
        futures::executor::block_on(Platform::new(self.edge.database.as_ref()).batch(statements)).unwrap();
    }

    /// Somebody new, with a role.
    pub fn join(&self, academy: usize, role: Role) -> Person {
        const PERSON: PlatformSql = PlatformSql::new(
            "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
             VALUES (?1, ?2, ?3, ?4, '', 'active', 1, ?5)",
        );
        const KEY: PlatformSql =
            PlatformSql::new("INSERT INTO person_key (tenant_id, person_id, wrapped) VALUES (?1, ?2, ?3)");
        const SESSION: PlatformSql = PlatformSql::new(
            "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at, \
             authenticated_at) VALUES (?1, ?2, ?3, ?4, 0, '', ?5, ?5, ?5)",
        );
        let [high, low] = self.people.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        let (tenant, now) = (tenant(academy), self.edge.ports.now());
        let id = UserId::new(now, [high, low, 3, 0, 0, 0, 0, 0, 0, 0]);
        let session = SessionId::new(now, [high, low, 4, 0, 0, 0, 0, 0, 0, 0]);
        let key = PersonKey::from_bytes([low; 32]);
        let profile = json!({ "name": NAME, "email": "sukru@example.org" }).to_string();
        let profile = key.seal(id, "profile", profile.as_bytes(), [9; 24]);
        let wrapped = self.vault.wrap_key(tenant, id, &key, [9; 24]);
        self.run(vec![
            PERSON.with([tenant.into(), id.into(), vec![high, low].into(), profile.into(), now.into()]),
            KEY.with([tenant.into(), id.into(), wrapped.into()]),
            SESSION.with([tenant.into(), session.into(), id.into(), vec![0_u8; 16].into(), now.into()]),
        ]);
        let permissions: Permissions = role.permissions();
        let signer = TokenSigner::from_config(&self.variables["token_signing_keys"]).unwrap();
        let caller = Caller { tenant, user: id, session, permissions };
        let token = signer.sign(&caller, now, [5; 16]).unwrap();
        Person { id, academy, address: format!("192.0.{high}.{low}"), token }
    }

    pub fn staff(&self) -> Person {
        self.join(0, Role::TenantAdmin)
    }

    pub fn learner(&self) -> Person {
        self.join(0, Role::Student)
    }

    /// The same world as `many` see it who ask at once.
    pub fn racing(&self, many: usize, is_lax: bool) -> Router {
        let engine = SqliteFile::open(&self.folder.path().join("edge.sqlite")).unwrap();
        let meeting = tokio::sync::Barrier::new(many);
        let racing = Racing { engine, many, arrived: AtomicUsize::new(0), meeting, is_lax };
        routers(&Edge { database: Arc::new(racing), ..self.edge.clone() }, &self.variables)
    }

    /// By what one request reads.
    pub async fn watched(&self, request: Request<Body>) -> Vec<Statement> {
        let engine = SqliteFile::open(&self.folder.path().join("edge.sqlite")).unwrap();
        let seen = Arc::<Mutex<Vec<Statement>>>::default();
        let database = Arc::new(Watched { engine, seen: seen.clone() });
        send(&routers(&Edge { database, ..self.edge.clone() }, &self.variables), request).await;
        std::mem::take(&mut *seen.lock().unwrap())
    }

    /// How the engine reads what `statement` asks for.
    pub fn plan(&self, statement: &Statement) -> String {
        let sql: &'static str = format!("EXPLAIN QUERY PLAN {}", statement.sql).leak();
        let explain = Statement { sql, params: statement.params.clone() };
        let rows = futures::executor::block_on(self.edge.database.query(explain)).unwrap();
        rows.iter().map(|row| row.text(3).unwrap().to_owned() + "\n").collect()
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub async fn get(&self, who: &Person, path: &str) -> Answer {
        send(&self.router, request(who, Method::GET, path, None, &Value::Null)).await
    }

    pub async fn post(&self, who: &Person, path: &str, key: Option<&str>, body: Value) -> Answer {
        send(&self.router, request(who, Method::POST, path, key, &body)).await
    }

    pub async fn redeem(&self, who: &Person, code: &str) -> Answer {
        self.post(who, REDEMPTIONS, None, json!({ "code": code })).await
    }

    /// Makes a batch; its address and its codes, at most 10,000.
    pub async fn make(&self, staff: &Person, batch: Value) -> (String, Vec<String>) {
        let key = format!("key-{}", self.count("SELECT count(*) AS n FROM idempotency"));
        let made = self.post(staff, BATCHES, Some(&key), batch).await.expect(201);
        let path = format!("{BATCHES}/{}", made["id"].as_str().unwrap());
        let sheet = self.get(staff, &format!("{path}/codes.csv")).await;
        sheet.expect(200);
        let codes = sheet.text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_owned());
        (path, codes.collect())
    }

    /// Whether this person may learn there.
    pub async fn has_course(&self, who: &Person, number: u8) -> bool {
        let path = format!("/api/v1/progress/courses/{}", course(who.academy, number));
        match self.get(who, &path).await.status {
            200 => true,
            404 => false,
            other => panic!("{other}"),
        }
    }

    /// The feed's events, in their order.
    pub fn events(&self) -> Vec<EdgeEvent> {
        const EVENTS: PlatformSql = PlatformSql::new(
            "SELECT number, tenant_id, kind, version, payload FROM feed_event ORDER BY number",
        );
        let platform = Platform::new(self.edge.database.as_ref());
        let rows = futures::executor::block_on(platform.rows(EVENTS.with([]))).unwrap();
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
                event
            })
            .collect()
    }

    /// One number of the store.
    pub fn count(&self, sql: &'static str) -> i64 {
        let platform = Platform::new(self.edge.database.as_ref());
        let rows = futures::executor::block_on(platform.rows(PlatformSql::new(sql).with([]))).unwrap();
        rows.first().unwrap().integer(0).unwrap()
    }

    /// All that was logged, and all bytes of the store's files.
    pub fn kept(&self) -> Vec<u8> {
        let mut bytes = self.log.0.lock().unwrap().clone();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
        }
        bytes
    }
}
