//! Every route against every kind of bad input: the right status, a problem document, and nothing written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_api::{caller::Caller, token::TokenSigner};
use akademi_contract::{document, operation, public_routes};
use akademi_domain::{
    ids::{SessionId, TenantId, UserId},
    permission::{Permission, Permissions, Role},
    time::Timestamp,
};
use akademi_edge_store::{Platform, PlatformSql};
use akademi_functions::{Access, Route};
use akademi_lambda_store::testing::TestDatabase;
use akademi_local::{
    api_client::{Answer, ApiClient, JsonExt},
    demo,
    http_client::Network,
    local::{Local, Options},
    ports::WriteLog,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use std::{sync::Arc, time::Duration};
use utoipa::openapi::{
    RefOr, Required,
    path::{Operation, ParameterIn},
};

const JSON: &str = "application/json";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

struct World {
    local: Local,
    database: TestDatabase,
    _folder: tempfile::TempDir,
    anybody: ApiClient,
    nobody: ApiClient,
    administrator: ApiClient,
    learner: ApiClient,
    operator: ApiClient,
    of_other_academy: ApiClient,
    expired: ApiClient,
    made_up: ApiClient,
    failures: Vec<String>,
    checked: usize,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let local = Local::start(Options {
            data: folder.path().to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            postgres: database.postgres().clone(),
            log: Arc::new(WriteLog::new(std::io::sink())),
            // Nothing runs beside the requests: every change would be theirs.
            sync_interval: Duration::from_secs(3600),
            password_attempts: 10_000,
            transcode_program: None,
        })
        .await
        .unwrap();
        for academy in demo::ACADEMIES.iter().chain([&demo::PLATFORM]) {
            demo::make_people(&local, academy).await.unwrap();
        }
        local.lambda.sync.handle(akademi_sync::Trigger::Wake).await.unwrap();
        let base = |host: &str| format!("http://{host}:{}", local.address.port());
        let anybody = ApiClient::new(Network::new(), base("umraniye.localhost"));
        let other = ApiClient::new(Network::new(), base("kadikoy.localhost"));
        let administrator = anybody.sign_in("yonetici@umraniye.example", demo::PASSWORD).await.unwrap();
        let platform = ApiClient::new(Network::new(), base("platform.localhost"));
        let operator = platform.sign_in("operator@platform.example", demo::PASSWORD).await.unwrap();
        let learner = anybody.sign_in("ogrenci@umraniye.example", demo::PASSWORD).await.unwrap();
        let body = serde_json::json!({ "email": "admin@kadikoy.example", "password": demo::PASSWORD });
        let tokens = other.post("/api/v1/auth/login", &body).await.unwrap().json().unwrap();
        let of_other_academy = anybody.signed_in(tokens.text("access_token").unwrap());
        let expired = anybody.signed_in(expired_token(&local).await);
        Self {
            nobody: ApiClient::new(Network::new(), base("nobody.localhost")),
            made_up: anybody.signed_in("eyJhbGciOiJub25lIn0.e30."),
            local,
            database,
            _folder: folder,
            anybody,
            administrator,
            learner,
            operator,
            of_other_academy,
            expired,
            failures: Vec::new(),
            checked: 0,
        }
    }

    /// The rows of all tables of both stores, counted, and how far both feeds are.
    async fn rows(&self) -> String {
        const TABLES: PlatformSql = PlatformSql::new(
            "SELECT group_concat(name) AS names FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
             AND name NOT LIKE 'course_search%'",
        );
        let platform = Platform::new(self.local.edge.database.as_ref());
        let names = platform.row(TABLES.with([])).await.unwrap().unwrap().text(0).unwrap().to_owned();
        let mut counts = Vec::new();
        for name in names.split(',') {
            let sql: &'static str = Box::leak(format!("SELECT count(*) AS n FROM {name}").into_boxed_str());
            let row = platform.row(PlatformSql::new(sql).with([])).await.unwrap().unwrap();
            counts.push(format!("{name}={}", row.integer(0).unwrap()));
        }
        let mut superuser = self.database.superuser().await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        )
        .fetch_all(&mut superuser)
        .await
        .unwrap();
        for table in tables {
            let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM \"{table}\""));
            let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut superuser).await.unwrap();
            counts.push(format!("{table}={count}"));
        }
        counts.join(" ")
    }

    async fn send(
        &self,
        client: &ApiClient,
        route: &Route,
        path: &str,
        kind: Option<&str>,
        body: Bytes,
    ) -> Answer {
        let mut headers = vec![
            (IDEMPOTENCY_KEY, HeaderValue::from_static("bad-input")),
            // As a page of the academy's own host asks.
            (HeaderName::from_static("sec-fetch-site"), HeaderValue::from_static("same-origin")),
        ];
        headers.extend(kind.map(|kind| (header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap())));
        let method = Method::from_bytes(route.method.name().as_bytes()).unwrap();
        // A server that refuses a body unread closes the connection, which a client may notice while it writes the
        // body, or while it begins the next request on it.
        for _ in 0..20 {
            if let Ok(answer) = client.send(method.clone(), path, &headers, body.clone()).await {
                return answer;
            }
        }
        panic!("{} {path} is not answered", route.method.name())
    }

    fn expect(&mut self, route: &Route, what: &str, answer: &Answer, status: StatusCode) {
        self.checked += 1;
        let name = format!("{} {} with {what}", route.method.name(), route.path);
        if answer.status != status {
            let body = String::from_utf8_lossy(&answer.body).chars().take(200).collect::<String>();
            self.failures.push(format!("{name}: expected {status}, got {}: {body}", answer.status));
            return;
        }
        let is_problem =
            answer.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
        let document = answer.json().unwrap_or_default();
        let is_whole = document["status"] == status.as_u16()
            && document["type"].as_str().is_some_and(|kind| kind.starts_with("/problems/"))
            && document["detail"].as_str().is_some_and(|detail| !detail.is_empty())
            && document["request_id"].as_str().is_some_and(|id| id.len() == 32);
        if !is_problem || !is_whole {
            self.failures.push(format!("{name}: no problem document: {document}"));
        }
    }

    /// An address that a person opens says on a page that nothing is there.
    fn expect_nothing_there(&mut self, route: &Route, what: &str, answer: &Answer, is_page: bool) {
        if !is_page {
            return self.expect(route, what, answer, StatusCode::NOT_FOUND);
        }
        self.checked += 1;
        let kind = answer.headers.get(header::CONTENT_TYPE);
        if answer.status != StatusCode::NOT_FOUND
            || kind.is_none_or(|kind| kind != "text/html; charset=utf-8")
        {
            self.failures.push(format!("GET {} with {what}: got {}, {kind:?}", route.path, answer.status));
        }
    }
}

