//! Requests that meet: a challenge is taken once, and the last way in stays. Without its condition each race is lost.

use akademi_api::{
    Caller,
    authorization::ACCESS_COOKIE,
    config::Config,
    passkey::Verdict,
    ports::{HttpClient, Unreachable},
    token::TokenSigner,
};
use akademi_domain::{
    ids::{PasskeyId, SessionId, TenantId, UserId},
    permission::Permissions,
    time::Timestamp,
};
use akademi_edge_store::{
    Database, Edge, Platform, PlatformSql, Rows, Statement, StoreError,
    operations::{NewAcademy, create_academy},
    rusqlite::SqliteFile,
};
use akademi_passkeys::Passkeys;
use akademi_passkeys_tests::{Authenticator, Saying};
use akademi_process::{
    ports::{WriteLog, ports},
    secrets::{Variables, generate},
};
use akademi_seal::{PersonKey, Vault};
use axum::{
    Router,
    body::{Body, to_bytes},
};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Response, header};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use tower::ServiceExt;

const HOST: &str = "one.example";

fn tenant() -> TenantId {
    TenantId::new(Timestamp::from_millis(1_790_000_000_000), [1; 10])
}

/// A store in which two who write by a batch with these words come to it together; perhaps one that takes every condition for
/// fulfilled.
struct Racing {
    engine: SqliteFile,
    words: &'static str,
    meeting: tokio::sync::Barrier,
    is_lax: bool,
}

impl Database for Racing {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.engine.query(statement)
    }

    fn batch(&self, mut statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        let is_awaited = statements.iter().any(|statement| statement.sql.contains(self.words));
        let conditions =
            statements.iter_mut().filter(|statement| statement.sql.starts_with("INSERT INTO guard"));
        for condition in conditions.filter(|_| self.is_lax) {
            let given: Vec<_> = (1..=condition.params.len()).map(|n| format!("?{n}")).collect();
            condition.sql =
                format!("INSERT INTO guard (ok) SELECT 1 FROM (SELECT {})", given.join(", ")).leak();
        }
        Box::pin(async move {
            if is_awaited {
                self.meeting.wait().await;
            }
            self.engine.batch(statements).await
        })
    }
}

/// A Lambda plane that takes all for genuine.
#[derive(Default)]
struct Lambda {
    counter: AtomicU32,
}

impl HttpClient for Lambda {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        let counter = self.counter.fetch_add(1, Ordering::SeqCst);
        let verdict = serde_json::to_vec(&Verdict::Genuine { public_key: json!({}), counter }).unwrap();
        Box::pin(async move { Ok(Response::new(Bytes::from(verdict))) })
    }
}

/// An academy with somebody who has two passkeys, and no password.
struct World {
    edge: Edge,
    variables: Variables,
    cookie: String,
    passkeys: [PasskeyId; 2],
    handle: [u8; 16],
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteFile::open(&folder.path().join("edge.sqlite")).unwrap();
        let edge =
            Edge { ports: ports(Arc::new(WriteLog::new(std::io::sink()))), database: Arc::new(engine) };
        let now = edge.ports.now();
        let new = NewAcademy {
            id: tenant(),
            slug: "one",
            name: "One",
            locale: "tr",
            brand_colour: "#0b6e4f",
            hosts: &[HOST],
        };
        let platform = Platform::new(edge.database.as_ref());
        platform.batch(create_academy(&new, now)).await.unwrap();
        let variables = generate().unwrap();
        let (person, session) = (UserId::new(now, [1; 10]), SessionId::new(now, [2; 10]));
        let vault = Vault::from_config(&variables["edge_master_key"]).unwrap();
        let key = PersonKey::from_bytes([3; 32]);
        let profile = json!({ "name": "Z", "email": "z@a.example" }).to_string();
        let sealed = key.seal(person, "profile", profile.as_bytes(), [4; 24]);
        let wrapped = vault.wrap_key(tenant(), person, &key, [5; 24]);
        let passkeys = [6, 7].map(|n| PasskeyId::new(now, [n; 10]));
        let mut statements = vec![
            PlatformSql::new(
                "INSERT INTO person (tenant_id, id, email_lookup, profile, password_hash, state, version, created_at) \
                 VALUES (?1, ?2, x'01', ?3, '', 'active', 1, ?4)",
            )
            .with([tenant().into(), person.into(), sealed.as_slice().into(), now.into()]),
            PlatformSql::new("INSERT INTO person_key (tenant_id, person_id, wrapped) VALUES (?1, ?2, ?3)")
                .with([tenant().into(), person.into(), wrapped.as_slice().into()]),
            PlatformSql::new(
                "INSERT INTO session (tenant_id, id, person_id, nonce, generation, device, created_at, rotated_at, \
                 authenticated_at) VALUES (?1, ?2, ?3, x'01', 0, '', ?4, ?4, ?4)",
            )
            .with([tenant().into(), session.into(), person.into(), now.into()]),
        ];
        statements.extend(passkeys.map(|passkey| {
            PlatformSql::new(
                "INSERT INTO passkey (tenant_id, id, person_id, host, credential_id, public_key, counter, name, created_at) \
                 VALUES (?1, ?2, ?3, 'one.example', CAST(?2 AS BLOB), '{}', 0, x'00', 1)",
            )
            .with([tenant().into(), passkey.into(), person.into()])
        }));
        platform.batch(statements).await.unwrap();
        let signer = TokenSigner::from_config(&variables["token_signing_keys"]).unwrap();
        let caller = Caller { tenant: tenant(), user: person, session, permissions: Permissions::NONE };
        let cookie = format!("{ACCESS_COOKIE}={}", signer.sign(&caller, now, [8; 16]).unwrap());
        Self { edge, variables, cookie, passkeys, handle: *person.as_uuid().as_bytes(), folder }
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
        akademi_passkeys::router(Passkeys::from_config(edge, Arc::<Lambda>::default(), &config).unwrap())
    }

    /// The same world, as two see it who write at once.
    fn racing(&self, words: &'static str, is_lax: bool) -> Router {
        let engine = SqliteFile::open(&self.folder.path().join("edge.sqlite")).unwrap();
        let meeting = tokio::sync::Barrier::new(2);
        let database = Arc::new(Racing { engine, words, meeting, is_lax });
        self.router(Edge { database, ..self.edge.clone() })
    }

    fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST)
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, &self.cookie);
        match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string()))
                .unwrap(),
            None => request.body(Body::empty()).unwrap(),
        }
    }

    async fn options(&self, path: &str) -> Value {
        let router = self.router(self.edge.clone());
        let answer = router.oneshot(self.request(Method::POST, path, None)).await.unwrap();
        assert_eq!(answer.status(), 200);
        serde_json::from_slice(&to_bytes(answer.into_body(), 1 << 16).await.unwrap()).unwrap()
    }
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

