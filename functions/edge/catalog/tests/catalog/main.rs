//! Answers that are kept change when what they show changes, and belong to one academy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod lists;
mod pictures;
mod rating;

use akademi_api::{
    compression::{Coding, Compressor},
    config::Config,
    ports::Clock,
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
};
use akademi_catalog::Catalog;
use akademi_domain::{
    course::CourseOutline,
    ids::{CouponId, CourseId, TenantId},
    money::{Currency, Money},
    pricing::{BasisPoints, Sale},
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
use axum::{Router, body::Body};
use bytes::Bytes;
use futures::{executor::block_on, future::BoxFuture};
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::BodyExt;
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tower::ServiceExt;

const MADE: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// The engine, and how many statements it read by.
struct Counting {
    engine: SqliteFile,
    queries: AtomicUsize,
}

impl Database for Counting {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        self.engine.query(statement)
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        self.engine.batch(statements)
    }
}

/// Stands for a compressor: what it made is told by a mark, and it counts.
#[derive(Default)]
struct Marking(AtomicUsize);

impl Compressor for Marking {
    fn codings(&self) -> &'static [Coding] {
        &[Coding::Gzip]
    }

    fn compress(&self, _: Coding, body: &Bytes) -> Option<Bytes> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Some([b"compressed ", body.as_ref()].concat().into())
    }
}

/// A clock that stands: what is kept for a minute is kept.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        MADE
    }
}

struct Academies {
    compressor: Arc<Marking>,
    database: Arc<Counting>,
    edge: Edge,
    router: Router,
    variables: Variables,
    applied: i64,
    _folder: tempfile::TempDir,
}

fn tenant(number: u8) -> TenantId {
    TenantId::new(MADE, [number; 10])
}

fn course(number: u8) -> CourseId {
    CourseId::new(MADE, [number; 10])
}

fn published(number: u8, title: &str, version: i64) -> LambdaEvent {
    published_as(number, "isik", title, version)
}

fn published_as(number: u8, slug: &str, title: &str, version: i64) -> LambdaEvent {
    let outline = CourseOutline {
        id: course(number),
        slug: slug.parse().unwrap(),
        title: title.parse().unwrap(),
        language: None,
        minimum_score: None,
        pictures: Default::default(),
        modules: Vec::new(),
    };
    // Long enough to be worth compressing.
    let summary = title.repeat(1024 / title.len());
    LambdaEvent::CoursePublished { version, summary, outline, owner: None, at: MADE }
}

impl Academies {
    /// Two academies, `one.localhost` and `two.localhost`.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap();
        let database = Arc::new(Counting { engine, queries: AtomicUsize::new(0) });
        let compressor = Arc::new(Marking::default());
        let mut ports = ports(Arc::new(WriteLog::new(std::io::sink())));
        ports.compressor = Some(compressor.clone());
        ports.clock = Arc::new(Still);
        let edge = Edge { ports, database: database.clone() };
        for (number, slug, host) in [(1, "one", "one.localhost"), (2, "two", "two.localhost")] {
            let new = NewAcademy {
                id: tenant(number),
                slug,
                name: slug,
                locale: "tr",
                brand_colour: "#0b6e4f",
                hosts: &[host],
            };
            let platform = Platform::new(edge.database.as_ref());
            block_on(platform.batch(create_academy(&new, MADE))).unwrap();
        }
        let variables = generate().unwrap();
        let lookup = |name: &str| variables.get(name).cloned();
        let config = Config::new(&lookup);
        let feed = akademi_feed_function::router(Feed::from_config(edge.clone(), &config).unwrap());
        let catalog = akademi_catalog::router(Catalog::new(edge.clone()));
        Self {
            compressor,
            database,
            edge,
            router: feed.merge(catalog),
            variables,
            applied: 0,
            _folder: folder,
        }
    }

    /// One event of the other plane.
    fn apply(&mut self, academy: u8, event: &LambdaEvent) {
        let record = event.record();
        let number = self.applied + 1;
        let envelope = Envelope {
            number,
            tenant: tenant(academy),
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
        assert_eq!(self.send(request).0, StatusCode::OK);
        self.applied = number;
    }

    fn send(&self, request: Request<Body>) -> (StatusCode, String, Value) {
        block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let etag = response.headers().get(header::ETAG).map(|etag| etag.to_str().unwrap().to_owned());
            let status = response.status();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status, etag.unwrap_or_default(), serde_json::from_slice(&body).unwrap_or_default())
        })
    }

    /// Asks twice; where there is something, the second answer costs no statement but the academy's.
    fn get(&self, host: &str, path: &str) -> (StatusCode, String, Value) {
        let request = || Request::get(path).header(header::HOST, host).body(Body::empty()).unwrap();
        let first = self.send(request());
        let before = self.database.queries.load(Ordering::SeqCst);
        let second = self.send(request());
        let statements = self.database.queries.load(Ordering::SeqCst) - before;
        assert!(first.0 != StatusCode::OK || second == first, "{first:?} and then {second:?}");
        let is_nothing = first.0 != StatusCode::OK || first.2["data"] == serde_json::json!([]);
        assert_eq!(statements, if is_nothing { 2 } else { 1 }, "{path}");
        first
    }
}

