//! The journey on a fresh local deployment with the demo academies, and what it leaves behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use akademi_domain::permission::Role;
use akademi_journey::{Academy, walk};
use akademi_lambda_store::testing::TestDatabase;
use akademi_local::{
    api_client::ApiClient,
    demo,
    http_client::Network,
    local::{Local, Options},
    payment_sandbox,
    ports::WriteLog,
};
use std::{
    io::Write,
    path::{Path, PathBuf},
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

/// A course that nobody on this project made; its absence is a failure.
fn real_course() -> bytes::Bytes {
    let folder = std::env::var_os("AKADEMI_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join("openedx-demo-course.tar.gz");
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; set AKADEMI_DATA", path.display()))
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_learner_walks_from_a_real_course_to_a_certificate_that_is_revoked() {
    let database = TestDatabase::new().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = Memory::default();
    let local = Local::start(Options {
        data: folder.path().to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        postgres: database.postgres().clone(),
        log: Arc::new(WriteLog::new(log.clone())),
        sync_interval: Duration::from_millis(300),
        password_attempts: 10_000,
        transcode_program: Some(env!("CARGO_BIN_EXE_akademi-transcode-child").into()),
    })
    .await
    .unwrap();
    assert_eq!(demo::seed(&local, &|_| {}).await.unwrap(), 2);
    assert_eq!(demo::seed(&local, &|_| {}).await.unwrap(), 0, "a second start makes nothing twice");

    let (sandbox, _running) = akademi_payment_sandbox::serve(
        "127.0.0.1:0".parse().unwrap(),
        akademi_payment_sandbox::Config::default(),
    )
    .await
    .unwrap();
    payment_sandbox::connect(&local, &format!("http://{sandbox}")).await.unwrap();

    let [umraniye, kadikoy] = &demo::ACADEMIES;
    let base = |host: String| format!("http://{host}:{}", local.address.port());
    // The first is paid at PayTR, the second at iyzico.
    for (ours, other) in [(umraniye, kadikoy), (kadikoy, umraniye)] {
        let staff = |role: Role| {
            let (_, email) = ours.sign_ins().find(|(theirs, _)| *theirs == role.name()).unwrap();
            (email.to_owned(), demo::PASSWORD.into())
        };
        let academy = Academy {
            api: ApiClient::new(Network::new(), base(ours.host())),
            other: ApiClient::new(Network::new(), base(other.host())),
            administrator: staff(Role::TenantAdmin),
            instructor: staff(Role::Instructor),
            archive: real_course(),
        };
        let report = walk(&academy).await;
        let errors = log.0.lock().unwrap().clone();
        let errors = String::from_utf8(errors).unwrap();
        let errors: Vec<&str> = errors.lines().filter(|line| line.contains("error")).collect();
        assert_eq!(report.failed(), 0, "{}: {report:#?}\n{errors:#?}", ours.slug);
        assert!(report.passed() >= 35, "{report:#?}");
    }

    local.lambda.sync.handle(akademi_sync::Trigger::Wake).await.unwrap();
    let mut superuser = database.superuser().await.unwrap();
    let counts: Vec<i64> = sqlx::query_scalar(
        "SELECT unnest(ARRAY[(SELECT count(*) FROM person),
             (SELECT count(*) FROM enrolment), (SELECT count(*) FROM enrolment WHERE completed_at IS NOT NULL),
             (SELECT count(*) FROM payment WHERE state = 'captured'), (SELECT sum(times)::bigint FROM payment_callback),
             (SELECT count(*) FROM reservation WHERE kind = 'coupon' AND state = 'confirmed'), (SELECT count(*) FROM certificate),
             (SELECT count(*) FROM payment_alarm)])",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    // Six people of the demo, the platform's operator and two learners; of each learner one enrolment, completed, one capture
    // though the provider called three times, one coupon use and one certificate; nothing to be alarmed of.
    assert_eq!(counts, [9, 2, 2, 2, 6, 2, 2, 0]);
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
