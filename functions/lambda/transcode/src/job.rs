//! The job: a video in storage becomes HLS in storage.
//!
//! The source goes to a temporary file and through [`child::run`]; what comes out is stored under `media/{asset}/{attempt}/`.
//! One transaction makes the asset ready, tells its length to the lessons of the draft that play it, and ends the job. The
//! attempt's number is the fence, as in every job: whoever lost the job takes away the files of its own attempt.

mod failure;
mod store;

use akademi_api::Ports;
use akademi_domain::{
    ids::{AssetId, CourseId, TenantId},
    watch::LessonDuration,
};
use akademi_lambda_store::{
    content_type::ContentType,
    error::StoreError,
    jobs::{self, ClaimedJob, JobState, JobStatus},
    media::{TRANSCODE, TranscodeOrder, Transcoded},
    object_key::{InvalidKey, ObjectKey},
    objects::{ObjectError, Objects},
    postgres::{Postgres, TenantTransaction},
};
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    fs,
    io::AsyncWriteExt,
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::{Limits, Manifest, ManifestFile, Progress, child};
use failure::{JobFailure, with_sources};
use store::Video;

/// A worker that is silent for so long has vanished.
const LEASE_MILLIS: i64 = 60_000;
/// How often progress is told, and the lease renewed.
const REPORT_EVERY: Duration = Duration::from_secs(2);
/// How many files are on their way to storage at once.
const FILES_IN_FLIGHT: usize = 4;
/// What the parts of the job are of the whole, in permille: reading the source, transcoding, storing.
const READ: u64 = 50;
const TRANSCODED: u64 = 950;

/// What the function stands on.
#[derive(Clone)]
pub struct Transcode {
    pub ports: Ports,
    pub postgres: Postgres,
    pub objects: Objects,
    /// The program whose `main` begins with [`child::main_if_child`]; none is this very program.
    pub program: Option<PathBuf>,
    pub limits: Limits,
}

impl Transcode {
    /// Takes the oldest video that is due, of any academy, and transcodes it; whether there was one.
    ///
    /// Dropped in between, it kills the child process and leaves the job to the next worker once the lease has run out.
    ///
    /// # Errors
    /// When the database does not answer, so that not even the failure could be kept.
    pub async fn run_next(&self) -> Result<bool, StoreError> {
        const VANISHED: &str = "transcoding was begun too often without an end";
        let now = self.ports.now();
        let mut platform = self.postgres.platform().await?;
        let mut abandoned = Vec::new();
        for (tenant, job) in platform.fail_abandoned_jobs(TRANSCODE, VANISHED, now).await? {
            let asset = store::fail_asset_of_job(platform.tenant(tenant).await?, job, VANISHED, now).await?;
            abandoned.extend(asset.map(|asset| (tenant, asset)));
        }
        let job = platform.claim_job(TRANSCODE, now, LEASE_MILLIS).await?;
        platform.commit().await?;
        for (tenant, asset) in abandoned {
            self.delete(folder(tenant, asset)).await;
        }
        let Some(job) = job else { return Ok(false) };
        match self.attempt(&job).await {
            Ok(asset) => {
                for earlier in 1..job.attempt {
                    self.delete(attempt_folder(job.tenant, asset, earlier)).await;
                }
            }
            Err(failure) => self.give_up(&job, &failure).await?,
        }
        Ok(true)
    }

    /// One attempt: all of it, or nothing but files in its own folder.
    async fn attempt(&self, job: &ClaimedJob) -> Result<AssetId, JobFailure> {
        let TranscodeOrder { asset } = order(job)?;
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let video = store::find_video(&mut tx, asset).await?.ok_or(JobFailure::Gone)?;
        tx.commit().await?;
        let (telling, told) = watch::channel(Told { permille: 0, doing: "reading the video" });
        tokio::select! {
            // In this order: telling of a job that has just been done fails.
            biased;
            done = self.transcode(job, asset, &video, telling) => done.map(|()| asset),
            // Whoever lost the job stops at once.
            lost = self.keep_telling(job, told) => Err(lost),
        }
    }

