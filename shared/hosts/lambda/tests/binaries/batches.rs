//! Messages of queues.

use akademi_domain::{
    ids::{AssetId, JobId},
    permission::{Permission, Permissions},
    time::Timestamp,
};
use akademi_lambda_store::{
    jobs::{NewJob, enqueue},
    media::TRANSCODE,
};
use akademi_runtime_api::queue::Sent;
use http::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

use crate::{
    api_gateway::{Call, forward, json as body_of},
    events::batch,
    uploads::send,
    world::{Running, World, course, tenant},
};

const WAKE_SYNC: &str = r#"{"wake":"sync"}"#;
const WAKE_AUTHORING: &str = r#"{"wake":"authoring"}"#;
pub const WAKE_TRANSCODE: &str = r#"{"wake":"transcode"}"#;

async fn set_price(world: &World, amount: i64) {
    let payments = world.start(env!("CARGO_BIN_EXE_payments")).await;
    let target = format!("/api/v1/commerce/courses/{}/price", course());
    let body = json!({ "amount": amount, "currency": "TRY", "vat_basis_points": 2000 });
    let set = forward(world, &payments, Call::staff(Method::PUT, &target).body(body)).await;
    assert_eq!(set.status(), 200);
}

async fn invoke(running: &Running, event: Value) -> Value {
    running.api.invoke(event, 60).await.unwrap().response().unwrap()
}

