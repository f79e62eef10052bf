//! An academy that sells one course, on a PostgreSQL of its own that loses nothing, and a PayTR in this process that answers
//! at once: what is measured is ours.

use akademi_api::{
    Ports,
    config::Config,
    ports::{HttpClient, Unreachable, Wake},
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
use akademi_lambda_store::{
    cluster::{Cluster, Durability, SUPERUSER},
    postgres::Postgres,
    provision::{LOGIN, provision},
};
use akademi_payments::{
    Payments,
    paytr::{PayTrConfig, Secret},
};
use akademi_process::ports::{WriteLog, ports};
use akademi_seal::{PersonKey, Vault};
use anyhow::{Context, ensure};
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use hmac::{Hmac, Mac as _};
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::{ConnectOptions, PgConnection};
use std::{fs, path::Path, sync::Arc};
use tower::ServiceExt as _;

const DATABASE: &str = "orders";
const MERCHANT: &str = "100200";
const KEY: &str = "benchMerchantKey";
const SALT: &str = "benchMerchantSalt";
/// Minor units, and what is left of it with the coupon.
const PRICE: i64 = 14_990;
const PAID: i64 = 11_992;
/// Of the pool; more buyers wait for one.
pub const CONNECTIONS: u32 = 16;

pub struct Shop {
    cluster: Cluster,
    pub postgres: Postgres,
    pub superuser: PgConnection,
    pub router: Router,
    ports: Ports,
    planes: PlaneKeys,
    quotes: QuoteKeys,
    coupon: (CouponId, Coupon),
    callback: String,
    people: Vec<UserId>,
}

/// get-token as PayTR answers it.
struct PayTr;

impl HttpClient for PayTr {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async { Ok(Response::new(Bytes::from_static(br#"{"status":"success","token":"bench"}"#))) })
    }
}

/// A coupon that was made.
#[derive(Deserialize)]
struct Made {
    id: CouponId,
}

struct Nobody;

impl Wake for Nobody {
    fn wake(&self) {}
}

pub fn tenant() -> TenantId {
    TenantId::new(Timestamp::from_millis(0), [1; 10])
}

fn course() -> CourseId {
    CourseId::new(Timestamp::from_millis(0), [2; 10])
}

impl Shop {
    /// With so many people, and a coupon for all of them but `without`.
    pub async fn open(folder: &Path, people: usize, without: usize) -> anyhow::Result<Self> {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder)?;
        let cluster = Cluster::start(folder, Durability::Durable)?;
        provision(&cluster, DATABASE).await.context("migrating PostgreSQL")?;
        let postgres = Postgres::new(cluster.options(LOGIN, DATABASE), CONNECTIONS);
        let mut superuser = cluster.options(SUPERUSER, DATABASE).connect().await?;
        let ports = ports(Arc::new(WriteLog::new(std::io::sink())));
        let key = |byte: u8| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([byte; 32]);
        let root = format!("k1:{}", key(2));
        let lookup = |name: &str| match name {
            "plane_root_keys" => Some(root.clone()),
            "lambda_master_key" => Some(key(3)),
            _ => None,
        };
        let planes = || PlaneKeys::from_config(&root);
        let payments = Payments::new(
            ports.clone(),
            Arc::new(planes()?),
            postgres.clone(),
            Arc::new(PayTr),
            Arc::new(Nobody),
            &Config::new(&lookup),
        )?;
        let account = PayTrConfig {
            merchant_id: MERCHANT.to_owned(),
            merchant_key: Secret::new(KEY),
            merchant_salt: Secret::new(SALT),
            base_url: "https://www.paytr.com".parse()?,
            test_mode: true,
            page_minutes: 30,
            private_buyer_address: Some("203.0.113.7".parse()?),
        };
        let callback = payments.configure(tenant(), account).await?;
        let people = add_people(&mut superuser, people, &Vault::from_config(&key(3))?, &ports).await?;
        publish(&mut superuser).await?;
        let router = akademi_payments::router(payments);
        let terms = json!({ "discount": { "kind": "percent", "share": 2000 }, "scope": { "kind": "all" } });
        let mut shop = Self {
            quotes: QuoteKeys::from_config(&root)?,
            planes: planes()?,
            coupon: (CouponId::from_uuid(course().as_uuid()), serde_json::from_value(terms.clone())?),
            cluster,
            postgres,
            superuser,
            router,
            ports,
            callback,
            people,
        };
        shop.price_and_coupon(terms, without).await?;
        Ok(shop)
    }

    async fn price_and_coupon(&mut self, terms: Value, without: usize) -> anyhow::Result<()> {
        let price = json!({ "amount": PRICE, "currency": "TRY", "vat_basis_points": 2000 });
        let target = format!("/api/v1/commerce/courses/{}/price", course());
        let (status, _) = self.call(None, Method::PUT, &target, None, &price).await?;
        ensure!(status == StatusCode::OK, "the price is refused: {status}");
        let (discount, scope) = (terms.get("discount"), terms.get("scope"));
        let uses = self.people.len() - without;
        let coupon = json!({ "code": "bahar", "discount": discount, "scope": scope, "use_limit": uses });
        let (status, made) = self.call(None, Method::POST, "/api/v1/commerce/coupons", None, &coupon).await?;
        ensure!(status == StatusCode::CREATED, "the coupon is refused: {status}");
        let Made { id } = serde_json::from_slice(&made)?;
        self.coupon.0 = id;
        Ok(())
    }

    /// A request as `origin` forwards it, of staff or of a learner.
    async fn call(
        &self,
        learner: Option<UserId>,
        method: Method,
        target: &str,
        key: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let staff = Permissions::NONE
            .with(Permission::CommerceWrite)
            .with(Permission::FinanceWrite)
            .with(Permission::CoursesAll);
        let (sub, permissions) = match learner {
            Some(learner) => (learner, Permissions::NONE),
            None => (UserId::new(Timestamp::from_millis(0), [9; 10]), staff),
        };
        let context = CallContext {
            request_id: "bench".into(),
            tenant: Some(tenant()),
            host: Some("bench.localhost".into()),
            client: Some("203.0.113.9".into()),
            idempotency_key: key.map(str::to_owned),
            caller: Some(CallCaller {
                sub,
                sid: SessionId::new(Timestamp::from_millis(0), [1; 10]),
                prm: permissions.bits(),
            }),
        };
        let target: Uri = target.parse()?;
        let bytes = serde_json::to_vec(body)?;
        let now = self.ports.now();
        let signature = self.planes.sign(Purpose::Origin, &method, &target, &bytes, &context, now);
        let mut request = Request::new(Body::from(bytes));
        *request.method_mut() = method;
        *request.uri_mut() = target;
        request.headers_mut().insert(CALL_HEADER, signature.context("the call is not signed")?);
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        self.send(request).await
    }

    async fn send(&self, request: Request<Body>) -> anyhow::Result<(StatusCode, Bytes)> {
        let (parts, body) = self.router.clone().oneshot(request).await?.into_parts();
        Ok((parts.status, body.collect().await?.to_bytes()))
    }

    /// What the edge quotes to this person, as the body of an order.
    pub fn order_of(&self, person: usize) -> anyhow::Result<Value> {
        let vat_rate = BasisPoints::new(2000)?;
        let price = Money { amount: PRICE, currency: Currency::TRY };
        let lines = [Line { course: course(), bundle: None, categories: vec![], price, vat_rate }];
        let coupons = std::slice::from_ref(&self.coupon);
        let now = self.ports.now();
        let priced = pricing::quote(&Basket { lines: &lines, coupons, is_first_purchase: true }, now)?;
        let expires_at = now.plus_seconds(QUOTE_SECONDS);
        let terms = QuoteTerms::new(tenant(), self.person(person)?, &priced, vec![self.coupon.0], expires_at);
        let quote = self.quotes.sign(&terms).context("the quote is not signed")?;
        let buyer = json!({ "phone": "05550000000", "address": "Ümraniye, İstanbul" });
        Ok(json!({ "quote": quote, "buyer": buyer }))
    }

    /// Orders; the status and the answer.
    pub async fn order(&self, person: usize, body: &Value) -> anyhow::Result<(StatusCode, Bytes)> {
        self.call(Some(self.person(person)?), Method::POST, "/api/v1/orders", Some("bench"), body).await
    }

    fn person(&self, number: usize) -> anyhow::Result<UserId> {
        self.people.get(number).copied().context("there are not so many people")
    }

    /// PayTR calls back: the payment with this `merchant_oid` is captured.
    pub async fn pay(&self, oid: &str) -> anyhow::Result<()> {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes())?;
        mac.update(format!("{oid}{SALT}success{PAID}").as_bytes());
        let (hash, paid) = (STANDARD.encode(mac.finalize().into_bytes()), PAID.to_string());
        let form = [
            ("merchant_oid", oid),
            ("status", "success"),
            ("total_amount", &paid),
            ("hash", &hash),
            ("payment_amount", &paid),
            ("currency", "TL"),
            ("test_mode", "1"),
        ];
        let request = Request::post(self.callback.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(serde_urlencoded::to_string(form)?))?;
        let (status, body) = self.send(request).await?;
        ensure!(status == StatusCode::OK && body == "OK", "the callback is answered {status}: {body:?}");
        Ok(())
    }

    /// Stops PostgreSQL and leaves nothing behind.
    pub async fn close(self, folder: &Path) -> anyhow::Result<()> {
        self.postgres.close().await;
        self.cluster.stop()?;
        fs::remove_dir_all(folder).context("removing the shop's folder")
    }
}

/// As `sync` brings them.
async fn add_people(
    superuser: &mut PgConnection,
    count: usize,
    vault: &Vault,
    ports: &Ports,
) -> anyhow::Result<Vec<UserId>> {
    let key = PersonKey::from_bytes([5; 32]);
    let profile = json!({ "name": "Şükrü Iğdır", "email": "ogrenci@example.com" }).to_string();
    let people: Vec<UserId> = (0..count).map(|_| UserId::new(ports.now(), ports.random())).collect();
    let ids: Vec<_> = people.iter().map(UserId::as_uuid).collect();
    let sealed: Vec<_> =
        people.iter().map(|id| key.seal(*id, "profile", profile.as_bytes(), [6; 24])).collect();
    let wrapped: Vec<_> = people.iter().map(|id| vault.wrap_key(tenant(), *id, &key, [7; 24])).collect();
    sqlx::query(
        "INSERT INTO person (tenant_id, id, sealed_profile, state, updated_at)
         SELECT $1, id, sealed, 'active', 0 FROM UNNEST($2::uuid[], $3::bytea[]) AS person (id, sealed)",
    )
    .bind(tenant().as_uuid())
    .bind(&ids)
    .bind(&sealed)
    .execute(&mut *superuser)
    .await?;
    sqlx::query(
        "INSERT INTO person_key (tenant_id, user_id, wrapped)
         SELECT $1, id, wrapped FROM UNNEST($2::uuid[], $3::bytea[]) AS key (id, wrapped)",
    )
    .bind(tenant().as_uuid())
    .bind(&ids)
    .bind(&wrapped)
    .execute(superuser)
    .await?;
    Ok(people)
}

/// As `authoring` does it.
async fn publish(superuser: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::query(
        "INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision, published_version,
                                   published_at, owner_id, created_at, updated_at)
         VALUES ($1, $2, 'isik', 'Işık', '', '[]', 1, 1, 0, $2, 0, 0)",
    )
    .bind(tenant().as_uuid())
    .bind(course().as_uuid())
    .execute(superuser)
    .await?;
    Ok(())
}
