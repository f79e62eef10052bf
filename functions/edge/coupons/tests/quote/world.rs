//! Two academies on a SQLite file that the feed fills, and a person who asks.

use akademi_api::{
    Caller, Ports,
    config::Config,
    ports::{Clock, Log, Rng},
    quote::QuoteKeys,
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
    token::TokenSigner,
};
use akademi_coupons::Coupons;
use akademi_domain::{
    course::CourseOutline,
    ids::{CouponId, CourseId, SessionId, TenantId, UserId},
    money::{Currency, Money},
    permission::Permissions,
    pricing::{BasisPoints, Coupon, CouponScope, Discount},
    time::Timestamp,
};
use akademi_edge_store::{
    Edge, Platform, PlatformSql,
    operations::{NewAcademy, create_academy},
    rusqlite::SqliteFile,
};
use akademi_feed::{Batch, Envelope, LambdaEvent};
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::executor::block_on;
use http::{Method, Request, Uri, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU8, Ordering},
};
use tower::ServiceExt as _;

pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

struct Counter(AtomicU8);

impl Rng for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

struct NoLog;

impl Log for NoLog {
    fn line(&self, _: &str) {}
}

/// The function and the feed on one store.
pub struct Setup {
    edge: Edge,
    router: Router,
    signer: TokenSigner,
    planes: PlaneKeys,
    pub quotes: QuoteKeys,
    pub clock: Arc<TestClock>,
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

pub fn try_money(amount: i64) -> Money {
    Money { amount, currency: Currency::TRY }
}

pub fn price(n: u8, amount: i64) -> LambdaEvent {
    LambdaEvent::PriceSet {
        course: course(n),
        price: try_money(amount),
        vat_rate: BasisPoints::new(2000).unwrap(),
        sale: None,
        categories: vec![],
        at: NOW,
    }
}

impl Setup {
    /// Two academies; the first sells course 1 at 149.90 and course 2 at 100.00, course 3 has no price.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(NOW.as_millis())));
        let ports = Ports::new(clock.clone(), Arc::new(Counter(AtomicU8::new(1))), Arc::new(NoLog));
        let edge = Edge { ports, database: Arc::new(database) };
        let key = |seed: u8| URL_SAFE_NO_PAD.encode([seed; 32]);
        let signing = format!("k1:{}", key(1));
        let root = format!("k1:{}", key(2));
        let signer = TokenSigner::from_config(&signing).unwrap();
        let public = signer.verifier().to_config();
        let lookup = |name: &str| match name {
            "token_public_keys" => Some(public.clone()),
            "plane_root_keys" => Some(root.clone()),
            "edge_master_key" => Some(key(3)),
            _ => None,
        };
        let config = Config::new(&lookup);
        let coupons = Coupons::from_config(edge.clone(), &config).unwrap();
        let feed = akademi_feed_function::Feed::from_config(edge.clone(), &config).unwrap();
        let router = akademi_coupons::router(coupons).merge(akademi_feed_function::router(feed));
        let setup = Self {
            edge,
            router,
            signer,
            planes: PlaneKeys::from_config(&root).unwrap(),
            quotes: QuoteKeys::from_config(&root).unwrap(),
            clock,
            fed: AtomicI64::new(0),
            _folder: folder,
        };
        for (n, slug, host) in [(1, "umraniye", "umraniye.localhost"), (2, "kadikoy", "kadikoy.localhost")] {
            let academy = NewAcademy {
                id: tenant(n),
                slug,
                name: slug,
                locale: "tr",
                brand_colour: "#0b6e4f",
                hosts: &[host],
            };
            block_on(Platform::new(setup.edge.database.as_ref()).batch(create_academy(&academy, NOW)))
                .unwrap();
        }
        setup.feed(&[price(1, 14990), published(1), price(2, 10000), published(2), published(3)]);
        setup
    }

    /// Brings events of the first academy, as `sync` does.
    pub fn feed(&self, events: &[LambdaEvent]) {
        self.feed_to(tenant(1), events);
    }

    pub fn feed_to(&self, academy: TenantId, events: &[LambdaEvent]) {
        let from = self.fed.load(Ordering::Relaxed);
        let envelopes = events.iter().zip(from + 1..).map(|(event, number)| {
            let record = event.record();
            let (kind, version) = (record.kind.to_owned(), record.version);
            Envelope { number, tenant: academy, kind, version, payload: record.payload }
        });
        let events: Vec<Envelope> = envelopes.collect();
        let to = from + events.len() as i64;
        let batch = Batch { source: "lambda:test".into(), from, to, events };
        let body = serde_json::to_vec(&batch).unwrap();
        let target = Uri::from_static("/internal/feed");
        let context = CallContext { request_id: "test".into(), ..CallContext::default() };
        let signature =
            self.planes.sign(Purpose::Feed, &Method::POST, &target, &body, &context, self.now()).unwrap();
        let request = Request::post(target)
            .header(CALL_HEADER, signature)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap();
        let (status, answer) = self.send(request);
        assert_eq!(status, 200, "{answer}");
        self.fed.store(to, Ordering::Relaxed);
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn send(&self, request: Request<Body>) -> (u16, Value) {
        block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice(&body).unwrap_or_default())
        })
    }

    pub fn quote(&self, body: &Value) -> (u16, Value) {
        self.quote_at("umraniye.localhost", tenant(1), body)
    }

    pub fn quote_at(&self, host: &str, tenant: TenantId, body: &Value) -> (u16, Value) {
        let caller = Caller {
            tenant,
            user: person(7),
            session: SessionId::new(NOW, [8; 10]),
            permissions: Permissions::NONE,
        };
        let token = self.signer.sign(&caller, self.now(), [9; 16]).unwrap();
        let request = Request::post("/api/v1/coupons/quote")
            .header(header::HOST, host)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request)
    }

    pub fn count(&self, sql: &'static str) -> i64 {
        let row = block_on(Platform::new(self.edge.database.as_ref()).row(PlatformSql::new(sql).with([])));
        row.unwrap().unwrap().integer(0).unwrap()
    }
}

pub fn published(n: u8) -> LambdaEvent {
    let outline = json!({ "id": course(n), "slug": format!("ders-{n}"), "title": format!("Ders {n}"),
        "language": null, "modules": [] });
    let outline: CourseOutline = serde_json::from_value(outline).unwrap();
    LambdaEvent::CoursePublished { version: 1, summary: String::new(), outline, owner: None, at: NOW }
}

pub fn coupon(n: u8, code: &str, terms: Coupon, available: bool) -> LambdaEvent {
    let id = CouponId::new(NOW, [n; 10]);
    LambdaEvent::CouponSaved { id, code: code.parse().unwrap(), terms, available, at: NOW }
}

pub fn fifth_off(scope: CouponScope) -> Coupon {
    Coupon {
        discount: Discount::Percent { share: BasisPoints::new(2000).unwrap(), cap: None },
        scope,
        minimum_total: None,
        first_purchase_only: false,
        stackable: false,
        starts_at: None,
        ends_at: None,
        public: false,
    }
}
