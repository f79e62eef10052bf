//! Two academies, one Turkish and one English, and what is asked of them.

use akademi_api::{
    Caller, Ports,
    config::Config,
    ports::{Clock, Log, Rng},
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
    token::TokenSigner,
};
use akademi_domain::{
    certificate::CertificateSerial,
    ids::{CourseId, SessionId, TenantId, UserId},
    permission::Permissions,
    time::Timestamp,
};
use akademi_edge_store::{
    Database, Edge, Platform, PlatformSql, Rows, Statement, StoreError, Value,
    operations::{NewAcademy, create_academy},
    rusqlite::SqliteFile,
};
use akademi_feed::{Batch, Envelope, LambdaEvent};
use akademi_seal::{PersonKey, Vault};
use akademi_verify::Verify;
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::{executor::block_on, future::BoxFuture};
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::BodyExt as _;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU8, Ordering},
};
use tower::ServiceExt as _;

/// 2026-11-21, 22:30 in UTC: the day after in Istanbul.
pub const NOW: Timestamp = Timestamp::from_millis(1_795_300_200_000);

pub const UMRANIYE: &str = "umraniye.localhost";
pub const KADIKOY: &str = "kadikoy.localhost";

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}

struct Counter(AtomicU8);

impl Rng for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

/// Keeps the log, to look for names in it.
#[derive(Default)]
struct Lines(Mutex<String>);

impl Log for Lines {
    fn line(&self, line: &str) {
        self.0.lock().unwrap().push_str(line);
    }
}

/// The engine, with the reading statements that it ran.
struct Recording {
    engine: SqliteFile,
    queries: Mutex<Vec<Statement>>,
}

impl Database for Recording {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.queries.lock().unwrap().push(statement.clone());
        self.engine.query(statement)
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        self.engine.batch(statements)
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub struct Setup {
    database: Arc<Recording>,
    router: Router,
    signer: TokenSigner,
    planes: PlaneKeys,
    vault: Vault,
    log: Arc<Lines>,
    fed: AtomicI64,
    _folder: tempfile::TempDir,
}

pub fn tenant(n: u8) -> TenantId {
    TenantId::new(NOW, [n; 10])
}

pub fn person(n: u8) -> UserId {
    UserId::new(NOW, [n; 10])
}

pub fn course(n: u8) -> CourseId {
    CourseId::new(NOW, [n; 10])
}

pub fn serial(n: u8) -> CertificateSerial {
    CertificateSerial::new([n; 16])
}

fn key_of(n: u8) -> PersonKey {
    PersonKey::from_bytes([n; 32])
}

/// Person `n`'s certificate `n`, of a course of that title, as the other plane issues it.
pub fn issued(n: u8, holder: &str, title: &str) -> LambdaEvent {
    let sealed = key_of(n).seal(person(n), "certificate_holder", holder.as_bytes(), [n; 24]);
    LambdaEvent::CertificateIssued {
        serial: serial(n),
        person: person(n),
        course: course(n),
        title: title.into(),
        holder: hex::encode(sealed),
        completed_at: NOW.plus_seconds(-86_400),
        issued_at: NOW,
    }
}

pub fn revoked(n: u8, at: Timestamp) -> LambdaEvent {
    LambdaEvent::CertificateRevoked { serial: serial(n), at }
}

impl Setup {
    pub fn new() -> Self {
        Self::with_academy("Ümraniye Açık Akademi", "#0b6e4f")
    }

    /// The first academy's name and colour; it knows the keys of people 1 to 3.
    pub fn with_academy(name: &str, brand_colour: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap();
        let database = Arc::new(Recording { engine, queries: Mutex::default() });
        let log = Arc::new(Lines::default());
        let ports = Ports::new(Arc::new(FixedClock), Arc::new(Counter(AtomicU8::new(100))), log.clone());
        let edge = Edge { ports, database: database.clone() };
        let key = |seed: u8| URL_SAFE_NO_PAD.encode([seed; 32]);
        let signer = TokenSigner::from_config(&format!("k1:{}", key(1))).unwrap();
        let public = signer.verifier().to_config();
        let root = format!("k1:{}", key(2));
        let lookup = |name: &str| match name {
            "token_public_keys" => Some(public.clone()),
            "plane_root_keys" => Some(root.clone()),
            "edge_master_key" => Some(key(3)),
            _ => None,
        };
        let config = Config::new(&lookup);
        let verify = Verify::from_config(edge.clone(), &config).unwrap();
        let feed = akademi_feed_function::Feed::from_config(edge, &config).unwrap();
        let setup = Self {
            database,
            router: akademi_verify::router(verify).merge(akademi_feed_function::router(feed)),
            signer,
            planes: PlaneKeys::from_config(&root).unwrap(),
            vault: Vault::from_config(&key(3)).unwrap(),
            log,
            fed: AtomicI64::new(0),
            _folder: folder,
        };
        for (n, slug, name, locale, brand_colour, host) in [
            (1, "umraniye", name, "tr", brand_colour, UMRANIYE),
            (2, "kadikoy", "Kadıköy Learning Lab", "en", "#ffe600", KADIKOY),
        ] {
            let academy = NewAcademy { id: tenant(n), slug, name, locale, brand_colour, hosts: &[host] };
            setup.change(create_academy(&academy, NOW));
        }
        for n in 1..=3 {
            setup.give_key(1, n);
        }
        setup
    }

