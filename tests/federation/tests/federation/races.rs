//! Requests that meet: what is good once is taken once, and the last way in stays. Without its condition each race is lost.

use akademi_api::{
    Caller, Ports,
    authorization::ACCESS_COOKIE,
    config::Config,
    federation::{Authorization, Claims, Subject},
    ports::{HttpClient, Unreachable},
    token::TokenSigner,
};
use akademi_domain::{
    ids::{SessionId, UserId},
    permission::Permissions,
};
use akademi_edge_store::{
    Database, Edge, Platform, PlatformSql, Rows, Statement, StoreError,
    operations::{NewAcademy, create_academy},
    rusqlite::SqliteFile,
};
use akademi_federation::Federation;
use akademi_process::{
    ports::{WriteLog, ports},
    secrets::{Variables, generate},
};
use axum::{Router, body::Body};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Response, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tower::ServiceExt;

use crate::{browser::query, plane::tenant};

const HOST: &str = "one.example";

/// A store in which all who read by a statement with these words wait for each other; perhaps one that takes every condition for
/// fulfilled.
struct Racing {
    engine: SqliteFile,
    words: &'static str,
    meeting: tokio::sync::Barrier,
    is_lax: bool,
}

impl Database for Racing {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(async move {
            let is_awaited = statement.sql.contains(self.words);
            let rows = self.engine.query(statement).await;
            if is_awaited {
                self.meeting.wait().await;
            }
            rows
        })
    }

    fn batch(&self, mut statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        let conditions =
            statements.iter_mut().filter(|statement| statement.sql.starts_with("INSERT INTO guard"));
        for condition in conditions.filter(|_| self.is_lax) {
            let given: Vec<_> = (1..=condition.params.len()).map(|n| format!("?{n}")).collect();
            let sql = format!("INSERT INTO guard (ok) SELECT 1 FROM (SELECT {})", given.join(", "));
            condition.sql = sql.leak();
        }
        self.engine.batch(statements)
    }
}

/// A Lambda plane that knows one person, and counts how often it was asked who that is.
#[derive(Default)]
struct Lambda {
    exchanges: AtomicUsize,
}

impl HttpClient for Lambda {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        let wanted: Value = serde_json::from_slice(request.body()).unwrap();
        let answer = if request.uri().path().ends_with("/authorize") {
            serde_json::to_vec(&Authorization {
                url: format!("https://idp.example/?state={}", wanted["state"].as_str().unwrap()),
                issuer: "https://idp.example".into(),
                names_issuer: false,
            })
        } else {
            self.exchanges.fetch_add(1, Ordering::SeqCst);
            serde_json::to_vec(&Claims {
                issuer: "https://idp.example".into(),
                subject: Subject("1".into()),
                verified_email: None,
                name: None,
            })
        };
        Box::pin(async move { Ok(Response::new(Bytes::from(answer.unwrap()))) })
    }
}

struct World {
    edge: Edge,
    variables: Variables,
    lambda: Arc<Lambda>,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap();
        let ports: Ports = ports(Arc::new(WriteLog::new(std::io::sink())));
        let edge = Edge { ports, database: Arc::new(engine) };
        let new = NewAcademy {
            id: tenant(1),
            slug: "one",
            name: "One",
            locale: "tr",
            brand_colour: "#0b6e4f",
            hosts: &[HOST],
        };
        let world = Self { variables: generate().unwrap(), lambda: Arc::default(), folder, edge };
        Platform::new(world.edge.database.as_ref())
            .batch(create_academy(&new, world.edge.ports.now()))
            .await
            .unwrap();
        world.execute("INSERT INTO identity_provider SELECT id, 'idp', 'Idp', 'oidc' FROM tenant").await;
        world
    }

    async fn execute(&self, sql: &'static str) {
        let statement = PlatformSql::new(sql).with([]);
        Platform::new(self.edge.database.as_ref()).batch(vec![statement]).await.unwrap();
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let row = Platform::new(self.edge.database.as_ref()).row(PlatformSql::new(sql).with([])).await;
        row.unwrap().unwrap().integer(0).unwrap()
    }

    fn router(&self, edge: Edge) -> Router {
        let lookup = |name: &str| match name {
            "lambda_url" => Some("http://lambda.internal".to_owned()),
            name => self.variables.get(name).cloned(),
        };
        let config = Config::new(&lookup);
        akademi_federation::router(Federation::from_config(edge, self.lambda.clone(), &config).unwrap())
    }

    /// The same world, as two see it who ask at once.
    fn racing(&self, words: &'static str, is_lax: bool) -> Router {
        let engine = SqliteFile::open(&self.folder.path().join("edge.sqlite")).unwrap();
        let meeting = tokio::sync::Barrier::new(2);
        let database = Arc::new(Racing { engine, words, meeting, is_lax });
        self.router(Edge { database, ..self.edge.clone() })
    }
}

