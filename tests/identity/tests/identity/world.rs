//! Two academies on one edge store, a clock that the test moves, and somebody who asks.

use akademi_academies::Academies;
use akademi_account::Account;
use akademi_api::{
    caller::ClientAddress,
    config::Config,
    links::LinkKeys,
    ports::{Clock, HttpClient, TimeLimit, Unreachable},
    signed::{PlaneKeys, Purpose},
    token::TokenSigner,
};
use akademi_auth::Auth;
use akademi_cart::Cart;
use akademi_domain::{
    ids::{LinkId, TenantId, UserId},
    mail::{LinkPurpose, MailKind},
    time::Timestamp,
};
use akademi_edge_store::{Edge, Platform, PlatformSql, Statement};
pub use akademi_edge_world::contains;
use akademi_edge_world::{Meeting, MovedClock, Store};
use akademi_feed::EdgeEvent;
use akademi_people::People;
use akademi_process::secrets::{Variables, generate};
use akademi_registration::Registrar;
use axum::{Router, body::Body};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{
    ops::Deref,
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::ServiceExt;

pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub const EMAIL: &str = "sukru@example.org";
pub const PASSWORD: &str = "uzun bir parola";
pub const HOST: &str = "one.example";
pub const OTHER_HOST: &str = "two.example";
pub const PLATFORM_HOST: &str = "platform.example";

/// A name server that answers as those of the world do: by the TXT records that the test publishes.
#[derive(Clone, Default)]
pub struct NameServer(Arc<Mutex<Vec<(String, String)>>>);

impl NameServer {
    pub fn publish(&self, name: &str, text: &str) {
        self.0.lock().unwrap().push((name.to_owned(), text.to_owned()));
    }
}

impl HttpClient for NameServer {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, Unreachable>> {
        let query = request.uri().query().unwrap().to_owned();
        let name =
            query.strip_prefix("name=").and_then(|rest| rest.strip_suffix("&type=TXT")).unwrap().to_owned();
        let published = self.0.lock().unwrap();
        let records = published.iter().filter(|(published, _)| *published == name);
        let records: Vec<_> = records
            .map(|(name, text)| json!({ "name": name, "type": 16, "TTL": 60, "data": format!("\"{text}\"") }))
            .collect();
        let status = if records.is_empty() { 3 } else { 0 };
        let answer = json!({ "Status": status, "TC": false, "Answer": records });
        Box::pin(async move { Ok(http::Response::new(answer.to_string().into())) })
    }
}

/// The other plane as the edge sees it: it counts the wakes that are signed for it, or cannot be reached.
#[derive(Clone, Default)]
pub struct OtherPlane(Arc<Mutex<(usize, bool)>>);

impl OtherPlane {
    pub fn wakes(&self) -> usize {
        self.0.lock().unwrap().0
    }

    pub fn go_away(&self) {
        self.0.lock().unwrap().1 = true;
    }
}

/// With the keys that it checks signatures with, and a clock.
struct Listening(OtherPlane, Arc<PlaneKeys>, Arc<MovedClock>);

impl HttpClient for Listening {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, Unreachable>> {
        let (method, uri) = (request.method(), request.uri());
        let checked =
            self.1.verify(Purpose::Wake, method, uri, request.headers(), request.body(), self.2.now());
        checked.unwrap();
        assert_eq!((method.as_str(), uri.path(), request.body().len()), ("POST", "/internal/wake", 0));
        let most = Duration::from_secs(10);
        assert_eq!(TimeLimit::of(&request, most), Duration::from_secs(1), "somebody waits for it");
        let mut state = self.0.0.lock().unwrap();
        let answer =
            if state.1 { Err(Unreachable("it is away".into())) } else { Ok(http::Response::default()) };
        state.0 += usize::from(answer.is_ok());
        Box::pin(std::future::ready(answer))
    }
}

pub struct World {
    pub names: NameServer,
    pub lambda: OtherPlane,
    pub variables: Variables,
    store: Store,
    router: Router,
    listening: Arc<Listening>,
}

impl Deref for World {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

pub fn tenant(number: u8) -> TenantId {
    TenantId::new(START, [number; 10])
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub retry_after: Option<i64>,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The problem's name.
    pub fn slug(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }
}

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct From {
    pub host: &'static str,
    pub address: String,
    pub device: &'static str,
    pub token: Option<String>,
}

pub fn from(address: &str) -> From {
    From { host: HOST, address: address.into(), device: "Firefox", token: None }
}

impl From {
    pub fn with(&self, tokens: &Value) -> Self {
        Self { token: Some(tokens["access_token"].as_str().unwrap().to_owned()), ..self.clone() }
    }
}

fn routers(edge: &Edge, variables: &Variables, names: &NameServer, lambda: &Arc<Listening>) -> Router {
    let lookup = |name: &str| variables.get(name).cloned();
    let config = Config::new(&lookup);
    let lambda: Arc<dyn HttpClient> = lambda.clone();
    akademi_auth::router(Auth::from_config(edge.clone(), &config).unwrap())
        .merge(akademi_registration::router(
            Registrar::from_config(edge.clone(), lambda.clone(), &config).unwrap(),
        ))
        .merge(akademi_account::router(Account::from_config(edge.clone(), &config).unwrap()))
        .merge(akademi_cart::router(Cart::from_config(edge.clone(), &config).unwrap()))
        .merge(akademi_people::router(People::from_config(edge.clone(), lambda, &config).unwrap()))
        .merge(akademi_academies::router(
            Academies::from_config(edge.clone(), Arc::new(names.clone()), &config).unwrap(),
        ))
}

pub fn request(who: &From, method: Method, path: &str, body: Value) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, who.host)
        .header(header::USER_AGENT, who.device)
        .extension(ClientAddress(who.address.clone()));
    if let Some(token) = &who.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_null() {
        return request.body(Body::empty()).unwrap();
    }
    request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap()
}

