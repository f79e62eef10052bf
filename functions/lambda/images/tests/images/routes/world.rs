//! The function on a database of its own, with two academies and their uploads.

use akademi_api::{
    Ports,
    config::Config,
    signed::{CALL_HEADER, CallCaller, CallContext, PlaneKeys, Purpose},
};
use akademi_domain::{
    ids::{SessionId, TenantId, UploadId, UserId},
    permission::{Permissions, Role},
    picture::PictureName,
};
use akademi_images::{Images, router};
use akademi_lambda_store::{
    content_type::ContentType,
    objects::Objects,
    pictures,
    testing::{
        TestDatabase,
        ports::{NOW, TestClock, ports},
    },
    uploads::{folder, part_key},
};
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

pub const IMAGES: &str = "/api/v1/images";
/// The size of all parts but the last.
const PART_BYTES: usize = 16 << 20;

#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub tenant: TenantId,
    pub user: UserId,
    permissions: Permissions,
}

pub fn instructor(academy: u8, number: u8) -> Person {
    Person {
        tenant: TenantId::new(NOW, [academy; 10]),
        user: UserId::new(NOW, [number; 10]),
        permissions: Role::Instructor.permissions(),
    }
}

/// Who runs the academy.
pub fn administrator(academy: u8) -> Person {
    Person { permissions: Role::TenantAdmin.permissions(), ..instructor(academy, 99) }
}

pub fn learner(academy: u8) -> Person {
    Person { permissions: Permissions::NONE, ..instructor(academy, 98) }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub content: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.content).unwrap_or(Value::Null)
    }

    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.json());
        self.json()
    }

    /// Its status, the slug of its problem, and the fields that are wrong.
    pub fn problem(&self) -> (u16, String, Vec<String>) {
        let body = self.json();
        let kind = body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned();
        let fields = body["errors"].as_array().into_iter().flatten();
        let fields = fields.map(|error| error["field"].as_str().unwrap().to_owned()).collect();
        (self.status.as_u16(), kind, fields)
    }
}