    async fn transcode(
        &self,
        job: &ClaimedJob,
        asset: AssetId,
        video: &Video,
        telling: watch::Sender<Told>,
    ) -> Result<(), JobFailure> {
        let workplace = tempfile::tempdir().map_err(JobFailure::Disk)?;
        let (source, output) = (workplace.path().join("source"), workplace.path().join("hls"));
        self.read_source(&video.key, &source).await?;
        let child = child::Job { program: self.program.clone(), source, output: output.clone() };
        let manifest = child::run(&child, &self.limits, |progress| {
            telling.send_replace(Told { permille: permille(progress), doing: "transcoding" });
        })
        .await?;
        telling.send_replace(Told { permille: TRANSCODED, doing: "storing the renditions" });
        let target = attempt_folder(job.tenant, asset, job.attempt)?;
        let storing: Vec<_> =
            manifest.files.iter().map(|file| self.store_file(&target, &output, file)).collect();
        stream::iter(storing).buffer_unordered(FILES_IN_FLIGHT).try_collect::<()>().await?;
        self.save(job, asset, video.course, &target, &manifest).await
    }

    async fn read_source(&self, key: &ObjectKey, target: &Path) -> Result<(), JobFailure> {
        let mut object = match self.objects.get(key).await {
            Err(ObjectError::NotFound) => return Err(JobFailure::Gone),
            object => object?,
        };
        let mut file = fs::File::create(target).await.map_err(JobFailure::Disk)?;
        while let Some(chunk) = object.bytes.next().await {
            file.write_all(&chunk?).await.map_err(JobFailure::Disk)?;
        }
        file.flush().await.map_err(JobFailure::Disk)
    }

    async fn store_file(
        &self,
        folder: &ObjectKey,
        output: &Path,
        file: &ManifestFile,
    ) -> Result<(), JobFailure> {
        let key = file.path.split('/').try_fold(folder.clone(), |key, part| key.join(part))?;
        let content_type: ContentType = file
            .content_type
            .parse()
            .map_err(|_| JobFailure::Defect(format!("{} has no type", file.path)))?;
        let bytes = fs::read(output.join(&file.path)).await.map_err(JobFailure::Disk)?;
        Ok(self.objects.put(&key, &content_type, bytes.into()).await?)
    }

    /// The one transaction that makes the video ready and ends the job.
    async fn save(
        &self,
        job: &ClaimedJob,
        asset: AssetId,
        course: CourseId,
        folder: &ObjectKey,
        manifest: &Manifest,
    ) -> Result<(), JobFailure> {
        let now = self.ports.now();
        let mut tx = self.postgres.tenant(job.tenant).await?;
        store::make_ready(&mut tx, asset, folder, manifest, now).await?;
        // A video of less than a second has no seconds to watch.
        if let Ok(duration) = LessonDuration::from_seconds(manifest.duration_ms as f64 / 1000.0) {
            self.tell_lessons(&mut tx, asset, course, duration.seconds()).await?;
        }
        let result = Transcoded {
            asset,
            duration_ms: manifest.duration_ms,
            renditions: manifest.renditions.len(),
            bytes: manifest.bytes(),
        };
        jobs::complete(&mut tx, job, &serde_json::to_value(result)?, now).await?;
        Ok(tx.commit().await?)
    }

    /// The lessons of the draft that play the asset get its length; the draft moves on if that is news.
    async fn tell_lessons(
        &self,
        tx: &mut TenantTransaction,
        asset: AssetId,
        course: CourseId,
        seconds: u32,
    ) -> Result<(), StoreError> {
        let mut structure = store::lock_structure(tx, course).await?;
        let lessons = store::lessons_of_asset(tx, course, asset).await?;
        let mut is_news = false;
        for lesson in structure
            .iter_mut()
            .flat_map(|module| &mut module.sections)
            .flat_map(|section| &mut section.lessons)
            .filter(|lesson| lessons.contains(&lesson.id))
        {
            is_news |= lesson.duration_seconds.replace(seconds) != Some(seconds);
        }
        if is_news {
            store::save_structure(tx, course, &structure, self.ports.now()).await?;
        }
        Ok(())
    }

