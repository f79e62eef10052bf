//! Started Workers with two academies, and requests to it.

use akademi_api::token::TokenSigner;
use akademi_worker_host::{Options, Running, WorkerHost, build};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

pub const UMRANIYE: &str = "umraniye.localhost";
pub const KADIKOY: &str = "kadikoy.localhost";

pub const ACADEMIES: &str = "
INSERT INTO tenant (id, slug, name, locale, brand_colour, state, generation, created_at) VALUES
    ('01890000-0000-7000-8000-000000000001', 'umraniye', 'Ümraniye Akademi', 'tr', '#0055aa', 'active', 1, 0),
    ('01890000-0000-7000-8000-000000000002', 'kadikoy', 'Kadıköy Akademi', 'tr', '#aa5500', 'active', 1, 0);
INSERT INTO domain (host, tenant_id) VALUES
    ('umraniye.localhost', '01890000-0000-7000-8000-000000000001'),
    ('kadikoy.localhost', '01890000-0000-7000-8000-000000000002')";

/// Values for every variable of the edge; `lambda_url` is where nobody listens.
pub fn variables() -> BTreeMap<String, String> {
    let key = |byte: u8| URL_SAFE_NO_PAD.encode([byte; 32]);
    let signing = format!("k1:{}", key(1));
    let public = TokenSigner::from_config(&signing).unwrap().verifier().to_config();
    let pairs = [
        ("token_signing_keys", signing),
        ("token_public_keys", public),
        ("plane_root_keys", format!("k1:{}", key(2))),
        ("edge_master_key", key(3)),
        ("media_signing_keys", format!("k1:{}", key(4))),
        ("media_url", "https://media.example.com".to_owned()),
        ("lambda_url", "http://127.0.0.1:9".to_owned()),
        ("dns_url", "http://127.0.0.1:9".to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Builds what changed, and starts the Workers with the two academies.
#[allow(clippy::disallowed_methods, reason = "how long it takes is printed, nothing depends on it")]
pub fn start(variables: BTreeMap<String, String>) -> Running {
    let started = Instant::now();
    build().unwrap();
    let built = started.elapsed();
    let host = WorkerHost::prepare(Options { variables, ..Options::default() }).unwrap();
    host.seed(ACADEMIES).unwrap();
    let prepared = started.elapsed() - built;
    let running = host.start().unwrap();
    let ready = started.elapsed() - built - prepared;
    println!("built in {built:.1?}, migrated in {prepared:.1?}, answering after {ready:.1?}");
    running
}

/// A request as somebody's program sends it.
pub struct Call<'a> {
    running: &'a Running,
    method: &'static str,
    path: &'a str,
    host: &'a str,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

pub struct Answer<B = Value> {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: B,
}

pub fn get<'a>(running: &'a Running, host: &'a str, path: &'a str) -> Call<'a> {
    Call { running, method: "GET", path, host, headers: Vec::new(), body: None }
}

pub fn post<'a>(running: &'a Running, host: &'a str, path: &'a str, body: Value) -> Call<'a> {
    Call { running, method: "POST", path, host, headers: Vec::new(), body: Some(body) }
}

/// A POST without a body, which nobody can leave unread.
pub fn post_nothing<'a>(running: &'a Running, host: &'a str, path: &'a str) -> Call<'a> {
    Call { method: "POST", ..get(running, host, path) }
}

impl Call<'_> {
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// For an answer that is JSON or nothing.
    pub fn send(self) -> Answer {
        let Answer { status, headers, body } = self.send_for_bytes();
        let body = match body.as_slice() {
            [] => Value::Null,
            body => {
                serde_json::from_slice(body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(body)))
            }
        };
        Answer { status, headers, body }
    }

    pub fn send_for_bytes(self) -> Answer<Vec<u8>> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        let agent = config.new_agent();
        let mut request = ureq::http::Request::builder()
            .method(self.method)
            .uri(format!("{}{}", self.running.base_url(), self.path))
            .header("host", self.host);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let body = self.body.map(|body| body.to_string());
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let response = agent.run(request.body(body.unwrap_or_default()).unwrap()).unwrap();
        let (parts, mut body) = response.into_parts();
        let body = body.read_to_vec().unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    #[track_caller]
    pub fn text(&self, header: &str) -> &str {
        self.headers[header].to_str().unwrap()
    }
}
