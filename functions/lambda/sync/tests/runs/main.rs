//! Whole runs: a completed course earns a certificate, a paid one opens its files, what is broken stops nobody. Against an
//! edge that tells what it is given and keeps what it hears, on a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod audit;
mod edge;
mod mail;
mod poison;
mod progress;
mod withheld;

use akademi_api::{
    Ports,
    config::Config,
    ports::{Clock, Log, Rng},
    signed::PlaneKeys,
};
use akademi_domain::{
    course::{CourseOutline, Slug, Title},
    ids::{CourseId, EnrolmentId, OrderId, TenantId, UserId},
    time::Timestamp,
};
use akademi_feed::{EdgeEvent, LambdaEvent};
use akademi_lambda_store::{feed::append, testing::TestDatabase};
use akademi_seal::PersonKey;
use akademi_sync::{Carried, Sync, SyncError, Trigger};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, types::Json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use crate::edge::Edge;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const NAME: &str = "Şükrü Iğdır Çağlayangöl";
const TITLE: &str = "İklim ve Işık: Açık Ders";
/// 32 bytes in base64url.
const MASTER: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";
const ROOT: &str = "k1:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

fn tenant(n: u8) -> TenantId {
    TenantId::new(NOW, [n; 10])
}

fn person(n: u8) -> UserId {
    UserId::new(NOW, [n; 10])
}

fn key(user: UserId) -> PersonKey {
    PersonKey::from_bytes(Sha256::digest(user.to_string()).into())
}

fn course() -> CourseId {
    CourseId::new(NOW, [9; 10])
}

fn enrolment(n: u8) -> EnrolmentId {
    EnrolmentId::new(NOW, [n; 10])
}

/// Stands still until it is moved.
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Default)]
struct KeptLog(Mutex<Vec<String>>);

impl Log for KeptLog {
    fn line(&self, json: &str) {
        self.0.lock().unwrap().push(json.to_owned());
    }
}

/// Never the same bytes twice.
struct Counter(AtomicU64);

impl Rng for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let digest = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes());
        for (byte, random) in bytes.iter_mut().zip(digest.iter().cycle()) {
            *byte = *random;
        }
    }
}

fn granted() -> LambdaEvent {
    LambdaEvent::EnrolmentGranted {
        person: person(1),
        course: course(),
        enrolment: enrolment(1),
        order: OrderId::new(NOW, [4; 10]),
        at: NOW,
    }
}