/// Whether the document says that the operation answers 404 with a page.
fn answers_with_a_page(operation: &Operation) -> bool {
    let Some(RefOr::T(answer)) = operation.responses.responses.get("404") else { return false };
    answer.content.contains_key("text/html")
}

/// Whether the document says that the operation cannot be asked without a query.
fn needs_query(operation: &Operation) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|one| {
        matches!(one, RefOr::T(one) if one.parameter_in == ParameterIn::Query && one.required == Required::True)
    })
}

async fn expired_token(local: &Local) -> String {
    let signer = TokenSigner::from_config(&local.variables["token_signing_keys"]).unwrap();
    let now = local.edge.ports.now();
    const TENANT: PlatformSql = PlatformSql::new("SELECT id FROM tenant WHERE slug = 'umraniye'");
    let platform = Platform::new(local.edge.database.as_ref());
    let tenant: TenantId = platform.row(TENANT.with([])).await.unwrap().unwrap().parse(0).unwrap();
    let permissions: Permissions = Role::TenantAdmin.permissions();
    let caller = Caller {
        tenant,
        user: UserId::new(now, [1; 10]),
        session: SessionId::new(now, [1; 10]),
        permissions,
    };
    signer.sign(&caller, Timestamp::from_millis(now.as_millis() - 3_600_000), [1; 16]).unwrap()
}

/// The route's path with this in the place of each parameter.
fn path_with(route: &Route, id: &str) -> String {
    let mut path = String::new();
    for segment in route.path.split('/').skip(1) {
        path.push('/');
        path.push_str(if segment.starts_with('{') { id } else { segment });
    }
    path
}

