//! Two academies with people whose keys are here, in a database of their own.

use akademi_api::{
    Ports,
    config::Config,
    ports::{Clock, Log, Rng},
    signed::{CALL_HEADER, CallCaller, CallContext, PlaneKeys, Purpose},
};
use akademi_audit::Audit;
use akademi_domain::{
    ids::{AuditId, SessionId, TenantId, UserId},
    permission::{Permission, Permissions},
    time::Timestamp,
};
use akademi_lambda_store::{
    audit::{NewEntry, append},
    testing::TestDatabase,
};
use akademi_seal::{PersonKey, Vault};
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tower::ServiceExt as _;

/// 2026-09-21T14:13:20Z
pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub const ADDRESS: &str = "203.0.113.7";

pub fn tenant(n: u8) -> TenantId {
    TenantId::new(NOW, [n; 10])
}

pub fn person(n: u8) -> UserId {
    UserId::new(NOW, [n; 10])
}

/// Who asks.
#[derive(Clone, Copy)]
pub struct Who {
    pub tenant: TenantId,
    pub permissions: Permissions,
}

pub fn auditor(of: u8) -> Who {
    Who { tenant: tenant(of), permissions: Permissions::NONE.with(Permission::AuditRead) }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// Never the same bytes twice.
struct Counter(AtomicU64);

impl Rng for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        bytes.iter_mut().rev().zip(number.iter().rev()).for_each(|(byte, random)| *byte = *random);
    }
}

struct NoLog;

impl Log for NoLog {
    fn line(&self, _: &str) {}
}

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
}

pub struct World {
    pub database: TestDatabase,
    router: Router,
    planes: PlaneKeys,
}

impl World {
    /// People 1 and 2 have keys in both academies.
    pub async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let ports = Ports::new(Arc::new(Stopped), Arc::new(Counter(AtomicU64::new(1))), Arc::new(NoLog));
        let key = |seed: u8| URL_SAFE_NO_PAD.encode([seed; 32]);
        let planes = || PlaneKeys::from_config(&format!("k1:{}", key(2))).unwrap();
        let lookup = |name: &str| (name == "lambda_master_key").then(|| key(3));
        let postgres = database.postgres().clone();
        let audit = Audit::new(ports, Arc::new(planes()), postgres, &Config::new(&lookup)).unwrap();
        let world = Self { router: akademi_audit::router(audit), database, planes: planes() };
        let vault = Vault::from_config(&key(3)).unwrap();
        for academy in [1, 2] {
            for n in [1, 2] {
                let wrapped = vault.wrap_key(tenant(academy), person(n), &person_key(), [7; 24]);
                let mut tx = world.database.postgres().tenant(tenant(academy)).await.unwrap();
                sqlx::query("INSERT INTO person_key (tenant_id, user_id, wrapped) VALUES ($1, $2, $3)")
                    .bind(tenant(academy).as_uuid())
                    .bind(person(n).as_uuid())
                    .bind(wrapped)
                    .execute(tx.connection())
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
            }
        }
        world
    }

    /// Person `who` does `action` to `target`, so many seconds after NOW.
    pub async fn add(&self, academy: u8, seconds: i64, who: u8, action: &str, target: &str) {
        let origin = json!({ "address": ADDRESS, "device": "Firefox" }).to_string();
        let mut random = [academy; 10];
        random[9] = u8::try_from(seconds.rem_euclid(256)).unwrap();
        let entry = NewEntry {
            id: AuditId::new(NOW.plus_seconds(seconds), random),
            at: NOW.plus_seconds(seconds),
            action: action.to_owned(),
            actor: Some(person(who)),
            target: target.to_owned(),
            origin: person_key().seal(person(who), "audit", origin.as_bytes(), [6; 24]),
            sealed_for: Some(person(who)),
            change: Some(json!({ "before": { "title": "Işık" }, "after": { "title": "a,\"b\"" } })),
        };
        let mut tx = self.database.postgres().tenant(tenant(academy)).await.unwrap();
        assert!(append(&mut tx, entry).await.unwrap());
        tx.commit().await.unwrap();
    }

    pub async fn execute(&self, sql: &str) {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut superuser).await.unwrap();
    }

    /// As `origin` forwards it, for person 1.
    pub async fn get(&self, who: Who, target: &str) -> Answer {
        let target: Uri = target.parse().unwrap();
        let context = CallContext {
            request_id: "test".into(),
            tenant: Some(who.tenant),
            client: Some(ADDRESS.into()),
            caller: Some(CallCaller {
                sub: person(1),
                sid: SessionId::new(NOW, [1; 10]),
                prm: who.permissions.bits(),
            }),
            ..CallContext::default()
        };
        let signature = self.planes.sign(Purpose::Origin, &Method::GET, &target, b"", &context, NOW).unwrap();
        let request = Request::get(target).header(CALL_HEADER, signature).body(Body::empty()).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// The numbers of the entries that are answered, in their order.
    pub async fn numbers(&self, who: Who, query: &str) -> Vec<i64> {
        let page = self.get(who, &format!("/api/v1/audit{query}")).await.expect(200);
        page["data"].as_array().unwrap().iter().map(|entry| entry["number"].as_i64().unwrap()).collect()
    }
}

fn person_key() -> PersonKey {
    PersonKey::from_bytes([5; 32])
}
