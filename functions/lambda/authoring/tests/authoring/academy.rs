//! The function on a database of its own, two academies, and the content that tests send.

use akademi_api::{
    Ports,
    config::Config,
    ports::{Clock, Log, Rng, Wake},
    signed::{CALL_HEADER, CallCaller, CallContext, PlaneKeys, Purpose},
};
use akademi_authoring::{Authoring, Storage, router};
use akademi_domain::{
    ids::{SessionId, TenantId, UserId},
    permission::{Permissions, Role},
    time::Timestamp,
};
use akademi_feed::{Decoded, Envelope, LambdaEvent};
use akademi_lambda_store::{
    audit::Auditor, feed, objects::Objects, signed_url::LinkSigner, testing::TestDatabase,
};
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tower::ServiceExt;

pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
/// Where links to files begin.
pub const STORAGE: &str = "https://files.example/akademi";
/// 32 bytes in base64url.
pub const MASTER: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";
pub const COURSES: &str = "/api/v1/authoring/courses";

/// Counts, so that every id of a test differs.
struct Counter(AtomicU64);

impl Rng for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.fill(0);
        for (byte, count) in bytes.iter_mut().rev().zip(count.iter().rev()) {
            *byte = *count;
        }
    }
}

/// Stands until a test lets seconds pass.
struct Seconds(AtomicU64);

impl Clock for Seconds {
    fn now(&self) -> Timestamp {
        NOW.plus_seconds(i64::try_from(self.0.load(Ordering::Relaxed)).unwrap())
    }
}

struct Silent;

impl Log for Silent {
    fn line(&self, _: &str) {}
}

/// Counts how often workers were called.
#[derive(Default)]
pub struct Calls(AtomicU64);

impl Wake for Calls {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub tenant: TenantId,
    pub user: UserId,
    pub permissions: Permissions,
}

pub fn instructor(academy: u8) -> Person {
    Person {
        tenant: TenantId::new(NOW, [academy; 10]),
        user: UserId::new(NOW, [academy; 10]),
        permissions: Role::Instructor.permissions(),
    }
}

/// Who runs the academy.
pub fn administrator(academy: u8) -> Person {
    Person { permissions: Role::TenantAdmin.permissions(), ..instructor(academy) }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The slug of a problem, and the paths of the fields that are wrong.
    pub fn problem(&self) -> (&str, Vec<&str>) {
        let kind = self.body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/");
        let errors = self.body["errors"].as_array().map_or(&[][..], Vec::as_slice);
        (kind, errors.iter().map(|error| error["field"].as_str().unwrap()).collect())
    }
}

pub struct World {
    pub database: TestDatabase,
    pub ports: Ports,
    pub authoring: Authoring,
    pub storage: Storage,
    /// What the storage's links are checked with.
    pub links: LinkSigner,
    pub files: tempfile::TempDir,
    calls: Arc<Calls>,
    clock: Arc<Seconds>,
    planes: Arc<PlaneKeys>,
    router: Router,
}

impl World {
    pub async fn new() -> Self {
        Self::scanned_by(None).await
    }

