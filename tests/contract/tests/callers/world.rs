//! The local host with the people of the demo, and tokens of any permissions.

use akademi_api::Caller;
use akademi_domain::permission::Permissions;
use akademi_edge_store::{Platform, PlatformSql};
use akademi_lambda_store::testing::TestDatabase;
use akademi_local::{
    api_client::ApiClient,
    demo,
    http_client::Network,
    local::{Local, Options},
    ports::WriteLog,
};
use std::{sync::Arc, time::Duration};

pub struct World {
    pub local: Local,
    pub academy: ApiClient,
    /// Somebody of that academy, whose session every caller shares.
    pub somebody: Caller,
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
        demo::make_people(&local, &demo::ACADEMIES[0]).await.unwrap();
        local.lambda.sync.handle(akademi_sync::Trigger::Wake).await.unwrap();
        let base = format!("http://umraniye.localhost:{}", local.address.port());
        let academy = ApiClient::new(Network::new(), base);
        academy.sign_in("yonetici@umraniye.example", demo::PASSWORD).await.unwrap();
        const SESSION: PlatformSql = PlatformSql::new(
            "SELECT tenant_id, person_id, id FROM session ORDER BY created_at DESC, id DESC LIMIT 1",
        );
        let row = Platform::new(local.edge.database.as_ref()).row(SESSION.with([])).await.unwrap().unwrap();
        let somebody = Caller {
            tenant: row.parse(0).unwrap(),
            user: row.parse(1).unwrap(),
            session: row.parse(2).unwrap(),
            permissions: Permissions::NONE,
        };
        Self { local, academy, somebody, _database: database, _folder: folder }
    }

    /// The session lives, and its owner has just proved who they are, whatever an earlier request did.
    pub async fn revive(&self) {
        const REVIVE: PlatformSql = PlatformSql::new(
            "UPDATE session SET revoked_at = NULL, rotated_at = ?1, created_at = ?1, authenticated_at = ?1",
        );
        let now = self.local.edge.ports.now();
        Platform::new(self.local.edge.database.as_ref())
            .batch(vec![REVIVE.with([now.into()])])
            .await
            .unwrap();
    }

    /// What either plane has told reaches the other.
    pub async fn sync(&self) {
        self.local.lambda.sync.handle(akademi_sync::Trigger::Wake).await.unwrap();
    }
}
