//! A local deployment with its two demo academies.

use akademi_edge_store::{Platform, PlatformSql};
use akademi_lambda_store::testing::TestDatabase;
use akademi_local::{
    api_client::ApiClient,
    demo,
    http_client::Network,
    local::{Local, Options},
    ports::WriteLog,
};
use akademi_passkeys_tests::{Authenticator, Saying};
use akademi_sync::Trigger;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

pub const LEARNER: &str = "ogrenci@umraniye.example";
pub const TEACHER: &str = "egitmen@umraniye.example";
const STAFF: &str = "yonetici@umraniye.example";

pub struct World {
    pub local: Local,
    _database: TestDatabase,
    _folder: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let local = Local::start(Options {
            data: folder.path().to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            postgres: database.postgres().clone(),
            log: Arc::new(WriteLog::new(std::io::sink())),
            sync_interval: Duration::from_secs(3600),
            password_attempts: 10_000,
            transcode_program: None,
        })
        .await
        .unwrap();
        for academy in &demo::ACADEMIES {
            demo::make_people(&local, academy).await.unwrap();
        }
        local.lambda.sync.handle(Trigger::Wake).await.unwrap();
        Self { local, _database: database, _folder: folder }
    }

    pub fn origin(&self, academy: &str) -> String {
        format!("http://{academy}.localhost:{}", self.local.address.port())
    }

    pub fn somebody(&self, academy: &str) -> ApiClient {
        ApiClient::new(Network::new(), self.origin(academy))
    }

    pub async fn signed_in(&self, email: &str) -> ApiClient {
        self.somebody("umraniye").sign_in(email, demo::PASSWORD).await.unwrap()
    }

    /// A passkey of a learner, who is signed in.
    pub async fn with_passkey(&self) -> (ApiClient, Authenticator) {
        let learner = self.signed_in(LEARNER).await;
        let options = creation(&learner).await;
        let mut authenticator = Authenticator::new(&options).unwrap();
        let shown = authenticator.create(&self.honest(&options));
        let (status, told) = add(&learner, "Telefonum", &shown).await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
        (learner, authenticator)
    }

    pub fn honest(&self, options: &Value) -> Saying {
        Saying::honest(&self.origin("umraniye"), options).unwrap()
    }

    /// What somebody is told who signs in as `change` has it.
    pub async fn sign_in(
        &self,
        authenticator: &mut Authenticator,
        change: impl FnOnce(&mut Saying),
    ) -> (StatusCode, Value) {
        let somebody = self.somebody("umraniye");
        let mut saying = self.honest(&request(&somebody).await);
        change(&mut saying);
        show(&somebody, &authenticator.get(&saying).unwrap()).await
    }

    /// What stands in the audit log.
    pub async fn audited(&self) -> Vec<String> {
        self.local.lambda.sync.handle(Trigger::Wake).await.unwrap();
        let staff = self.signed_in(STAFF).await;
        let listed = staff.get("/api/v1/audit?limit=100").await.unwrap().expect(StatusCode::OK).unwrap();
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
}

async fn post(client: &ApiClient, path: &str, body: &Value) -> (StatusCode, Value) {
    let answer = client.send_json(Method::POST, path, body).await.unwrap();
    (answer.status, answer.json().unwrap_or(Value::Null))
}

/// Options to add a passkey.
pub async fn creation(client: &ApiClient) -> Value {
    let (status, options) = post(client, "/api/v1/users/me/passkeys/options", &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{options}");
    options
}

pub async fn add(client: &ApiClient, name: &str, credential: &Value) -> (StatusCode, Value) {
    let body = json!({ "name": name, "credential": credential });
    post(client, "/api/v1/users/me/passkeys", &body).await
}

/// Options to sign in.
pub async fn request(client: &ApiClient) -> Value {
    let (status, options) = post(client, "/api/v1/auth/passkey/options", &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{options}");
    options
}

pub async fn show(client: &ApiClient, credential: &Value) -> (StatusCode, Value) {
    post(client, "/api/v1/auth/passkey", &json!({ "credential": credential })).await
}

/// A problem's slug.
pub fn slug(told: &Value) -> &str {
    told["type"].as_str().and_then(|kind| kind.rsplit('/').next()).unwrap_or_default()
}