    /// With a virus scanner at this address.
    pub async fn scanned_by(scanner: Option<String>) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let clock = Arc::new(Seconds(AtomicU64::new(0)));
        let ports = Ports::new(clock.clone(), Arc::new(Counter(AtomicU64::new(1))), Arc::new(Silent));
        let keys = format!("k1:{}", URL_SAFE_NO_PAD.encode([7; 32]));
        let planes = Arc::new(PlaneKeys::from_config(&keys).unwrap());
        let files = tempfile::tempdir().unwrap();
        let lookup = |name: &str| match name {
            "storage_url" => Some(format!("{STORAGE}/")),
            "plane_root_keys" => Some(keys.clone()),
            "lambda_master_key" => Some(MASTER.to_owned()),
            "virus_scanner" => scanner.clone(),
            _ => None,
        };
        let objects = Objects::local(files.path()).unwrap();
        let links = LinkSigner::from_config(&Config::new(&lookup)).unwrap();
        let storage = Storage { objects, links: Arc::new(links.clone()) };
        let calls = Arc::new(Calls::default());
        let authoring = Authoring::new(
            ports.clone(),
            planes.clone(),
            database.postgres().clone(),
            storage.clone(),
            calls.clone(),
            Auditor::from_config(ports.clone(), &Config::new(&lookup)).unwrap(),
        )
        .scanning(&Config::new(&lookup))
        .unwrap();
        let router = router(authoring.clone());
        Self { router, database, ports, authoring, storage, links, files, calls, clock, planes }
    }

    pub fn pass_seconds(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    /// How often workers were called so far.
    pub fn calls(&self) -> u64 {
        self.calls.0.load(Ordering::Relaxed)
    }

    /// A call signed for this person.
    pub async fn call(&self, person: Person, method: Method, target: &str, body: Option<&Value>) -> Answer {
        let body = body.map(|body| serde_json::to_vec(body).unwrap());
        self.send(person, method, target, "application/json", body.unwrap_or_default()).await
    }

    /// A POST with an `Idempotency-Key`.
    pub async fn post_once(&self, person: Person, target: &str, key: Option<&str>, body: &Value) -> Answer {
        let body = serde_json::to_vec(body).unwrap();
        self.send_with_key(person, Method::POST, target, "application/json", body, key).await
    }

    pub async fn send(
        &self,
        person: Person,
        method: Method,
        target: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Answer {
        self.send_with_key(person, method, target, content_type, body, None).await
    }

    async fn send_with_key(
        &self,
        person: Person,
        method: Method,
        target: &str,
        content_type: &str,
        body: Vec<u8>,
        idempotency_key: Option<&str>,
    ) -> Answer {
        let caller = CallCaller {
            sub: person.user,
            sid: SessionId::new(NOW, [9; 10]),
            prm: person.permissions.bits(),
        };
        let context = CallContext {
            request_id: "r".into(),
            tenant: Some(person.tenant),
            caller: Some(caller),
            idempotency_key: idempotency_key.map(str::to_owned),
            ..CallContext::default()
        };
        let uri = target.parse().unwrap();
        let signature =
            self.planes.sign(Purpose::Origin, &method, &uri, &body, &context, self.ports.now()).unwrap();
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(CALL_HEADER, signature)
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(body))
            .unwrap();
        self.answer(request).await
    }

    pub async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap_or_else(|_| text())
        };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, person: Person, target: &str) -> Answer {
        self.call(person, Method::GET, target, None).await
    }

    /// A new draft's address and JSON.
    pub async fn create(&self, person: Person, title: &str) -> (String, Value) {
        let draft =
            self.call(person, Method::POST, COURSES, Some(&json!({ "title": title }))).await.expect(201);
        (format!("{COURSES}/{}", draft["id"].as_str().unwrap()), draft)
    }

    pub async fn put_content(&self, person: Person, course: &str, revision: i64, modules: &Value) -> Answer {
        let body = json!({ "revision": revision, "modules": modules });
        self.call(person, Method::PUT, &format!("{course}/content"), Some(&body)).await
    }

    pub async fn publish(&self, person: Person, course: &str) -> Answer {
        self.call(person, Method::POST, &format!("{course}/publish"), None).await
    }

    /// Numbers what was committed and reads all of it.
    pub async fn events(&self) -> Vec<(TenantId, LambdaEvent)> {
        feed::publish(self.database.postgres()).await.unwrap();
        let mut events = Vec::new();
        let mut after = 0;
        loop {
            let mut platform = self.database.postgres().platform().await.unwrap();
            let batch = platform.read_events(after, 100, usize::MAX).await.unwrap();
            let Some(last) = batch.last() else { return events };
            after = last.number;
            for event in batch {
                assert!(event.payload.to_string().len() <= feed::MAX_PAYLOAD_BYTES);
                let envelope = Envelope {
                    number: i64::try_from(event.number).unwrap(),
                    tenant: event.tenant,
                    kind: event.kind,
                    version: u32::try_from(event.version).unwrap(),
                    payload: event.payload.to_string(),
                };
                let Decoded::Known(known) = LambdaEvent::decode(&envelope).unwrap() else {
                    panic!("{} is not known", envelope.kind);
                };
                events.push((event.tenant, known));
            }
        }
    }

    /// All rows of the function's tables and of the feed, as text.
    pub async fn everything(&self) -> Vec<String> {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar(
            "SELECT 'draft' || course_draft::text AS line FROM course_draft
             UNION ALL SELECT 'slug' || course_slug::text FROM course_slug
             UNION ALL SELECT 'lesson' || lesson_draft::text || lesson_draft.xmin FROM lesson_draft
             UNION ALL SELECT 'publication' || course_publication::text FROM course_publication
             UNION ALL SELECT 'published' || lesson_publication::text FROM lesson_publication
             UNION ALL SELECT 'picture' || course_image::text FROM course_image
             UNION ALL SELECT 'asset' || asset::text FROM asset
             UNION ALL SELECT 'raw' || raw_block::text FROM raw_block
             UNION ALL SELECT 'event' || feed_event::text FROM feed_event
             ORDER BY line",
        )
        .fetch_all(&mut superuser)
        .await
        .unwrap()
    }
}

