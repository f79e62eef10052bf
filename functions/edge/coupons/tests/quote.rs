//! Quotes through the router, on a SQLite file that the feed filled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

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
    ids::{CouponId, CourseId, EnrolmentId, OrderId, SessionId, TenantId, UserId},
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

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

struct TestClock(AtomicI64);

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

struct Setup {
    edge: Edge,
    router: Router,
    signer: TokenSigner,
    planes: PlaneKeys,
    quotes: QuoteKeys,
    clock: Arc<TestClock>,
    fed: AtomicI64,
    _folder: tempfile::TempDir,
}

fn tenant(n: u8) -> TenantId {
    TenantId::new(NOW, [n; 10])
}

fn person(n: u8) -> UserId {
    UserId::new(NOW, [n; 10])
}

fn course(n: u8) -> CourseId {
    CourseId::new(NOW, [n; 10])
}

fn try_money(amount: i64) -> Money {
    Money { amount, currency: Currency::TRY }
}

impl Setup {
    /// Two academies; the first sells course 1 at 149.90 and course 2 at 100.00, course 3 has no price.
    fn new() -> Self {
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
        let rate = BasisPoints::new(2000).unwrap();
        let price = |n, amount| LambdaEvent::PriceSet {
            course: course(n),
            price: try_money(amount),
            vat_rate: rate,
            at: NOW,
        };
        setup.feed(&[price(1, 14990), published(1), price(2, 10000), published(2), published(3)]);
        setup
    }

    /// Brings events of the first academy, as `sync` does.
    fn feed(&self, events: &[LambdaEvent]) {
        let from = self.fed.load(Ordering::Relaxed);
        let envelopes = events.iter().zip(from + 1..).map(|(event, number)| {
            let record = event.record();
            let (kind, version) = (record.kind.to_owned(), record.version);
            Envelope { number, tenant: tenant(1), kind, version, payload: record.payload }
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

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn send(&self, request: Request<Body>) -> (u16, Value) {
        block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice(&body).unwrap_or_default())
        })
    }

    fn quote(&self, body: &Value) -> (u16, Value) {
        self.quote_at("umraniye.localhost", tenant(1), body)
    }

    fn quote_at(&self, host: &str, tenant: TenantId, body: &Value) -> (u16, Value) {
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

    fn count(&self, sql: &'static str) -> i64 {
        let row = block_on(Platform::new(self.edge.database.as_ref()).row(PlatformSql::new(sql).with([])));
        row.unwrap().unwrap().integer(0).unwrap()
    }
}

fn published(n: u8) -> LambdaEvent {
    let outline = json!({ "id": course(n), "slug": format!("ders-{n}"), "title": format!("Ders {n}"),
        "language": null, "modules": [] });
    let outline: CourseOutline = serde_json::from_value(outline).unwrap();
    LambdaEvent::CoursePublished { version: 1, summary: String::new(), outline, at: NOW }
}

fn coupon(n: u8, code: &str, terms: Coupon, available: bool) -> LambdaEvent {
    let id = CouponId::new(NOW, [n; 10]);
    LambdaEvent::CouponSaved { id, code: code.parse().unwrap(), terms, available, at: NOW }
}

fn fifth_off(scope: CouponScope) -> Coupon {
    Coupon {
        discount: Discount::Percent { share: BasisPoints::new(2000).unwrap(), cap: None },
        scope,
        minimum_total: None,
        starts_at: None,
        ends_at: None,
    }
}

#[test]
fn a_quote_is_priced_with_vat_and_signed_for_the_person() {
    let setup = Setup::new();
    setup.feed(&[coupon(1, "BAHAR", fifth_off(CouponScope::All), true)]);
    let (status, answer) = setup.quote(&json!({ "courses": [course(2), course(1)], "coupon": "Bahar" }));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["subtotal"], json!({ "amount": 24990, "currency": "TRY" }));
    assert_eq!(answer["discount"]["amount"], 4998);
    assert_eq!(answer["total"]["amount"], 19992);
    assert_eq!(answer["vat"]["amount"], 1333 + 1999, "each line's VAT of 20 %, rounded");
    assert_eq!(answer["coupon"], json!({ "outcome": "applied" }));
    assert_eq!(answer["lines"][0]["course"], json!(course(2)), "in the basket's order");

    let terms = setup.quotes.verify(answer["quote"].as_str().unwrap(), setup.now()).unwrap();
    assert_eq!((terms.tenant, terms.person, terms.total), (tenant(1), person(7), 19992));
    assert_eq!(terms.coupon, Some(CouponId::new(NOW, [1; 10])));
    assert_eq!(terms.lines[1].course, course(1));
    assert_eq!(terms.expires_at, NOW.plus_seconds(15 * 60));
    assert_eq!(answer["expires_at"], json!(terms.expires_at));
}

