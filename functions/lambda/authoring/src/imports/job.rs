//! How far an import or a transcode is.

use akademi_api::{Body, Caller, PathParam, Problem};
use akademi_domain::{
    ids::{AssetId, JobId},
    time::Timestamp,
};
use akademi_lambda_store::{
    jobs::{self, JobState, JobStatus},
    media::{TRANSCODE, Transcoded},
    postgres::TenantTransaction,
};
use axum::extract::State;
use serde::Serialize;

use super::{KIND, report::ImportResult, store};
use crate::{Authoring, AuthoringError};

/// A job as the academy's authors see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Job)]
pub struct JobAnswer {
    pub id: JobId,
    pub kind: JobKind,
    pub state: Progress,
    /// 0 to 1000.
    pub progress_permille: i32,
    /// For a person: what it is doing, or why it failed.
    pub message: String,
    /// When it is done: what it made.
    pub result: Option<JobResult>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    OlxImport,
    Transcode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobState)]
pub enum Progress {
    /// An import that was not started.
    AwaitingUpload,
    Queued,
    Running,
    Done,
    Failed,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum JobResult {
    Import(Box<ImportResult>),
    Transcode(TranscodeResult),
}

/// A video that can be played from `/api/v1/authoring/videos/{asset}/playback/master.m3u8`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TranscodeResult {
    pub asset: AssetId,
    /// Length of the video, in milliseconds.
    pub duration_ms: u64,
    pub renditions: usize,
    /// All files of the HLS, in bytes.
    pub bytes: u64,
}

/// An import's or a transcode's progress
#[utoipa::path(get, path = "/api/v1/authoring/jobs/{job_id}", tag = "authoring",
    params(("job_id" = JobId, Path, description = "The job")),
    responses((status = 200, description = "The job", body = JobAnswer)))]
pub async fn show(
    State(authoring): State<Authoring>,
    caller: Caller,
    PathParam(id): PathParam<JobId>,
) -> Result<Body<JobAnswer>, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let answer = match find(&mut tx, id).await? {
        Some(answer) => answer,
        None => waiting(&mut tx, id).await?.ok_or(AuthoringError::NotFound)?,
    };
    tx.commit().await?;
    Ok(Body(answer))
}

/// The job as it is answered; `None` if there is none, or it is another function's.
pub async fn find(tx: &mut TenantTransaction, id: JobId) -> Result<Option<JobAnswer>, AuthoringError> {
    let Some(status) = jobs::find_job(tx, id).await? else { return Ok(None) };
    let kind = match status.kind.as_str() {
        KIND => JobKind::OlxImport,
        TRANSCODE => JobKind::Transcode,
        _ => return Ok(None),
    };
    Ok(Some(answer(status, kind)?))
}

fn answer(status: JobStatus, kind: JobKind) -> Result<JobAnswer, AuthoringError> {
    let result = match (status.result, kind) {
        (None, _) => None,
        (Some(result), JobKind::OlxImport) => Some(JobResult::Import(serde_json::from_value(result)?)),
        (Some(result), JobKind::Transcode) => {
            let Transcoded { asset, duration_ms, renditions, bytes } = serde_json::from_value(result)?;
            Some(JobResult::Transcode(TranscodeResult { asset, duration_ms, renditions, bytes }))
        }
    };
    let state = match status.state {
        JobState::Queued => Progress::Queued,
        JobState::Running => Progress::Running,
        JobState::Done => Progress::Done,
        JobState::Failed => Progress::Failed,
    };
    let JobStatus { id, progress_permille, message, created_at, updated_at, .. } = status;
    Ok(JobAnswer { id, kind, state, progress_permille, message, result, created_at, updated_at })
}

/// An import that was asked for and not started.
async fn waiting(tx: &mut TenantTransaction, id: JobId) -> Result<Option<JobAnswer>, Problem> {
    let created_at = store::import_created_at(tx, id).await.map_err(AuthoringError::from)?;
    Ok(created_at.map(|created_at| JobAnswer {
        id,
        kind: JobKind::OlxImport,
        state: Progress::AwaitingUpload,
        progress_permille: 0,
        message: String::new(),
        result: None,
        created_at,
        updated_at: created_at,
    }))
}