pub async fn send(router: &Router, request: Request<Body>) -> u16 {
    router.clone().oneshot(request).await.unwrap().status().as_u16()
}

/// The statuses, in their order, of what was asked at once.
pub async fn at_once(router: &Router, who: &From, path: &str, bodies: Vec<Value>) -> Vec<u16> {
    let asked = bodies.into_iter().map(|body| {
        let (router, request) = (router.clone(), request(who, Method::POST, path, body));
        tokio::spawn(async move { send(&router, request).await })
    });
    let mut statuses = Vec::new();
    for asked in asked.collect::<Vec<_>>() {
        statuses.push(asked.await.unwrap());
    }
    statuses.sort_unstable();
    statuses
}

impl World {
    pub fn new() -> Self {
        let academies = [(tenant(1), HOST), (tenant(2), OTHER_HOST), (tenant(9), PLATFORM_HOST)];
        let store = Store::new(START, &academies);
        let mut variables = generate().unwrap();
        variables.insert("dns_url".into(), "https://names.example".into());
        let names = NameServer::default();
        variables.insert("lambda_url".into(), "https://lambda.example".into());
        let (lambda, planes) = (OtherPlane::default(), PlaneKeys::from_config(&variables["plane_root_keys"]));
        let listening = Arc::new(Listening(lambda.clone(), Arc::new(planes.unwrap()), store.clock.clone()));
        let router = routers(&store.edge, &variables, &names, &listening);
        Self { names, lambda, variables, store, router, listening }
    }

    /// The same world, as so many see it who ask at once: whoever reads by a statement with these words waits for the others.
    pub fn racing(&self, words: &'static str, many: usize, is_lax: bool) -> Router {
        let edge = self.store.racing(Meeting { words: vec![words], many, is_lax });
        routers(&edge, &self.variables, &self.names, &self.listening)
    }

    /// By what one request reads, and how often it commits.
    pub async fn watched(
        &self,
        who: &From,
        method: Method,
        path: &str,
        body: Value,
    ) -> (Vec<Statement>, usize) {
        let (edge, watched) = self.store.watched();
        let router = routers(&edge, &self.variables, &self.names, &self.listening);
        router.oneshot(request(who, method, path, body)).await.unwrap();
        watched.take()
    }

