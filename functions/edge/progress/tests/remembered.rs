//! What an instance remembers of a learner spares it a statement and decides nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_api::{
    caller::Caller,
    config::Config,
    ports::{Clock, Ports},
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
    token::TokenSigner,
};
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

const MADE: Timestamp = Timestamp::from_millis(1_790_000_000_000);
/// What the gate asks of each request.
const GATE: usize = 1;

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

struct World {
    database: Arc<Counting>,
    clock: Arc<Moved>,
    edge: Edge,
    feed: Router,
    variables: Variables,
    applied: i64,
    _folder: tempfile::TempDir,
}

fn tenant() -> TenantId {
    TenantId::new(MADE, [1; 10])
}

fn course() -> CourseId {
    CourseId::new(MADE, [1; 10])
}

fn lesson() -> LessonId {
    LessonId::new(MADE, [1; 10])
}

fn learner(number: u8) -> UserId {
    UserId::new(MADE, [number; 10])
}

impl World {
    /// Two learners in a course of one video of ten minutes.
    fn new() -> Self {
        Self::over(false)
    }

    fn over(is_lax: bool) -> Self {
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

    /// An instance of the function, with a memory of its own.
    fn instance(&self) -> Router {
        let lookup = |name: &str| self.variables.get(name).cloned();
        akademi_progress::router(Progress::from_config(self.edge.clone(), &Config::new(&lookup)).unwrap())
    }

    fn publish(&mut self, version: i64, seconds: u32) {
        self.apply(&LambdaEvent::LessonPublished {
            course: course(),
            version,
            lesson: lesson(),
            title: "Işık".into(),
            duration_seconds: Some(seconds),
            requirement: None,
            body: LessonBody::Video {
                source: VideoSource::Youtube { id: "aaaaaaaaaaa".parse().unwrap() },
                start_seconds: None,
                end_seconds: None,
                subtitles: Vec::new(),
            },
            answers: None,
            words: String::new(),
        });
        let outline = CourseOutline {
            id: course(),
            slug: "isik".parse().unwrap(),
            title: "Işık".parse().unwrap(),
            language: None,
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

    /// One event of the other plane.
    fn apply(&mut self, event: &LambdaEvent) {
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

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// A heartbeat of a learner's player, which plays `from..to`; how many statements were read for it.
    fn beat(&self, instance: &Router, number: u8, from: u32, to: u32) -> (StatusCode, Value, usize) {
        let signer = TokenSigner::from_config(&self.variables["token_signing_keys"]).unwrap();
        let caller = Caller {
            tenant: tenant(),
            user: learner(number),
            session: SessionId::new(MADE, [number; 10]),
            permissions: Role::Student.permissions(),
        };
        let token = signer.sign(&caller, self.clock.now(), [number; 16]).unwrap();
        let intervals = if from < to { json!([[from, to]]) } else { json!([]) };
        let body = json!({ "course": course(), "lesson": lesson(), "playback": PlaybackId::new(MADE, [number; 10]),
            "intervals": intervals, "position": to, "rate": 1.0 });
        let request = Request::post("/api/v1/progress/heartbeats")
            .header(header::HOST, "one.localhost")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let before = self.database.queries.load(Ordering::SeqCst);
        let (status, answer) = send(instance, request);
        (status, answer, self.database.queries.load(Ordering::SeqCst) - before)
    }

    /// A heartbeat that counts: the seconds watched by now, and the statements read beside the gate's.
    fn watched(&self, instance: &Router, number: u8, from: u32, to: u32) -> (u64, usize) {
        let (status, answer, queries) = self.beat(instance, number, from, to);
        assert_eq!((status, &answer["refused_seconds"]), (StatusCode::OK, &json!(0)), "{answer}");
        (answer["watched_seconds"].as_u64().unwrap(), queries - GATE)
    }
}

fn send(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    block_on(async {
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    })
}

#[test]
fn a_player_that_goes_on_is_not_read_again() {
    let world = World::new();
    let here = world.instance();
    assert_eq!(world.watched(&here, 1, 0, 0), (0, 1));
    for beat in 1..=5 {
        world.pass(10);
        assert_eq!(world.watched(&here, 1, (beat - 1) * 10, beat * 10), (u64::from(beat) * 10, 0));
    }
    world.pass(61);
    assert_eq!(world.watched(&here, 1, 50, 60), (60, 1), "after a minute it is read again");
}

#[test]
fn two_learners_of_one_instance_are_told_apart() {
    let world = World::new();
    let here = world.instance();
    world.watched(&here, 1, 0, 0);
    world.watched(&here, 2, 0, 0);
    world.pass(10);
    assert_eq!(world.watched(&here, 1, 0, 10), (10, 0));
    assert_eq!(world.watched(&here, 2, 20, 25), (5, 0));
    world.pass(10);
    assert_eq!(world.watched(&here, 1, 10, 20), (20, 0));
    assert_eq!(world.watched(&here, 2, 25, 30), (10, 0));
}

/// What a learner is told whose heartbeats go to `instances` in turn, the last of them beyond belief.
fn told_by(world: &World, instances: &[Router]) -> Vec<Value> {
    let beats = [(0, 0), (0, 10), (10, 20), (20, 30), (100, 200), (200, 300)];
    let told = beats.iter().zip(instances.iter().cycle()).map(|(&(from, to), instance)| {
        world.pass(10);
        world.beat(instance, 1, from, to).1
    });
    told.collect()
}

#[test]
fn two_instances_answer_as_one_does() {
    let (one, two) = (World::new(), World::new());
    let told = told_by(&one, &[one.instance()]);
    assert_eq!(told[3]["watched_seconds"], 30);
    assert_ne!(told[5]["refused_seconds"], 0);
    assert_eq!(told_by(&two, &[two.instance(), two.instance()]), told);
}

#[test]
fn without_the_condition_an_instance_forgets_what_came_through_the_other() {
    let world = World::over(true);
    let told = told_by(&world, &[world.instance(), world.instance()]);
    assert!(told[3]["watched_seconds"].as_u64().unwrap() < 30, "{told:?}");
}

#[test]
fn a_new_version_of_the_course_is_seen_at_once() {
    let mut world = World::new();
    let here = world.instance();
    world.watched(&here, 1, 0, 0);
    world.pass(10);
    world.publish(2, 20);
    assert_eq!(world.watched(&here, 1, 0, 10), (10, 1));
    world.pass(10);
    let (status, answer, _) = world.beat(&here, 1, 30, 40);
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "beyond the end that the video has now: {answer}");
    world.publish(3, 600);
    world.watched(&here, 1, 10, 15);
    world.publish(4, 20);
    world.publish(5, 900);
    world.pass(10);
    assert_eq!(world.beat(&here, 1, 890, 891).0, StatusCode::OK, "it is not refused for what was so before");
}

#[test]
fn money_that_went_back_ends_the_course_at_the_next_heartbeat_and_no_other_enrolment() {
    let mut world = World::new();
    let here = world.instance();
    assert_eq!(world.watched(&here, 1, 0, 0), (0, 1));
    let withdrawn = |enrolment: u8| LambdaEvent::EnrolmentWithdrawn {
        person: learner(1),
        course: course(),
        enrolment: EnrolmentId::new(MADE, [enrolment; 10]),
        at: MADE,
    };
    world.apply(&withdrawn(9));
    world.pass(10);
    assert_eq!(world.watched(&here, 1, 0, 10), (10, 0), "another one, which this person never had");
    world.apply(&withdrawn(1));
    world.apply(&withdrawn(1));
    world.pass(10);
    assert_eq!(world.beat(&here, 1, 10, 20).0, StatusCode::NOT_FOUND);
    assert_eq!(world.watched(&here, 2, 0, 0), (0, 1), "the other learner's stays");
    let told =
        Statement { sql: "SELECT count(*) FROM feed_event WHERE kind = 'unenrolled'", params: Vec::new() };
    let told = block_on(world.edge.database.query(told)).unwrap();
    assert_eq!(told[0].integer(0).unwrap(), 1);
    // What was watched is there again for who buys again.
    world.apply(&LambdaEvent::EnrolmentGranted {
        person: learner(1),
        course: course(),
        enrolment: EnrolmentId::new(MADE, [7; 10]),
        order: OrderId::new(MADE, [7; 10]),
        at: MADE,
    });
    assert_eq!(world.watched(&here, 1, 0, 0).0, 10);
}
