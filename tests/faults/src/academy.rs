//! The academy that every history is about: three courses, one of them with few seats, six people, three coupons,
//! an account at PayTR and one at iyzico.

use akademi_api::{
    Ports,
    config::Config,
    signed::{CALL_HEADER, CallCaller, CallContext, PlaneKeys, Purpose},
};
use akademi_domain::{
    course::CourseOutline,
    ids::{CourseId, SessionId, TenantId, UserId},
    permission::{Permission, Permissions},
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{feed, postgres::Postgres};
use akademi_payments::{
    Payments,
    iyzico::IyzicoConfig,
    paytr::{PayTrConfig, Secret},
};
use akademi_seal::{PersonKey, Vault};
use akademi_sync::{Sync, Trigger};
use anyhow::ensure;
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::sync::Arc;

use crate::{
    edge::{Direct, EdgePlane, serve},
    ports::{START, Wakes},
    providers::{iyzico, paytr},
};

pub const EDGE_HOST: &str = "umraniye.localhost";
pub const EDGE_URL: &str = "http://edge.test";
pub const PEOPLE: u8 = 6;
/// Who sells and gives back.
pub const STAFF: u8 = 200;
pub const COURSES: [i64; 3] = [14990, 10000, 4999];
/// The course with so many seats and no more.
pub const FEW_SEATS: u8 = 3;
/// Codes, and the share of the price that each takes off, one after another.
pub const COUPONS: [(&str, u64); 3] = [("bahar", 2000), ("armagan", 10000), ("yaz", 5000)];

pub fn tenant() -> TenantId {
    TenantId::new(START, [1; 10])
}

pub fn person(n: u8) -> UserId {
    UserId::new(START, [n; 10])
}

pub fn course(n: u8) -> CourseId {
    CourseId::new(START, [n; 10])
}

pub fn key(seed: u8) -> String {
    URL_SAFE_NO_PAD.encode([seed; 32])
}

fn root() -> String {
    format!("k1:{}", key(2))
}

/// The configuration of all functions.
pub fn lookup(name: &str) -> Option<String> {
    match name {
        "token_public_keys" => {
            let signer = akademi_api::token::TokenSigner::from_config(&format!("k1:{}", key(1)));
            signer.ok().map(|signer| signer.verifier().to_config())
        }
        "plane_root_keys" => Some(root()),
        "edge_master_key" => Some(key(4)),
        "lambda_master_key" => Some(key(3)),
        "edge_url" => Some(EDGE_URL.to_owned()),
        _ => None,
    }
}

pub fn planes() -> Arc<PlaneKeys> {
    Arc::new(PlaneKeys::from_config(&root()).unwrap())
}

/// A request as `origin` forwards it.
pub fn forwarded(
    user: UserId,
    permissions: Permissions,
    method: Method,
    target: &str,
    idempotency_key: Option<&str>,
    body: &Value,
    ports: &Ports,
) -> Request<Bytes> {
    let caller = CallCaller { sub: user, sid: SessionId::new(START, [1; 10]), prm: permissions.bits() };
    let idempotency_key = idempotency_key.map(str::to_owned);
    let context = CallContext { idempotency_key, caller: Some(caller), ..visitor() };
    signed(&context, method, target, "application/json", serde_json::to_vec(body).unwrap(), ports)
}

/// A form that anybody's browser posts, as `origin` forwards it.
pub fn visit(target: &str, form: &str, ports: &Ports) -> Request<Bytes> {
    signed(&visitor(), Method::POST, target, "application/x-www-form-urlencoded", form.into(), ports)
}

fn visitor() -> CallContext {
    CallContext {
        request_id: "faults".into(),
        tenant: Some(tenant()),
        host: Some(EDGE_HOST.into()),
        client: Some("203.0.113.9".into()),
        idempotency_key: None,
        caller: None,
    }
}

fn signed(
    context: &CallContext,
    method: Method,
    target: &str,
    content_type: &'static str,
    bytes: Vec<u8>,
    ports: &Ports,
) -> Request<Bytes> {
    let target: Uri = target.parse().unwrap();
    let signature = planes().sign(Purpose::Origin, &method, &target, &bytes, context, ports.now()).unwrap();
    let mut request = Request::new(Bytes::from(bytes));
    *request.method_mut() = method;
    *request.uri_mut() = target;
    request.headers_mut().insert(CALL_HEADER, signature);
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    request
}

/// The paths that providers call.
#[derive(Debug, Clone)]
pub struct Callbacks {
    pub paytr: String,
    pub iyzico: String,
}

/// Fills both stores with an academy of so many learners, whose orders PayTR takes, and carries the feed until both know of
/// it.
pub async fn populate(
    people: u8,
    ports: &Ports,
    postgres: &Postgres,
    superuser: &mut PgConnection,
    edge: &EdgePlane,
) -> anyhow::Result<Callbacks> {
    edge.create_academy().await?;
    let http = Arc::new(Direct(edge.router.clone()));
    let config = Config::new(&lookup);
    let wakes = Arc::new(Wakes::default());
    let payments = Payments::new(ports.clone(), planes(), postgres.clone(), http.clone(), wakes, &config)?;
    let callbacks = Callbacks {
        paytr: payments.configure(tenant(), account_at_paytr()).await?,
        iyzico: payments.configure(tenant(), account_at_iyzico()).await?,
    };
    add_people(people, superuser).await?;
    let router = akademi_payments::router(payments);
    let staff = Permissions::NONE
        .with(Permission::CommerceWrite)
        .with(Permission::FinanceWrite)
        .with(Permission::CoursesAll);
    let write = async |method: Method, target: &str, body: Value| {
        let request = forwarded(person(STAFF), staff, method, target, None, &body, ports);
        let answer = serve(router.clone(), request.map(Body::from)).await;
        ensure!(answer.status().is_success(), "{target}: {answer:?}");
        Ok(())
    };
    for (n, amount) in (1..).zip(COURSES) {
        publish_course(ports, postgres, superuser, n).await?;
        let price = json!({ "amount": amount, "currency": "TRY", "vat_basis_points": 2000 });
        write(Method::PUT, &format!("/api/v1/commerce/courses/{}/price", course(n)), price).await?;
    }
    let seats = json!({ "capacity": 1 });
    write(Method::PUT, &format!("/api/v1/commerce/courses/{}/seats", course(FEW_SEATS)), seats).await?;
    for (code, share) in COUPONS {
        let discount = json!({ "kind": "percent", "share": share });
        let coupon = json!({ "code": code, "discount": discount, "scope": { "kind": "all" }, "stackable": true, "use_limit": 1 });
        write(Method::POST, "/api/v1/commerce/coupons", coupon).await?;
    }
    let sync = Sync::new(ports.clone(), planes(), postgres.clone(), http, &config)?;
    sync.handle(Trigger::Wake).await?;
    Ok(callbacks)
}

fn account_at_iyzico() -> IyzicoConfig {
    IyzicoConfig {
        api_key: iyzico::API_KEY.to_owned(),
        secret_key: Secret::new(iyzico::SECRET_KEY),
        base_url: "https://sandbox-api.iyzipay.com".parse().unwrap(),
        buyer_city: "İstanbul".to_owned(),
    }
}

fn account_at_paytr() -> PayTrConfig {
    PayTrConfig {
        merchant_id: paytr::MERCHANT.to_owned(),
        merchant_key: Secret::new(paytr::KEY),
        merchant_salt: Secret::new(paytr::SALT),
        base_url: "https://www.paytr.com".parse().unwrap(),
        test_mode: true,
        page_minutes: 30,
        private_buyer_address: None,
    }
}

/// As `sync` brings them.
async fn add_people(people: u8, superuser: &mut PgConnection) -> anyhow::Result<()> {
    let vault = Vault::from_config(&key(3))?;
    for user in (1..=people).map(person) {
        let person_key = PersonKey::from_bytes([5; 32]);
        let profile = json!({ "name": "Şükrü Iğdır", "email": "ogrenci@example.com" }).to_string();
        let sealed = person_key.seal(user, "profile", profile.as_bytes(), [6; 24]);
        sqlx::query(
            "INSERT INTO person (tenant_id, id, sealed_profile, state, updated_at) VALUES ($1, $2, $3, 'active', 0)",
        )
        .bind(tenant().as_uuid())
        .bind(user.as_uuid())
        .bind(sealed)
        .execute(&mut *superuser)
        .await?;
        sqlx::query("INSERT INTO person_key (tenant_id, user_id, wrapped) VALUES ($1, $2, $3)")
            .bind(tenant().as_uuid())
            .bind(user.as_uuid())
            .bind(vault.wrap_key(tenant(), user, &person_key, [7; 24]))
            .execute(&mut *superuser)
            .await?;
    }
    Ok(())
}

/// As `authoring` writes it.
async fn publish_course(
    ports: &Ports,
    postgres: &Postgres,
    superuser: &mut PgConnection,
    n: u8,
) -> anyhow::Result<()> {
    let (slug, title) = (format!("ders-{n}"), format!("Işık {n}"));
    sqlx::query(
        "INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision, published_version,
                                   published_at, owner_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, '', '[]', 1, 1, 0, $5, 0, 0)",
    )
    .bind(tenant().as_uuid())
    .bind(course(n).as_uuid())
    .bind(&slug)
    .bind(&title)
    .bind(person(STAFF).as_uuid())
    .execute(superuser)
    .await?;
    let outline = json!({ "id": course(n), "slug": slug, "title": title, "language": null, "modules": [] });
    let outline: CourseOutline = serde_json::from_value(outline)?;
    let at = ports.now();
    let mut tx = postgres.tenant(tenant()).await?;
    let published =
        LambdaEvent::CoursePublished { version: 1, summary: String::new(), outline, owner: None, at };
    feed::append(&mut tx, &published, at).await?;
    tx.commit().await?;
    Ok(())
}
