//! An academy with courses, people and an account at PayTR, in a database of its own.

use akademi_api::{
    config::Config,
    ports::{Clock as _, HttpClient},
    quote::{QUOTE_SECONDS, QuoteKeys, QuoteTerms},
    signed::{CALL_HEADER, CallCaller, CallContext, PlaneKeys, Purpose},
};
use akademi_domain::{
    ids::{CouponId, CourseId, SessionId, TenantId, UserId},
    money::{Currency, Money},
    permission::{Permission, Permissions},
    pricing::{self, BasisPoints, Basket, Coupon, Line},
    time::Timestamp,
};
use akademi_feed::{Decoded, Envelope, LambdaEvent};
use akademi_lambda_store::{feed::publish, testing::TestDatabase};
use akademi_payments::{
    Payments,
    paytr::{PayTrConfig, Secret},
};
use akademi_seal::{PersonKey, Vault};
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, Request, Uri, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use std::sync::Arc;
use tower::ServiceExt as _;

use crate::answer::Answer;
use crate::ports::{NOW, Provider, TestClock, Wakes, ports};

pub const KEY: &str = "demoMerchantKey1";
pub const SALT: &str = "demoMerchantSalt";

pub fn tenant(n: u8) -> TenantId {
    TenantId::new(NOW, [n; 10])
}

pub fn person(n: u8) -> UserId {
    UserId::new(NOW, [n; 10])
}

pub fn course(n: u8) -> CourseId {
    CourseId::new(NOW, [n; 10])
}

pub fn lira(amount: i64) -> Money {
    Money { amount, currency: Currency::TRY }
}

/// A course alone, with 20 % VAT.
pub fn line(n: u8, amount: i64) -> Line {
    let vat_rate = BasisPoints::new(2000).unwrap();
    Line { course: course(n), bundle: None, categories: vec![], price: lira(amount), vat_rate }
}

pub struct Academy {
    pub database: TestDatabase,
    pub payments: Payments,
    pub router: Router,
    pub clock: Arc<TestClock>,
    pub provider: Arc<Provider>,
    pub wakes: Arc<Wakes>,
    /// The callback's path.
    pub callback: String,
    planes: PlaneKeys,
    quotes: QuoteKeys,
    vault: Vault,
}

/// Who asks.
#[derive(Clone, Copy)]
pub struct Who {
    pub tenant: TenantId,
    pub user: UserId,
    pub permissions: Permissions,
}

pub fn learner(n: u8) -> Who {
    Who { tenant: tenant(1), user: person(n), permissions: Permissions::NONE }
}

pub fn staff() -> Who {
    Who {
        tenant: tenant(1),
        user: person(200),
        permissions: Permissions::NONE
            .with(Permission::CommerceWrite)
            .with(Permission::FinanceWrite)
            .with(Permission::CoursesAll),
    }
}

impl Academy {
    /// Course 1 at 149.90 and course 2 at 100.00, both with 20 % VAT; course 3 is free; course 4 has no price. People 1
    /// to 9 have come from the edge.
    pub async fn new() -> Self {
        let provider = Provider::new();
        Self::with(provider.clone(), provider, "https://www.paytr.com").await
    }

