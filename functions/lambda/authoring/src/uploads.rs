//! Files that staff send straight to storage, in parts.
//!
//! 1. `POST /uploads` reserves the file's bytes and says how it is cut.
//! 2. `POST /uploads/{id}/parts` gives a link for each part, which takes exactly the bytes that were announced. Parts may be
//!    sent in any order and at once; after a lost connection or a restart, `GET /uploads/{id}` says which are there.
//! 3. `POST /uploads/{id}/complete` looks at the content, has it scanned ([`scanning`]), and it is a file. It stays in its parts
//!    ([`akademi_lambda_store::uploads`]).
//! 4. `POST /authoring/courses/{id}/assets` makes it a file of that course, which takes over its bytes where they lie.
//!
//! A part keeps the checksum that it was announced with first, so a link that is still open after the file is complete can put
//! nothing else there.

pub mod attaching;
pub mod clamd;
pub mod completion;
mod content;
pub mod parts;
mod scanning;
mod store;

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams, idempotency as idempotent,
    paging::{Cursor, Page, PageParams},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    ids::{AssetId, TenantId, UploadId},
    text::line,
    time::Timestamp,
    upload::{FileKind, PART_BYTES, Parts},
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    idempotency::{self, Begin, Scope},
    uploads::{PartedFile, folder},
};
use axum::{Extension, extract::State, response::Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Authoring, AuthoringError};
use store::{NewUpload, Upload, UploadState};

/// How long parts may be sent and the file completed, in seconds: an hour before the night may take it away, so that nothing is
/// on its way by then.
const OPEN_SECONDS: i64 = 23 * 60 * 60;
/// The longest name of a file, in characters.
const MAX_FILE_NAME: usize = 200;
const ROUTE: &str = "POST /api/v1/uploads";
/// Work within one transaction: its end ends the lease too.
const LEASE_MILLIS: i64 = 60_000;

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadRequest {
    /// The file's name, for people.
    #[schema(min_length = 1, max_length = 200)]
    file_name: String,
    /// Its size in bytes: documents have at most 5 MiB, images 20 MiB, audio 512 MiB, videos 20 GiB.
    #[schema(minimum = 1, maximum = 21_474_836_480_u64)]
    bytes: u64,
    kind: FileKind,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UploadHead {
    id: UploadId,
    file_name: String,
    kind: FileKind,
    bytes: u64,
    /// The size of each part but the last, which is what is left.
    part_bytes: u64,
    /// How many parts there are; they are numbered from 1.
    parts: u64,
    /// Until when parts may be sent and the file completed.
    until: Timestamp,
    state: UploadState,
    /// What its content is; null until it is complete.
    content_type: Option<String>,
    /// The file of a course that it has become.
    asset: Option<AssetId>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Upload)]
pub struct UploadAnswer {
    #[serde(flatten)]
    head: UploadHead,
    /// The numbers of the parts that are there.
    present: Vec<u64>,
}

impl UploadAnswer {
    fn new(id: UploadId, upload: Upload, present: Vec<u64>) -> Self {
        Self { head: UploadHead::new(id, upload), present }
    }
}

impl UploadHead {
    fn new(id: UploadId, upload: Upload) -> Self {
        Self {
            id,
            parts: upload.parts.count(),
            bytes: upload.parts.bytes(),
            part_bytes: upload.parts.part_bytes(),
            until: until(upload.created_at),
            file_name: upload.file_name,
            kind: upload.kind,
            state: upload.state,
            content_type: upload.content_type,
            asset: upload.asset,
        }
    }
}

fn until(created_at: Timestamp) -> Timestamp {
    created_at.plus_seconds(OPEN_SECONDS)
}

/// As what an upload stands in the log.
fn target(id: UploadId) -> String {
    format!("upload:{id}")
}

impl Authoring {
    fn parted_file(&self, tenant: TenantId, id: UploadId, parts: Parts) -> Result<PartedFile, Problem> {
        let folder = folder(tenant, id).map_err(Problem::broken)?;
        Ok(PartedFile::new(self.storage.objects.clone(), folder, parts))
    }

    /// The caller's upload, as it is now.
    async fn find_upload(&self, caller: &Caller, id: UploadId) -> Result<Upload, AuthoringError> {
        let mut tx = self.postgres.tenant(caller.tenant).await?;
        let upload = store::find_upload(&mut tx, id, caller.user).await?;
        tx.commit().await?;
        upload.ok_or(AuthoringError::NotFound)
    }

    /// Deletes what was sent of an upload that was given up.
    async fn delete_parts(&self, tenant: TenantId, id: UploadId) -> Result<(), Problem> {
        let folder = folder(tenant, id).map_err(Problem::broken)?;
        if let Err(error) = self.storage.objects.delete_folder(&folder).await {
            // The night deletes what is left, and what a link that is still open puts there.
            let line = json!({
                "at": self.ports.now(), "function": "authoring", "level": "error", "files_left_by": target(id),
                "cause": error.with_source(),
            });
            self.ports.log.line(&line.to_string());
        }
        Ok(())
    }

    /// Whether parts may be sent and the file completed.
    fn check_open(&self, upload: &Upload) -> Result<(), Problem> {
        if upload.state != UploadState::Open {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "upload-complete",
                "This file is complete: nothing more can be sent of it.",
            ));
        }
        if self.ports.now() > until(upload.created_at) {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "upload-expired",
                "The time of this upload is over: begin a new one.",
            ));
        }
        Ok(())
    }
}

