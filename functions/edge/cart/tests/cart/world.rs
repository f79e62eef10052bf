//! Two academies with a shop on one edge store, guests with browsers, people who are signed in.

use akademi_api::{
    Caller,
    caller::ClientAddress,
    config::Config,
    quote::QuoteKeys,
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
    token::TokenSigner,
};
use akademi_cart::Cart;
use akademi_domain::{
    course::CourseOutline,
    ids::{BundleId, CouponId, CourseId, EnrolmentId, OrderId, SessionId, TenantId, UserId},
    money::{Currency, Money},
    permission::Permissions,
    pricing::{BasisPoints, Coupon, CouponScope, Discount, Sale},
    time::Timestamp,
};
use akademi_edge_store::{Database, Edge, PlatformSql, Statement};
use akademi_edge_world::{Meeting, Store};
use akademi_feed::{Batch, Envelope, LambdaEvent};
use akademi_process::secrets::{Variables, generate};
use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use tower::ServiceExt;

pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub const HOSTS: [&str; 2] = ["one.example", "two.example"];
pub const CART: &str = "/api/v1/cart";

pub struct World {
    store: Store,
    variables: Variables,
    router: Router,
    fed: AtomicI64,
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

pub fn person(number: u8) -> UserId {
    UserId::new(START, [number; 10])
}

pub fn course(number: u8) -> CourseId {
    CourseId::new(START, [number; 10])
}

pub fn bundle(number: u8) -> BundleId {
    BundleId::new(START, [number; 10])
}

pub fn lira(amount: i64) -> Money {
    Money { amount, currency: Currency::TRY }
}

pub fn course_path(number: u8) -> String {
    format!("{CART}/courses/{}", course(number))
}

pub fn bundle_path(number: u8) -> String {
    format!("{CART}/bundles/{}", bundle(number))
}

pub fn coupon_path(code: &str) -> String {
    let spelled: String = code.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("{CART}/coupons/{spelled}")
}

pub fn published(number: u8) -> LambdaEvent {
    let outline = json!({ "id": course(number), "slug": format!("ders-{number}"), "title": format!("Işık {number}"),
                          "language": null, "modules": [] });
    let outline: CourseOutline = serde_json::from_value(outline).unwrap();
    LambdaEvent::CoursePublished { version: 1, summary: String::new(), outline, owner: None, at: START }
}

pub fn price(number: u8, price: Money, sale: Option<Sale>) -> LambdaEvent {
    let vat_rate = BasisPoints::new(2000).unwrap();
    LambdaEvent::PriceSet { course: course(number), price, vat_rate, sale, categories: vec![], at: START }
}

pub fn bundled(number: u8, courses: &[u8], amount: i64, for_sale: bool) -> LambdaEvent {
    LambdaEvent::BundleSaved {
        id: bundle(number),
        title: format!("Takım {number}").try_into().unwrap(),
        courses: courses.iter().map(|number| course(*number)).collect(),
        price: lira(amount),
        sale: None,
        for_sale,
        at: START,
    }
}

pub fn coupon(number: u8, code: &str, terms: Coupon, available: bool) -> LambdaEvent {
    let id = CouponId::new(START, [number; 10]);
    LambdaEvent::CouponSaved { id, code: code.parse().unwrap(), terms, available, at: START }
}

pub fn fifth_off() -> Coupon {
    Coupon {
        discount: Discount::Percent { share: BasisPoints::new(2000).unwrap(), cap: None },
        scope: CouponScope::All,
        minimum_total: None,
        first_purchase_only: false,
        stackable: true,
        starts_at: None,
        ends_at: None,
        public: false,
    }
}

pub fn granted(number: u8, to: UserId, at: Timestamp) -> LambdaEvent {
    LambdaEvent::EnrolmentGranted {
        person: to,
        course: course(number),
        enrolment: EnrolmentId::new(START, [number; 10]),
        order: OrderId::new(START, [number; 10]),
        at,
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn expect(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.body);
        &self.body
    }

    /// The problem's status and name.
    pub fn problem(&self) -> (u16, &str) {
        (self.status, self.body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/"))
    }

    /// What the browser is to keep as the guest's cart, with its attributes.
    pub fn cookie(&self) -> Option<&str> {
        let mut cookies = self.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        cookies.find(|line| line.starts_with("__Host-akademi_cart="))
    }
}

/// Who asks, and from where.
#[derive(Debug, Clone, Default)]
pub struct From {
    pub academy: usize,
    pub token: Option<String>,
    pub cookie: Option<String>,
    pub address: String,
}

impl From {
    /// The same browser, with what an answer had it keep.
    pub fn keeping(&self, answer: &Answer) -> Self {
        let pair = answer.cookie().unwrap().split(';').next().unwrap();
        Self { cookie: Some(pair.to_owned()), ..self.clone() }
    }

    /// The same browser after signing in.
    pub fn signed_in(&self, as_whom: &Self) -> Self {
        Self { token: as_whom.token.clone(), ..self.clone() }
    }
}

pub fn request(who: &From, method: Method, path: &str) -> Request<Body> {
    let host = HOSTS[who.academy];
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host)
        .header("sec-fetch-site", "same-origin")
        .extension(ClientAddress(who.address.clone()));
    if let Some(token) = &who.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(cookie) = &who.cookie {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(Body::empty()).unwrap()
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

fn routers(edge: &Edge, variables: &Variables) -> Router {
    let lookup = |name: &str| variables.get(name).cloned();
    let config = Config::new(&lookup);
    let feed = akademi_feed_function::Feed::from_config(edge.clone(), &config).unwrap();
    akademi_cart::router(Cart::from_config(edge.clone(), &config).unwrap())
        .merge(akademi_feed_function::router(feed))
}

impl World {
    /// The first academy sells course 1 at 149.90, 2 at 100.00 and 4 at 50.00, and 2 with 4 at 120.00; 3 has no price.
    pub async fn new() -> Self {
        let store = Store::new(START, &[(tenant(0), HOSTS[0]), (tenant(1), HOSTS[1])]);
        let variables = generate().unwrap();
        let router = routers(&store.edge, &variables);
        let world = Self { store, variables, router, fed: AtomicI64::new(0) };
        let mut events: Vec<_> = (1..=4).map(published).collect();
        events.extend([(1, 14990), (2, 10000), (4, 5000)].map(|(n, amount)| price(n, lira(amount), None)));
        events.push(bundled(1, &[2, 4], 12000, true));
        world.feed(0, &events).await;
        world
    }

    /// Brings events of the other plane's, as `sync` does.
    pub async fn feed(&self, academy: usize, events: &[LambdaEvent]) {
        let from = self.fed.load(Ordering::SeqCst);
        let envelopes = events.iter().zip(from + 1..).map(|(event, number)| {
            let record = event.record();
            let (kind, version) = (record.kind.to_owned(), record.version);
            Envelope { number, tenant: tenant(academy), kind, version, payload: record.payload }
        });
        let events: Vec<Envelope> = envelopes.collect();
        let to = from + events.len() as i64;
        let body = serde_json::to_vec(&Batch { source: "lambda:test".into(), from, to, events }).unwrap();
        let target = Uri::from_static("/internal/feed");
        let context = CallContext { request_id: "test".into(), ..CallContext::default() };
        let planes = PlaneKeys::from_config(&self.variables["plane_root_keys"]).unwrap();
        let signature =
            planes.sign(Purpose::Feed, &Method::POST, &target, &body, &context, self.now()).unwrap();
        let request = Request::post(target)
            .header(CALL_HEADER, signature)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap();
        send(&self.router, request).await.expect(200);
        self.fed.store(to, Ordering::SeqCst);
    }

    /// Somebody with an account, signed in.
    pub fn join(&self, academy: usize, number: u8) -> From {
        const PERSON: PlatformSql = PlatformSql::new(
            "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
             VALUES (?1, ?2, ?3, x'00', '', 'active', 1, ?4)",
        );
        let (tenant, user) = (tenant(academy), person(number));
        self.run(vec![PERSON.with([tenant.into(), user.into(), vec![number].into(), START.into()])]);
        let session = SessionId::new(START, [number; 10]);
        let caller = Caller { tenant, user, session, permissions: Permissions::NONE };
        let signer = TokenSigner::from_config(&self.variables["token_signing_keys"]).unwrap();
        let token = signer.sign(&caller, self.now(), [5; 16]).unwrap();
        From { academy, token: Some(token), cookie: None, address: format!("192.0.2.{number}") }
    }

    pub fn guest(&self) -> From {
        From { address: "198.51.100.1".into(), ..From::default() }
    }

    pub fn quotes(&self) -> QuoteKeys {
        QuoteKeys::from_config(&self.variables["plane_root_keys"]).unwrap()
    }

    pub async fn get(&self, who: &From) -> Answer {
        send(&self.router, request(who, Method::GET, CART)).await
    }

    pub async fn put(&self, who: &From, path: &str) -> Answer {
        send(&self.router, request(who, Method::PUT, path)).await
    }

    pub async fn delete(&self, who: &From, path: &str) -> Answer {
        send(&self.router, request(who, Method::DELETE, path)).await
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    /// A guest's browser with these in its cart.
    pub async fn guest_with(&self, paths: &[String]) -> From {
        let mut guest = self.guest();
        for path in paths {
            let answer = self.put(&guest, path).await;
            answer.expect(204);
            guest = guest.keeping(&answer);
            self.wait(1);
        }
        guest
    }

    /// The ids of a cart, in its order.
    pub async fn items(&self, who: &From) -> Vec<String> {
        let answer = self.get(who).await;
        let items = answer.expect(200)["items"].as_array().unwrap();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The same store behind an engine of the test's.
    pub fn behind(&self, database: Arc<dyn Database>) -> Router {
        routers(&Edge { database, ..self.edge.clone() }, &self.variables)
    }

    /// The same world, every condition of which is taken for fulfilled.
    pub fn lax(&self) -> Router {
        let meeting = Meeting { words: Vec::new(), many: 1, is_lax: true };
        routers(&self.racing(meeting), &self.variables)
    }

    /// By what a request reads, but for the academy that answers on the host.
    pub async fn read_by(&self, request: Request<Body>) -> Vec<Statement> {
        self.observed(request).await.0
    }

    /// By how many statements a request reads, and how often it commits.
    pub async fn cost(&self, request: Request<Body>) -> (usize, usize) {
        let (read, commits) = self.observed(request).await;
        (read.len(), commits)
    }

    async fn observed(&self, request: Request<Body>) -> (Vec<Statement>, usize) {
        let (edge, watched) = self.watched();
        send(&routers(&edge, &self.variables), request).await;
        let (mut read, commits) = watched.take();
        read.retain(|statement| !statement.sql.contains("FROM domain"));
        (read, commits)
    }
}
