//! The job of one part of a long video.

use akademi_lambda_store::{
    jobs::{self, ClaimedJob},
    media::TranscodePartOrder,
    object_key::{InvalidKey, ObjectKey},
};
use tokio::sync::watch;

use super::{JobFailure, READ, TRANSCODED, Told, Transcode, film::folder_of_parts, order, permille, store};
use crate::Task;

/// The name of an attempt's folder below that of all parts.
fn name(order: &TranscodePartOrder, attempt: i32) -> String {
    format!("{}-{attempt}", order.number)
}

/// What the attempt stores its files in.
pub fn folder_of(
    job: &ClaimedJob,
    order: &TranscodePartOrder,
    attempt: i32,
) -> Result<ObjectKey, InvalidKey> {
    folder_of_parts(job, order.asset)?.join(&name(order, attempt))
}

impl Transcode {
    /// One attempt: all of the part, or nothing but files in its own folder.
    pub(super) async fn make_part(
        &self,
        job: &ClaimedJob,
        telling: watch::Sender<Told>,
    ) -> Result<(), JobFailure> {
        let order: TranscodePartOrder = order(job)?;
        let mut tx = self.postgres.tenant(job.tenant).await?;
        let video = store::find_video(&mut tx, order.asset).await?.ok_or(JobFailure::Gone)?;
        let plan = store::find_plan(&mut tx, order.asset).await?.ok_or(JobFailure::Gone)?;
        let part = store::find_part(&mut tx, order.asset, order.number).await?.ok_or(JobFailure::Gone)?;
        tx.commit().await?;
        let workplace = tempfile::tempdir().map_err(JobFailure::Disk)?;
        let output = workplace.path().join("hls");
        let task = Task { plan, part, key: video.content_key };
        let child = self.child(&video.source).await?;
        let on_progress = |progress| {
            telling.send_replace(Told { permille: permille(progress), doing: "transcoding" });
        };
        let made = child.make(&task, &output, on_progress).await?;
        telling.send_replace(Told { permille: TRANSCODED, doing: "storing the renditions" });
        self.store_files(&folder_of(job, &order, job.attempt)?, &output, &made.files).await?;

        let now = self.ports.now();
        let mut tx = self.postgres.tenant(job.tenant).await?;
        // The parts of a video end one after the other, so that one of them is the last.
        let film = store::lock_plan(&mut tx, order.asset).await?.ok_or(JobFailure::Gone)?;
        store::keep_part(&mut tx, order.asset, order.number, &name(&order, job.attempt), &made).await?;
        let result = serde_json::json!({ "asset": order.asset, "number": order.number });
        jobs::complete(&mut tx, job, &result, now).await?;
        let (done, all) = store::count_parts(&mut tx, order.asset).await?;
        let part_of_whole =
            u64::try_from(done).unwrap_or(0) * (TRANSCODED - READ) / u64::try_from(all).unwrap_or(1).max(1);
        let permille = i32::try_from(READ + part_of_whole).unwrap_or(0);
        jobs::tell_aside(&mut tx, film, permille, &format!("{done} of {all} parts are transcoded"), now)
            .await?;
        if done == all {
            jobs::take_up(&mut tx, film, now).await?;
        }
        tx.commit().await?;
        for earlier in 1..job.attempt {
            self.delete(folder_of(job, &order, earlier)).await;
        }
        Ok(())
    }
}
