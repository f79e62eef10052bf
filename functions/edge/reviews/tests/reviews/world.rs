//! Two academies with the same courses and people of the same ids, and what is asked of them.

use akademi_api::{
    Caller,
    config::Config,
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
    token::TokenSigner,
};
use akademi_domain::{
    course::CourseOutline,
    identity::EmailAddress,
    ids::{CourseId, EnrolmentId, OrderId, SessionId, TenantId, UserId},
    permission::{Permission, Permissions},
    time::Timestamp,
};
use akademi_edge_store::{Edge, Platform, PlatformSql};
use akademi_edge_world::Store;
use akademi_feed::{Batch, Envelope, LambdaEvent};
use akademi_identity::Profile;
use akademi_process::secrets::{Variables, generate};
use akademi_reviews::Reviews;
use akademi_seal::{PersonKey, Vault};
use axum::{Router, body::Body};
use futures::executor::block_on;
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt as _;

pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
/// Learners of each academy; the sixth is enrolled in nothing, the seventh teaches course 1, the eighth administers.
pub const LEARNERS: u8 = 5;
pub const STRANGER: u8 = 6;
pub const INSTRUCTOR: u8 = 7;
pub const ADMINISTRATOR: u8 = 8;

/// An academy, as its number and its host.
pub const UMRANIYE: (u8, &str) = (1, "umraniye.localhost");
pub const KADIKOY: (u8, &str) = (2, "kadikoy.localhost");

pub const ISIK: &str = "/api/v1/catalog/courses/isik";
pub const RENK: &str = "/api/v1/catalog/courses/renk";

const NAMES: [&str; 8] = [
    "Ayşe Nur Yılmaz",
    "İpek Işık",
    "Çağrı",
    "Öykü Şahin",
    "Deniz Ğ",
    "Can Yabancı",
    "Umut Eğitmen",
    "Yönetici Bir",
];

pub struct World {
    pub store: Store,
    pub variables: Variables,
    router: Router,
    fed: AtomicI64,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

/// Who asks, and with which permissions.
#[derive(Clone, Copy)]
pub struct Who(pub u8, pub Permissions);

pub fn learner(n: u8) -> Option<Who> {
    Some(Who(n, Permissions::NONE))
}

pub fn instructor() -> Option<Who> {
    let permissions = Permissions::NONE.with(Permission::ReviewsWrite).with(Permission::ReportsCourses);
    Some(Who(INSTRUCTOR, permissions))
}

pub fn administrator() -> Option<Who> {
    Some(Who(ADMINISTRATOR, Permissions::OF_ACADEMIES))
}

pub fn tenant(n: u8) -> TenantId {
    TenantId::new(NOW, [n; 10])
}

pub fn person(n: u8) -> UserId {
    UserId::new(NOW, [n; 10])
}

pub fn course(n: u8) -> CourseId {
    CourseId::new(NOW, [n; 10])
}

fn session(n: u8) -> SessionId {
    SessionId::new(NOW, [n; 10])
}

pub fn enrolment(n: u8, of: u8) -> EnrolmentId {
    EnrolmentId::new(NOW, [10 * of + n; 10])
}

fn published(n: u8, slug: &str, title: &str) -> LambdaEvent {
    let outline: CourseOutline = serde_json::from_value(
        json!({ "id": course(n), "slug": slug, "title": title, "language": null, "modules": [] }),
    )
    .unwrap();
    let owner = (n == 1).then_some(person(INSTRUCTOR));
    LambdaEvent::CoursePublished { version: 1, summary: String::new(), outline, owner, at: NOW }
}

impl World {
    /// In each academy five learners are enrolled in `isik` and `renk`, courses 1 and 2.
    pub fn new() -> Self {
        let store = Store::new(NOW, &[(tenant(1), UMRANIYE.1), (tenant(2), KADIKOY.1)]);
        let variables = generate().unwrap();
        let router = router(&store.edge, &variables);
        let world = Self { store, variables, router, fed: AtomicI64::new(0) };
        for academy in [1, 2] {
            world.feed(academy, &[published(1, "isik", "Işık & Gölge"), published(2, "renk", "Renk")]);
            for n in 1..=NAMES.len() as u8 {
                world.join(academy, n);
            }
            for n in 1..=LEARNERS {
                world.feed(academy, &[1, 2].map(|of| granted(n, of)));
            }
        }
        world
    }

    fn vault(&self) -> Vault {
        Vault::from_config(&self.variables["edge_master_key"]).unwrap()
    }

    fn join(&self, academy: u8, n: u8) {
        let name = if academy == 1 { NAMES[usize::from(n) - 1] } else { "Başka Akademi" };
        self.save_profile(academy, n, name, true);
    }

    /// Gives somebody another name.
    pub fn rename(&self, academy: u8, n: u8, name: &str) {
        self.save_profile(academy, n, name, false);
    }

    fn save_profile(&self, academy: u8, n: u8, name: &str, is_new: bool) {
        const PERSON: PlatformSql = PlatformSql::new(
            "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
             VALUES (?1, ?2, ?3, ?4, '', 'active', 1, ?5)",
        );
        const KEY: PlatformSql = PlatformSql::new("INSERT INTO person_key VALUES (?1, ?2, ?3)");
        const SESSION: PlatformSql = PlatformSql::new(
            "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at, \
             authenticated_at) VALUES (?1, ?2, ?3, x'00', 0, '', ?4, ?4, ?4)",
        );
        const NAME: PlatformSql =
            PlatformSql::new("UPDATE person SET profile = ?3 WHERE tenant_id = ?1 AND id = ?2");
        let key = PersonKey::from_bytes([n; 32]);
        let profile = Profile {
            name: name.to_owned().try_into().unwrap(),
            email: EmailAddress::parse("a@b.co").unwrap(),
        };
        let profile = profile.seal(&key, person(n), [n; 24]).unwrap();
        let (tenant, person) = (tenant(academy), person(n));
        let (at, id) = (NOW.into(), || [tenant.into(), person.into()]);
        let [of, who] = id();
        if !is_new {
            return self.store.run(vec![NAME.with([of, who, profile.into()])]);
        }
        let wrapped = self.vault().wrap_key(tenant, person, &key, [n; 24]);
        let lookup: &[u8] = &[n; 32];
        let [again, owner] = id();
        self.store.run(vec![
            PERSON.with([of, who, lookup.into(), profile.into(), at]),
            KEY.with([again, owner, wrapped.into()]),
            SESSION.with([tenant.into(), session(n).into(), person.into(), NOW.into()]),
        ]);
    }

