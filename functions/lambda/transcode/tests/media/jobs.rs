//! Videos in storage become HLS in storage, and the lessons that play them learn their length.

use akademi_api::{
    Ports,
    ports::{Clock, Log, Rng},
};
use akademi_domain::{
    ids::{AssetId, CourseId, JobId, LessonId, ModuleId, SectionId, TenantId},
    time::Timestamp,
};
use akademi_lambda_store::{
    jobs::{self, JobState, JobStatus, NewJob},
    media::{TRANSCODE, TranscodeOrder},
    object_key::ObjectKey,
    objects::Objects,
    testing::TestDatabase,
};
use akademi_transcode::{Limits, Manifest, job::Transcode};
use futures::TryStreamExt;
use serde_json::{Value, json};
use sqlx::types::Json;
use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::oracle::{ffmpeg, real_file};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Stands until a test lets seconds pass; also gives ids that differ, and keeps no log.
#[derive(Default)]
struct Fixed {
    seconds: AtomicI64,
    count: AtomicU64,
}

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        NOW.plus_seconds(self.seconds.load(Ordering::Relaxed))
    }
}

impl Rng for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().rev().zip(count.iter().rev()).for_each(|(byte, count)| *byte = *count);
    }
}

impl Log for Fixed {
    fn line(&self, _: &str) {}
}

struct World {
    database: TestDatabase,
    fixed: Arc<Fixed>,
    files: tempfile::TempDir,
    transcode: Transcode,
    tenant: TenantId,
    course: CourseId,
    lessons: [LessonId; 2],
}