struct World {
    database: TestDatabase,
    edge: Arc<Edge>,
    sync: Sync,
    clock: Arc<TestClock>,
    log: Arc<KeptLog>,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let edge = Arc::new(Edge::default());
        let clock = Arc::new(TestClock(AtomicI64::new(NOW.as_millis())));
        let log = Arc::new(KeptLog::default());
        let rng = Arc::new(Counter(AtomicU64::new(1)));
        let ports = Ports::new(clock.clone(), rng, log.clone());
        let lookup = |name: &str| match name {
            "edge_url" => Some("http://edge.test".to_owned()),
            "lambda_master_key" => Some(MASTER.to_owned()),
            _ => None,
        };
        let planes = Arc::new(PlaneKeys::from_config(ROOT).unwrap());
        let postgres = database.postgres().clone();
        let sync = Sync::new(ports, planes, postgres, edge.clone(), &Config::new(&lookup)).unwrap();
        Self { database, edge, sync, clock, log }
    }

    /// As `authoring` writes it.
    async fn publish_course(&self, of: u8) {
        let title: Title = TITLE.parse().unwrap();
        let slug = Slug::of(&title).unwrap();
        let outline = CourseOutline {
            id: course(),
            slug,
            title,
            language: None,
            minimum_score: None,
            pictures: Default::default(),
            modules: Vec::new(),
        };
        let mut tx = self.database.postgres().tenant(tenant(of)).await.unwrap();
        sqlx::query(
            "INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision, published_version,
                                       published_at, owner_id, created_at, updated_at)
             VALUES ($1, $2, 'iklim', 'Taslak', '', '[]', 1, 1, 0, $2, 0, 0)",
        )
        .bind(tenant(of).as_uuid())
        .bind(course().as_uuid())
        .execute(tx.connection())
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO course_publication (tenant_id, course_id, version, summary, outline, published_by, published_at)
             VALUES ($1, $2, 1, '', $3, $2, 0)",
        )
        .bind(tenant(of).as_uuid())
        .bind(course().as_uuid())
        .bind(Json(outline))
        .execute(tx.connection())
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// What the edge is to hear of.
    async fn append(&self, of: u8, event: &LambdaEvent) {
        let mut tx = self.database.postgres().tenant(tenant(of)).await.unwrap();
        append(&mut tx, event, NOW).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Person `n` of an academy registers and enrols.
    fn enrol(&self, of: u8, n: u8) {
        self.save_person(of, n, &key(person(n)));
        let enrolled = EdgeEvent::Enrolled {
            person: person(n),
            course: course(),
            enrolment: enrolment(n),
            source: "order".into(),
            at: NOW,
        };
        self.edge.tell(tenant(of), &enrolled);
    }

    fn save_person(&self, of: u8, n: u8, key: &PersonKey) {
        let profile = serde_json::json!({ "name": NAME, "email": "ogrenci@example.com" }).to_string();
        let sealed = key.seal(person(n), "profile", profile.as_bytes(), [6; 24]);
        let saved = EdgeEvent::PersonSaved {
            person: person(n),
            profile: hex::encode(sealed),
            state: "active".into(),
            at: NOW,
        };
        self.edge.tell(tenant(of), &saved);
    }

    fn complete(&self, of: u8, n: u8) {
        let completed = EdgeEvent::CourseCompleted {
            person: person(n),
            course: course(),
            enrolment: enrolment(n),
            at: NOW.plus_seconds(-5),
        };
        self.edge.tell(tenant(of), &completed);
    }

    async fn run(&self) -> Result<Carried, SyncError> {
        self.sync.handle(Trigger::Wake).await
    }

    /// The edge's whole feed comes again, as after a rebuild.
    async fn forget_cursor(&self) {
        self.execute("DELETE FROM feed_cursor").await;
    }

    fn advance_seconds(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    fn log(&self) -> Vec<String> {
        self.log.0.lock().unwrap().clone()
    }

    async fn execute(&self, sql: &'static str) {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut superuser).await.unwrap();
    }

    async fn count(&self, sql: &str) -> i64 {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {sql}")))
            .fetch_one(&mut superuser)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_completed_course_is_certified_at_the_edge_by_the_same_run() {
    let world = World::new().await;
    world.publish_course(1).await;
    world.enrol(1, 1);
    world.complete(1, 1);
    assert_eq!(world.run().await.unwrap(), Carried { pulled: 3, pushed: 1 });
    let heard = world.edge.heard();
    let [
        (
            to,
            LambdaEvent::CertificateIssued {
                serial,
                person: holder_id,
                course: of,
                title,
                holder,
                completed_at,
                issued_at,
            },
        ),
    ] = &heard[..]
    else {
        panic!("{heard:?}");
    };
    assert_eq!((*to, *holder_id, *of, title.as_str()), (tenant(1), person(1), course(), TITLE));
    assert_eq!((*completed_at, *issued_at), (NOW.plus_seconds(-5), NOW));
    let sealed = hex::decode(holder).unwrap();
    let name = key(person(1)).open(person(1), "certificate_holder", &sealed).unwrap();
    assert_eq!(name.as_slice(), NAME.as_bytes());
    let kept = format!(
        "certificate WHERE serial = '{serial}' AND sealed_holder = '\\x{holder}' AND revoked_at IS NULL"
    );
    assert_eq!(world.count(&kept).await, 1);
    assert_eq!(world.count("enrolment WHERE completed_at = 1789999995000").await, 1);
}

#[tokio::test]
async fn a_paid_line_is_an_enrolment_on_both_planes_after_one_run() {
    let world = World::new().await;
    let granted = granted();
    world.append(1, &granted).await;
    assert_eq!(world.run().await.unwrap(), Carried { pulled: 1, pushed: 1 });
    assert_eq!(world.edge.heard(), [(tenant(1), granted)]);
    assert_eq!(world.count("enrolment").await, 1);
}

#[tokio::test]
async fn a_completion_that_is_told_again_earns_nothing_more() {
    let world = World::new().await;
    world.publish_course(1).await;
    world.enrol(1, 1);
    world.complete(1, 1);
    world.run().await.unwrap();
    // Every batch once more, and the completion another time.
    world.forget_cursor().await;
    world.complete(1, 1);
    world.run().await.unwrap();
    assert_eq!((world.count("certificate").await, world.edge.heard().len()), (1, 1));
    // The twin: without the certificate, the next telling earns one.
    world.execute("DELETE FROM certificate").await;
    world.complete(1, 1);
    world.run().await.unwrap();
    assert_eq!((world.count("certificate").await, world.edge.heard().len()), (1, 2));
}

#[tokio::test]
async fn somebody_who_was_erased_is_certified_without_a_name() {
    let world = World::new().await;
    world.publish_course(1).await;
    world.enrol(1, 1);
    world.complete(1, 1);
    world.edge.erase(person(1));
    world.run().await.unwrap();
    assert_eq!(world.count("certificate WHERE sealed_holder IS NULL").await, 1);
    let heard = world.edge.heard();
    let [(_, LambdaEvent::CertificateIssued { holder, .. })] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!(holder, "");
}

#[tokio::test]
async fn academies_in_one_batch_get_their_own() {
    let world = World::new().await;
    for of in [1, 2] {
        world.publish_course(of).await;
        world.enrol(of, of);
        world.complete(of, of);
    }
    world.run().await.unwrap();
    let heard = world.edge.heard();
    assert_eq!(heard.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [tenant(1), tenant(2)]);
    for of in [1, 2] {
        let mut tx = world.database.postgres().tenant(tenant(of)).await.unwrap();
        let holders: Vec<sqlx::types::Uuid> =
            sqlx::query_scalar("SELECT user_id FROM certificate").fetch_all(tx.connection()).await.unwrap();
        assert_eq!(holders, [person(of).as_uuid()]);
    }
}
