//! A video's own job: it transcodes a short one, cuts a long one, and joins the parts of that.

use akademi_domain::{
    ids::{AssetId, CourseId, JobId},
    watch::LessonDuration,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{
    error::StoreError,
    feed::append,
    jobs::{self, ClaimedJob, NewJob},
    media::{TRANSCODE_PART, TranscodeOrder, TranscodePartOrder, Transcoded},
    object_key::{InvalidKey, ObjectKey},
    postgres::TenantTransaction,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::deflate::compress_to_vec;
use tokio::sync::watch;

use super::{
    JobFailure, Ran, TRANSCODED, Told, Transcode, folder, order, permille,
    store::{self, Video},
};
use crate::{Made, Manifest, Part, Plan, Task, TextFile, encryption::ContentKey, parts::cut};

/// How often a part may be begun.
const PART_ATTEMPTS: i32 = 3;

/// Of a playlist's text, 0 to 10: playlists of 12 hours shrink to a tenth.
const COMPRESSION: u8 = 6;

/// A video whose parts are made looks after them so seldom, in seconds; the last part has it go on at once.
const LOOK_AFTER_SECONDS: i64 = 24 * 60 * 60;

/// What the attempt stores the files of a video in that is not cut.
pub fn folder_of(job: &ClaimedJob, order: &TranscodeOrder, attempt: i32) -> Result<ObjectKey, InvalidKey> {
    folder(job.tenant, order.asset)?.join(&attempt.to_string())
}

/// What the parts of a video are stored below.
pub fn folder_of_parts(job: &ClaimedJob, asset: AssetId) -> Result<ObjectKey, InvalidKey> {
    folder(job.tenant, asset)?.join("parts")
}

/// What was made of a video, all of it in storage.
struct Playable {
    folder: ObjectKey,
    manifest: Manifest,
    /// Its playlists, and the list of its small pictures.
    playlists: Vec<TextFile>,
}

impl Transcode {
    /// One attempt: all of it, or nothing but files in its own folder.
    pub(super) async fn make_film(
        &self,
        job: &ClaimedJob,
        telling: watch::Sender<Told>,
    ) -> Result<Ran, JobFailure> {
        let order: TranscodeOrder = order(job)?;
        let asset = order.asset;
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let video = store::find_video(&mut tx, asset).await?.ok_or(JobFailure::Gone)?;
        let planned = store::find_plan(&mut tx, asset).await?;
        tx.commit().await?;
        if let Some(plan) = planned {
            telling.send_replace(Told { permille: TRANSCODED, doing: "joining the parts" });
            return self.join(job, asset, &video, &plan).await;
        }
        let child = self.child(&video.source).await?;
        let survey = child.survey().await?;
        let parts = cut(&survey, self.part_ms);
        let key = video.is_encrypted.then(|| video.content_key.clone());
        let key = key.map(|key| key.unwrap_or_else(|| ContentKey::new(self.ports.random())));
        if parts != [Part::Whole] {
            return self.queue_parts(job, asset, &survey.plan, key.as_ref(), &parts).await;
        }

        let workplace = tempfile::tempdir().map_err(JobFailure::Disk)?;
        let output = workplace.path().join("hls");
        let task = Task { plan: survey.plan, part: Part::Whole, key };
        let on_progress = |progress| {
            telling.send_replace(Told { permille: permille(progress), doing: "transcoding" });
        };
        let made = child.make(&task, &output, on_progress).await?;
        telling.send_replace(Told { permille: TRANSCODED, doing: "storing the renditions" });
        let target = folder_of(job, &order, job.attempt)?;
        self.store_files(&target, &output, &made.files).await?;
        let playable = self.store_playlists(target, &task.plan, made).await?;
        let mut tx = self.postgres.tenant(job.tenant).await?;
        store::set_content_key(&mut tx, asset, task.key.as_ref()).await?;
        self.save(tx, job, asset, video.course, playable).await?;
        for earlier in 1..job.attempt {
            self.delete(folder_of(job, &order, earlier)).await;
        }
        Ok(Ran::One)
    }

    /// The one transaction that queues the parts and puts the video's own job aside.
    async fn queue_parts(
        &self,
        job: &ClaimedJob,
        asset: AssetId,
        plan: &Plan,
        key: Option<&ContentKey>,
        parts: &[Part],
    ) -> Result<Ran, JobFailure> {
        let now = self.ports.now();
        let mut tx = self.postgres.tenant(job.tenant).await?;
        store::set_content_key(&mut tx, asset, key).await?;
        store::insert_plan(&mut tx, asset, job.id, plan).await?;
        for (part, number) in parts.iter().zip(0..) {
            store::insert_part(&mut tx, asset, number, part).await?;
            let new = NewJob {
                id: JobId::new(now, self.ports.random()),
                kind: TRANSCODE_PART,
                dedupe_key: Some(&format!("{asset}/{number}")),
                payload: &serde_json::to_value(TranscodePartOrder { asset, number })?,
                max_attempts: PART_ATTEMPTS,
                run_after: now,
            };
            jobs::enqueue(&mut tx, &new, now).await?;
        }
        jobs::put_aside(&mut tx, job, now.plus_seconds(LOOK_AFTER_SECONDS), now).await?;
        tx.commit().await?;
        Ok(Ran::Cut { parts: parts.len() })
    }

    /// Writes the playlists over all parts, or waits for those that are not done.
    async fn join(
        &self,
        job: &ClaimedJob,
        asset: AssetId,
        video: &Video,
        plan: &Plan,
    ) -> Result<Ran, JobFailure> {
        let now = self.ports.now();
        let mut tx = self.postgres.tenant(job.tenant).await?;
        // The last part ends before this looks or after this is put aside: in between, it would find no job to take up.
        store::lock_plan(&mut tx, asset).await?.ok_or(JobFailure::Gone)?;
        let parts = store::find_parts(&mut tx, asset).await?;
        let count = parts.len();
        let made: Vec<_> = parts.into_iter().flatten().collect();
        if made.len() < count {
            jobs::put_aside(&mut tx, job, now.plus_seconds(LOOK_AFTER_SECONDS), now).await?;
            tx.commit().await?;
            return Ok(Ran::One);
        }
        tx.commit().await?;
        let made = Made::joined(made).map_err(|error| JobFailure::Defect(error.to_string()))?;
        let target = folder_of_parts(job, asset)?;
        let playable = self.store_playlists(target, plan, made).await?;
        let mut tx = self.postgres.tenant(job.tenant).await?;
        store::delete_plan(&mut tx, asset).await?;
        self.save(tx, job, asset, video.course, playable).await?;
        Ok(Ran::One)
    }

    async fn store_playlists(
        &self,
        folder: ObjectKey,
        plan: &Plan,
        made: Made,
    ) -> Result<Playable, JobFailure> {
        let (manifest, playlists) = Manifest::of(plan, made);
        for TextFile { file, text } in &playlists {
            self.store_file(&folder, file, text.clone().into()).await?;
        }
        Ok(Playable { folder, manifest, playlists })
    }

    /// The end of the one transaction that makes the video ready, tells the edge of it, and ends the job.
    async fn save(
        &self,
        mut tx: TenantTransaction,
        job: &ClaimedJob,
        asset: AssetId,
        course: CourseId,
        playable: Playable,
    ) -> Result<(), JobFailure> {
        let Playable { folder, manifest, playlists } = playable;
        let now = self.ports.now();
        // A video of less than a second has no seconds to watch. The draft is locked first, as by whoever adds files to it.
        if let Ok(duration) = LessonDuration::from_seconds(manifest.duration_ms as f64 / 1000.0) {
            self.tell_lessons(&mut tx, asset, course, duration.seconds()).await?;
        }
        store::make_ready(&mut tx, asset, &folder, &manifest, now).await?;
        for TextFile { file, text } in playlists {
            let deflated = STANDARD.encode(compress_to_vec(text.as_bytes(), COMPRESSION));
            let folder = folder.to_string();
            let made = LambdaEvent::PlaylistMade { asset, folder, path: file.path, deflated };
            append(&mut tx, &made, now).await?;
        }
        let result = Transcoded {
            asset,
            duration_ms: manifest.duration_ms,
            renditions: manifest.renditions.len(),
            bytes: manifest.bytes(),
        };
        let duration_ms = manifest.duration_ms.cast_signed();
        let folder = folder.to_string();
        let ready = LambdaEvent::VideoReady { asset, course, folder, duration_ms, poster: manifest.poster };
        append(&mut tx, &ready, now).await?;
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
}
