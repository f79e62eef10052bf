//! Two academies with a published course each and people, in a database of its own.

use akademi_api::{
    Ports,
    config::Config,
    signed::{CALL_HEADER, CallCaller, CallContext, PlaneKeys, Purpose},
};
use akademi_certificates::{Certificates, Completion, issue};
use akademi_domain::{
    course::{CourseOutline, Slug, Title},
    ids::{CourseId, EnrolmentId, SessionId, TenantId, UserId},
    permission::{Permissions, Role},
};
use akademi_feed::{Decoded, Envelope, LambdaEvent};
use akademi_lambda_store::{
    feed::publish, objects::Objects, postgres::TenantTransaction, testing::TestDatabase,
};
use akademi_seal::{PersonKey, Vault};
use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, types::Json};
use std::sync::{Arc, atomic::Ordering};
use tower::ServiceExt as _;

use crate::ports::{KeptLog, NOW, TestClock, Wakes, ports};

pub const NAME: &str = "Şükrü Iğdır Çağlayangöl";
pub const TITLE: &str = "İklim ve Işık: Açık Ders";
/// The browser's host of academy 1.
pub const HOST: &str = "umraniye.localhost:3000";
/// 32 bytes in base64url.
const MASTER: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";
const ROOT: &str = "k1:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

pub fn tenant(n: u8) -> TenantId {
    TenantId::new(NOW, [n; 10])
}

pub fn person(n: u8) -> UserId {
    UserId::new(NOW, [n; 10])
}