#[test]
fn a_publication_and_a_price_change_kept_answers() {
    let mut academies = Academies::new();
    let page = "/api/v1/catalog/courses/isik";
    let list = "/api/v1/catalog/courses?limit=5";
    assert_eq!(academies.get("one.localhost", page).0, StatusCode::NOT_FOUND);
    assert_eq!(academies.get("one.localhost", list).2["data"], serde_json::json!([]));

    academies.apply(1, &published(1, "Işık", 1));
    let (_, first_etag, first) = academies.get("one.localhost", page);
    assert_eq!(first["title"], "Işık");
    assert_eq!(academies.get("one.localhost", list).2["data"][0]["title"], "Işık");

    academies.apply(1, &published(1, "Işık ve Renk", 2));
    let (_, second_etag, second) = academies.get("one.localhost", page);
    assert_eq!((second["title"].as_str(), second["version"].as_i64()), (Some("Işık ve Renk"), Some(2)));
    assert_ne!(first_etag, second_etag);
    assert_eq!(academies.get("one.localhost", list).2["data"][0]["title"], "Işık ve Renk");

    let price = Money { amount: 14_990, currency: Currency::TRY };
    let vat_rate = BasisPoints::new(2_000).unwrap();
    academies.apply(
        1,
        &LambdaEvent::PriceSet {
            course: course(1),
            price,
            vat_rate,
            sale: None,
            categories: vec![],
            at: MADE,
        },
    );
    assert_eq!(academies.get("one.localhost", page).2["price"]["amount"], 14_990);
    assert_eq!(academies.get("one.localhost", list).2["data"][0]["price"]["amount"], 14_990);

    academies.apply(1, &LambdaEvent::CourseWithdrawn { course: course(1) });
    assert_eq!(academies.get("one.localhost", page).0, StatusCode::NOT_FOUND);
    assert_eq!(academies.get("one.localhost", list).2["data"], serde_json::json!([]));
}

#[test]
fn a_list_that_the_client_has_is_not_made_again() {
    let mut academies = Academies::new();
    academies.apply(1, &published(1, "Işık", 1));
    let ask = |etag: &str| {
        let request = Request::get("/api/v1/catalog/courses").header(header::HOST, "one.localhost");
        let before = academies.database.queries.load(Ordering::SeqCst);
        let answer = academies.send(request.header(header::IF_NONE_MATCH, etag).body(Body::empty()).unwrap());
        (answer.0, answer.1, academies.database.queries.load(Ordering::SeqCst) - before)
    };
    // Known by a client of another instance: nothing is kept here yet.
    let etag = "W/\"l2.20.\"".to_owned();
    assert_eq!(ask(&etag), (StatusCode::NOT_MODIFIED, etag.clone(), 1));
    assert_eq!(ask("\"l1.20.\""), (StatusCode::OK, etag, 2));
}

#[test]
fn academies_of_the_same_generation_and_slug_keep_answers_of_their_own() {
    let mut academies = Academies::new();
    academies.apply(1, &published(1, "Işık", 1));
    academies.apply(2, &published(2, "Light", 1));
    for path in ["/api/v1/catalog/courses/isik", "/api/v1/catalog/courses"] {
        let (_, one_etag, one) = academies.get("one.localhost", path);
        let (_, two_etag, two) = academies.get("two.localhost", path);
        assert_eq!(one_etag, two_etag, "nothing but the academy tells them apart");
        assert!(one.to_string().contains("Işık") && two.to_string().contains("Light"), "{path}");
    }
}

#[test]
fn a_kept_answer_is_compressed_once_and_belongs_to_one_academy() {
    let mut academies = Academies::new();
    academies.apply(1, &published(1, "Işık", 1));
    academies.apply(2, &published(2, "Light", 1));
    let router = academies.router.clone();
    let ask = |host: &str, path: &str, accept: &str| {
        let request = Request::get(path).header(header::HOST, host).header(header::ACCEPT_ENCODING, accept);
        block_on(async {
            let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let coding = response.headers().get(header::CONTENT_ENCODING).cloned();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (coding.is_some(), String::from_utf8(body.to_vec()).unwrap())
        })
    };
    let path = "/api/v1/catalog/courses/isik";
    let (is_compressed, plain) = ask("one.localhost", path, "identity");
    assert!(!is_compressed && plain.starts_with('{'));
    for _ in 0..3 {
        assert_eq!(ask("one.localhost", path, "gzip"), (true, format!("compressed {plain}")));
    }
    assert_eq!(academies.compressor.0.load(Ordering::SeqCst), 1);
    let (_, other) = ask("two.localhost", path, "gzip");
    assert!(other.contains("Light") && !other.contains("Işık"), "its ETag is the same");
    let (_, list) = ask("one.localhost", "/api/v1/catalog/courses", "gzip");
    assert!(list.starts_with("compressed {\"data\"") && list != format!("compressed {plain}"));
    assert!(!ask("one.localhost", "/api/v1/academy", "gzip").0, "it is too short to be worth it");

    academies.apply(1, &published(1, "Renk", 2));
    assert!(ask("one.localhost", path, "gzip").1.contains("Renk"));
}