    /// Tells progress and holds the job, for as long as it is ours.
    async fn keep_telling(&self, job: &ClaimedJob, told: watch::Receiver<Told>) -> JobFailure {
        let mut tick = interval(REPORT_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let Told { permille, doing } = *told.borrow();
            match self.tell(job, permille, doing).await {
                Ok(()) => {}
                Err(StoreError::LeaseLost) => return StoreError::LeaseLost.into(),
                // The lease outlasts a database that is away for a moment; what comes of it is seen at the end.
                Err(_) => {}
            }
        }
    }

    async fn tell(&self, job: &ClaimedJob, permille: u64, doing: &str) -> Result<(), StoreError> {
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let permille = i32::try_from(permille).unwrap_or(1000);
        jobs::heartbeat(&mut tx, job, permille, doing, LEASE_MILLIS, self.ports.now()).await?;
        tx.commit().await
    }

    /// Says why the attempt ended and takes away what it stored, unless another worker has the job by now.
    async fn give_up(&self, job: &ClaimedJob, failure: &JobFailure) -> Result<(), StoreError> {
        self.log(job, failure);
        let (now, message) = (self.ports.now(), failure.to_string());
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let mut is_failed = false;
        match jobs::fail(&mut tx, job, failure.kind(), &message, now).await {
            Ok(state) => {
                is_failed = state == JobState::Failed;
                if is_failed {
                    store::fail_asset_of_job(&mut tx, job.id, &message, now).await?;
                }
                tx.commit().await?;
            }
            Err(StoreError::LeaseLost) => {
                // A commit whose answer was lost may have gone through: then the files are the asset's.
                let status = jobs::find_job(&mut tx, job.id).await?;
                tx.rollback().await?;
                let is_ours =
                    |status: &JobStatus| status.state == JobState::Done && status.attempts == job.attempt;
                if status.as_ref().is_some_and(is_ours) {
                    return Ok(());
                }
            }
            Err(error) => return Err(error),
        }
        if let Ok(TranscodeOrder { asset }) = order(job) {
            let own = attempt_folder(job.tenant, asset, job.attempt);
            self.delete(if is_failed { folder(job.tenant, asset) } else { own }).await;
        }
        Ok(())
    }

    /// Deletes a folder. What cannot be deleted now stays, and the log says so: no outcome hangs on it.
    async fn delete(&self, folder: Result<ObjectKey, InvalidKey>) {
        let Ok(folder) = folder else { return };
        if let Err(error) = self.objects.delete_folder(&folder).await {
            let line = serde_json::json!({
                "at": self.ports.now(), "function": "transcode", "level": "error", "left": folder.as_str(),
                "cause": with_sources(&error.into()),
            });
            self.ports.log.line(&line.to_string());
        }
    }

    fn log(&self, job: &ClaimedJob, failure: &JobFailure) {
        let line = serde_json::json!({
            "at": self.ports.now(), "function": "transcode", "level": failure.level(), "tenant": job.tenant,
            "job": job.id, "attempt": job.attempt, "cause": with_sources(failure),
        });
        self.ports.log.line(&line.to_string());
    }
}

/// How far the job is.
#[derive(Debug, Clone, Copy)]
struct Told {
    permille: u64,
    /// For people.
    doing: &'static str,
}

fn order(job: &ClaimedJob) -> Result<TranscodeOrder, JobFailure> {
    Ok(serde_json::from_value(job.payload.clone())?)
}

/// The folder of all that was transcoded from an asset.
fn folder(tenant: TenantId, asset: AssetId) -> Result<ObjectKey, InvalidKey> {
    ObjectKey::new(tenant, ["media", &asset.to_string()])
}

fn attempt_folder(tenant: TenantId, asset: AssetId, attempt: i32) -> Result<ObjectKey, InvalidKey> {
    folder(tenant, asset)?.join(&attempt.to_string())
}

/// Of the whole job; the middle, where the container does not say how long the video is.
fn permille(Progress { done_ms, total_ms }: Progress) -> u64 {
    let part = match total_ms {
        Some(total_ms @ 1..) => done_ms.saturating_mul(1000) / total_ms,
        _ => 500,
    };
    READ + part.min(1000) * (TRANSCODED - READ) / 1000
}
