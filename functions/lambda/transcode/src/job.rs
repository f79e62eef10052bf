//! The jobs: a video in storage becomes HLS in storage.
//!
//! The source is read in ranges by a child process; what comes out is stored under `media/{asset}/{attempt}/`. One
//! transaction makes the asset ready, tells its length to the lessons of the draft that play it, and ends the job. The
//! attempt's number is the fence, as in every job: whoever lost the job takes away the files of its own attempt.
//!
//! A long video is cut: its job queues one job for each part and is put aside. Parts are stored under
//! `media/{asset}/parts/{number}-{attempt}/`, and what was made of each is kept in one transaction with the end of its job.
//! The last one makes the video's job due again, which then writes the playlists. So whatever is killed, what was done stays.

mod failure;
mod film;
mod part;
mod store;

use akademi_api::Ports;
use akademi_domain::ids::{AssetId, TenantId};
use akademi_lambda_store::{content_type::ContentType, objects::ObjectError};
use akademi_lambda_store::{
    error::StoreError,
    jobs::{self, ClaimedJob, JobState, JobStatus},
    media::{TRANSCODE, TRANSCODE_PART},
    object_key::{InvalidKey, ObjectKey},
    objects::Objects,
    postgres::Postgres,
    uploads::{PartedFile, StoredFile},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    fs,
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::{
    Limits, ManifestFile, Progress,
    child::{Child, Video},
};
use failure::{JobFailure, with_sources};
use store::Source;

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
    /// The program whose `main` begins with [`main_if_child`](crate::child::main_if_child); none is this very program.
    pub program: Option<PathBuf>,
    pub limits: Limits,
    /// Length of the parts that a long video of 1080p is cut into, in milliseconds: [`crate::parts::PART_MS`].
    pub part_ms: u64,
}

/// What a worker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// No job was due.
    Nothing,
    /// One job, which ended well or not.
    One,
    /// It cut a video into so many parts, whose jobs are due now: as many workers have something to do.
    Cut { parts: usize },
}

impl Transcode {
    /// Takes the oldest part of a video that is due, or else the oldest video, of any academy, and transcodes it.
    ///
    /// Dropped in between, it kills the child process and leaves the job to the next worker once the lease has run out.
    ///
    /// # Errors
    /// When the database does not answer, so that not even the failure could be kept.
    pub async fn run_next(&self) -> Result<Ran, StoreError> {
        let Some(job) = self.claim().await? else { return Ok(Ran::Nothing) };
        let (telling, told) = watch::channel(Told { permille: 0, doing: "reading the video" });
        let work = async {
            match job.kind.as_str() {
                TRANSCODE_PART => self.make_part(&job, telling).await.map(|()| Ran::One),
                _ => self.make_film(&job, telling).await,
            }
        };
        let outcome = tokio::select! {
            // In this order: telling of a job that has just been done fails.
            biased;
            done = work => done,
            // Whoever lost the job stops at once.
            lost = self.keep_telling(&job, told) => Err(lost),
        };
        match outcome {
            Ok(ran) => Ok(ran),
            Err(failure) => self.give_up(&job, &failure).await.map(|()| Ran::One),
        }
    }

    /// The next job; before, those are given up whose last worker has vanished.
    async fn claim(&self) -> Result<Option<ClaimedJob>, StoreError> {
        const VANISHED: &str = "transcoding was begun too often without an end";
        let now = self.ports.now();
        let mut platform = self.postgres.platform().await?;
        let mut abandoned = Vec::new();
        let mut claimed = None;
        for kind in [TRANSCODE_PART, TRANSCODE] {
            for (tenant, job) in platform.fail_abandoned_jobs(kind, VANISHED, now).await? {
                let tx = platform.tenant(tenant).await?;
                let asset = store::fail_asset_of_job(tx, job, VANISHED, now).await?;
                abandoned.extend(asset.map(|asset| (tenant, asset)));
            }
            if claimed.is_none() {
                claimed = platform.claim_job(kind, now, LEASE_MILLIS).await?;
            }
        }
        platform.commit().await?;
        for (tenant, asset) in abandoned {
            self.delete(folder(tenant, asset)).await;
        }
        Ok(claimed)
    }

    /// A child for the video that lies there.
    async fn child(&self, source: &Source) -> Result<Child, JobFailure> {
        let objects = self.objects.clone();
        let file = match source.clone() {
            Source::Object(key) => match objects.head(&key).await {
                Err(ObjectError::NotFound) => return Err(JobFailure::Gone),
                info => StoredFile::Whole { objects, bytes: info?.size, key },
            },
            Source::Parts(folder, parts) => {
                let file = PartedFile::new(objects, folder, parts);
                if (file.present().await?.len() as u64) < parts.count() {
                    return Err(JobFailure::Gone);
                }
                StoredFile::Parted(file)
            }
        };
        let video = Video::Stored(file);
        Ok(Child { program: self.program.clone(), video, limits: self.limits.clone() })
    }

    /// Puts the files from a folder of this machine below one of storage.
    async fn store_files(
        &self,
        target: &ObjectKey,
        output: &Path,
        files: &[ManifestFile],
    ) -> Result<(), JobFailure> {
        let storing: Vec<_> = files
            .iter()
            .map(async |file| {
                let content = fs::read(output.join(&file.path)).await.map_err(JobFailure::Disk)?;
                self.store_file(target, file, content.into()).await
            })
            .collect();
        stream::iter(storing).buffer_unordered(FILES_IN_FLIGHT).try_collect::<()>().await
    }

    async fn store_file(
        &self,
        folder: &ObjectKey,
        file: &ManifestFile,
        content: Bytes,
    ) -> Result<(), JobFailure> {
        let key = file.path.split('/').try_fold(folder.clone(), |key, part| key.join(part))?;
        let content_type: ContentType = file
            .content_type
            .parse()
            .map_err(|_| JobFailure::Defect(format!("{} has no type", file.path)))?;
        Ok(self.objects.put(&key, &content_type, content).await?)
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
        let mut failed = None;
        match jobs::fail(&mut tx, job, failure.kind(), &message, now).await {
            Ok(state) => {
                if state == JobState::Failed {
                    failed = store::fail_asset_of_job(&mut tx, job.id, &message, now).await?;
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
        if let Ok(own) = folder_of(job) {
            self.delete(failed.map_or(Ok(own), |asset| folder(job.tenant, asset))).await;
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

fn order<'a, T: Deserialize<'a>>(job: &'a ClaimedJob) -> Result<T, JobFailure> {
    Ok(T::deserialize(&job.payload)?)
}

/// The folder of all that was transcoded from an asset.
fn folder(tenant: TenantId, asset: AssetId) -> Result<ObjectKey, InvalidKey> {
    ObjectKey::new(tenant, ["media", &asset.to_string()])
}

/// What the attempt at this job stores its files in.
fn folder_of(job: &ClaimedJob) -> Result<ObjectKey, JobFailure> {
    Ok(match job.kind.as_str() {
        TRANSCODE_PART => part::folder_of(job, &order(job)?, job.attempt)?,
        _ => film::folder_of(job, &order(job)?, job.attempt)?,
    })
}

/// Of the whole job; the middle, where the container does not say how long the video is.
fn permille(Progress { done_ms, total_ms }: Progress) -> u64 {
    let part = match total_ms {
        Some(total_ms @ 1..) => done_ms.saturating_mul(1000) / total_ms,
        _ => 500,
    };
    READ + part.min(1000) * (TRANSCODED - READ) / 1000
}
