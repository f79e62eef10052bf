//! The import's job.

use akademi_domain::ids::{AssetId, JobId, TenantId};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    content_type::ContentType,
    error::StoreError,
    jobs::{self, ClaimedJob, Failure, JobState, JobStatus},
    object_key::{InvalidKey, ObjectKey},
    objects::ObjectError,
    postgres::TenantTransaction,
};
use akademi_olx::{Asset, Content, Imported, Limits, VideoSource};
use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, error::Error};

use super::{
    ImportOrder, KIND, archive_key, folder,
    preparing::{Assets, content_of},
    reading::read_course,
    report::{ImportCounts, ImportResult, StartedTranscode},
    store::{self, NewAsset},
};
use crate::{
    Authoring, AuthoringError, NewCourse, Summary, assets::transcoding::start_transcode, audit,
    create_course, import_content,
};

/// A worker that is silent for so long has vanished.
const LEASE_MILLIS: i64 = 120_000;
/// How many files are on their way to storage at once.
const FILES_IN_FLIGHT: usize = 4;
/// How often progress is told while files are stored.
const REPORTS: usize = 20;

/// Why an attempt ended without a course.
#[derive(Debug, thiserror::Error)]
pub enum ImportFailure {
    /// No attempt will succeed; the message is for the person who sent the archive.
    #[error("{0}")]
    Broken(String),
    #[error("files could not be read or stored")]
    Storage(#[from] ObjectError),
    #[error("the course could not be saved")]
    Store(#[source] StoreError),
    /// A value of ours is not as it must be.
    #[error("the import broke: {0}")]
    Defect(String),
}

impl From<InvalidKey> for ImportFailure {
    fn from(error: InvalidKey) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<StoreError> for ImportFailure {
    fn from(error: StoreError) -> Self {
        if error.is_storage_full() {
            Self::Broken("the academy would store more than it may".into())
        } else {
            Self::Store(error)
        }
    }
}

impl From<serde_json::Error> for ImportFailure {
    fn from(error: serde_json::Error) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<AuthoringError> for ImportFailure {
    fn from(error: AuthoringError) -> Self {
        match error {
            AuthoringError::Store(error) => error.into(),
            AuthoringError::Invalid(errors) => {
                let first = errors.first().map(|error| format!("{} {}", error.field, error.message));
                Self::Broken(format!("the course cannot be kept: {}", first.unwrap_or_default()))
            }
            error => Self::Broken(format!("the course cannot be kept: {error}")),
        }
    }
}

impl ImportFailure {
    const fn kind(&self) -> Failure {
        match self {
            Self::Broken(_) => Failure::Lasting,
            Self::Storage(_) | Self::Store(_) | Self::Defect(_) => Failure::Passing,
        }
    }
}

impl Authoring {
    /// Takes the oldest import that is due, of any academy, and does it; whether there was one.
    ///
    /// Dropped in between, it leaves the job to the next worker once the lease has run out.
    ///
    /// # Errors
    /// When the database does not answer, so that not even the failure could be kept.
    pub async fn run_next_import(&self) -> Result<bool, StoreError> {
        let now = self.ports.now();
        let mut platform = self.postgres.platform().await?;
        let abandoned =
            platform.fail_abandoned_jobs(KIND, "the import was begun too often without an end", now).await?;
        let job = platform.claim_job(KIND, now, LEASE_MILLIS).await?;
        platform.commit().await?;
        for (tenant, id) in abandoned {
            self.clear(tenant, id, None).await;
        }
        let Some(job) = job else { return Ok(false) };
        match self.import(&job).await {
            // The files that earlier attempts left, and the archive.
            Ok(()) => self.clear(job.tenant, job.id, Some(job.attempt)).await,
            Err(failure) => self.give_up(&job, &failure).await?,
        }
        Ok(true)
    }

    /// One attempt: all of it, or nothing but files in its own folder.
    async fn import(&self, job: &ClaimedJob) -> Result<(), ImportFailure> {
        let order: ImportOrder = serde_json::from_value(job.payload.clone())?;
        let folder = folder(job.tenant, job.id)?;
        self.tell(job, 0, "reading the archive").await?;
        let archive = match self.storage.objects.get(&archive_key(&folder)?).await {
            Err(ObjectError::NotFound) => return Err(ImportFailure::Broken("the archive is gone".into())),
            archive => archive?,
        };
        let tell = |permille| {
            let doing = if permille < 1000 { "reading the archive" } else { "reading the course" };
            self.tell(job, share(permille, 300), doing).boxed()
        };
        let mut course = read_course(archive, Limits::default(), tell).await?;
        let own_folder = folder.join(&job.attempt.to_string())?;
        let assets = self.store_files(job, &own_folder, &mut course).await?;
        self.tell(job, 950, "saving the course").await?;
        self.save(job, order, course, &assets).await
    }

    /// Puts the course's files into storage and takes their bytes out of it.
    async fn store_files(
        &self,
        job: &ClaimedJob,
        folder: &ObjectKey,
        course: &mut Imported,
    ) -> Result<Vec<NewAsset>, ImportFailure> {
        let now = self.ports.now();
        let videos = videos_of_lessons(course);
        let files = std::mem::take(&mut course.assets);
        let total = files.len();
        let storing: Vec<_> = files
            .into_iter()
            .map(|file| {
                let id = AssetId::new(now, self.ports.random());
                let is_video_of_lesson = videos.contains(&file.path);
                self.store_file(file, id, folder, is_video_of_lesson)
            })
            .collect();
        let mut storing = stream::iter(storing).buffered(FILES_IN_FLIGHT);
        let mut stored = Vec::with_capacity(total);
        while let Some(asset) = storing.try_next().await? {
            stored.push(asset);
            if stored.len().is_multiple_of((total / REPORTS).max(1)) {
                let done = share(stored.len() as u64 * 1000 / total.max(1) as u64, 650);
                self.tell(job, 300 + done, &format!("storing file {} of {total}", stored.len())).await?;
            }
        }
        Ok(stored)
    }

    async fn store_file(
        &self,
        file: Asset,
        id: AssetId,
        folder: &ObjectKey,
        is_video_of_lesson: bool,
    ) -> Result<NewAsset, ImportFailure> {
        let Asset { path, content_type, bytes } = file;
        let key = folder.join(&id.to_string())?;
        let bytes = Bytes::from(bytes);
        let sha256 = Sha256::digest(&bytes).into();
        let size = bytes.len() as u64;
        let kind: ContentType = content_type.parse().unwrap_or_else(|_| ContentType::unknown());
        self.storage.objects.put(&key, &kind, bytes).await?;
        Ok(NewAsset { id, path, content_type, bytes: size, sha256, key, is_video_of_lesson })
    }

    /// The one transaction that makes the course and ends the job.
    async fn save(
        &self,
        job: &ClaimedJob,
        order: ImportOrder,
        course: Imported,
        assets: &[NewAsset],
    ) -> Result<(), ImportFailure> {
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let Imported { title, language, summary, modules, links, raw, report, .. } = course;
        let new = NewCourse { title, summary: clipped(summary), language };
        let head = create_course(&mut tx, new, order.owner, &self.ports).await?;
        let id = head.id;
        let by_path: Assets =
            assets.iter().map(|asset| (asset.path.clone(), (asset.id, asset.content_type))).collect();
        let ports = self.ports.clone();
        let content = tokio::task::spawn_blocking(move || content_of(modules, links, by_path, id, &ports))
            .await
            .map_err(|_| ImportFailure::Broken("the lessons cannot be read".into()))?;
        let imported = import_content(&mut tx, id, content, &self.ports).await?;

        let now = self.ports.now();
        store::insert_assets(&mut tx, id, assets, now).await?;
        store::insert_raw_blocks(&mut tx, id, &raw).await?;
        let transcodes = self.start_transcodes(&mut tx, assets).await?;
        let made = ImportCounts::new(&imported.structure, assets.len(), raw.len());
        let result = ImportResult::new(id, made, transcodes, report)?;
        jobs::complete(&mut tx, job, &serde_json::to_value(result)?, now).await?;
        let imported = Write {
            action: Action::CourseImported,
            target: audit::target(id),
            before: Value::Null,
            after: json!({
                "import": job.id, "title": head.title, "slug": head.slug,
                "content": audit::content(imported.revision, &imported.structure),
            }),
        };
        self.auditor.record(&mut tx, Actor::job_of(order.owner), imported).await?;
        tx.commit().await?;
        self.workers.wake();
        Ok(())
    }

    async fn start_transcodes(
        &self,
        tx: &mut TenantTransaction,
        assets: &[NewAsset],
    ) -> Result<Vec<StartedTranscode>, ImportFailure> {
        let mut started = Vec::new();
        for asset in assets.iter().filter(|asset| asset.is_video_of_lesson).map(|asset| asset.id) {
            started.push(StartedTranscode { asset, job: start_transcode(tx, asset, &self.ports).await? });
        }
        Ok(started)
    }

    /// Tells progress (0 to 1000) and holds the job for another lease.
    async fn tell(&self, job: &ClaimedJob, permille: u64, doing: &str) -> Result<(), ImportFailure> {
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let permille = i32::try_from(permille).unwrap_or(1000);
        jobs::heartbeat(&mut tx, job, permille, doing, LEASE_MILLIS, self.ports.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Says why the attempt ended and takes away what it stored, unless another worker has the job by now.
    async fn give_up(&self, job: &ClaimedJob, failure: &ImportFailure) -> Result<(), StoreError> {
        self.log(job, failure);
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let failed = jobs::fail(&mut tx, job, failure.kind(), &failure.to_string(), self.ports.now()).await;
        match failed {
            Ok(JobState::Failed) => {
                tx.commit().await?;
                self.clear(job.tenant, job.id, None).await;
            }
            Ok(_) => {
                tx.commit().await?;
                self.delete_attempt(job).await;
            }
            Err(StoreError::LeaseLost) => {
                // A commit whose answer was lost may have gone through: then the files are the course's.
                let status = jobs::find_job(&mut tx, job.id).await?;
                tx.rollback().await?;
                let is_ours =
                    |status: &JobStatus| status.state == JobState::Done && status.attempts == job.attempt;
                if !status.as_ref().is_some_and(is_ours) {
                    self.delete_attempt(job).await;
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Deletes all that a job has in storage, or what is left of it beside the files of the attempt that made the course.
    async fn clear(&self, tenant: TenantId, id: JobId, but_attempt: Option<i32>) {
        let objects = &self.storage.objects;
        let deleted = async {
            let folder = folder(tenant, id)?;
            let Some(kept) = but_attempt else { return Ok(objects.delete_folder(&folder).await?) };
            objects.delete(&archive_key(&folder)?).await?;
            for attempt in 1..kept {
                objects.delete_folder(&folder.join(&attempt.to_string())?).await?;
            }
            Ok(())
        };
        self.note_left(id, deleted.await);
    }

    async fn delete_attempt(&self, job: &ClaimedJob) {
        let deleted = async {
            let own = folder(job.tenant, job.id)?.join(&job.attempt.to_string())?;
            Ok(self.storage.objects.delete_folder(&own).await?)
        };
        self.note_left(job.id, deleted.await);
    }

    /// What cannot be deleted now stays, and the log says so: no outcome hangs on it.
    fn note_left(&self, job: JobId, deleted: Result<(), ImportFailure>) {
        if let Err(failure) = deleted {
            let line = serde_json::json!({
                "at": self.ports.now(), "function": "authoring", "level": "error", "files_left_by": job,
                "cause": with_sources(&failure),
            });
            self.ports.log.line(&line.to_string());
        }
    }

    fn log(&self, job: &ClaimedJob, failure: &ImportFailure) {
        let level = if failure.kind() == Failure::Lasting { "warning" } else { "error" };
        let line = serde_json::json!({
            "at": self.ports.now(), "function": "authoring", "level": level, "tenant": job.tenant,
            "job": job.id, "attempt": job.attempt, "cause": with_sources(failure),
        });
        self.ports.log.line(&line.to_string());
    }
}

/// The paths of files that a lesson plays.
fn videos_of_lessons(course: &Imported) -> BTreeSet<String> {
    course
        .modules
        .iter()
        .flat_map(|module| &module.sections)
        .flat_map(|section| &section.lessons)
        .filter_map(|lesson| match &lesson.content {
            Content::Video(video) => match &video.source {
                VideoSource::Asset(path) => Some(path.clone()),
                VideoSource::Youtube(_) => None,
            },
            Content::Html(_) | Content::Document(_) | Content::Quiz { .. } => None,
        })
        .collect()
}

/// A summary that nobody is there to shorten.
fn clipped(summary: Option<String>) -> Summary {
    let text = summary.unwrap_or_default();
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clipped: String = spaced.chars().filter(|letter| !letter.is_control()).take(Summary::MAX).collect();
    Summary::try_from(clipped).unwrap_or_default()
}

/// `permille` of `whole`.
const fn share(permille: u64, whole: u64) -> u64 {
    permille * whole / 1000
}

/// For the log: what stands behind an error.
fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