pub struct World {
    pub database: TestDatabase,
    pub objects: Objects,
    pub clock: Arc<TestClock>,
    pub ports: Ports,
    planes: Arc<PlaneKeys>,
    router: Router,
    _files: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let objects = Objects::local(files.path()).unwrap();
        Self::on(files, objects).await
    }

    /// With this storage; what of it lies on the disk lies in `files`.
    pub async fn on(files: tempfile::TempDir, objects: Objects) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let (ports, clock, _) = ports();
        let keys = format!("k1:{}", URL_SAFE_NO_PAD.encode([7; 32]));
        let planes = Arc::new(PlaneKeys::from_config(&keys).unwrap());
        let lookup = |name: &str| (name == "lambda_master_key").then(|| URL_SAFE_NO_PAD.encode([3; 32]));
        let images = Images::new(
            ports.clone(),
            planes.clone(),
            database.postgres().clone(),
            objects.clone(),
            &Config::new(&lookup),
        )
        .unwrap();
        let world = Self { database, objects, clock, ports, planes, router: router(images), _files: files };
        for academy in [1, 2] {
            world.limit_storage(academy, None).await;
        }
        world
    }

    /// The academy as the feed brings it, that may store so many bytes.
    pub async fn limit_storage(&self, academy: u8, bytes: Option<i64>) {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query(
            "INSERT INTO tenant (id, slug, name, locale, state, brand, domains, updated_at, storage_limit)
             VALUES ($1, $2, 'Işık', 'tr', 'active', '{}', '{}', 0, $3)
             ON CONFLICT (id) DO UPDATE SET storage_limit = excluded.storage_limit",
        )
        .bind(instructor(academy, 0).tenant.as_uuid())
        .bind(format!("academy-{academy}"))
        .bind(bytes)
        .execute(&mut superuser)
        .await
        .unwrap();
    }

    /// An upload that this person has completed.
    pub async fn upload(&self, person: Person, content: &[u8]) -> UploadId {
        self.upload_of(person, "image", "complete", content).await
    }

    pub async fn upload_of(&self, person: Person, kind: &str, state: &str, content: &[u8]) -> UploadId {
        let id = UploadId::new(self.ports.now(), self.ports.random());
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query(
            "INSERT INTO upload (tenant_id, id, user_id, file_name, kind, bytes, part_bytes, state, content_type, created_at,
                                 completed_at)
             VALUES ($1, $2, $3, 'Işık.jpg', $4, $5, $6, $7, CASE WHEN $7 <> 'open' THEN 'x/y' END, $8,
                     CASE WHEN $7 = 'complete' THEN $8 END)",
        )
        .bind(person.tenant.as_uuid())
        .bind(id.as_uuid())
        .bind(person.user.as_uuid())
        .bind(kind)
        .bind(i64::try_from(content.len()).unwrap())
        .bind(i64::try_from(PART_BYTES).unwrap())
        .bind(state)
        .bind(self.ports.now().as_millis())
        .execute(&mut superuser)
        .await
        .unwrap();
        let folder = folder(person.tenant, id).unwrap();
        for (number, part) in (1..).zip(content.chunks(PART_BYTES)) {
            let key = part_key(&folder, number).unwrap();
            let part = Bytes::copy_from_slice(part);
            self.objects.put(&key, &ContentType::unknown(), part).await.unwrap();
        }
        id
    }

    pub async fn make(&self, person: Person, upload: UploadId, preset: &str, crop: Value) -> Answer {
        let mut body = json!({ "upload": upload, "preset": preset });
        if !crop.is_null() {
            body["crop"] = crop;
        }
        self.call(Some(person), Method::POST, IMAGES, Some(&body)).await
    }

    pub async fn get(&self, person: Person, target: &str) -> Answer {
        self.call(Some(person), Method::GET, target, None).await
    }

    pub async fn delete(&self, person: Person, image: &Value) -> Answer {
        let target = format!("{IMAGES}/{}", image["id"].as_str().unwrap());
        self.call(Some(person), Method::DELETE, &target, None).await
    }

    pub async fn call(
        &self,
        person: Option<Person>,
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> Answer {
        let tenant = person.map(|person| person.tenant);
        let caller = person.map(|person| CallCaller {
            sub: person.user,
            sid: SessionId::new(NOW, [9; 10]),
            prm: person.permissions.bits(),
        });
        let body = body.map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default();
        self.send(tenant, caller, method, target, body, None).await
    }

    /// What anybody sees on the academy's host.
    pub async fn picture(&self, academy: u8, url: &str, if_none_match: Option<HeaderValue>) -> Answer {
        let tenant = Some(instructor(academy, 0).tenant);
        self.send(tenant, None, Method::GET, url, Vec::new(), if_none_match).await
    }

    async fn send(
        &self,
        tenant: Option<TenantId>,
        caller: Option<CallCaller>,
        method: Method,
        target: &str,
        body: Vec<u8>,
        if_none_match: Option<HeaderValue>,
    ) -> Answer {
        let context = CallContext { request_id: "r".into(), tenant, caller, ..CallContext::default() };
        let uri = target.parse().unwrap();
        let signature =
            self.planes.sign(Purpose::Origin, &method, &uri, &body, &context, self.ports.now()).unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(CALL_HEADER, signature)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap();
        if let Some(tag) = if_none_match {
            request.headers_mut().insert(header::IF_NONE_MATCH, tag);
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let content = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, content }
    }

    /// What the meter says that the academy stores of pictures, in bytes.
    pub async fn metered(&self, academy: u8) -> i64 {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar("SELECT COALESCE(sum(pictures), 0)::bigint FROM storage_use WHERE tenant_id = $1")
            .bind(instructor(academy, 0).tenant.as_uuid())
            .fetch_one(&mut superuser)
            .await
            .unwrap()
    }

    /// How large the files are that lie in the academy's storage of pictures, added up.
    pub async fn stored(&self, academy: u8) -> i64 {
        use futures::TryStreamExt;
        let name: PictureName = format!("{}.jpg", "0".repeat(64)).parse().unwrap();
        let one = pictures::key(instructor(academy, 0).tenant, &name).unwrap();
        let folder = one.as_str().rsplit_once('/').unwrap().0.parse().unwrap();
        let all: Vec<_> = self.objects.list(&folder).try_collect().await.unwrap();
        all.iter().map(|(_, bytes)| i64::try_from(*bytes).unwrap()).sum()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut superuser).await.unwrap()
    }
}

/// The addresses of an image's files.
pub fn urls(image: &Value) -> Vec<String> {
    let variants = image["variants"].as_array().unwrap();
    variants.iter().map(|variant| variant["url"].as_str().unwrap().to_owned()).collect()
}
