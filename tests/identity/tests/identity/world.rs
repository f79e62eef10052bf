//! Two academies on one edge store, a clock that the test moves, and somebody who asks.

use akademi_academies::Academies;
use akademi_account::Account;
use akademi_api::{
    Ports,
    caller::ClientAddress,
    config::Config,
    links::LinkKeys,
    ports::{Clock, HttpClient, Unreachable},
    token::TokenSigner,
};
use akademi_auth::Auth;
use akademi_domain::{
    ids::{LinkId, TenantId, UserId},
    mail::{LinkPurpose, MailKind},
    time::Timestamp,
};
use akademi_edge_store::{
    Database, Edge, Platform, PlatformSql, Rows, Statement, StoreError,
    operations::{NewAcademy, create_academy},
    rusqlite::SqliteFile,
};
use akademi_feed::{Decoded, EdgeEvent, Envelope};
use akademi_people::People;
use akademi_process::{
    ports::{WriteLog, ports},
    secrets::{Variables, generate},
};
use akademi_registration::Registrar;
use axum::{Router, body::Body};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};
use tower::ServiceExt;

pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub const EMAIL: &str = "sukru@example.org";
pub const PASSWORD: &str = "uzun bir parola";
pub const HOST: &str = "one.example";
pub const OTHER_HOST: &str = "two.example";
pub const PLATFORM_HOST: &str = "platform.example";

pub struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A store in which all who read by a statement with these words wait for each other, so that their changes meet; perhaps
/// one that takes every condition for fulfilled.
struct Racing {
    engine: SqliteFile,
    words: &'static str,
    meeting: tokio::sync::Barrier,
    is_lax: bool,
}

impl Database for Racing {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move {
            let is_awaited = statement.sql.contains(self.words);
            let rows = self.engine.query(statement).await;
            if is_awaited {
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

/// A store that keeps what it is read by, and counts how often something is committed.
struct Watched {
    engine: SqliteFile,
    seen: Arc<Mutex<(Vec<Statement>, usize)>>,
}

impl Database for Watched {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.seen.lock().unwrap().0.push(statement.clone());
        self.engine.query(statement)
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        self.seen.lock().unwrap().1 += 1;
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

/// A name server that answers as those of the world do: by the TXT records that the test publishes.
#[derive(Clone, Default)]
pub struct NameServer(Arc<Mutex<Vec<(String, String)>>>);

impl NameServer {
    pub fn publish(&self, name: &str, text: &str) {
        self.0.lock().unwrap().push((name.to_owned(), text.to_owned()));
    }
}

impl HttpClient for NameServer {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, Unreachable>> {
        let query = request.uri().query().unwrap().to_owned();
        let name =
            query.strip_prefix("name=").and_then(|rest| rest.strip_suffix("&type=TXT")).unwrap().to_owned();
        let published = self.0.lock().unwrap();
        let records = published.iter().filter(|(published, _)| *published == name);
        let records: Vec<_> = records
            .map(|(name, text)| json!({ "name": name, "type": 16, "TTL": 60, "data": format!("\"{text}\"") }))
            .collect();
        let status = if records.is_empty() { 3 } else { 0 };
        let answer = json!({ "Status": status, "TC": false, "Answer": records });
        Box::pin(async move { Ok(http::Response::new(answer.to_string().into())) })
    }
}

pub struct World {
    pub names: NameServer,
    pub edge: Edge,
    pub variables: Variables,
    clock: Arc<Moved>,
    router: Router,
    log: Kept,
    folder: tempfile::TempDir,
}

pub fn tenant(number: u8) -> TenantId {
    TenantId::new(START, [number; 10])
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub retry_after: Option<i64>,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The problem's name.
    pub fn slug(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }
}

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct From {
    pub host: &'static str,
    pub address: String,
    pub device: &'static str,
    pub token: Option<String>,
}

pub fn from(address: &str) -> From {
    From { host: HOST, address: address.into(), device: "Firefox", token: None }
}

impl From {
    pub fn with(&self, tokens: &Value) -> Self {
        Self { token: Some(tokens["access_token"].as_str().unwrap().to_owned()), ..self.clone() }
    }
}

fn routers(edge: &Edge, variables: &Variables, names: &NameServer) -> Router {
    let lookup = |name: &str| variables.get(name).cloned();
    let config = Config::new(&lookup);
    akademi_auth::router(Auth::from_config(edge.clone(), &config).unwrap())
        .merge(akademi_registration::router(Registrar::from_config(edge.clone(), &config).unwrap()))
        .merge(akademi_account::router(Account::from_config(edge.clone(), &config).unwrap()))
        .merge(akademi_people::router(People::from_config(edge.clone(), &config).unwrap()))
        .merge(akademi_academies::router(
            Academies::from_config(edge.clone(), Arc::new(names.clone()), &config).unwrap(),
        ))
}

pub fn request(who: &From, method: Method, path: &str, body: Value) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, who.host)
        .header(header::USER_AGENT, who.device)
        .extension(ClientAddress(who.address.clone()));
    if let Some(token) = &who.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_null() {
        return request.body(Body::empty()).unwrap();
    }
    request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap()
}

pub async fn send(router: &Router, request: Request<Body>) -> u16 {
    router.clone().oneshot(request).await.unwrap().status().as_u16()
}

/// The statuses, in their order, of what was asked at once.
pub async fn at_once(router: &Router, who: &From, path: &str, bodies: Vec<Value>) -> Vec<u16> {
    let asked = bodies.into_iter().map(|body| {
        let (router, request) = (router.clone(), request(who, Method::POST, path, body));
        tokio::spawn(async move { send(&router, request).await })
    });
    let mut statuses = Vec::new();
    for asked in asked.collect::<Vec<_>>() {
        statuses.push(asked.await.unwrap());
    }
    statuses.sort_unstable();
    statuses
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap();
        let clock = Arc::new(Moved(AtomicI64::new(START.as_millis())));
        let log = Kept::default();
        let ports = Ports { clock: clock.clone(), ..ports(Arc::new(WriteLog::new(log.clone()))) };
        let edge = Edge { ports, database: Arc::new(engine) };
        for (number, host) in [(1, HOST), (2, OTHER_HOST), (9, PLATFORM_HOST)] {
            let new = NewAcademy {
                id: tenant(number),
                slug: host.split('.').next().unwrap(),
                name: "Ümraniye Açık Akademi",
                locale: "tr",
                brand_colour: "#0b6e4f",
                hosts: &[host],
            };
            let made = Platform::new(edge.database.as_ref());
            futures::executor::block_on(made.batch(create_academy(&new, START))).unwrap();
        }
        let mut variables = generate().unwrap();
        variables.insert("dns_url".into(), "https://names.example".into());
        let names = NameServer::default();
        let router = routers(&edge, &variables, &names);
        Self { names, edge, variables, clock, router, log, folder }
    }