pub fn html_lesson(title: &str, html: &str) -> Value {
    json!({ "title": title, "body": { "kind": "html", "html": html } })
}

pub fn video_lesson(title: &str, seconds: u32) -> Value {
    json!({
        "title": title,
        "requirement": { "rule": "coverage", "percent": 90 },
        "duration_seconds": seconds,
        "body": {
            "kind": "video", "source": { "from": "youtube", "id": "dQw4w9WgXcQ" },
            "start_seconds": null, "end_seconds": null, "subtitles": [],
        },
    })
}

pub fn quiz_lesson(title: &str) -> Value {
    json!({
        "title": title,
        "requirement": { "rule": "score", "percent": 50 },
        "body": { "kind": "quiz", "quiz": {
            "introduction": "<p>Bir soru</p>",
            "questions": [
                { "id": "q1", "prompt": "<b>Kaç</b> renk?", "points": 1, "form": { "kind": "single_choice", "choices": [
                    { "id": "c1", "label": "yedi" }, { "id": "c2", "label": "sekiz" },
                ] } },
                { "id": "q2", "prompt": "Hız?", "points": 2, "form": { "kind": "number" } },
                { "id": "q3", "prompt": "Adı?", "points": 1, "form": { "kind": "text" } },
            ],
        } },
        "answers": {
            "questions": [
                { "question": "q1", "points": 1, "rule": { "kind": "one_of", "correct": ["c1"] } },
                { "question": "q2", "points": 2, "rule": { "kind": "number",
                    "accepted": [{ "match": "value", "value": 299_792.458, "tolerance": { "absolute": 0.1 } }], "half": [] } },
                { "question": "q3", "points": 1, "rule": { "kind": "text",
                    "accepted": [{ "match": "any_case", "text": "ışık" }] } },
            ],
            "explanation": "<p>Çünkü</p>",
        },
    })
}

pub fn document_lesson(title: &str) -> Value {
    json!({ "title": title, "requirement": { "rule": "opened" }, "body": {
        "kind": "document", "asset": "01890000-0000-7000-8000-000000000001",
        "file_name": "El kitabı.pdf", "content_type": "application/pdf",
    } })
}

/// One module of one section.
pub fn modules(lessons: &[Value]) -> Value {
    json!([{ "title": "Birinci", "sections": [{ "title": "Giriş", "lessons": lessons }] }])
}

/// A lesson of each kind in two modules.
pub fn whole_course() -> Value {
    json!([
        { "title": "Işık", "sections": [
            { "title": "Giriş", "lessons": [html_lesson("Oku", "<p>Işık <b>hız</b>lıdır</p>"), video_lesson("İzle", 120)] },
            { "title": "Ara", "lessons": [] },
        ] },
        { "title": "İklim", "sections": [
            { "title": "Son", "lessons": [document_lesson("İndir"), quiz_lesson("Sına")] },
        ] },
    ])
}