/// Ask to upload a file
///
/// Reserves its bytes of what the academy may store. Needs an `Idempotency-Key`.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "media", request_body = UploadRequest,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, bare or quoted")),
    responses((status = 201, description = "How it is to be sent", body = UploadAnswer,
                headers(("Location" = String), ("Idempotent-Replayed" = String, description = "`true` if this was answered before"))),
              (status = 400, description = "The Idempotency-Key is missing, or the body is not well-formed", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The same request is being answered, or the academy's storage is full (`storage-full`)", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(request): Body<UploadRequest>,
) -> Result<Response, AuthoringError> {
    let key = idempotent::key(&call)?;
    let file_name = check(&request)?;
    let now = authoring.ports.now();
    let scope = Scope { user: caller.user, route: ROUTE, key: &key };
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let begin =
        idempotency::begin(&mut tx, &scope, &idempotent::fingerprint(&request)?, LEASE_MILLIS, now).await?;
    let (stored, replayed) = match begin {
        Begin::Mismatch => return Err(idempotent::mismatch().into()),
        Begin::Running => return Err(idempotent::still_running().into()),
        Begin::Replay(stored) => (stored, true),
        Begin::Fresh(claim) => {
            let id = UploadId::new(now, authoring.ports.random());
            let parts = Parts::new(request.bytes, PART_BYTES);
            let new = NewUpload { id, owner: caller.user, file_name: &file_name, kind: request.kind, parts };
            store::insert_upload(&mut tx, &new, now).await?;
            let upload = Upload {
                file_name,
                kind: request.kind,
                parts,
                state: UploadState::Open,
                content_type: None,
                asset: None,
                created_at: now,
            };
            let answer = UploadAnswer::new(id, upload, Vec::new());
            let stored = idempotent::created(format!("/api/v1/uploads/{id}"), &answer)?;
            idempotency::finish(&mut tx, &scope, claim, &stored).await?;
            let requested = Write {
                action: Action::UploadRequested,
                target: target(id),
                before: Value::Null,
                after: json!({ "kind": request.kind, "bytes": request.bytes }),
            };
            authoring.auditor.record(&mut tx, Actor::new(&caller, &call), requested).await?;
            (stored, false)
        }
    };
    tx.commit().await?;
    Ok(idempotent::respond(stored, replayed)?)
}

/// The name as it is kept.
fn check(request: &UploadRequest) -> Result<String, Problem> {
    let name = line(&request.file_name, MAX_FILE_NAME).map_err(|error| Problem::field("file_name", error))?;
    let limit = request.kind.max_bytes();
    if !(1..=limit).contains(&request.bytes) {
        let kind = request.kind.name();
        return Err(Problem::field(
            "bytes",
            format!("is not 1 to {limit}, as it must be of the kind {kind}"),
        ));
    }
    Ok(name)
}

/// One's uploads, newest first
///
/// Those that are no files of courses, so that a page finds them again; which of their parts are there, each of them says.
#[utoipa::path(get, path = "/api/v1/uploads", tag = "media", params(PageParams),
    responses((status = 200, description = "A page of uploads", body = Page<UploadHead>)))]
pub async fn list(
    State(authoring): State<Authoring>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<UploadHead>>, AuthoringError> {
    let after = page.cursor.as_deref().map(Cursor::decode_at).transpose()?;
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let found = store::list_uploads(&mut tx, caller.user, after, page.limit.and_one()).await?;
    tx.commit().await?;
    let page = Page::of(found, page.limit, |(id, upload)| Cursor::at(upload.created_at, id));
    Ok(Body(page.map(|(id, upload)| UploadHead::new(id, upload))))
}

/// How far an upload is
///
/// About one that is `scanning` the virus scanner is asked again.
#[utoipa::path(get, path = "/api/v1/uploads/{upload_id}", tag = "media",
    params(("upload_id" = UploadId, Path, description = "The upload: one's own")),
    responses((status = 200, description = "With the parts that are there", body = UploadAnswer),
              (status = 422, description = "It holds a virus and was deleted (`infected`)", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn show(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<UploadId>,
) -> Result<Body<UploadAnswer>, AuthoringError> {
    let mut upload = authoring.find_upload(&caller, id).await?;
    if upload.state == UploadState::Scanning {
        upload = authoring.scanned(&caller, &call, id, upload).await?;
    }
    let file = authoring.parted_file(caller.tenant, id, upload.parts)?;
    let present = file.present().await.map_err(unreachable)?;
    Ok(Body(UploadAnswer::new(id, upload, present)))
}

/// Storage did not answer.
fn unreachable(error: akademi_lambda_store::objects::ObjectError) -> Problem {
    Problem::unavailable().retry_after(1).because(error.with_source())
}

/// Delete an upload
///
/// Complete or not: what was sent of it goes, and what it took of the academy's storage is free again.
#[utoipa::path(delete, path = "/api/v1/uploads/{upload_id}", tag = "media",
    params(("upload_id" = UploadId, Path, description = "The upload: one's own")),
    responses((status = 204, description = "It is gone"),
              (status = 409, description = "It is a file of a course (`upload-attached`)", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn delete(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<UploadId>,
) -> Result<StatusCode, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let upload = store::find_upload(&mut tx, id, caller.user).await?.ok_or(AuthoringError::NotFound)?;
    if !store::give_up(&mut tx, id).await? {
        store::find_upload(&mut tx, id, caller.user).await?.ok_or(AuthoringError::NotFound)?;
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "upload-attached",
            "This upload is a file of a course and cannot be deleted.",
        )
        .into());
    }
    let deleted = Write {
        action: Action::UploadDeleted,
        target: target(id),
        before: json!({ "kind": upload.kind, "bytes": upload.parts.bytes() }),
        after: Value::Null,
    };
    authoring.auditor.record(&mut tx, Actor::new(&caller, &call), deleted).await?;
    tx.commit().await?;
    authoring.delete_parts(caller.tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