#[derive(Debug, sqlx::FromRow)]
struct Asset {
    state: String,
    failure: Option<String>,
    playback_key: Option<String>,
    manifest: Option<Json<Manifest>>,
    duration_ms: Option<i64>,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let fixed = Arc::new(Fixed::default());
        let files = tempfile::tempdir().unwrap();
        let transcode = Transcode {
            ports: Ports::new(fixed.clone(), fixed.clone(), fixed.clone()),
            postgres: database.postgres().clone(),
            objects: Objects::local(files.path()).unwrap(),
            program: Some(PathBuf::from(env!("CARGO_BIN_EXE_transcode-child"))),
            limits: Limits::default(),
        };
        let ids = |n: u8| [n; 10];
        let lessons = [LessonId::new(NOW, ids(1)), LessonId::new(NOW, ids(2))];
        let (tenant, course) = (TenantId::new(NOW, ids(3)), CourseId::new(NOW, ids(4)));
        Self { database, fixed, files, transcode, tenant, course, lessons }
    }

    /// A draft of two videos, the first one of this content; the asset and its job.
    async fn with_video(&self, content: Vec<u8>) -> (AssetId, JobId) {
        let (asset, job) = (AssetId::new(NOW, [5; 10]), JobId::new(NOW, [6; 10]));
        let key = ObjectKey::new(self.tenant, ["imports", "x", "1", "film"]).unwrap();
        let video = "video/mp4".parse().unwrap();
        self.transcode.objects.put(&key, &video, content.into()).await.unwrap();
        let outline = self.lessons.map(|id| {
            json!({ "id": id, "title": "İzle", "kind": "video", "duration_seconds": null, "requirement": null })
        });
        let structure = json!([{ "id": ModuleId::new(NOW, [7; 10]), "title": "M", "sections":
            [{ "id": SectionId::new(NOW, [8; 10]), "title": "S", "lessons": outline }] }]);
        let mut tx = self.database.postgres().tenant(self.tenant).await.unwrap();
        sqlx::query(
            "INSERT INTO course_draft (tenant_id, id, slug, title, summary, structure, revision, published_version,
                                       owner_id, created_at, updated_at)
             VALUES ($1, $2, 'a', 'A', '', $3, 1, 0, $2, 0, 0)",
        )
        .bind(self.tenant.as_uuid())
        .bind(self.course.as_uuid())
        .bind(structure)
        .execute(tx.connection())
        .await
        .unwrap();
        for (lesson, asset) in self.lessons.iter().zip([asset, AssetId::new(NOW, [9; 10])]) {
            sqlx::query("INSERT INTO lesson_draft (tenant_id, course_id, id, body) VALUES ($1, $2, $3, $4)")
                .bind(self.tenant.as_uuid())
                .bind(self.course.as_uuid())
                .bind(lesson.as_uuid())
                .bind(json!({ "kind": "video", "source": { "from": "asset", "asset": asset },
                              "start_seconds": null, "end_seconds": null, "subtitles": [] }))
                .execute(tx.connection())
                .await
                .unwrap();
        }
        sqlx::query(
            "INSERT INTO asset (tenant_id, id, course_id, path, content_type, bytes, sha256, object_key, state,
                                created_at, updated_at)
             VALUES ($1, $2, $3, 'film.mp4', 'video/mp4', 1, $4, $5, 'transcoding', 0, 0)",
        )
        .bind(self.tenant.as_uuid())
        .bind(asset.as_uuid())
        .bind(self.course.as_uuid())
        .bind([0_u8; 32].as_slice())
        .bind(key.as_str())
        .execute(tx.connection())
        .await
        .unwrap();
        let new = NewJob {
            id: job,
            kind: TRANSCODE,
            dedupe_key: None,
            payload: &serde_json::to_value(TranscodeOrder { asset }).unwrap(),
            max_attempts: 3,
            run_after: NOW,
        };
        jobs::enqueue(&mut tx, &new, NOW).await.unwrap();
        tx.commit().await.unwrap();
        (asset, job)
    }

    fn pass_seconds(&self, seconds: i64) {
        self.fixed.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    async fn job(&self, id: JobId) -> JobStatus {
        let mut tx = self.database.postgres().tenant(self.tenant).await.unwrap();
        jobs::find_job(&mut tx, id).await.unwrap().unwrap()
    }

    async fn asset(&self, id: AssetId) -> Asset {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_as("SELECT state, failure, playback_key, manifest, duration_ms FROM asset WHERE id = $1")
            .bind(id.as_uuid())
            .fetch_one(&mut superuser)
            .await
            .unwrap()
    }

    /// The lengths that the draft's lessons have, and its revision.
    async fn draft(&self) -> (Vec<Option<u64>>, i64) {
        let mut superuser = self.database.superuser().await.unwrap();
        let (structure, revision): (Value, i64) =
            sqlx::query_as("SELECT structure, revision FROM course_draft")
                .fetch_one(&mut superuser)
                .await
                .unwrap();
        let lessons = structure[0]["sections"][0]["lessons"].as_array().unwrap();
        (lessons.iter().map(|lesson| lesson["duration_seconds"].as_u64()).collect(), revision)
    }

    /// What is below the asset's folder, by path.
    async fn transcoded(&self, asset: AssetId) -> Vec<(String, u64)> {
        let folder = ObjectKey::new(self.tenant, ["media", &asset.to_string()]).unwrap();
        let listed: Vec<_> = self.transcode.objects.list(&folder).try_collect().await.unwrap();
        let prefix = format!("{folder}/");
        let mut listed: Vec<_> =
            listed.into_iter().map(|(key, size)| (key.as_str().replacen(&prefix, "", 1), size)).collect();
        listed.sort();
        listed
    }
}

#[tokio::test]
async fn a_video_becomes_ready_with_its_files_and_its_lessons_learn_its_length() {
    for (file, duration_ms, renditions) in [("bikes.mp4", 10_000, 2), ("bigbuckbunny.mp4", 5_280, 3)] {
        let world = World::new().await;
        let (asset, job) = world.with_video(fs::read(real_file(file)).unwrap()).await;
        assert!(world.transcode.run_next().await.unwrap());
        let ready = world.asset(asset).await;
        assert_eq!((ready.state.as_str(), ready.failure), ("ready", None));
        assert_eq!(ready.duration_ms, Some(duration_ms));
        let Json(manifest) = ready.manifest.unwrap();
        assert_eq!(manifest.renditions.len(), renditions);
        let folder = ObjectKey::new(world.tenant, ["media", &asset.to_string(), "1"]).unwrap();
        assert_eq!(ready.playback_key.as_deref(), Some(folder.as_str()));
        let mut expected: Vec<_> =
            manifest.files.iter().map(|file| (format!("1/{}", file.path), file.bytes)).collect();
        expected.sort();
        assert_eq!(world.transcoded(asset).await, expected);
        for file in &manifest.files {
            let key = file.path.split('/').fold(folder.clone(), |key, part| key.join(part).unwrap());
            let info = world.transcode.objects.head(&key).await.unwrap();
            assert_eq!(info.content_type.as_str(), file.content_type, "{}", file.path);
        }
        let done = world.job(job).await;
        assert_eq!((done.state, done.progress_permille), (JobState::Done, 1000));
        let result = done.result.unwrap();
        assert_eq!(
            (&result["duration_ms"], &result["bytes"]),
            (&json!(duration_ms), &json!(manifest.bytes()))
        );
        // The lesson of another video learns nothing.
        assert_eq!(world.draft().await, (vec![Some(duration_ms as u64 / 1000), None], 2));
        assert!(!world.transcode.run_next().await.unwrap());
        println!("{file}: {} files, {} bytes", manifest.files.len(), manifest.bytes());
    }
}