    /// The same world, as so many see it who ask at once: whoever reads by a statement with these words waits for the others.
    pub fn racing(&self, words: &'static str, many: usize, is_lax: bool) -> Router {
        let engine = SqliteFile::open(&self.folder.path().join("edge.sqlite")).unwrap();
        let racing = Racing { engine, words, meeting: tokio::sync::Barrier::new(many), is_lax };
        routers(&Edge { database: Arc::new(racing), ..self.edge.clone() }, &self.variables, &self.names)
    }

    /// By what one request reads, and how often it commits.
    pub async fn watched(
        &self,
        who: &From,
        method: Method,
        path: &str,
        body: Value,
    ) -> (Vec<Statement>, usize) {
        let engine = SqliteFile::open(&self.folder.path().join("edge.sqlite")).unwrap();
        let seen = Arc::<Mutex<(Vec<Statement>, usize)>>::default();
        let database = Arc::new(Watched { engine, seen: seen.clone() });
        let router = routers(&Edge { database, ..self.edge.clone() }, &self.variables, &self.names);
        router.oneshot(request(who, method, path, body)).await.unwrap();
        std::mem::take(&mut *seen.lock().unwrap())
    }

    /// How the engine reads what `statement` asks for.
    pub fn plan(&self, statement: &Statement) -> String {
        let sql: &'static str = format!("EXPLAIN QUERY PLAN {}", statement.sql).leak();
        let explain = Statement { sql, params: statement.params.clone() };
        let rows = futures::executor::block_on(self.edge.database.query(explain)).unwrap();
        rows.iter().map(|row| row.text(3).unwrap().to_owned() + "\n").collect()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// The whole answer to a request of any kind.
    pub async fn ask(&self, request: Request<Body>) -> http::Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn send(&self, who: &From, method: Method, path: &str, body: Value) -> Answer {
        let answer = self.ask(request(who, method, path, body)).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        if parts.status.is_server_error() {
            eprintln!("{}", String::from_utf8_lossy(&self.log.0.lock().unwrap()));
        }
        let retry_after = parts.headers.get(header::RETRY_AFTER);
        Answer {
            status: parts.status.as_u16(),
            body: if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() },
            retry_after: retry_after.map(|seconds| seconds.to_str().unwrap().parse().unwrap()),
        }
    }

    pub async fn post(&self, who: &From, path: &str, body: Value) -> Answer {
        self.send(who, Method::POST, path, body).await
    }

    pub async fn register(&self, who: &From, email: &str, password: &str) -> Answer {
        let body = json!({ "name": "Şükrü Iğdır", "email": email, "password": password });
        self.post(who, "/api/v1/auth/register", body).await
    }