    pub async fn with(provider: Arc<Provider>, http: Arc<dyn HttpClient>, paytr: &str) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let (ports, clock, _) = ports();
        let wakes = Arc::new(Wakes::default());
        let key = |seed: u8| URL_SAFE_NO_PAD.encode([seed; 32]);
        let root = format!("k1:{}", key(2));
        let lookup = |name: &str| match name {
            "plane_root_keys" => Some(root.clone()),
            "lambda_master_key" => Some(key(3)),
            _ => None,
        };
        let planes = || PlaneKeys::from_config(&root).unwrap();
        let payments = Payments::new(
            ports.clone(),
            Arc::new(planes()),
            database.postgres().clone(),
            http,
            wakes.clone(),
            &Config::new(&lookup),
        )
        .unwrap();
        let config = PayTrConfig {
            merchant_id: "100200".to_owned(),
            merchant_key: Secret::new(KEY),
            merchant_salt: Secret::new(SALT),
            base_url: paytr.parse().unwrap(),
            test_mode: true,
            page_minutes: 30,
            private_buyer_address: Some("203.0.113.7".parse().unwrap()),
        };
        let callback = payments.configure(tenant(1), config).await.unwrap();
        let academy = Self {
            router: akademi_payments::router(payments.clone()),
            database,
            payments,
            clock,
            provider,
            wakes,
            callback,
            planes: planes(),
            quotes: QuoteKeys::from_config(&root).unwrap(),
            vault: Vault::from_config(&key(3)).unwrap(),
        };
        academy.populate().await;
        academy
    }

    async fn populate(&self) {
        let mut superuser = self.superuser().await;
        for n in 1..=4 {
            sqlx::query(
                "INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision, published_version,
                                           published_at, owner_id, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, '', '[]', 1, 1, 0, $5, 0, 0)",
            )
            .bind(tenant(1).as_uuid())
            .bind(course(n).as_uuid())
            .bind(format!("ders-{n}"))
            .bind(format!("Işık {n}"))
            .bind(person(200).as_uuid())
            .execute(&mut superuser)
            .await
            .unwrap();
        }
        for n in 1..=9 {
            self.add_person(&mut superuser, person(n)).await;
        }
        for (n, amount) in [(1, 14990), (2, 10000), (3, 0)] {
            assert_eq!(self.set_price(n, amount).await.status, 200);
        }
    }

    /// As `sync` brings them.
    pub async fn add_person(&self, superuser: &mut PgConnection, user: UserId) {
        let key = PersonKey::from_bytes([5; 32]);
        let profile = json!({ "name": "Şükrü Iğdır", "email": "ogrenci@example.com" }).to_string();
        let sealed = key.seal(user, "profile", profile.as_bytes(), [6; 24]);
        let wrapped = self.vault.wrap_key(tenant(1), user, &key, [7; 24]);
        sqlx::query("INSERT INTO person (tenant_id, id, sealed_profile, state, updated_at) VALUES ($1, $2, $3, 'active', 0)")
            .bind(tenant(1).as_uuid())
            .bind(user.as_uuid())
            .bind(sealed)
            .execute(&mut *superuser)
            .await
            .unwrap();
        sqlx::query("INSERT INTO person_key (tenant_id, user_id, wrapped) VALUES ($1, $2, $3)")
            .bind(tenant(1).as_uuid())
            .bind(user.as_uuid())
            .bind(wrapped)
            .execute(superuser)
            .await
            .unwrap();
    }

    pub async fn superuser(&self) -> PgConnection {
        self.database.superuser().await.unwrap()
    }

    /// The number that a statement answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut superuser = self.superuser().await;
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut superuser).await.unwrap()
    }

    /// The one column of text that a statement answers.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let mut superuser = self.superuser().await;
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut superuser).await.unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A request as `origin` forwards it.
    pub async fn call(
        &self,
        who: Who,
        method: Method,
        target: &str,
        idempotency_key: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let bytes = body.map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default();
        let caller =
            CallCaller { sub: who.user, sid: SessionId::new(NOW, [1; 10]), prm: who.permissions.bits() };
        let context = CallContext {
            idempotency_key: idempotency_key.map(str::to_owned),
            caller: Some(caller),
            ..Self::visitor(who.tenant)
        };
        self.forward(context, method, target, body.map(|_| "application/json"), bytes).await
    }

    /// A form that nobody's browser posts, as `origin` forwards it.
    pub async fn visit(&self, target: &str, form: String) -> Answer {
        let kind = Some("application/x-www-form-urlencoded");
        self.forward(Self::visitor(tenant(1)), Method::POST, target, kind, form.into_bytes()).await
    }

    fn visitor(tenant: TenantId) -> CallContext {
        CallContext {
            request_id: "test".into(),
            tenant: Some(tenant),
            host: Some("umraniye.localhost:3000".into()),
            client: Some("127.0.0.1".into()),
            idempotency_key: None,
            caller: None,
        }
    }

    async fn forward(
        &self,
        context: CallContext,
        method: Method,
        target: &str,
        content_type: Option<&'static str>,
        bytes: Vec<u8>,
    ) -> Answer {
        let target: Uri = target.parse().unwrap();
        let signature =
            self.planes.sign(Purpose::Origin, &method, &target, &bytes, &context, self.now()).unwrap();
        let mut request = Request::new(Body::from(bytes));
        *request.method_mut() = method;
        *request.uri_mut() = target;
        request.headers_mut().insert(CALL_HEADER, signature);
        if let Some(content_type) = content_type {
            request.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        self.send(request).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub async fn set_price(&self, n: u8, amount: i64) -> Answer {
        let body = json!({ "amount": amount, "currency": "TRY", "vat_basis_points": 2000 });
        let target = format!("/api/v1/commerce/courses/{}/price", course(n));
        self.call(staff(), Method::PUT, &target, None, Some(&body)).await
    }

    /// A coupon of a fifth off everything.
    pub async fn coupon(&self, code: &str, use_limit: Option<i64>) -> (CouponId, Coupon) {
        self.coupon_of(code, json!({ "use_limit": use_limit })).await
    }

    /// The same with these fields.
    pub async fn coupon_of(&self, code: &str, fields: Value) -> (CouponId, Coupon) {
        let mut terms =
            json!({ "discount": { "kind": "percent", "share": 2000 }, "scope": { "kind": "all" } });
        let mut body = terms.clone();
        body["code"] = json!(code);
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
            if !name.ends_with("use_limit") {
                terms[name] = value.clone();
            }
        }
        let answer = self.call(staff(), Method::POST, "/api/v1/commerce/coupons", None, Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        (serde_json::from_value(answer.json()["id"].clone()).unwrap(), serde_json::from_value(terms).unwrap())
    }

    /// What the edge quotes for these courses and prices.
    pub fn quote(&self, who: Who, basket: &[(u8, i64)], coupon: Option<&(CouponId, Coupon)>) -> String {
        let coupons = coupon.map_or(&[][..], std::slice::from_ref);
        let lines: Vec<Line> = basket.iter().map(|(n, amount)| line(*n, *amount)).collect();
        self.quote_lines(who, &lines, coupons)
    }

    /// What the edge quotes for these lines.
    pub fn quote_lines(&self, who: Who, lines: &[Line], coupons: &[(CouponId, Coupon)]) -> String {
        let priced = pricing::quote(&Basket { lines, coupons, is_first_purchase: true }, self.now()).unwrap();
        let ids = coupons.iter().map(|(id, _)| *id).collect();
        let expires_at = self.now().plus_seconds(QUOTE_SECONDS);
        self.quotes.sign(&QuoteTerms::new(who.tenant, who.user, &priced, ids, expires_at)).unwrap()
    }

    pub fn order_body(quote: &str) -> Value {
        json!({ "quote": quote, "buyer": { "phone": "05550000000", "address": "Ümraniye, İstanbul" } })
    }

    pub async fn order(&self, who: Who, key: &str, quote: &str) -> Answer {
        let body = Self::order_body(quote);
        self.call(who, Method::POST, "/api/v1/orders", Some(key), Some(&body)).await
    }

    /// Orders course 1 and answers the order's id and PayTR's `merchant_oid`.
    pub async fn order_one(&self, n: u8, coupon: Option<&(CouponId, Coupon)>) -> (String, String) {
        let who = learner(n);
        let key = format!("key-{n}-{}", self.provider.forms.lock().unwrap().len());
        let answer = self.order(who, &key, &self.quote(who, &[(1, 14990)], coupon)).await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        (answer.json()["id"].as_str().unwrap().to_owned(), self.provider.sent("merchant_oid"))
    }

    /// The state that the buyer sees.
    pub async fn state(&self, n: u8, order: &str) -> String {
        let answer = self.call(learner(n), Method::GET, &format!("/api/v1/orders/{order}"), None, None).await;
        assert_eq!(answer.status, 200);
        answer.json()["state"].as_str().unwrap().to_owned()
    }

    /// Held and used of the one coupon.
    pub async fn uses(&self) -> (i64, i64) {
        let of = |what| format!("SELECT {what} FROM budget WHERE kind = 'coupon'");
        (self.number(&of("held")).await, self.number(&of("used")).await)
    }

    /// All events of the feed so far.
    pub async fn events(&self) -> Vec<LambdaEvent> {
        publish(self.database.postgres()).await.unwrap();
        let mut platform = self.database.postgres().platform().await.unwrap();
        let events = platform.read_events(0, 100, usize::MAX).await.unwrap();
        platform.rollback().await.unwrap();
        let decode = |event: &akademi_lambda_store::feed::NumberedEvent| {
            let envelope = Envelope {
                number: event.number as i64,
                tenant: event.tenant,
                kind: event.kind.clone(),
                version: event.version as u32,
                payload: event.payload.to_string(),
            };
            match LambdaEvent::decode(&envelope).unwrap() {
                Decoded::Known(event) => event,
                Decoded::Unknown => panic!("unknown {}", envelope.kind),
            }
        };
        events.iter().map(decode).collect()
    }

    /// The courses that were granted to this person, in the feed's order.
    pub async fn granted(&self, user: UserId) -> Vec<CourseId> {
        let events = self.events().await;
        let course = |event: LambdaEvent| match event {
            LambdaEvent::EnrolmentGranted { person, course, .. } if person == user => Some(course),
            _ => None,
        };
        events.into_iter().filter_map(course).collect()
    }
}
