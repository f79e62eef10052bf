//! Requests that meet: what is good once is taken once, and the last way in stays. Without its condition each race is lost.

use akademi_api::{
    Caller,
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
use akademi_edge_store::{Edge, PlatformSql};
use akademi_edge_world::{Meeting, Store};
use akademi_federation::Federation;
use akademi_process::secrets::{Variables, generate};
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

use crate::{
    browser::query,
    plane::{START, tenant},
};

const HOST: &str = "one.example";

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
    store: Store,
    variables: Variables,
    lambda: Arc<Lambda>,
}

impl World {
    fn new() -> Self {
        let store = Store::new(START, &[(tenant(1), HOST)]);
        store.execute("INSERT INTO identity_provider SELECT id, 'idp', 'Idp', 'oidc' FROM tenant");
        Self { store, variables: generate().unwrap(), lambda: Arc::default() }
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
        self.router(self.store.racing(Meeting { words: vec![words], many: 2, is_lax }))
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
    let world = World::new();
    let router = world.router(world.store.edge.clone());
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
    let world = World::new();
    let now = world.store.now();
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
    world.store.run(statements);
    let signer = TokenSigner::from_config(&world.variables["token_signing_keys"]).unwrap();
    let caller = Caller { tenant: tenant(1), user: person, session, permissions: Permissions::NONE };
    let cookie = format!("{ACCESS_COOKIE}={}", signer.sign(&caller, now, [8; 16]).unwrap());
    let racing = world.racing("FROM identity WHERE", is_lax);
    let unlink = |n: u8| {
        let path = format!("/api/v1/users/me/identities/{}", id(n));
        request(Method::DELETE, &path, &cookie, None)
    };
    let told = both(&racing, [unlink(6), unlink(7)]).await;
    (told, world.store.count("SELECT count(*) FROM identity"))
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