    /// Brings events of the other plane, as `sync` does.
    pub fn feed(&self, academy: u8, events: &[LambdaEvent]) {
        let from = self.fed.load(Ordering::Relaxed);
        let envelope = |(event, number): (&LambdaEvent, i64)| {
            let record = event.record();
            let (kind, version) = (record.kind.to_owned(), record.version);
            Envelope { number, tenant: tenant(academy), kind, version, payload: record.payload }
        };
        let events: Vec<_> = events.iter().zip(from + 1..).map(envelope).collect();
        let to = from + events.len() as i64;
        let body = serde_json::to_vec(&Batch { source: "lambda:test".into(), from, to, events }).unwrap();
        let target = Uri::from_static("/internal/feed");
        let context = CallContext { request_id: "test".into(), ..CallContext::default() };
        let planes = PlaneKeys::from_config(&self.variables["plane_root_keys"]).unwrap();
        let now = self.store.now();
        let signature = planes.sign(Purpose::Feed, &Method::POST, &target, &body, &context, now).unwrap();
        let request = Request::post(target)
            .header(CALL_HEADER, signature)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap();
        let answer = block_on(send(&self.router, request));
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.fed.store(to, Ordering::Relaxed);
    }

    pub fn request(
        &self,
        (academy, host): (u8, &str),
        (method, path): (Method, &str),
        who: Option<Who>,
        body: Option<&Value>,
    ) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, host);
        if let Some(Who(n, permissions)) = who {
            let (tenant, user, session) = (tenant(academy), person(n), session(n));
            let caller = Caller { tenant, user, session, permissions };
            let signer = TokenSigner::from_config(&self.variables["token_signing_keys"]).unwrap();
            let token = signer.sign(&caller, self.store.now(), [9; 16]).unwrap();
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        request.body(body).unwrap()
    }

    /// Of the first academy.
    pub fn ask(&self, method: Method, path: &str, who: Option<Who>, body: Option<&Value>) -> Answer {
        self.ask_of(UMRANIYE, method, path, who, body)
    }

    pub fn ask_of(
        &self,
        academy: (u8, &str),
        method: Method,
        path: &str,
        who: Option<Who>,
        body: Option<&Value>,
    ) -> Answer {
        block_on(send(&self.router, self.request(academy, (method, path), who, body)))
    }

    /// What everybody reads in the first academy.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path, None, None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Somebody of the first academy reviews a course, with or without words; its id.
    pub fn review(&self, n: u8, course: &str, stars: u8, text: &str) -> String {
        let body = json!({ "stars": stars, "text": (!text.is_empty()).then_some(text) });
        let answer = self.ask(Method::PUT, &format!("{course}/reviews/mine"), learner(n), Some(&body));
        assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Whether reviews of the first academy wait from now on.
    pub fn need_approval(&self, needed: bool) {
        const SET: PlatformSql = PlatformSql::new(
            "UPDATE tenant SET reviews_need_approval = ?2, generation = generation + 1 WHERE id = ?1",
        );
        self.store.run(vec![SET.with([tenant(1).into(), needed.into()])]);
    }

    /// By somebody who has seen the review of the first academy as it is now, unless `decision` names a version.
    pub fn set_state(&self, who: Option<Who>, review: &str, decision: &Value) -> Answer {
        let mut decision = decision.clone();
        if decision.get("version").is_none() {
            decision["version"] = json!(self.version(review));
        }
        self.ask(Method::PUT, &format!("/api/v1/reviews/{review}/state"), who, Some(&decision))
    }

    /// The version of a review of the first academy; 1 for what is none.
    fn version(&self, review: &str) -> i64 {
        const VERSION: PlatformSql =
            PlatformSql::new("SELECT version FROM review WHERE tenant_id = ?1 AND id = ?2");
        let statement = VERSION.with([tenant(1).into(), review.into()]);
        let row = block_on(Platform::new(self.store.edge.database.as_ref()).row(statement)).unwrap();
        row.map_or(1, |row| row.integer(0).unwrap())
    }
}

pub fn granted(n: u8, of: u8) -> LambdaEvent {
    LambdaEvent::EnrolmentGranted {
        person: person(n),
        course: course(of),
        enrolment: enrolment(n, of),
        order: OrderId::new(NOW, [n; 10]),
        at: NOW,
    }
}

/// The function with the catalog and the feed beside it.
pub fn router(edge: &Edge, variables: &Variables) -> Router {
    let lookup = |name: &str| variables.get(name).cloned();
    let config = Config::new(&lookup);
    let feed = akademi_feed_function::Feed::from_config(edge.clone(), &config).unwrap();
    akademi_reviews::router(Reviews::from_config(edge.clone(), &config).unwrap())
        .merge(akademi_feed_function::router(feed))
        .merge(akademi_catalog::router(akademi_catalog::Catalog::new(edge.clone())))
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
}