#[test]
fn an_unknown_code_and_a_used_up_one_look_alike_and_other_refusals_say_why() {
    let setup = Setup::new();
    let late = Coupon { ends_at: Some(NOW), ..fifth_off(CouponScope::All) };
    let early = Coupon { starts_at: Some(NOW.plus_seconds(1)), ..fifth_off(CouponScope::All) };
    let large = Coupon { minimum_total: Some(try_money(20000)), ..fifth_off(CouponScope::All) };
    let other = fifth_off(CouponScope::Courses { courses: vec![course(2)] });
    setup.feed(&[
        coupon(1, "bitti", fifth_off(CouponScope::All), false),
        coupon(2, "gecti", late, true),
        coupon(3, "erken", early, true),
        coupon(4, "buyuk", large, true),
        coupon(5, "baska", other, true),
    ]);
    let ask = |code: &str| {
        let (status, mut answer) = setup.quote(&json!({ "courses": [course(1)], "coupon": code }));
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["total"]["amount"], 14990, "the basket costs what it costs");
        let terms = setup.quotes.verify(answer["quote"].as_str().unwrap(), NOW).unwrap();
        assert_eq!(terms.coupon, None);
        answer["coupon"].take()
    };
    let refused = |reason: &str| json!({ "outcome": "refused", "reason": reason });
    for code in ["bitti", "yok", "!", &"x".repeat(200)] {
        assert_eq!(ask(code), refused("not_available"), "{code}");
    }
    assert_eq!(ask("gecti"), refused("expired"));
    assert_eq!(ask("erken"), refused("not_started"));
    assert_eq!(ask("buyuk"), refused("below_minimum"));
    assert_eq!(ask("baska"), refused("not_for_these_courses"));
    setup.feed(&[coupon(1, "bitti", fifth_off(CouponScope::All), true)]);
    let (_, answer) = setup.quote(&json!({ "courses": [course(1)], "coupon": "BİTTİ" }));
    assert_eq!(answer["coupon"]["outcome"], "applied", "a use came back");
}

#[test]
fn what_is_not_for_sale_here_is_told_by_its_field() {
    let setup = Setup::new();
    let grant = LambdaEvent::EnrolmentGranted {
        person: person(7),
        course: course(2),
        enrolment: EnrolmentId::new(NOW, [1; 10]),
        order: OrderId::new(NOW, [1; 10]),
        at: NOW,
    };
    setup.feed(&[grant, LambdaEvent::CourseWithdrawn { course: course(3) }]);
    let field = |body: Value, status: u16| {
        let (got, answer) = setup.quote(&body);
        assert_eq!(got, status, "{body}: {answer}");
        answer["errors"][0]["field"].as_str().unwrap_or_default().to_owned()
    };
    for (courses, at) in [
        (json!([course(1), course(3)]), "courses[1]"),
        (json!([course(9)]), "courses[0]"),
        (json!([course(2)]), "courses[0]"),
        (json!([course(1), course(1)]), "courses[1]"),
        (json!([]), "courses"),
        (json!(vec![course(1); 101]), "courses"),
        (json!(["x"]), "courses[0]"),
        (json!(7), "courses"),
    ] {
        assert_eq!(field(json!({ "courses": courses }), 422), at);
    }
    assert_eq!(field(json!({ "courses": [course(1)], "price": 1 }), 422), "price");
    let (status, _) = setup.quote_at("kadikoy.localhost", tenant(2), &json!({ "courses": [course(1)] }));
    assert_eq!(status, 422, "another academy's course is not for sale here");
    let (status, _) = setup.quote_at("kadikoy.localhost", tenant(1), &json!({ "courses": [course(1)] }));
    assert_eq!(status, 401, "a token of another academy");
}

#[test]
fn a_grant_applied_twice_is_one_enrolment_and_one_event() {
    let setup = Setup::new();
    let before = setup.count("SELECT count(*) AS n FROM feed_event");
    let grant = |enrolment: u8| LambdaEvent::EnrolmentGranted {
        person: person(7),
        course: course(1),
        enrolment: EnrolmentId::new(NOW, [enrolment; 10]),
        order: OrderId::new(NOW, [1; 10]),
        at: NOW,
    };
    setup.feed(&[grant(1)]);
    setup.feed(&[grant(1), grant(2)]);
    assert_eq!(setup.count("SELECT count(*) AS n FROM enrolment"), 1);
    assert_eq!(setup.count("SELECT count(*) AS n FROM enrolment WHERE source = 'order'"), 1);
    assert_eq!(setup.count("SELECT count(*) AS n FROM feed_event WHERE kind = 'enrolled'"), 1);
    let after = setup.count("SELECT number AS n FROM feed_head");
    assert_eq!(after, before + 1, "numbers have no gap");
}