fn request(method: Method, path: &str, cookies: &str, body: Option<Value>) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, HOST)
        .header("sec-fetch-site", "same-origin")
        .header(header::COOKIE, cookies);
    match body {
        Some(body) => {
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        }
        None => request.body(Body::empty()),
    }
    .unwrap()
}

async fn both(router: &Router, requests: [Request<Body>; 2]) -> Vec<u16> {
    let asked = requests.map(|request| tokio::spawn(router.clone().oneshot(request)));
    let mut told = Vec::new();
    for asked in asked {
        told.push(asked.await.unwrap().unwrap().status().as_u16());
    }
    told.sort_unstable();
    told
}

/// Two pages of one browser ask for the session at once; how often the provider is asked.
async fn race_for_a_code(is_lax: bool) -> usize {
    let world = World::new().await;
    let router = world.router(world.edge.clone());
    let start = Some(json!({ "return_to": "/" }));
    let begun =
        router.clone().oneshot(request(Method::POST, "/api/v1/auth/providers/idp/start", "", start)).await;
    let (parts, body) = begun.unwrap().into_parts();
    let cookie = parts.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let body: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    let state = &query(body["url"].as_str().unwrap())["state"];
    let back = format!("/api/v1/auth/providers/idp/callback?code=c&state={state}");
    let arrived = router.oneshot(request(Method::GET, &back, &cookie, None)).await.unwrap();
    assert_eq!(arrived.status(), 303);
    let racing = world.racing("FROM provider_sign_in WHERE", is_lax);
    let ask = || request(Method::POST, "/api/v1/auth/providers/idp/sign-in", &cookie, None);
    both(&racing, [ask(), ask()]).await;
    world.lambda.exchanges.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pages_at_once_show_the_provider_one_code() {
    assert_eq!(race_for_a_code(false).await, 1);
    assert_eq!(race_for_a_code(true).await, 2, "without the condition the code is shown twice");
}

/// Somebody without a password unlinks both identities at once; what is told, and what is left.
async fn race_for_the_last_way_in(is_lax: bool) -> (Vec<u16>, i64) {
    let world = World::new().await;
    let now = world.edge.ports.now();
    let id = |n: u8| UserId::new(now, [n; 10]);
    let (person, session) = (id(1), SessionId::new(now, [2; 10]));
    let vault = akademi_seal::Vault::from_config(&world.variables["edge_master_key"]).unwrap();
    let key = akademi_seal::PersonKey::from_bytes([3; 32]);
    let profile = json!({ "name": "Z", "email": "z@a.example" }).to_string();
    let sealed = key.seal(person, "profile", profile.as_bytes(), [4; 24]);
    let wrapped = vault.wrap_key(tenant(1), person, &key, [5; 24]);
    let statements = vec![
        PlatformSql::new(
            "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
             VALUES (?1, ?2, x'01', ?3, '', 'active', 1, ?4)",
        )
        .with([tenant(1).into(), person.into(), sealed.as_slice().into(), now.into()]),
        PlatformSql::new("INSERT INTO person_key (tenant_id, person_id, wrapped) VALUES (?1, ?2, ?3)")
            .with([tenant(1).into(), person.into(), wrapped.as_slice().into()]),
        PlatformSql::new(
            "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at, \
             authenticated_at) VALUES (?1, ?2, ?3, x'01', 0, '', ?4, ?4, ?4)",
        )
        .with([tenant(1).into(), session.into(), person.into(), now.into()]),
        PlatformSql::new(
            "INSERT INTO identity (tenant_id, id, person_id, provider, subject_lookup, created_at) \
             VALUES (?1, ?2, ?4, 'idp', x'01', 1), (?1, ?3, ?4, 'idp', x'02', 2)",
        )
        .with([tenant(1).into(), id(6).into(), id(7).into(), person.into()]),
    ];
    Platform::new(world.edge.database.as_ref()).batch(statements).await.unwrap();
    let signer = TokenSigner::from_config(&world.variables["token_signing_keys"]).unwrap();
    let caller = Caller { tenant: tenant(1), user: person, session, permissions: Permissions::NONE };
    let cookie = format!("{ACCESS_COOKIE}={}", signer.sign(&caller, now, [8; 16]).unwrap());
    let racing = world.racing("FROM identity WHERE", is_lax);
    let unlink = |n: u8| {
        let path = format!("/api/v1/users/me/identities/{}", id(n));
        request(Method::DELETE, &path, &cookie, None)
    };
    let told = both(&racing, [unlink(6), unlink(7)]).await;
    (told, world.count("SELECT count(*) FROM identity").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_ways_in_one_stays_however_fast_they_are_closed() {
    assert_eq!(race_for_the_last_way_in(false).await, (vec![204, 409], 1));
    assert_eq!(
        race_for_the_last_way_in(true).await,
        (vec![204, 204], 0),
        "without the condition none is left"
    );
}