pub fn course(n: u8) -> CourseId {
    CourseId::new(NOW, [n; 10])
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

/// May write certificates of this academy.
pub fn staff(of: u8) -> Who {
    Who { tenant: tenant(of), user: person(200), permissions: Role::TenantAdmin.permissions() }
}

pub struct World {
    pub database: TestDatabase,
    pub router: Router,
    pub clock: Arc<TestClock>,
    pub log: Arc<KeptLog>,
    pub wakes: Arc<Wakes>,
    pub objects: Objects,
    _files: tempfile::TempDir,
    ports: Ports,
    planes: PlaneKeys,
    vault: Vault,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The kind of problem that it is.
    pub fn problem(&self) -> (u16, String) {
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        (self.status, json["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned())
    }
}

impl World {
    /// Academy 1 is Turkish, academy 2 English; each has course 1 and the people 1 to 3.
    pub async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let (ports, clock, log) = ports();
        let wakes = Arc::new(Wakes::default());
        let files = tempfile::tempdir().unwrap();
        let objects = Objects::local(files.path()).unwrap();
        let lookup = |name: &str| (name == "lambda_master_key").then(|| MASTER.to_owned());
        let planes = || PlaneKeys::from_config(ROOT).unwrap();
        let certificates = Certificates::new(
            ports.clone(),
            Arc::new(planes()),
            database.postgres().clone(),
            objects.clone(),
            wakes.clone(),
            &Config::new(&lookup),
        )
        .unwrap();
        let world = Self {
            router: akademi_certificates::router(certificates),
            database,
            clock,
            log,
            wakes,
            objects,
            _files: files,
            ports,
            planes: planes(),
            vault: Vault::from_config(MASTER).unwrap(),
        };
        world.add_academy(1, "Ümraniye Belediyesi Akademisi", "tr").await;
        world.add_academy(2, "Kadıköy Academy", "en").await;
        world
    }

    /// As `sync` and `authoring` write them.
    async fn add_academy(&self, n: u8, name: &str, locale: &str) {
        let mut tx = self.database.postgres().tenant(tenant(n)).await.unwrap();
        sqlx::query(
            "INSERT INTO tenant (id, slug, name, locale, state, brand, domains, updated_at)
             VALUES ($1, $2, $3, $4, 'active', $5, '{}', 0)",
        )
        .bind(tenant(n).as_uuid())
        .bind(format!("academy-{n}"))
        .bind(name)
        .bind(locale)
        .bind(json!({ "colour": "#0b6e4f" }))
        .execute(tx.connection())
        .await
        .unwrap();
        tx.commit().await.unwrap();
        self.add_course(n, 1, TITLE).await;
        for user in 1..=3 {
            self.add_person(n, person(user)).await;
        }
    }

    pub async fn add_course(&self, academy: u8, n: u8, title: &str) {
        let title: Title = title.parse().unwrap();
        let slug = Slug::of(&title).unwrap();
        let outline = CourseOutline {
            id: course(n),
            slug: slug.clone(),
            title,
            language: None,
            minimum_score: None,
            pictures: Default::default(),
            modules: Vec::new(),
        };
        let mut tx = self.database.postgres().tenant(tenant(academy)).await.unwrap();
        // The draft has another title by now.
        sqlx::query(
            "INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision, published_version,
                                       published_at, owner_id, created_at, updated_at)
             VALUES ($1, $2, $3, 'Taslak', '', '[]', 1, 1, 0, $2, 0, 0)",
        )
        .bind(tenant(academy).as_uuid())
        .bind(course(n).as_uuid())
        .bind(slug.as_str())
        .execute(tx.connection())
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO course_publication (tenant_id, course_id, version, summary, outline, published_by, published_at)
             VALUES ($1, $2, 1, '', $3, $2, 0)",
        )
        .bind(tenant(academy).as_uuid())
        .bind(course(n).as_uuid())
        .bind(Json(outline))
        .execute(tx.connection())
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    async fn add_person(&self, academy: u8, user: UserId) {
        let key = PersonKey::from_bytes([5; 32]);
        let profile = json!({ "name": NAME, "email": "ogrenci@example.com" }).to_string();
        let mut tx = self.database.postgres().tenant(tenant(academy)).await.unwrap();
        sqlx::query("INSERT INTO person (tenant_id, id, sealed_profile, state, updated_at) VALUES ($1, $2, $3, 'active', 0)")
            .bind(tenant(academy).as_uuid())
            .bind(user.as_uuid())
            .bind(key.seal(user, "profile", profile.as_bytes(), [6; 24]))
            .execute(tx.connection())
            .await
            .unwrap();
        sqlx::query("INSERT INTO person_key (tenant_id, user_id, wrapped) VALUES ($1, $2, $3)")
            .bind(tenant(academy).as_uuid())
            .bind(user.as_uuid())
            .bind(self.vault.wrap_key(tenant(academy), user, &key, [7; 24]))
            .execute(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// As erasing does it.
    pub async fn erase(&self, academy: u8, user: UserId) {
        let mut tx = self.database.postgres().tenant(tenant(academy)).await.unwrap();
        sqlx::query("DELETE FROM person_key WHERE user_id = $1")
            .bind(user.as_uuid())
            .execute(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Completes this course now; the certificate's serial.
    pub async fn complete(&self, academy: u8, user: u8, of: u8) -> String {
        let now = self.ports.now();
        let enrolment = EnrolmentId::new(now, self.ports.random());
        let completion = Completion { person: person(user), course: course(of), enrolment, at: now };
        let mut tx = self.database.postgres().tenant(tenant(academy)).await.unwrap();
        issue(&mut tx, &self.ports, &self.vault, completion).await.unwrap();
        tx.commit().await.unwrap();
        self.text(&format!(
            "SELECT replace(serial::text, '-', '') FROM certificate WHERE enrolment_id = '{enrolment}'"
        ))
        .await
    }

    /// Issues this completion in a transaction, up to its commit.
    pub async fn issue(&self, completion: Completion) -> TenantTransaction {
        let mut tx = self.database.postgres().tenant(tenant(1)).await.unwrap();
        issue(&mut tx, &self.ports, &self.vault, completion).await.unwrap();
        tx
    }

    /// The one text that a statement answers.
    pub async fn text(&self, sql: &str) -> String {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut superuser).await.unwrap()
    }

    /// A request as `origin` forwards it from [`HOST`].
    pub async fn call(&self, who: Who, method: Method, target: &str, body: Option<Value>) -> Answer {
        let target: Uri = target.parse().unwrap();
        let bytes = body.as_ref().map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default();
        let context = CallContext {
            request_id: "test".into(),
            tenant: Some(who.tenant),
            host: Some(HOST.into()),
            caller: Some(CallCaller {
                sub: who.user,
                sid: SessionId::new(NOW, [1; 10]),
                prm: who.permissions.bits(),
            }),
            ..CallContext::default()
        };
        let now = self.ports.now();
        let signature = self.planes.sign(Purpose::Origin, &method, &target, &bytes, &context, now).unwrap();
        let mut request = Request::new(Body::from(bytes));
        *request.method_mut() = method;
        *request.uri_mut() = target;
        request.headers_mut().insert(CALL_HEADER, signature);
        if body.is_some() {
            request.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        }
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub async fn get(&self, who: Who, target: &str) -> Answer {
        self.call(who, Method::GET, target, None).await
    }

    pub async fn pdf(&self, who: Who, serial: &str) -> Answer {
        self.get(who, &format!("/api/v1/certificates/{serial}/pdf")).await
    }

    pub async fn revoke(&self, who: Who, serial: &str, reason: &str) -> Answer {
        let target = format!("/api/v1/certificates/{serial}/revocation");
        self.call(who, Method::POST, &target, Some(json!({ "reason": reason }))).await
    }

    pub fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }

    /// What the edge is told, in the feed's order.
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
}
