//! Two academies with courses on one edge store, people who are signed in, and a clock that the test moves.

use akademi_activation::Activation;
use akademi_api::{Caller, caller::ClientAddress, config::Config, token::TokenSigner};
use akademi_domain::{
    ids::{CourseId, SessionId, TenantId, UserId},
    permission::{Permissions, Role},
    time::Timestamp,
};
use akademi_edge_store::{Edge, PlatformSql, Statement};
use akademi_edge_world::{Meeting, Store};
use akademi_feed::EdgeEvent;
use akademi_process::secrets::{Variables, generate};
use akademi_progress::Progress;
use akademi_seal::{PersonKey, Vault};
use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    ops::Deref,
    sync::atomic::{AtomicU16, Ordering},
};
use tower::ServiceExt;

pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub const HOSTS: [&str; 2] = ["one.example", "two.example"];
pub const BATCHES: &str = "/api/v1/activation-codes/batches";
pub const REDEMPTIONS: &str = "/api/v1/activation-codes/redemptions";
const NAME: &str = "Şükrü Iğdır";

pub struct World {
    store: Store,
    variables: Variables,
    vault: Vault,
    router: Router,
    people: AtomicU16,
}

impl Deref for World {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
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
        let store = Store::new(START, &[(tenant(0), HOSTS[0]), (tenant(1), HOSTS[1])]);
        let variables = generate().unwrap();
        let world = Self {
            router: routers(&store.edge, &variables),
            vault: Vault::from_config(&variables["edge_master_key"]).unwrap(),
            people: AtomicU16::new(0),
            variables,
            store,
        };
        for (academy, number) in [(0, 1), (0, 2), (1, 1), (1, 2)] {
            world.publish(academy, number);
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

    /// As the feed brings it: so many people may buy the course, and no more.
    pub fn limit_seats(&self, academy: usize, number: u8) {
        const PRICE: PlatformSql = PlatformSql::new(
            "INSERT INTO price (tenant_id, course_id, amount, currency, vat_basis_points, seats_left) \
             VALUES (?1, ?2, 100, 'TRY', 0, 1)",
        );
        self.run(vec![PRICE.with([tenant(academy).into(), course(academy, number).into()])]);
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

    /// The same world as `many` see it who ask at once: the first readers of a code wait for each other.
    pub fn racing(&self, many: usize, is_lax: bool) -> Router {
        let words = vec![" AS code_uses", "FROM idempotency"];
        routers(&self.store.racing(Meeting { words, many, is_lax }), &self.variables)
    }

    /// By what one request reads.
    pub async fn watched(&self, request: Request<Body>) -> Vec<Statement> {
        let (edge, watched) = self.store.watched();
        send(&routers(&edge, &self.variables), request).await;
        watched.take().0
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
        self.store.events().into_iter().map(|(_, event)| event).collect()
    }
}
