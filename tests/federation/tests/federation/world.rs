//! A local deployment with a demo academy, whose staff configures providers.

use akademi_edge_store::{Platform, PlatformSql};
use akademi_edge_world::Kept;
pub use akademi_edge_world::contains;
use akademi_lambda_store::testing::TestDatabase;
use akademi_local::{
    api_client::ApiClient,
    demo,
    http_client::Network,
    local::{Local, Options},
    ports::WriteLog,
};
use akademi_process::secrets;
use akademi_seal::Vault;
use akademi_sync::Trigger;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

use crate::browser::Browser;

pub const STAFF: &str = "yonetici@umraniye.example";
pub const LEARNER: &str = "ogrenci@umraniye.example";
pub const TEACHER: &str = "egitmen@umraniye.example";
pub const CLIENT_ID: &str = "akademi";
pub const CLIENT_SECRET: &str = "a secret: of the provider";

pub struct World {
    pub local: Local,
    pub database: TestDatabase,
    staff: ApiClient,
    folder: tempfile::TempDir,
    log: Kept,
}

impl World {
    /// `trusted` are the authorities of providers on this machine.
    pub async fn new(trusted: &[&str]) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut variables = secrets::load_or_create(folder.path()).unwrap();
        variables.insert("trusted_identity_providers".into(), trusted.join(","));
        let text = serde_json::to_vec(&variables).unwrap();
        std::fs::write(folder.path().join("secrets.json"), text).unwrap();
        let log = Kept::default();
        let local = Local::start(Options {
            data: folder.path().to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            postgres: database.postgres().clone(),
            log: Arc::new(WriteLog::new(log.clone())),
            sync_interval: Duration::from_secs(3600),
            password_attempts: 10_000,
            transcode_program: None,
        })
        .await
        .unwrap();
        demo::make_people(&local, &demo::ACADEMIES[0]).await.unwrap();
        local.lambda.sync.handle(Trigger::Wake).await.unwrap();
        let staff =
            ApiClient::new(Network::new(), format!("http://umraniye.localhost:{}", local.address.port()));
        let staff = staff.sign_in(STAFF, demo::PASSWORD).await.unwrap();
        Self { local, database, staff, folder, log }
    }

    pub fn address(&self) -> String {
        format!("http://umraniye.localhost:{}", self.local.address.port())
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.address())
    }

    pub async fn configure(&self, provider: &str, settings: Value) -> (StatusCode, Value) {
        let body = json!({ "name": format!("With {provider}"), "settings": settings });
        self.administer(Method::PUT, provider, body).await
    }

    pub async fn administer(&self, method: Method, provider: &str, body: Value) -> (StatusCode, Value) {
        let path = format!("/api/v1/academy/identity-providers/{provider}");
        let answer = self.staff.send_json(method, &path, &body).await.unwrap();
        self.carry().await;
        (answer.status, answer.json().unwrap_or(Value::Null))
    }

    pub async fn listed(&self) -> Value {
        self.staff.get("/api/v1/academy/identity-providers").await.unwrap().expect(StatusCode::OK).unwrap()
    }

    /// What is configured there.
    pub async fn with_oidc(&self, provider: &str, issuer: &str) {
        let (status, said) = self.configure(provider, oidc(issuer)).await;
        assert_eq!(status, StatusCode::OK, "{said}");
    }

    pub async fn carry(&self) {
        self.local.lambda.sync.handle(Trigger::Wake).await.unwrap();
    }

    /// What stands in the audit log.
    pub async fn audited(&self) -> Vec<String> {
        let listed = self.staff.get("/api/v1/audit?limit=100").await.unwrap().expect(StatusCode::OK).unwrap();
        let entries = listed["data"].as_array().unwrap();
        entries.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        let platform = Platform::new(self.local.edge.database.as_ref());
        let row = platform.row(PlatformSql::new(sql).with([])).await.unwrap();
        row.unwrap().integer(0).unwrap()
    }

    pub async fn execute(&self, sql: &'static str) {
        let platform = Platform::new(self.local.edge.database.as_ref());
        platform.batch(vec![PlatformSql::new(sql).with([])]).await.unwrap();
    }

    /// What seals personal data at the edge.
    pub fn vault(&self) -> Vault {
        let variables = secrets::load_or_create(self.folder.path()).unwrap();
        Vault::from_config(&variables["edge_master_key"]).unwrap()
    }

    /// The kinds of mail that people were written.
    pub async fn mailed(&self) -> Vec<String> {
        let listed = self.staff.get("/api/v1/mails?limit=100").await.unwrap().expect(StatusCode::OK).unwrap();
        let mails = listed["data"].as_array().unwrap();
        mails.iter().map(|mail| mail["kind"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub fn logged(&self) -> String {
        String::from_utf8(self.log.bytes()).unwrap()
    }

    /// All that was logged, and all bytes of the edge store.
    pub fn kept(&self) -> Vec<u8> {
        let mut bytes = self.logged().into_bytes();
        for name in ["edge.sqlite", "edge.sqlite-wal"] {
            bytes.extend(std::fs::read(self.folder.path().join(name)).unwrap_or_default());
        }
        bytes
    }
}

pub fn oidc(issuer: &str) -> Value {
    json!({ "kind": "oidc", "issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET })
}