/// The route's path with what is well formed and nobody has.
fn unknown_path(route: &Route) -> String {
    let unknown = |segment| match segment {
        "{serial}" => "0123456789abcdef0123456789abcdef",
        "{provider}" => "unknown",
        "{currency}" => "EUR",
        "{date}" => "2026-01-02",
        "{version}" => "1",
        segment if segment.starts_with('{') => "01890000-0000-7000-8000-00000000dead",
        segment => segment,
    };
    route.path.split('/').map(unknown).collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_bad_input_and_writes_nothing() {
    let mut world = World::new().await;
    let document = document();
    // Whoever would begin a cart is counted by their address, in a row that stays.
    let same_origin = [(HeaderName::from_static("sec-fetch-site"), HeaderValue::from_static("same-origin"))];
    let path = "/api/v1/cart/courses/01890000-0000-7000-8000-00000000dead";
    let begun = world.anybody.send(Method::PUT, path, &same_origin, Bytes::new()).await.unwrap();
    begun.expect(StatusCode::NOT_FOUND).unwrap();
    let before = world.rows().await;
    for route in public_routes().filter(|route| {
        matches!(route.access, Access::Public | Access::GuestOrSignedIn | Access::SignedIn | Access::Needs(_))
    }) {
        let path = unknown_path(route);
        let item = &document.paths.paths[route.path];
        let operation = operation(item, route.method.name()).unwrap();
        let (takes_body, is_page) = (operation.request_body.is_some(), answers_with_a_page(operation));
        let some = Bytes::from_static(b"{}");
        let clients = |world: &World| {
            (world.nobody.clone(), world.anybody.clone(), world.expired.clone(), world.made_up.clone())
        };
        let (nobody, anybody, expired, made_up) = clients(&world);

        let answer = world.send(&nobody, route, &path, Some(JSON), some.clone()).await;
        world.expect(route, "an unknown host", &answer, StatusCode::NOT_FOUND);
        if matches!(route.access, Access::SignedIn | Access::Needs(_)) {
            let answer = world.send(&anybody, route, &path, Some(JSON), some.clone()).await;
            world.expect(route, "no token", &answer, StatusCode::UNAUTHORIZED);
        }
        if route.access != Access::Public {
            for (what, client) in [
                ("an expired token", expired),
                ("an unsigned token", made_up),
                ("a token of another academy", world.of_other_academy.clone()),
            ] {
                let answer = world.send(&client, route, &path, Some(JSON), some.clone()).await;
                world.expect(route, what, &answer, StatusCode::UNAUTHORIZED);
            }
        }
        if let Access::Needs(_) = route.access {
            let learner = world.learner.clone();
            let answer = world.send(&learner, route, &path, Some(JSON), some.clone()).await;
            world.expect(route, "the wrong permission", &answer, StatusCode::FORBIDDEN);
        }
        let client = match route.access {
            Access::Public | Access::GuestOrSignedIn => world.anybody.clone(),
            Access::Needs(Permission::PlatformWrite) => world.operator.clone(),
            Access::Needs(_) => world.administrator.clone(),
            _ => world.learner.clone(),
        };
        if route.path.contains('{') {
            for id in ["1", "%00", "..%2f..%2fetc", &"a".repeat(500)] {
                let answer =
                    world.send(&client, route, &path_with(route, id), Some(JSON), some.clone()).await;
                // A body is read after the address; either refusal is right.
                if answer.status != StatusCode::UNPROCESSABLE_ENTITY {
                    world.expect_nothing_there(route, &format!("the id {id:.10}"), &answer, is_page);
                }
            }
            if !takes_body {
                let answer = world.send(&client, route, &path, None, Bytes::new()).await;
                // What the query lacks may be told before what the path names.
                if answer.status != StatusCode::UNPROCESSABLE_ENTITY || !needs_query(operation) {
                    world.expect_nothing_there(route, "an unknown id", &answer, is_page);
                }
            }
        }
        let media: Vec<&str> = match &operation.request_body {
            Some(RefOr::T(body)) => body.content.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        if takes_body && !media.contains(&JSON) {
            // What a form or a table holds is its own tests' matter; a body may be read after the address.
            for (what, kind, body, status) in [
                ("another media type", Some("text/plain"), some.clone(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
                (
                    "a body over its limit",
                    media.first().copied(),
                    Bytes::from(vec![b' '; 2 << 20]),
                    StatusCode::PAYLOAD_TOO_LARGE,
                ),
            ] {
                let answer = world.send(&client, route, &path, kind, body).await;
                // Of what nobody has, that may be told first; and a browser that comes back is sent on with whatever it has.
                let is_sent_on = answer.status == StatusCode::SEE_OTHER
                    && operation.responses.responses.contains_key("303");
                if !route.path.contains('{') || !(answer.status == StatusCode::NOT_FOUND || is_sent_on) {
                    world.expect(route, what, &answer, status);
                }
            }
        } else if takes_body {
            for (what, kind, body, status) in [
                ("malformed JSON", Some(JSON), Bytes::from_static(b"{\"a\":"), StatusCode::BAD_REQUEST),
                (
                    "bytes that are no UTF-8",
                    Some(JSON),
                    Bytes::from_static(b"{\"\xff\":1}"),
                    StatusCode::BAD_REQUEST,
                ),
                ("an empty body", Some(JSON), Bytes::new(), StatusCode::BAD_REQUEST),
                ("no media type", None, some.clone(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
                ("another media type", Some("text/plain"), some.clone(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
                (
                    "another charset",
                    Some("application/json; charset=latin1"),
                    some.clone(),
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ),
                (
                    "a body over its limit",
                    Some(JSON),
                    Bytes::from(vec![b' '; 200 << 10]),
                    StatusCode::PAYLOAD_TOO_LARGE,
                ),
                (
                    "an unknown field",
                    Some(JSON),
                    Bytes::from_static(b"{\"unknown_field\":1}"),
                    StatusCode::UNPROCESSABLE_ENTITY,
                ),
                (
                    "a list for an object",
                    Some(JSON),
                    Bytes::from_static(b"[[]]"),
                    StatusCode::UNPROCESSABLE_ENTITY,
                ),
                (
                    "a number for an object",
                    Some(JSON),
                    Bytes::from_static(b"7"),
                    StatusCode::UNPROCESSABLE_ENTITY,
                ),
            ] {
                // A whole course's content is larger; its own test has its limit.
                if status == StatusCode::PAYLOAD_TOO_LARGE && route.path.ends_with("/content") {
                    continue;
                }
                let answer = world.send(&client, route, &path, kind, body).await;
                world.expect(route, what, &answer, status);
            }
        }
    }
    println!("{} refusals checked", world.checked);
    assert!(world.checked > 200);
    assert_eq!(world.rows().await, before, "something was written");
    assert!(world.failures.is_empty(), "{} wrong\n{}", world.failures.len(), world.failures.join("\n"));
}