fn again(ids: &[&str]) -> Value {
    let items: Vec<Value> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": items })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_understands_comes_again_alone() {
    let mut world = World::new().await;
    let _edge = world.serve_edge().await;
    set_price(&world, 14990).await;
    let sync = world.start(env!("CARGO_BIN_EXE_sync")).await;
    let event = batch(&[
        ("first", WAKE_SYNC),
        ("broken", "{"),
        ("strange", WAKE_TRANSCODE),
        ("unknown-field", r#"{"wake":"sync","tenant":"x"}"#),
        ("second", WAKE_SYNC),
    ]);
    assert_eq!(invoke(&sync, event).await, again(&["broken", "strange", "unknown-field"]));
    assert_eq!(world.price_at_edge(), Some(14990), "the others have carried the feed");
    assert_eq!(invoke(&sync, batch(&[("third", WAKE_SYNC)])).await, again(&[]));
    let log = sync.binary.log_with(r#""pushed":0"#).await.unwrap();
    let runs: Vec<&String> = log.iter().filter(|line| line.contains(r#""pushed":"#)).collect();
    assert_eq!(runs.len(), 2, "one run for each batch: {runs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_done_comes_again_whole_and_is_done_then() {
    let mut world = World::new().await;
    set_price(&world, 14990).await;
    let sync = world.start(env!("CARGO_BIN_EXE_sync")).await;
    let event = batch(&[("a", WAKE_SYNC), ("b", "?"), ("c", WAKE_SYNC)]);
    assert_eq!(invoke(&sync, event).await, again(&["b", "a", "c"]), "the edge is down");
    drop(sync);

    let _edge = world.serve_edge().await;
    let sync = world.start(env!("CARGO_BIN_EXE_sync")).await;
    for _ in 0..2 {
        assert_eq!(invoke(&sync, batch(&[("a", WAKE_SYNC), ("c", WAKE_SYNC)])).await, again(&[]));
        assert_eq!(world.price_at_edge(), Some(14990));
    }
}

/// Videos whose asset is gone: each is an attempt that fails for good.
async fn queue_videos(world: &World, count: u8) {
    let mut tx = world.database.postgres().tenant(tenant()).await.unwrap();
    for n in 0..count {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let payload = json!({ "asset": AssetId::new(now, [n; 10]) });
        let job = NewJob {
            id: JobId::new(now, [n; 10]),
            kind: TRANSCODE,
            dedupe_key: None,
            payload: &payload,
            max_attempts: 3,
            run_after: now,
        };
        enqueue(&mut tx, &job, now).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_has_all_waiting_jobs_done() {
    let world = World::new().await;
    queue_videos(&world, 3).await;
    let transcode = world.start(env!("CARGO_BIN_EXE_transcode")).await;
    assert_eq!(invoke(&transcode, batch(&[("a", WAKE_TRANSCODE)])).await, again(&[]));
    assert_eq!(world.texts("SELECT state FROM job").await, ["failed"; 3]);
    assert_eq!(world.queues.take(), [], "nothing is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_time_is_short_another_invocation_goes_on() {
    let world = World::new().await;
    queue_videos(&world, 3).await;
    let transcode = world.start(env!("CARGO_BIN_EXE_transcode")).await;
    transcode.api.first_poll().await.unwrap();
    // The deadline is over as the event arrives; Lambda would have ended the process.
    let outcome = transcode.api.invoke_late(batch(&[("a", WAKE_TRANSCODE)])).await.unwrap();
    assert_eq!(outcome.response().unwrap(), again(&[]));
    assert_eq!(world.number("SELECT count(*) FROM job WHERE state = 'queued'").await, 2, "one was done");
    let wake = Sent { queue: "videos".into(), body: WAKE_TRANSCODE.into(), delay_seconds: 0 };
    assert_eq!(world.queues.take(), [wake]);
}

/// A file of the folder with real courses and videos.
pub fn data(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
    let folder = std::env::var_os("AKADEMI_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    folder.join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_course_and_its_video_go_from_the_bucket_to_the_bucket() {
    let world = World::new().await;
    let archive = std::fs::read(data("openedx-demo-course.tar.gz")).unwrap();
    let authoring = world.start(env!("CARGO_BIN_EXE_authoring")).await;
    let author = |target, body| Call {
        permissions: Permissions::NONE.with(Permission::CoursesWrite),
        idempotency_key: Some("import"),
        body,
        ..Call::staff(Method::POST, target)
    };
    let new = json!({ "file_name": "course.tar.gz", "bytes": archive.len() });
    let made = forward(&world, &authoring, author("/api/v1/authoring/imports", Some(new))).await;
    assert_eq!(made.status(), 201, "{:?}", made.body());
    let made = body_of(&made);
    assert_eq!(send(&made["upload"], &archive).await.status(), 200);
    let start = format!("/api/v1/authoring/imports/{}/start", made["job"].as_str().unwrap());
    world.queues.take();
    let started = forward(&world, &authoring, author(&start, None)).await;
    assert_eq!(started.status(), 202, "{:?}", started.body());
    assert!(at_once(&world).iter().any(|sent| sent.queue == "imports" && sent.body == WAKE_AUTHORING));

    assert_eq!(invoke(&authoring, batch(&[("a", WAKE_AUTHORING)])).await, again(&[]));
    assert_eq!(world.texts("SELECT state FROM job WHERE kind = 'olx_import'").await, ["done"]);
    let assets = world.number("SELECT count(*) FROM asset").await;
    let files = world.bucket.objects().unwrap().len();
    assert_eq!(i64::try_from(files).unwrap(), assets, "the archive is gone, the files are there");
    let wake = Sent { queue: "videos".into(), body: WAKE_TRANSCODE.into(), delay_seconds: 0 };
    assert!(at_once(&world).contains(&wake));

    let transcode = world.start(env!("CARGO_BIN_EXE_transcode")).await;
    let video = transcode.api.invoke(batch(&[("a", WAKE_TRANSCODE)]), 300).await.unwrap();
    assert_eq!(video.response().unwrap(), again(&[]));
    assert_eq!(world.texts("SELECT state FROM job WHERE kind = 'transcode'").await, ["done"]);
    let objects = world.bucket.objects().unwrap();
    let playlists = objects.values().filter(|kind| *kind == "application/vnd.apple.mpegurl").count();
    assert!(playlists >= 2, "master and renditions: {playlists}");
}

/// The messages that were not delayed.
fn at_once(world: &World) -> Vec<Sent> {
    world.queues.take().into_iter().filter(|sent| sent.delay_seconds == 0).collect()
}