#[tokio::test]
async fn what_is_no_video_fails_at_once_with_its_reason_and_leaves_nothing() {
    let film = fs::read(real_file("bikes.mp4")).unwrap();
    for (content, reason) in [
        (b"not a video at all".to_vec(), "the file is not a video in a container that is supported"),
        (Vec::new(), "the file is empty"),
        (film[..film.len() / 2].to_vec(), "the video is cut off or damaged"),
    ] {
        let world = World::new().await;
        let (asset, job) = world.with_video(content).await;
        assert!(world.transcode.run_next().await.unwrap());
        let failed = world.asset(asset).await;
        assert_eq!((failed.state.as_str(), failed.manifest.is_none()), ("failed", true));
        let told = world.job(job).await;
        assert_eq!(told.state, JobState::Failed);
        assert!(told.message.starts_with(reason), "{}", told.message);
        assert_eq!(failed.failure, Some(told.message));
        assert_eq!(world.transcoded(asset).await, []);
        assert_eq!(world.draft().await, (vec![None, None], 1));
        world.pass_seconds(3600);
        assert!(!world.transcode.run_next().await.unwrap());
    }
}

#[tokio::test]
async fn a_worker_that_vanishes_is_replaced_and_its_files_go() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("long.mp4");
    let bunny = real_file("bigbuckbunny.mp4");
    ffmpeg(&["-stream_loop", "2", "-i", bunny.to_str().unwrap(), "-c", "copy", film.to_str().unwrap()]);
    let (asset, job) = world.with_video(fs::read(&film).unwrap()).await;
    // What an attempt left that was killed while it stored.
    let left = ObjectKey::new(world.tenant, ["media", &asset.to_string(), "1", "master.m3u8"]).unwrap();
    world.transcode.objects.put(&left, &"text/plain".parse().unwrap(), "x".into()).await.unwrap();
    {
        let mut worker = std::pin::pin!(world.transcode.run_next());
        loop {
            tokio::select! {
                ended = worker.as_mut() => panic!("it ended: {ended:?}"),
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
            let running = world.job(job).await;
            if running.message == "transcoding" && running.progress_permille > 50 {
                break;
            }
        }
    }
    assert_eq!(world.asset(asset).await.state, "transcoding");
    assert!(!world.transcode.run_next().await.unwrap(), "the lease holds");
    world.pass_seconds(61);
    assert!(world.transcode.run_next().await.unwrap());
    let ready = world.asset(asset).await;
    assert_eq!(ready.state, "ready");
    let transcoded = world.transcoded(asset).await;
    assert_eq!(transcoded.len(), ready.manifest.unwrap().files.len());
    assert!(transcoded.iter().all(|(path, _)| path.starts_with("2/")), "{transcoded:?}");
    assert!(world.files.path().exists());
}

#[tokio::test]
async fn a_video_that_every_worker_dies_of_is_given_up() {
    let world = World::new().await;
    let (asset, job) = world.with_video(b"x".to_vec()).await;
    for _ in 0..3 {
        let mut platform = world.database.postgres().platform().await.unwrap();
        let claimed = platform.claim_job(TRANSCODE, world.transcode.ports.now(), 1000).await.unwrap();
        platform.commit().await.unwrap();
        assert!(claimed.is_some());
        world.pass_seconds(2);
    }
    let left = ObjectKey::new(world.tenant, ["media", &asset.to_string(), "3", "master.m3u8"]).unwrap();
    world.transcode.objects.put(&left, &"text/plain".parse().unwrap(), "x".into()).await.unwrap();
    assert!(!world.transcode.run_next().await.unwrap());
    let failed = world.asset(asset).await;
    assert_eq!(failed.state, "failed");
    assert_eq!(failed.failure.as_deref(), Some("transcoding was begun too often without an end"));
    assert_eq!(world.job(job).await.state, JobState::Failed);
    assert_eq!(world.transcoded(asset).await, []);
}
