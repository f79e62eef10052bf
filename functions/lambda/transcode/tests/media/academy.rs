//! An academy with a video that waits to be transcoded.

use akademi_api::{
    Ports,
    ports::{Clock, Log, Rng},
};
use akademi_domain::{
    ids::{AssetId, CourseId, JobId, LessonId, ModuleId, SectionId, TenantId},
    time::Timestamp,
};
use akademi_lambda_store::{
    jobs::{self, JobStatus, NewJob},
    media::{TRANSCODE, TranscodeOrder},
    object_key::ObjectKey,
    objects::Objects,
    testing::TestDatabase,
};
use akademi_transcode::{Limits, Manifest, job::Transcode, parts::PART_MS};
use futures::TryStreamExt;
use serde_json::{Value, json};
use sqlx::types::Json;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

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

pub struct World {
    pub database: TestDatabase,
    fixed: Arc<Fixed>,
    pub files: tempfile::TempDir,
    pub transcode: Transcode,
    pub tenant: TenantId,
    pub course: CourseId,
    pub lessons: [LessonId; 2],
}

#[derive(Debug, sqlx::FromRow)]
pub struct Asset {
    pub state: String,
    pub failure: Option<String>,
    pub playback_key: Option<String>,
    pub manifest: Option<Json<Manifest>>,
    pub duration_ms: Option<i64>,
    pub content_key: Option<Vec<u8>>,
}

impl World {
    pub async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let fixed = Arc::new(Fixed::default());
        let files = tempfile::tempdir().unwrap();
        let transcode = Transcode {
            ports: Ports::new(fixed.clone(), fixed.clone(), fixed.clone()),
            postgres: database.postgres().clone(),
            objects: Objects::local(files.path()).unwrap(),
            program: Some(PathBuf::from(env!("CARGO_BIN_EXE_transcode-child"))),
            limits: Limits::default(),
            part_ms: PART_MS,
        };
        let ids = |n: u8| [n; 10];
        let lessons = [LessonId::new(NOW, ids(1)), LessonId::new(NOW, ids(2))];
        let (tenant, course) = (TenantId::new(NOW, ids(3)), CourseId::new(NOW, ids(4)));
        Self { database, fixed, files, transcode, tenant, course, lessons }
    }

    /// A draft of two videos, the first one of this content; the asset and its job.
    pub async fn with_video(&self, content: Vec<u8>) -> (AssetId, JobId) {
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

    pub fn pass_seconds(&self, seconds: i64) {
        self.fixed.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    pub async fn job(&self, id: JobId) -> JobStatus {
        let mut tx = self.database.postgres().tenant(self.tenant).await.unwrap();
        jobs::find_job(&mut tx, id).await.unwrap().unwrap()
    }

    pub async fn asset(&self, id: AssetId) -> Asset {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_as("SELECT state, failure, playback_key, manifest, duration_ms, content_key FROM asset WHERE id = $1")
            .bind(id.as_uuid())
            .fetch_one(&mut superuser)
            .await
            .unwrap()
    }

    /// The lengths that the draft's lessons have, and its revision.
    pub async fn draft(&self) -> (Vec<Option<u64>>, i64) {
        let mut superuser = self.database.superuser().await.unwrap();
        let (structure, revision): (Value, i64) =
            sqlx::query_as("SELECT structure, revision FROM course_draft")
                .fetch_one(&mut superuser)
                .await
                .unwrap();
        let lessons = structure[0]["sections"][0]["lessons"].as_array().unwrap();
        (lessons.iter().map(|lesson| lesson["duration_seconds"].as_u64()).collect(), revision)
    }

    /// How many plans and parts are kept.
    pub async fn left_of_parts(&self) -> i64 {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM transcode_plan) + (SELECT count(*) FROM transcode_part)",
        )
        .fetch_one(&mut superuser)
        .await
        .unwrap()
    }

    /// How many jobs of parts are in this state.
    pub async fn count_part_jobs(&self, state: &str) -> i64 {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar("SELECT count(*) FROM job WHERE kind = 'transcode_part' AND state = $1")
            .bind(state)
            .fetch_one(&mut superuser)
            .await
            .unwrap()
    }

    /// Whether a statement waits for a row that another transaction has locked.
    pub async fn is_waiting(&self) -> bool {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity
                            WHERE datname = current_database() AND wait_event_type = 'Lock')",
        )
        .fetch_one(&mut superuser)
        .await
        .unwrap()
    }

    /// What the job does that runs.
    pub async fn running_message(&self) -> Option<String> {
        let mut superuser = self.database.superuser().await.unwrap();
        sqlx::query_scalar("SELECT message FROM job WHERE state = 'running'")
            .fetch_optional(&mut superuser)
            .await
            .unwrap()
    }

    /// The academy wants its videos encrypted from now on.
    pub async fn encrypt(&self) {
        let mut tx = self.database.postgres().tenant(self.tenant).await.unwrap();
        sqlx::query("INSERT INTO video_settings (tenant_id, encrypted, updated_at) VALUES ($1, true, 0)")
            .bind(self.tenant.as_uuid())
            .execute(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// What is below the asset's folder, by path.
    pub async fn transcoded(&self, asset: AssetId) -> Vec<(String, u64)> {
        let folder = ObjectKey::new(self.tenant, ["media", &asset.to_string()]).unwrap();
        let listed: Vec<_> = self.transcode.objects.list(&folder).try_collect().await.unwrap();
        let prefix = format!("{folder}/");
        let mut listed: Vec<_> =
            listed.into_iter().map(|(key, size)| (key.as_str().replacen(&prefix, "", 1), size)).collect();
        listed.sort();
        listed
    }
}
