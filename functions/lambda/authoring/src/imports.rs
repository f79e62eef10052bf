//! Courses from archives: the upload that a person asks for, and the job that makes a draft of what was sent.
//!
//! 1. `POST /imports` gives an id and a signed link; the archive goes straight to storage.
//! 2. `POST /imports/{id}/start` queues the job of that id, once, when the archive is there.
//! 3. The job ([`Authoring::run_next_import`]) unpacks the archive, stores its files under a folder of the attempt's own,
//!    and keeps draft, files and report in the one transaction that ends it. The attempt's number is the fence: of two
//!    workers with the same job one commits, and the other takes away its files.
//!
//! An archive that cannot be imported leaves nothing but the job, which says why.

pub mod job;
mod preparing;
mod reading;
mod report;
mod store;
mod work;

use akademi_api::{
    Body, Caller, PathParam, Problem, idempotency as idempotent, problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    ids::{JobId, TenantId, UserId},
    text::line,
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    content_type::ContentType,
    idempotency::{self, Begin, Scope},
    jobs::{NewJob, enqueue},
    object_key::{InvalidKey, ObjectKey},
    objects::ObjectError,
};
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Authoring, AuthoringError, storage::UploadLink};
use job::JobAnswer;

pub use report::{ImportCounts, ImportResult};

/// The kind of the job.
const KIND: &str = "olx_import";
/// The largest archive, in bytes; an import holds what it unpacks to in memory.
pub const MAX_ARCHIVE_BYTES: u64 = 256 << 20;
/// The longest name of an archive, in characters.
const MAX_FILE_NAME: usize = 200;
const ROUTE: &str = "POST /api/v1/authoring/imports";
/// Work within one transaction: its end ends the lease too.
const LEASE_MILLIS: i64 = 60_000;
/// A worker that vanishes is replaced so often; storage or database that do not answer are tried again so often.
const MAX_ATTEMPTS: i32 = 5;

#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewImport {
    /// The archive's name, for people.
    #[schema(min_length = 1, max_length = 200)]
    file_name: String,
    /// Its size in bytes.
    #[schema(minimum = 1, maximum = 268_435_456)]
    bytes: u64,
}

/// An import that waits for its archive.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportMade {
    /// Names the import and its job.
    job: JobId,
    upload: UploadLink,
}

/// What the job is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportOrder {
    owner: UserId,
}

/// The folder of everything that an import stores.
fn folder(tenant: TenantId, id: JobId) -> Result<ObjectKey, InvalidKey> {
    ObjectKey::new(tenant, ["imports", &id.to_string()])
}

/// Where the archive is sent to.
fn archive_key(folder: &ObjectKey) -> Result<ObjectKey, InvalidKey> {
    folder.join("archive")
}