    pub async fn login(&self, who: &From, email: &str, password: &str) -> Answer {
        self.post(who, "/api/v1/auth/login", json!({ "email": email, "password": password })).await
    }

    pub async fn me(&self, who: &From) -> Answer {
        self.send(who, Method::GET, "/api/v1/users/me", Value::Null).await
    }

    /// Registers and confirms; the tokens of the first sign-in.
    pub async fn join(&self, who: &From, email: &str, password: &str) -> Value {
        self.register(who, email, password).await.expect(202);
        let token = self.newest_token(MailKind::ConfirmAddress);
        self.post(who, "/api/v1/auth/confirm", json!({ "token": token })).await.expect(204);
        self.login(who, email, password).await.expect(200)
    }

    /// The feed's events, in their order.
    pub fn events(&self) -> Vec<(TenantId, EdgeEvent)> {
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
                (envelope.tenant, event)
            })
            .collect()
    }

    /// The mail that was asked for: kind, for whom, link.
    pub fn mails(&self) -> Vec<(MailKind, UserId, Option<LinkId>)> {
        let mails = self.events().into_iter().filter_map(|(_, event)| match event {
            EdgeEvent::MailWanted { kind, person, link, .. } => Some((kind, person, link)),
            _ => None,
        });
        mails.collect()
    }

    pub fn audited(&self) -> Vec<String> {
        let entries = self.events().into_iter().filter_map(|(_, event)| match event {
            EdgeEvent::Audited { action, .. } => Some(action),
            _ => None,
        });
        entries.collect()
    }

    /// The token in the newest mail of that kind, made as the mailer makes it.
    pub fn newest_token(&self, kind: MailKind) -> String {
        let of_kind = |event: &(TenantId, EdgeEvent)| match event {
            (tenant, EdgeEvent::MailWanted { kind: of, link, .. }) if *of == kind => {
                link.map(|link| (*tenant, link))
            }
            _ => None,
        };
        let (tenant, link) = self.events().iter().rev().find_map(of_kind).unwrap();
        self.link_token_at(tenant, kind.link().unwrap(), link)
    }

    pub fn link_token(&self, purpose: LinkPurpose, link: LinkId) -> String {
        self.link_token_at(tenant(1), purpose, link)
    }

    fn link_token_at(&self, tenant: TenantId, purpose: LinkPurpose, link: LinkId) -> String {
        LinkKeys::from_config(&self.variables["plane_root_keys"]).unwrap().token(purpose, tenant, link)
    }

    pub fn signer(&self) -> TokenSigner {
        TokenSigner::from_config(&self.variables["token_signing_keys"]).unwrap()
    }

    /// Registers somebody who then gets these roles; signed in.
    pub async fn join_as(&self, address: &str, email: &str, roles: &[&str]) -> (From, String) {
        self.join_at(1, address, email, roles).await
    }

    /// A platform's administrator, signed in.
    pub async fn administrator(&self) -> From {
        self.join_at(9, "203.0.113.9", "operator@example.org", &["global_admin"]).await.0
    }

    async fn join_at(&self, academy: u8, address: &str, email: &str, roles: &[&str]) -> (From, String) {
        let host = if academy == 9 { PLATFORM_HOST } else { HOST };
        let who = From { host, ..from(address) };
        self.join(&who, email, PASSWORD).await;
        let person = self.mails().into_iter().rfind(|mail| mail.0 == MailKind::ConfirmAddress).unwrap().1;
        for role in roles {
            const GIVE: PlatformSql = PlatformSql::new(
                "INSERT INTO role_assignment (tenant_id, person_id, role) VALUES (?1, ?2, ?3)",
            );
            let statement = GIVE.with([tenant(academy).into(), person.into(), (*role).into()]);
            Platform::new(self.edge.database.as_ref()).batch(vec![statement]).await.unwrap();
        }
        let tokens = self.login(&who, email, PASSWORD).await.expect(200);
        (who.with(&tokens), person.to_string())
    }

    /// One number of the store.
    pub fn count(&self, sql: &'static str) -> i64 {
        let platform = Platform::new(self.edge.database.as_ref());
        let rows = futures::executor::block_on(platform.rows(PlatformSql::new(sql).with([]))).unwrap();
        rows.first().unwrap().integer(0).unwrap()
    }

    pub fn execute(&self, sql: &'static str) {
        let platform = Platform::new(self.edge.database.as_ref());
        futures::executor::block_on(platform.batch(vec![PlatformSql::new(sql).with([])])).unwrap();
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

pub fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

pub const TOO_MANY: u16 = StatusCode::TOO_MANY_REQUESTS.as_u16();
