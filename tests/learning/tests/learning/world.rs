//! Two learners in a course of one video, on a store that counts what is read, at a time that the test moves.

use akademi_api::{
    caller::Caller,
    config::Config,
    ports::{Clock, Ports},
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
    token::TokenSigner,
};
use akademi_assessment::Assessment;
use akademi_domain::{
    course::{CourseOutline, LessonBody, VideoSource},
    ids::{CourseId, EnrolmentId, LessonId, OrderId, PlaybackId, SessionId, TenantId, UserId},
    permission::Role,
    time::Timestamp,
};
use akademi_edge_store::{
    Database, Edge, Platform, Rows, Statement, StoreError,
    operations::{NewAcademy, create_academy},
    rusqlite::SqliteFile,
};
use akademi_feed::{Batch, Envelope, LambdaEvent};
use akademi_feed_function::Feed;
use akademi_marks::Marks;
use akademi_playback::Playback;
use akademi_process::{
    ports::{WriteLog, ports},
    secrets::{Variables, generate},
};
use akademi_progress::Progress;
use axum::{Router, body::Body};
use futures::{executor::block_on, future::BoxFuture};
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};
use tower::ServiceExt;

pub const MADE: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub const HEARTBEATS: &str = "/api/v1/progress/heartbeats";
/// What the gate asks of each request.
pub const GATE: usize = 1;

/// The condition that a heartbeat's batch stands under, and a form of it that always holds.
const CONDITION: [&str; 2] = ["CASE version WHEN ?7 THEN version + 1 END", "version + 1 + 0 * ?7"];

/// The engine, how many statements it read by, and whether conditions hold anyway.
struct Counting {
    engine: SqliteFile,
    queries: AtomicUsize,
    is_lax: bool,
}

impl Database for Counting {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        self.engine.query(statement)
    }

    fn batch(&self, mut statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        let [condition, lax] = CONDITION;
        for statement in statements.iter_mut().filter(|statement| statement.sql.contains(condition)) {
            if self.is_lax {
                statement.sql = statement.sql.replace(condition, lax).leak();
            }
        }
        self.engine.batch(statements)
    }
}

/// A clock that the test moves.
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub struct World {
    database: Arc<Counting>,
    clock: Arc<Moved>,
    pub edge: Edge,
    feed: Router,
    pub variables: Variables,
    applied: i64,
    _folder: tempfile::TempDir,
}

pub fn tenant() -> TenantId {
    TenantId::new(MADE, [1; 10])
}

pub fn course() -> CourseId {
    CourseId::new(MADE, [1; 10])
}

pub fn lesson() -> LessonId {
    LessonId::new(MADE, [1; 10])
}

pub fn learner(number: u8) -> UserId {
    UserId::new(MADE, [number; 10])
}

impl World {
    /// Two learners in a course of one video of ten minutes.
    pub fn new() -> Self {
        Self::over(false)
    }

    pub fn over(is_lax: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap();
        let database = Arc::new(Counting { engine, queries: AtomicUsize::new(0), is_lax });
        let clock = Arc::new(Moved(AtomicI64::new(MADE.as_millis())));
        let ports = Ports { clock: clock.clone(), ..ports(Arc::new(WriteLog::new(std::io::sink()))) };
        let edge = Edge { ports, database: database.clone() };
        let new = NewAcademy {
            id: tenant(),
            slug: "one",
            name: "one",
            locale: "tr",
            brand_colour: "#0b6e4f",
            hosts: &["one.localhost"],
        };
        block_on(Platform::new(edge.database.as_ref()).batch(create_academy(&new, MADE))).unwrap();
        let variables = generate().unwrap();
        let lookup = |name: &str| variables.get(name).cloned();
        let feed = Feed::from_config(edge.clone(), &Config::new(&lookup)).unwrap();
        let feed = akademi_feed_function::router(feed);
        let mut world = Self { database, clock, edge, feed, variables, applied: 0, _folder: folder };
        world.publish(1, 600);
        for number in [1, 2] {
            world.apply(&LambdaEvent::EnrolmentGranted {
                person: learner(number),
                course: course(),
                enrolment: EnrolmentId::new(MADE, [number; 10]),
                order: OrderId::new(MADE, [number; 10]),
                at: MADE,
            });
        }
        world
    }

    /// An instance of `progress`, with a memory of its own.
    pub fn instance(&self) -> Router {
        let lookup = |name: &str| self.variables.get(name).cloned();
        akademi_progress::router(Progress::from_config(self.edge.clone(), &Config::new(&lookup)).unwrap())
    }

    /// An instance of `assessment`, with a memory of its own.
    pub fn assessment(&self) -> Router {
        let lookup = |name: &str| self.variables.get(name).cloned();
        akademi_assessment::router(Assessment::from_config(self.edge.clone(), &Config::new(&lookup)).unwrap())
    }

    /// The function that hands out videos.
    pub fn playback(&self) -> Router {
        let mut variables = self.variables.clone();
        let key = "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
        variables.insert("media_url".into(), "https://media.example.com".into());
        variables.insert("media_signing_keys".into(), key.into());
        let lookup = |name: &str| variables.get(name).cloned();
        akademi_playback::router(Playback::from_config(self.edge.clone(), &Config::new(&lookup)).unwrap())
    }

    /// An instance of `marks`.
    pub fn marks(&self) -> Router {
        let lookup = |name: &str| self.variables.get(name).cloned();
        akademi_marks::router(Marks::from_config(self.edge.clone(), &Config::new(&lookup)).unwrap())
    }