/// Ask to import a course
///
/// For an OLX archive (`.tar.gz`), as Open edX Studio exports it. Send the archive to `upload`, then start the import.
/// Needs an `Idempotency-Key`.
#[utoipa::path(post, path = "/api/v1/authoring/imports", tag = "authoring", request_body = NewImport,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, bare or quoted")),
    responses((status = 201, description = "Where to send the archive", body = ImportMade,
                headers(("Location" = String), ("Idempotent-Replayed" = String, description = "`true` if this was answered before"))),
              (status = 400, description = "The Idempotency-Key is missing, or the body is not well-formed", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The same request is being answered", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(new): Body<NewImport>,
) -> Result<Response, AuthoringError> {
    let key = idempotent::key(&call)?;
    check(&new)?;
    let now = authoring.ports.now();
    let scope = Scope { user: caller.user, route: ROUTE, key: &key };
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let begin =
        idempotency::begin(&mut tx, &scope, &idempotent::fingerprint(&new)?, LEASE_MILLIS, now).await?;
    let (stored, replayed) = match begin {
        Begin::Mismatch => return Err(idempotent::mismatch().into()),
        Begin::Running => return Err(idempotent::still_running().into()),
        Begin::Replay(stored) => (stored, true),
        Begin::Fresh(claim) => {
            let job = JobId::new(now, authoring.ports.random());
            let archive = folder(caller.tenant, job)
                .and_then(|folder| archive_key(&folder))
                .map_err(Problem::broken)?;
            store::insert_import(&mut tx, job, caller.user, &new.file_name, new.bytes, now).await?;
            let upload = authoring.storage.upload(archive, new.bytes, gzip()?, now)?;
            let location = format!("/api/v1/authoring/jobs/{job}");
            let stored = idempotent::created(location, &ImportMade { job, upload })?;
            idempotency::finish(&mut tx, &scope, claim, &stored).await?;
            let requested = Write {
                action: Action::ImportRequested,
                target: format!("import:{job}"),
                before: Value::Null,
                after: json!({ "bytes": new.bytes }),
            };
            authoring.auditor.record(&mut tx, Actor::new(&caller, &call), requested).await?;
            (stored, false)
        }
    };
    tx.commit().await?;
    Ok(idempotent::respond(stored, replayed)?)
}

fn check(new: &NewImport) -> Result<(), Problem> {
    if let Err(error) = line(&new.file_name, MAX_FILE_NAME) {
        return Err(Problem::field("file_name", error));
    }
    if !(1..=MAX_ARCHIVE_BYTES).contains(&new.bytes) {
        return Err(Problem::field("bytes", format!("is not 1 to {MAX_ARCHIVE_BYTES}")));
    }
    Ok(())
}

fn gzip() -> Result<ContentType, Problem> {
    "application/gzip".parse().map_err(Problem::broken)
}

/// Start an import
///
/// When the archive has been sent. Starting again changes nothing and answers how far the import is.
#[utoipa::path(post, path = "/api/v1/authoring/imports/{job_id}/start", tag = "authoring",
    params(("job_id" = JobId, Path, description = "The import")),
    responses((status = 202, description = "The job", body = JobAnswer, headers(("Location" = String))),
              (status = 409, description = "The archive is not there, or not all of it", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn start(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<JobId>,
) -> Result<Response, AuthoringError> {
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    // Locked, so that of two who start it one finds the other's job.
    let import =
        store::lock_import(&mut tx, id, caller.courses_of()).await?.ok_or(AuthoringError::NotFound)?;
    if job::find(&mut tx, id).await?.is_none() {
        let archive =
            folder(caller.tenant, id).and_then(|folder| archive_key(&folder)).map_err(Problem::broken)?;
        let sent = match authoring.storage.objects.head(&archive).await {
            Ok(info) => info.size,
            Err(ObjectError::NotFound) => 0,
            Err(error) => return Err(Problem::unavailable().retry_after(1).because(error).into()),
        };
        if sent != import.bytes {
            let detail = format!("The archive has {} bytes, {sent} are there: send it first.", import.bytes);
            return Err(Problem::new(StatusCode::CONFLICT, "upload-missing", "").with_detail(detail).into());
        }
        let now = authoring.ports.now();
        let new = NewJob {
            id,
            kind: KIND,
            dedupe_key: Some(&id.to_string()),
            payload: &serde_json::to_value(ImportOrder { owner: import.owner })?,
            max_attempts: MAX_ATTEMPTS,
            run_after: now,
        };
        enqueue(&mut tx, &new, now).await?;
        let started = Write {
            action: Action::ImportStarted,
            target: format!("import:{id}"),
            before: Value::Null,
            after: json!({ "owner": import.owner, "bytes": import.bytes }),
        };
        authoring.auditor.record(&mut tx, Actor::new(&caller, &call), started).await?;
    }
    let answer = job::find(&mut tx, id).await?.ok_or(AuthoringError::NotFound)?;
    tx.commit().await?;
    authoring.workers.wake();
    let location = format!("/api/v1/authoring/jobs/{id}");
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Body(answer)).into_response())
}
