//! An upload becomes a file of a course: a video that is transcoded, or a document.

use akademi_api::{Body, Caller, PathParam, Problem, problem::ProblemDocument, signed::CallContext};
use akademi_domain::{
    ids::{AssetId, CourseId, JobId, UploadId},
    upload::FileKind,
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    uploads::folder,
};
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    store::{self, NewAsset, Upload, UploadState},
    target,
};
use crate::{
    Authoring, AuthoringError,
    assets::transcoding::{AssetState, start_transcode},
};

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachRequest {
    /// One's own, complete.
    upload: UploadId,
}

/// A file of a course, for lessons to name.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AttachedAsset)]
pub struct Attached {
    /// What a lesson's body names as its `asset`.
    pub id: AssetId,
    pub file_name: String,
    pub content_type: String,
    pub bytes: u64,
    pub state: AssetState,
    /// Of a video: the job that transcodes it, for as long as it is kept.
    pub job: Option<JobId>,
}

/// Make an upload a file of a course
///
/// A video is transcoded at once; a lesson may name it before that is done, and learns its length then. A document is what
/// those enrolled download. The file is no upload any more and cannot be deleted as one. Asking again answers the same file.
#[utoipa::path(post, path = "/api/v1/authoring/courses/{course_id}/assets", tag = "authoring",
    params(("course_id" = CourseId, Path, description = "The course")), request_body = AttachRequest,
    responses((status = 201, description = "The file", body = Attached),
              (status = 200, description = "It is a file of this course already", body = Attached),
              (status = 409, description = "The upload is not complete (`upload-incomplete`), or is a file of another course (`upload-attached`)", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 422, description = "The upload is neither a video nor a document", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn attach(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(course): PathParam<CourseId>,
    Body(AttachRequest { upload: id }): Body<AttachRequest>,
) -> Result<Response, AuthoringError> {
    let upload = authoring.find_upload(&caller, id).await?;
    check(&upload)?;
    let folder = folder(caller.tenant, id).map_err(Problem::broken)?;
    let now = authoring.ports.now();
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    if !store::hold_course(&mut tx, course, caller.courses_of()).await? {
        return Err(AuthoringError::NotFound);
    }
    let is_new = store::attach_upload(&mut tx, id).await?;
    if is_new {
        let asset = AssetId::new(now, authoring.ports.random());
        let state = if upload.kind == FileKind::Video { AssetState::Transcoding } else { AssetState::Ready };
        let new = NewAsset { id: asset, course, upload: id, folder: &folder, state };
        store::insert_asset(&mut tx, &new, now).await?;
        if state == AssetState::Transcoding {
            start_transcode(&mut tx, asset, &authoring.ports).await?;
        }
    }
    let (owner, attached) = store::find_attached(&mut tx, id).await?.ok_or(AuthoringError::NotFound)?;
    if owner != course {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "upload-attached",
            "This upload is a file of another course: send it again for this one.",
        )
        .into());
    }
    if is_new {
        let made = Write {
            action: Action::UploadAttached,
            target: target(id),
            before: json!({ "course": null, "asset": null }),
            after: json!({ "course": course, "asset": attached.id }),
        };
        authoring.auditor.record(&mut tx, Actor::new(&caller, &call), made).await?;
    }
    tx.commit().await?;
    if is_new && attached.state == AssetState::Transcoding {
        authoring.workers.wake();
    }
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Body(attached)).into_response())
}

/// Whether the file may be one of a course.
fn check(upload: &Upload) -> Result<(), Problem> {
    if !matches!(upload.kind, FileKind::Video | FileKind::Document) {
        return Err(Problem::field("upload", "is neither a video nor a document"));
    }
    if !matches!(upload.state, UploadState::Complete | UploadState::Attached) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "upload-incomplete",
            "This upload is not complete: send what is missing, and complete it.",
        ));
    }
    Ok(())
}