/// Two finish one sign-in at once; what is told, and how many sessions it makes.
async fn race_to_sign_in(is_lax: bool) -> (Vec<u16>, i64) {
    let world = World::new().await;
    let of_owner = world.options("/api/v1/users/me/passkeys/options").await;
    let options = world.options("/api/v1/auth/passkey/options").await;
    let mut authenticator = Authenticator::new(&of_owner).unwrap();
    authenticator.credential_id = world.passkeys[0].to_string().into_bytes();
    authenticator.says_it_is(&world.handle);
    let saying = Saying::honest("https://one.example", &options).unwrap();
    let shown = json!({ "credential": authenticator.get(&saying).unwrap() });
    let racing = world.racing("DELETE FROM passkey_challenge WHERE tenant_id = ?1 AND challenge", is_lax);
    let ask = || world.request(Method::POST, "/api/v1/auth/passkey", Some(&shown));
    let told = both(&racing, [ask(), ask()]).await;
    (told, world.count("SELECT count(*) - 1 FROM session").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_finish_one_sign_in_make_one_session() {
    assert_eq!(race_to_sign_in(false).await, (vec![200, 409], 1));
    assert_eq!(race_to_sign_in(true).await, (vec![200, 200], 2), "without the condition both do");
}

/// Two add a passkey each by one challenge; what is told, and how many there are.
async fn race_to_add(is_lax: bool) -> (Vec<u16>, i64) {
    let world = World::new().await;
    let options = world.options("/api/v1/users/me/passkeys/options").await;
    let saying = Saying::honest("https://one.example", &options).unwrap();
    let racing = world.racing("DELETE FROM passkey_challenge WHERE tenant_id = ?1 AND challenge", is_lax);
    let ask = || {
        let shown = Authenticator::new(&options).unwrap().create(&saying);
        let body = json!({ "name": "x", "credential": shown });
        world.request(Method::POST, "/api/v1/users/me/passkeys", Some(&body))
    };
    let told = both(&racing, [ask(), ask()]).await;
    (told, world.count("SELECT count(*) - 2 FROM passkey").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_finish_one_registration_add_one_passkey() {
    assert_eq!(race_to_add(false).await, (vec![201, 409], 1));
    assert_eq!(race_to_add(true).await, (vec![201, 201], 2), "without the condition both do");
}

/// Somebody without a password removes both passkeys at once; what is told, and what is left.
async fn race_for_the_last_way_in(is_lax: bool) -> (Vec<u16>, i64) {
    let world = World::new().await;
    let racing = world.racing("DELETE FROM passkey WHERE", is_lax);
    let remove = |passkey: PasskeyId| {
        world.request(Method::DELETE, &format!("/api/v1/users/me/passkeys/{passkey}"), None)
    };
    let told = both(&racing, world.passkeys.map(remove)).await;
    (told, world.count("SELECT count(*) FROM passkey").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_passkeys_one_stays_however_fast_they_are_removed() {
    assert_eq!(race_for_the_last_way_in(false).await, (vec![204, 409], 1));
    assert_eq!(
        race_for_the_last_way_in(true).await,
        (vec![204, 204], 0),
        "without the condition none is left"
    );
}