    pub fn publish(&mut self, version: i64, seconds: u32) {
        let source = VideoSource::Youtube { id: "aaaaaaaaaaa".parse().unwrap() };
        self.publish_video(version, seconds, source, false);
    }

    pub fn publish_video(&mut self, version: i64, seconds: u32, source: VideoSource, delivery_bound: bool) {
        self.send_lesson(version, seconds, source, delivery_bound);
        let outline = CourseOutline {
            id: course(),
            slug: "isik".parse().unwrap(),
            title: "Işık".parse().unwrap(),
            language: None,
            minimum_score: None,
            pictures: Default::default(),
            modules: Vec::new(),
        };
        self.apply(&LambdaEvent::CoursePublished {
            version,
            summary: String::new(),
            outline,
            owner: None,
            at: MADE,
        });
    }

    /// The video of a version that is on its way.
    pub fn send_video(&mut self, version: i64, seconds: u32) {
        let source = VideoSource::Youtube { id: "aaaaaaaaaaa".parse().unwrap() };
        self.send_lesson(version, seconds, source, false);
    }

    fn send_lesson(&mut self, version: i64, seconds: u32, source: VideoSource, delivery_bound: bool) {
        self.apply(&LambdaEvent::LessonPublished {
            course: course(),
            version,
            lesson: lesson(),
            title: "Işık".into(),
            duration_seconds: Some(seconds),
            requirement: None,
            opens: None,
            body: LessonBody::Video {
                source,
                start_seconds: None,
                end_seconds: None,
                delivery_bound,
                subtitles: Vec::new(),
            },
            answers: None,
            words: String::new(),
        });
    }

    /// One event of the other plane.
    pub fn apply(&mut self, event: &LambdaEvent) {
        let record = event.record();
        let number = self.applied + 1;
        let envelope = Envelope {
            number,
            tenant: tenant(),
            kind: record.kind.into(),
            version: record.version,
            payload: record.payload,
        };
        let batch =
            Batch { source: "lambda:1".into(), from: self.applied, to: number, events: vec![envelope] };
        let body = serde_json::to_vec(&batch).unwrap();
        let target = Uri::from_static("/internal/feed");
        let keys = PlaneKeys::from_config(&self.variables["plane_root_keys"]).unwrap();
        let (call, now) = (CallContext::default(), self.edge.ports.now());
        let signature = keys.sign(Purpose::Feed, &Method::POST, &target, &body, &call, now).unwrap();
        let request = Request::post(target)
            .header(header::CONTENT_TYPE, "application/json")
            .header(CALL_HEADER, signature)
            .body(Body::from(body))
            .unwrap();
        assert_eq!(send(&self.feed, request).0, StatusCode::OK);
        self.applied = number;
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// A heartbeat of a learner's player, which plays `from..to`; how many statements were read for it.
    pub fn beat(&self, instance: &Router, number: u8, from: u32, to: u32) -> (StatusCode, Value, usize) {
        let before = self.queries();
        let (status, answer) = self.ask(instance, number, Method::POST, HEARTBEATS, played(number, from, to));
        (status, answer, self.queries() - before)
    }

    /// One number of the store.
    pub fn count(&self, sql: &'static str) -> i64 {
        let rows = block_on(self.edge.database.query(Statement { sql, params: Vec::new() })).unwrap();
        rows[0].integer(0).unwrap()
    }

    /// How many statements were read by since the store was opened.
    pub fn queries(&self) -> usize {
        self.database.queries.load(Ordering::SeqCst)
    }

    /// What a learner asks from their only device.
    pub fn ask(
        &self,
        instance: &Router,
        number: u8,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        self.ask_from(SessionId::new(MADE, [number; 10]), instance, number, method, path, body)
    }

    /// What a learner asks from one of their devices.
    pub fn ask_from(
        &self,
        session: SessionId,
        instance: &Router,
        number: u8,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let permissions = Role::Student.permissions();
        let caller = Caller { tenant: tenant(), user: learner(number), session, permissions };
        self.ask_as(&caller, instance, method, path, body)
    }

    /// What somebody asks who shows a token.
    pub fn ask_as(
        &self,
        caller: &Caller,
        instance: &Router,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let signer = TokenSigner::from_config(&self.variables["token_signing_keys"]).unwrap();
        let token = signer.sign(caller, self.clock.now(), [7; 16]).unwrap();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "one.localhost")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) })
            .unwrap();
        send(instance, request)
    }

    /// A heartbeat that counts: the seconds watched by now, and the statements read beside the gate's.
    pub fn watched(&self, instance: &Router, number: u8, from: u32, to: u32) -> (u64, usize) {
        let (status, answer, queries) = self.beat(instance, number, from, to);
        assert_eq!((status, &answer["refused_seconds"]), (StatusCode::OK, &json!(0)), "{answer}");
        (answer["watched_seconds"].as_u64().unwrap(), queries - GATE)
    }
}

/// The body of a heartbeat that plays `from..to` at normal speed.
pub fn played(number: u8, from: u32, to: u32) -> Value {
    let intervals = if from < to { json!([[from, to]]) } else { json!([]) };
    json!({ "course": course(), "lesson": lesson(), "playback": PlaybackId::new(MADE, [number; 10]),
        "intervals": intervals, "position": to, "rate": 1.0 })
}

fn send(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    block_on(async {
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    })
}