    /// The whole answer to a request of any kind.
    pub async fn ask(&self, request: Request<Body>) -> http::Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn send(&self, who: &From, method: Method, path: &str, body: Value) -> Answer {
        let answer = self.ask(request(who, method, path, body)).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        if parts.status.is_server_error() {
            eprintln!("{}", String::from_utf8_lossy(&self.log.bytes()));
        }
        let retry_after = parts.headers.get(header::RETRY_AFTER);
        Answer {
            status: parts.status.as_u16(),
            body: if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() },
            retry_after: retry_after.map(|seconds| seconds.to_str().unwrap().parse().unwrap()),
        }
    }

    pub async fn post(&self, who: &From, path: &str, body: Value) -> Answer {
        self.send(who, Method::POST, path, body).await
    }

    pub async fn register(&self, who: &From, email: &str, password: &str) -> Answer {
        let body = json!({ "name": "Şükrü Iğdır", "email": email, "password": password });
        self.post(who, "/api/v1/auth/register", body).await
    }

    pub async fn login(&self, who: &From, email: &str, password: &str) -> Answer {
        self.post(who, "/api/v1/auth/login", json!({ "email": email, "password": password })).await
    }

    pub async fn me(&self, who: &From) -> Answer {
        self.send(who, Method::GET, "/api/v1/users/me", Value::Null).await
    }

    /// Registers and confirms; the tokens of the first sign-in.
    pub async fn join(&self, who: &From, email: &str, password: &str) -> Value {
        self.register(who, email, password).await.expect(202);
        let token = self.newest_token(MailKind::ConfirmAddress);
        self.post(who, "/api/v1/auth/confirm", json!({ "token": token })).await.expect(204);
        self.login(who, email, password).await.expect(200)
    }

    /// The mail that was asked for: kind, for whom, link.
    pub fn mails(&self) -> Vec<(MailKind, UserId, Option<LinkId>)> {
        let mails = self.events().into_iter().filter_map(|(_, event)| match event {
            EdgeEvent::MailWanted { kind, person, link, .. } => Some((kind, person, link)),
            _ => None,
        });
        mails.collect()
    }

    pub fn audited(&self) -> Vec<String> {
        let entries = self.events().into_iter().filter_map(|(_, event)| match event {
            EdgeEvent::Audited { action, .. } => Some(action),
            _ => None,
        });
        entries.collect()
    }

    /// The token in the newest mail of that kind, made as the mailer makes it.
    pub fn newest_token(&self, kind: MailKind) -> String {
        let of_kind = |event: &(TenantId, EdgeEvent)| match event {
            (tenant, EdgeEvent::MailWanted { kind: of, link, .. }) if *of == kind => {
                link.map(|link| (*tenant, link))
            }
            _ => None,
        };
        let (tenant, link) = self.events().iter().rev().find_map(of_kind).unwrap();
        self.link_token_at(tenant, kind.link().unwrap(), link)
    }

    pub fn link_token(&self, purpose: LinkPurpose, link: LinkId) -> String {
        self.link_token_at(tenant(1), purpose, link)
    }

    fn link_token_at(&self, tenant: TenantId, purpose: LinkPurpose, link: LinkId) -> String {
        LinkKeys::from_config(&self.variables["plane_root_keys"]).unwrap().token(purpose, tenant, link)
    }

    pub fn signer(&self) -> TokenSigner {
        TokenSigner::from_config(&self.variables["token_signing_keys"]).unwrap()
    }

    /// Registers somebody who then gets these roles; signed in.
    pub async fn join_as(&self, address: &str, email: &str, roles: &[&str]) -> (From, String) {
        self.join_at(1, address, email, roles).await
    }

    /// A platform's administrator, signed in.
    pub async fn administrator(&self) -> From {
        self.join_at(9, "203.0.113.9", "operator@example.org", &["global_admin"]).await.0
    }

    async fn join_at(&self, academy: u8, address: &str, email: &str, roles: &[&str]) -> (From, String) {
        let host = if academy == 9 { PLATFORM_HOST } else { HOST };
        let who = From { host, ..from(address) };
        self.join(&who, email, PASSWORD).await;
        let person = self.mails().into_iter().rfind(|mail| mail.0 == MailKind::ConfirmAddress).unwrap().1;
        for role in roles {
            const GIVE: PlatformSql = PlatformSql::new(
                "INSERT INTO role_assignment (tenant_id, person_id, role) VALUES (?1, ?2, ?3)",
            );
            let statement = GIVE.with([tenant(academy).into(), person.into(), (*role).into()]);
            Platform::new(self.edge.database.as_ref()).batch(vec![statement]).await.unwrap();
        }
        let tokens = self.login(&who, email, PASSWORD).await.expect(200);
        (who.with(&tokens), person.to_string())
    }
}

pub const TOO_MANY: u16 = StatusCode::TOO_MANY_REQUESTS.as_u16();
