//! Two academies with a course or two, in a database of their own, on the night after DAY.

use akademi_api::{
    Ports,
    config::Config,
    ports::{Clock, Log, Rng},
    signed::{CALL_HEADER, CallCaller, CallContext, PlaneKeys, Purpose},
};
use akademi_domain::{
    ids::{CourseId, EnrolmentId, LessonId, SessionId, TenantId, UserId},
    permission::{Permission, Permissions},
    quiz::Score,
    time::{Day, Timestamp},
};
use akademi_etl::Etl;
use akademi_feed::EdgeEvent;
use akademi_lambda_store::{audit::Auditor, objects::Objects, testing::TestDatabase};
use akademi_sync::{Sync, Trigger};
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, Request, Uri, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};
use tower::ServiceExt as _;

use crate::edge::Edge;

/// 2026-11-21
pub const DAY: Day = Day::from_epoch_days(20_778);
/// Kadıköy's clocks show 01:00 of the day after.
pub const NIGHT: Timestamp = DAY.plus(1).start_in_istanbul().plus_seconds(60 * 60);

pub fn tenant(n: u8) -> TenantId {
    TenantId::new(NIGHT, [n; 10])
}

pub fn person(n: u8) -> UserId {
    UserId::new(NIGHT, [n; 10])
}

pub fn course(n: u8) -> CourseId {
    CourseId::new(NIGHT, [n; 10])
}

