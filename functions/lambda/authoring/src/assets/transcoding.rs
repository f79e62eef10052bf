//! Videos of courses that do not play yet.

use akademi_api::Ports;
use akademi_domain::ids::{AssetId, JobId};
use akademi_lambda_store::{
    jobs::{self, NewJob},
    media::{TRANSCODE, TranscodeOrder},
    postgres::TenantTransaction,
};
use serde::Serialize;

use crate::AuthoringError;

/// A worker that vanishes is replaced so often.
const MAX_ATTEMPTS: i32 = 5;

/// Whether all that is served of a file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetState {
    /// A video that does not play yet.
    Transcoding,
    Ready,
    /// A video that never will.
    Failed,
}

impl AssetState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transcoding => "transcoding",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    /// The schema lets no other name in.
    pub fn from_name(name: &str) -> Self {
        match name {
            "transcoding" => Self::Transcoding,
            "ready" => Self::Ready,
            _ => Self::Failed,
        }
    }
}

/// A video of the course that does not play.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DraftVideo {
    pub asset: AssetId,
    pub file_name: String,
    pub state: AssetState,
    /// How far its transcoding is, 0 to 1000.
    pub progress_permille: i32,
    /// For a person: what is being done, or why it failed.
    pub message: String,
    /// The job that transcodes it, for as long as it is kept.
    pub job: Option<JobId>,
}

/// Queues the job that makes the video playable.
pub async fn start_transcode(
    tx: &mut TenantTransaction,
    asset: AssetId,
    ports: &Ports,
) -> Result<JobId, AuthoringError> {
    let now = ports.now();
    let job = NewJob {
        id: JobId::new(now, ports.random()),
        kind: TRANSCODE,
        dedupe_key: Some(&asset.to_string()),
        payload: &serde_json::to_value(TranscodeOrder { asset })?,
        max_attempts: MAX_ATTEMPTS,
        run_after: now,
    };
    Ok(jobs::enqueue(tx, &job, now).await?)
}
