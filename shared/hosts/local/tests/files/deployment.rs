//! A deployment with the demo academies' people, who are signed in.

use akademi_api::ports::HttpClient;
use akademi_lambda_store::testing::TestDatabase;
use akademi_local::{
    api_client::ApiClient,
    demo::{self, PASSWORD},
    http_client::Network,
    local::{Local, Options},
    ports::WriteLog,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub const INSTRUCTOR: &str = "egitmen@umraniye.example";
pub const LEARNER: &str = "ogrenci@umraniye.example";
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub struct Deployment {
    pub local: Local,
    pub folder: tempfile::TempDir,
    _database: TestDatabase,
}

impl Deployment {
    pub async fn start() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let local = Local::start(Options {
            data: folder.path().to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            postgres: database.postgres().clone(),
            log: Arc::new(WriteLog::new(std::io::stderr())),
            sync_interval: Duration::from_secs(2),
            password_attempts: 10_000,
            transcode_program: Some(PathBuf::from(env!("CARGO_BIN_EXE_akademi-local"))),
        })
        .await
        .unwrap();
        for academy in &demo::ACADEMIES {
            demo::make_people(&local, academy).await.unwrap();
        }
        Self { local, folder, _database: database }
    }

    pub async fn sign_in(&self, email: &str) -> ApiClient {
        let base = format!("http://{}:{}", demo::ACADEMIES[0].host(), self.local.address.port());
        ApiClient::new(Network::new(), base).sign_in(email, PASSWORD).await.unwrap()
    }

    /// All files in storage, sorted, those that are on their way too.
    pub fn stored(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(&self.folder.path().join("objects"), &mut found);
        found.sort();
        found
    }
}

/// Sends a request without a token, as a browser follows a link.
pub async fn send(method: Method, url: &str, headers: &[(HeaderName, &str)], body: Bytes) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(url).body(body).unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(name.clone(), HeaderValue::from_str(value).unwrap());
    }
    Network::new().send(request).await.unwrap()
}

pub async fn get(url: &str) -> Response<Bytes> {
    send(Method::GET, url, &[], Bytes::new()).await
}

/// Where the API leads somebody.
pub fn location(headers: &HeaderMap) -> String {
    headers[header::LOCATION].to_str().unwrap().to_owned()
}

/// Asks for an import of so many bytes; the answer.
pub async fn ask(client: &ApiClient, key: &str, bytes: usize) -> Value {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (IDEMPOTENCY_KEY, HeaderValue::from_str(key).unwrap()),
    ];
    let body = json!({ "file_name": "course.tar.gz", "bytes": bytes }).to_string();
    let answer = client.send(Method::POST, "/api/v1/authoring/imports", &headers, body.into()).await.unwrap();
    answer.expect(http::StatusCode::CREATED).unwrap()
}

/// Sends a file as the answer to [`ask`] says.
pub async fn upload(upload: &Value, content: Bytes) -> Response<Bytes> {
    let content_type = upload["headers"]["content-type"].as_str().unwrap();
    send(Method::PUT, upload["url"].as_str().unwrap(), &[(header::CONTENT_TYPE, content_type)], content).await
}

/// Asks how far a job is until it has ended; how it ended, and which messages there were.
pub async fn ended(client: &ApiClient, job: &str) -> (Value, Vec<String>) {
    let mut messages = Vec::new();
    for _ in 0..600 {
        let answer = client.get(&format!("/api/v1/authoring/jobs/{job}")).await.unwrap();
        let job = answer.expect(http::StatusCode::OK).unwrap();
        if job["state"] == "done" || job["state"] == "failed" {
            return (job, messages);
        }
        let message = job["message"].as_str().unwrap().to_owned();
        if messages.last() != Some(&message) {
            messages.push(message);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the job does not end: {messages:?}");
}