/// So many seconds after midnight in Istanbul.
pub fn at(day: Day, seconds: i64) -> Timestamp {
    day.start_in_istanbul().plus_seconds(seconds)
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

pub fn instructor(n: u8) -> Who {
    Who { permissions: Permissions::NONE.with(Permission::ReportsCourses), ..learner(n) }
}

pub fn admin() -> Who {
    Who { permissions: Permissions::NONE.with(Permission::ReportsAcademy), ..learner(200) }
}

pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl TestClock {
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
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

pub struct Academies {
    pub database: TestDatabase,
    pub clock: Arc<TestClock>,
    pub etl: Etl,
    pub objects: Objects,
    _files: tempfile::TempDir,
    ports: Ports,
    router: Router,
    planes: PlaneKeys,
    edge: Arc<Edge>,
    sync: Sync,
}

impl Academies {
    /// Course 1 is person 100's, course 2 is person 101's, in both academies.
    pub async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(NIGHT.as_millis())));
        let rng = Arc::new(Counter(AtomicU64::new(1)));
        let ports = Ports::new(clock.clone(), rng, Arc::new(NoLog));
        let key = |seed: u8| URL_SAFE_NO_PAD.encode([seed; 32]);
        let root = format!("k1:{}", key(2));
        let planes = || PlaneKeys::from_config(&root).unwrap();
        let lookup = |name: &str| match name {
            "edge_url" => Some("http://edge.internal".to_owned()),
            "lambda_master_key" => Some(key(3)),
            _ => None,
        };
        let edge = Edge::new();
        let postgres = database.postgres().clone();
        let sync = Sync::new(
            ports.clone(),
            Arc::new(planes()),
            postgres.clone(),
            edge.clone(),
            &Config::new(&lookup),
        );
        let auditor = Auditor::from_config(ports.clone(), &Config::new(&lookup)).unwrap();
        let files = tempfile::tempdir().unwrap();
        let objects = Objects::local(files.path()).unwrap();
        let etl = Etl::new(ports.clone(), Arc::new(planes()), postgres, auditor, objects.clone());
        let academies = Self {
            database,
            clock,
            router: akademi_etl::router(etl.clone()),
            etl,
            objects,
            _files: files,
            ports,
            planes: planes(),
            edge,
            sync: sync.unwrap(),
        };
        for n in 1..=2 {
            academies.populate(tenant(n)).await;
        }
        academies
    }

    async fn populate(&self, tenant: TenantId) {
        self.edge.tell(
            tenant,
            &EdgeEvent::AcademySaved {
                id: tenant,
                slug: tenant.to_string(),
                name: "Akademi".into(),
                locale: "tr".into(),
                brand_colour: "#123456".into(),
                state: "active".into(),
                domains: vec![],
                storage_limit: None,
                features_off: None,
            },
        );
        for n in 1..=2 {
            self.execute(&format!(
                "INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision,
                                           published_version, owner_id, created_at, updated_at)
                 VALUES ('{tenant}', '{}', 'ders-{n}', 'Işık {n}', '', '[]', 1, 0, '{}', 0, 0)",
                course(n),
                person(99 + n),
            ))
            .await;
        }
        self.carry().await;
    }

    pub async fn superuser(&self) -> PgConnection {
        self.database.superuser().await.unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        let mut superuser = self.superuser().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut superuser).await.unwrap();
    }

    /// The one number that a statement answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut superuser = self.superuser().await;
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut superuser).await.unwrap()
    }

    fn uuid(&self) -> uuid::Uuid {
        uuid::Uuid::from_bytes(self.ports.random())
    }

    /// A whole run of `sync`.
    pub async fn carry(&self) {
        self.sync.handle(Trigger::Wake).await.unwrap();
    }

    /// The edge tells it, `sync` carries it.
    pub async fn enrol(&self, tenant: TenantId, learner: u8, course_number: u8, at: Timestamp) {
        let event = EdgeEvent::Enrolled {
            person: person(learner),
            course: course(course_number),
            enrolment: EnrolmentId::from_uuid(self.uuid()),
            source: "order".into(),
            at,
        };
        self.edge.tell(tenant, &event);
        self.carry().await;
    }

    /// So much in all, of the lesson with the course's own number.
    pub async fn watch(&self, learner: u8, course_number: u8, seconds: i64, refused: i64, at: Timestamp) {
        self.progress(tenant(1), learner, course_number, course_number, (seconds, refused), None, at).await;
    }

    #[allow(clippy::too_many_arguments, reason = "one for each part of an event")]
    pub async fn progress(
        &self,
        tenant: TenantId,
        learner: u8,
        course_number: u8,
        lesson: u8,
        (seconds, refused_seconds): (i64, i64),
        score: Option<Score>,
        at: Timestamp,
    ) {
        let event = EdgeEvent::ProgressSaved {
            person: person(learner),
            course: course(course_number),
            lesson: LessonId::new(NIGHT, [lesson; 10]),
            seconds,
            coverage_permille: 500,
            refused_seconds,
            score,
            completed_at: None,
            updated_at: at,
        };
        self.edge.tell(tenant, &event);
        self.carry().await;
    }

    pub async fn complete(&self, tenant: TenantId, learner: u8, course_number: u8, at: Timestamp) {
        self.execute(&format!(
            "UPDATE enrolment SET completed_at = {} WHERE tenant_id = '{tenant}' AND user_id = '{}' AND course_id = '{}'",
            at.as_millis(), person(learner), course(course_number),
        ))
        .await;
    }

    /// The edge tells it. The course is not published here, so its certificate is withheld.
    pub async fn told_complete(&self, learner: u8, course_number: u8, at: Timestamp) {
        let event = EdgeEvent::CourseCompleted {
            person: person(learner),
            course: course(course_number),
            enrolment: self.enrolment_of(learner).await,
            at,
        };
        self.edge.tell(tenant(1), &event);
        self.carry().await;
    }

    async fn enrolment_of(&self, learner: u8) -> EnrolmentId {
        let sql = format!("SELECT id FROM enrolment WHERE user_id = '{}'", person(learner));
        let mut superuser = self.superuser().await;
        let id = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut superuser).await.unwrap();
        EnrolmentId::from_uuid(id)
    }

    pub async fn certify(&self, tenant: TenantId, learner: u8, course_number: u8, at: Timestamp) {
        let at = at.as_millis();
        self.execute(&format!(
            "INSERT INTO certificate (tenant_id, serial, user_id, course_id, enrolment_id, course_title, completed_at,
                                      issued_at)
             VALUES ('{tenant}', '{}', '{}', '{}', '{}', 'Işık', {at}, {at})",
            self.uuid(), person(learner), course(course_number), self.uuid(),
        ))
        .await;
    }

    pub async fn revoke_all(&self, at: Timestamp) {
        let at = at.as_millis();
        self.execute(&format!("UPDATE certificate SET revoked_at = {at}, revoked_by = user_id")).await;
    }

    /// An order of some courses at these amounts, in a state.
    pub async fn order(
        &self,
        (tenant, learner): (TenantId, u8),
        state: &str,
        currency: &str,
        lines: &[(u8, i64)],
        paid_at: Option<Timestamp>,
    ) {
        let (id, user) = (self.uuid(), person(learner));
        let total: i64 = lines.iter().map(|(_, amount)| amount).sum();
        let paid_at = paid_at.map_or("NULL".to_owned(), |at| at.as_millis().to_string());
        let mut sql = format!(
            "INSERT INTO customer_order (tenant_id, id, user_id, idempotency_key, state, currency, subtotal, discount,
                                         total, vat, created_at, expires_at, paid_at)
             VALUES ('{tenant}', '{id}', '{user}', '{id}', '{state}', '{currency}', {total}, 0, {total}, 0, 0, 0, {paid_at});"
        );
        for (number, amount) in lines {
            sql += &format!(
                "INSERT INTO order_line (tenant_id, order_id, course_id, place, title, price, discount, total,
                                         vat_basis_points, vat, enrolment_id)
                 VALUES ('{tenant}', '{id}', '{}', {number}, '', {amount}, 0, {amount}, 0, 0, '{}');",
                course(*number), self.uuid(),
            );
        }
        self.execute(&sql).await;
    }

    /// A request as `origin` forwards it: status and body.
    pub async fn call(&self, who: Who, method: Method, target: &str, body: Option<Value>) -> (u16, Value) {
        let target: Uri = target.parse().unwrap();
        let bytes = body.as_ref().map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default();
        let context = CallContext {
            request_id: "test".into(),
            tenant: Some(who.tenant),
            host: Some("umraniye.localhost:3000".into()),
            client: Some("127.0.0.1".into()),
            idempotency_key: None,
            caller: Some(CallCaller {
                sub: who.user,
                sid: SessionId::new(NIGHT, [1; 10]),
                prm: who.permissions.bits(),
            }),
        };
        let now = self.ports.now();
        let signature = self.planes.sign(Purpose::Origin, &method, &target, &bytes, &context, now).unwrap();
        let mut request = Request::new(Body::from(bytes));
        *request.method_mut() = method;
        *request.uri_mut() = target;
        request.headers_mut().insert(CALL_HEADER, signature);
        request.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        self.send(request).await
    }

    pub async fn send(&self, request: Request<Body>) -> (u16, Value) {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Derives a day of academy `n` and answers how many rows changed.
    pub async fn run(&self, n: u8, day: Day) -> i64 {
        let who = Who { tenant: tenant(n), ..admin() };
        let body = json!({ "day": day });
        let (status, answer) = self.call(who, Method::POST, "/api/v1/reports/runs", Some(body)).await;
        assert_eq!((status, &answer["day"]), (200, &json!(day)), "{answer}");
        answer["rows_changed"].as_i64().unwrap()
    }

    /// A dashboard: `institution`, `instructor` or `learner`, over DAY and the days beside it.
    pub async fn dashboard(&self, who: Who, name: &str) -> Value {
        let target = format!("/api/v1/reports/{name}?from={}&to={}", DAY.plus(-1), DAY.plus(1));
        let (status, answer) = self.call(who, Method::GET, &target, None).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }
}
