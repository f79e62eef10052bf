//! The journey on a fresh local deployment with the demo academies, and what it leaves behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_journey::{Academy, walk};
use akademi_lambda_store::testing::TestDatabase;
use akademi_local::{
    api_client::ApiClient,
    demo,
    http_client::Network,
    local::{Local, Options},
    paytr_sandbox,
    ports::WriteLog,
};
use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

/// A log that the test can read.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_learner_walks_from_registration_to_a_completed_course() {
    let database = TestDatabase::new().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = Memory::default();
    let local = Local::start(Options {
        data: folder.path().to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        postgres: database.postgres().clone(),
        log: Arc::new(WriteLog::new(log.clone())),
        sync_interval: Duration::from_millis(300),
        transcode_program: None,
    })
    .await
    .unwrap();
    assert_eq!(demo::seed(&local, &|_| {}).await.unwrap(), 2);
    assert_eq!(demo::seed(&local, &|_| {}).await.unwrap(), 0, "a second start makes nothing twice");

    let (sandbox, _running) = akademi_paytr_sandbox::serve(
        "127.0.0.1:0".parse().unwrap(),
        akademi_paytr_sandbox::Config::default(),
    )
    .await
    .unwrap();
    paytr_sandbox::connect(&local, &format!("http://{sandbox}")).await.unwrap();

    let [umraniye, kadikoy] = &demo::ACADEMIES;
    let base = |host: String| format!("http://{host}:{}", local.address.port());
    let academy = Academy {
        api: ApiClient::new(Network::new(), base(umraniye.host())),
        other: ApiClient::new(Network::new(), base(kadikoy.host())),
        administrator: ("yonetici@umraniye.example".into(), demo::PASSWORD.into()),
        instructor: ("egitmen@umraniye.example".into(), demo::PASSWORD.into()),
    };
    let report = walk(&academy).await;
    assert_eq!(report.failed(), 0, "{report:#?}");
    assert!(report.passed() >= 25, "{report:#?}");

    local.lambda.sync.handle(akademi_sync::Trigger::Wake).await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let counts: Vec<i64> = sqlx::query_scalar(
        "SELECT unnest(ARRAY[(SELECT count(*) FROM person),
             (SELECT count(*) FROM enrolment), (SELECT count(*) FROM enrolment WHERE completed_at IS NOT NULL),
             (SELECT count(*) FROM payment WHERE state = 'captured'),
             (SELECT count(*) FROM payment_alarm)])",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    // Six people of the demo and the learner; one paid and completed course; nothing to be alarmed of.
    assert_eq!(counts, [7, 1, 1, 1, 0]);
    local.stop().await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.lines().count() > 30);
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("every line is JSON");
    }
    for secret in
        ["Çağlayangöl", "example.org", "umraniye.example", demo::PASSWORD, "parolası", "eyJ", "Bearer"]
    {
        assert!(!log.contains(secret), "the log holds {secret:?}");
    }
}
