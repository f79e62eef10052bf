//! An upload becomes a file.

use akademi_api::{Body, Caller, PathParam, Problem, problem::ProblemDocument, signed::CallContext};
use akademi_domain::{ids::UploadId, upload::FileKind};
use akademi_lambda_store::objects::ObjectError;
use axum::{Extension, extract::State};
use http::StatusCode;

use super::{
    UploadAnswer,
    content::{HEAD_BYTES, content_type},
    store::{self, UploadState},
    unreachable,
};
use crate::{Authoring, AuthoringError};

/// Complete an upload
///
/// When all parts have been sent. What the file is, its content says and not its name. Completing again changes nothing and
/// answers the same. Where the academies' files are scanned for viruses, a document or an image is `scanning` until the scanner
/// has found nothing; completing again, or looking at it, asks the scanner again.
#[utoipa::path(post, path = "/api/v1/uploads/{upload_id}/complete", tag = "media",
    params(("upload_id" = UploadId, Path, description = "The upload: one's own")),
    responses((status = 200, description = "The file, `complete` or held back as `scanning`", body = UploadAnswer),
              (status = 409, description = "A part is missing (`upload-missing`), or the time of the upload is over", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 422, description = "The content is of no type that this kind has (`wrong-content`), or holds a virus and was deleted (`infected`)", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn complete(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<UploadId>,
) -> Result<Body<UploadAnswer>, AuthoringError> {
    let mut upload = authoring.find_upload(&caller, id).await?;
    let all: Vec<u64> = (1..=upload.parts.count()).collect();
    match upload.state {
        UploadState::Open => authoring.check_open(&upload)?,
        UploadState::Scanning => {
            let upload = authoring.scanned(&caller, &call, id, upload).await?;
            return Ok(Body(UploadAnswer::new(id, upload, all)));
        }
        UploadState::Complete | UploadState::Attached => {
            return Ok(Body(UploadAnswer::new(id, upload, all)));
        }
    }
    let file = authoring.parted_file(caller.tenant, id, upload.parts)?;
    let present = file.present().await.map_err(unreachable)?;
    if let Some(first) = all.iter().find(|number| !present.contains(number)) {
        let (there, count) = (present.len(), all.len());
        let detail =
            format!("{there} of {count} parts are there: send part {first}, and what else is missing.");
        return Err(Problem::new(StatusCode::CONFLICT, "upload-missing", "").with_detail(detail).into());
    }
    // A document is small, and its type stands at its end.
    let looked_at = if upload.kind == FileKind::Document { upload.parts.bytes() } else { HEAD_BYTES };
    let bytes = match file.read_range(0..looked_at).await {
        // Somebody gives it up meanwhile.
        Err(ObjectError::NotFound) => return Err(Problem::conflict().into()),
        bytes => bytes.map_err(unreachable)?,
    };
    let Some(found) = content_type(upload.kind, &bytes) else {
        let known = upload.kind.content_types().join(", ");
        let detail = format!("The content is none of what a file of this kind may be: {known}.");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong-content", "")
            .with_detail(detail)
            .into());
    };
    upload.content_type = Some(found.to_owned());
    let upload = if authoring.scans(upload.kind) {
        let mut tx = authoring.postgres.tenant(caller.tenant).await?;
        store::hold_back(&mut tx, id, found).await?;
        tx.commit().await?;
        upload.state = UploadState::Scanning;
        authoring.scanned(&caller, &call, id, upload).await?
    } else {
        authoring.finish(&caller, &call, id, upload).await?
    };
    Ok(Body(UploadAnswer::new(id, upload, all)))
}