    /// Gives person `n` their key in an academy, as registration does.
    pub fn give_key(&self, academy: u8, n: u8) {
        const SQL: PlatformSql =
            PlatformSql::new("INSERT INTO person_key (tenant_id, person_id, wrapped) VALUES (?1, ?2, ?3)");
        let wrapped = self.vault.wrap_key(tenant(academy), person(n), &key_of(n), [n; 24]);
        self.change(vec![SQL.with([tenant(academy).into(), person(n).into(), wrapped.into()])]);
    }

    /// Erases person `n`: their key is destroyed.
    pub fn erase(&self, n: u8) {
        const SQL: PlatformSql = PlatformSql::new("DELETE FROM person_key WHERE person_id = ?1");
        self.change(vec![SQL.with([person(n).into()])]);
    }

    fn change(&self, statements: Vec<Statement>) {
        block_on(self.database.batch(statements)).unwrap();
    }

    /// Brings events of the first academy, as `sync` does.
    pub fn feed(&self, events: &[LambdaEvent]) {
        self.feed_to(1, events);
    }

    pub fn feed_to(&self, academy: u8, events: &[LambdaEvent]) {
        let answer = self.try_feed(academy, events);
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.fed.fetch_add(events.len() as i64, Ordering::Relaxed);
    }

    pub fn try_feed(&self, academy: u8, events: &[LambdaEvent]) -> Answer {
        let from = self.fed.load(Ordering::Relaxed);
        let envelopes = events.iter().zip(from + 1..).map(|(event, number)| {
            let record = event.record();
            let (kind, version) = (record.kind.to_owned(), record.version);
            Envelope { number, tenant: tenant(academy), kind, version, payload: record.payload }
        });
        let to = from + events.len() as i64;
        let batch = Batch { source: "lambda:test".into(), from, to, events: envelopes.collect() };
        let body = serde_json::to_vec(&batch).unwrap();
        let target = Uri::from_static("/internal/feed");
        let context = CallContext { request_id: "test".into(), ..CallContext::default() };
        let signature =
            self.planes.sign(Purpose::Feed, &Method::POST, &target, &body, &context, NOW).unwrap();
        let request = Request::post(target)
            .header(CALL_HEADER, signature)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap();
        self.send(request)
    }

    fn send(&self, request: Request<Body>) -> Answer {
        block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body = String::from_utf8(body.to_vec()).unwrap();
            Answer { status: parts.status.as_u16(), headers: parts.headers, body }
        })
    }

    pub fn get(&self, host: &str, path: &str) -> Answer {
        self.send(Request::get(path).header(header::HOST, host).body(Body::empty()).unwrap())
    }

    /// Asks the first academy for a certificate.
    pub fn check(&self, n: u8) -> Answer {
        self.get(UMRANIYE, &format!("/api/v1/certificates/{}", serial(n)))
    }

    /// Asks the first academy for a certificate's page.
    pub fn page(&self, n: u8) -> Answer {
        self.get(UMRANIYE, &format!("/verify/{}", serial(n)))
    }

    /// Asks for a list as person `n` of an academy.
    pub fn own(&self, host: &str, academy: u8, n: u8, query: &str) -> Answer {
        let caller = Caller {
            tenant: tenant(academy),
            user: person(n),
            session: SessionId::new(NOW, [8; 10]),
            permissions: Permissions::NONE,
        };
        let token = self.signer.sign(&caller, NOW, [9; 16]).unwrap();
        let request = Request::get(format!("/api/v1/users/me/certificates{query}"))
            .header(header::HOST, host)
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap())
    }

    /// The statements that `ask` made the store run.
    pub fn queries_of(&self, ask: impl FnOnce()) -> Vec<Statement> {
        self.database.queries.lock().unwrap().clear();
        ask();
        std::mem::take(&mut *self.database.queries.lock().unwrap())
    }

    /// SQLite's plan of a statement.
    pub fn plan_of(&self, statement: Statement) -> String {
        let sql = Box::leak(format!("EXPLAIN QUERY PLAN {}", statement.sql).into_boxed_str());
        let rows = block_on(self.database.engine.query(Statement { sql, params: statement.params })).unwrap();
        rows.iter().map(|row| row.text(3).unwrap()).collect::<Vec<_>>().join("; ")
    }

    /// All log lines so far.
    pub fn log(&self) -> String {
        self.log.0.lock().unwrap().clone()
    }

    pub fn rows(&self, sql: &'static str) -> Vec<Vec<Value>> {
        let platform = Platform::new(&self.database.engine);
        let rows = block_on(platform.rows(PlatformSql::new(sql).with([]))).unwrap();
        rows.into_iter().map(|row| row.0).collect()
    }
}
