//! Batches of codes: made, looked at, revoked.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams, idempotency,
    paging::{Cursor, Page, PageParams},
    problem::ProblemDocument,
    signed::CallContext,
};
use akademi_domain::{
    activation_code::CodePrefix,
    ids::{ActivationBatchId, CourseId, UserId},
    text,
    time::Timestamp,
};
use akademi_edge_store::StoreError;
use akademi_identity::Origin;
use axum::{extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::ops::RangeInclusive;

use crate::{
    Activation,
    codes::MAX_CODES,
    store::{self, FoundBatch, Scope},
};

pub const PATH: &str = "/api/v1/activation-codes/batches";
const CREATE: &str = "POST /api/v1/activation-codes/batches";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const MAX_NAME: usize = 80;
const COUNTS: RangeInclusive<u32> = 1..=MAX_CODES;
const USES: RangeInclusive<u32> = 1..=10_000;
const COURSES: RangeInclusive<usize> = 1..=20;

#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBatch {
    /// What the academy calls it; who redeems a code does not see it.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// What its codes begin with: up to 10 of the letters A to Z without I, L and O, and the digits 2 to 9.
    #[serde(default)]
    prefix: CodePrefix,
    /// How many codes it has.
    #[schema(minimum = 1, maximum = 100_000)]
    count: u32,
    /// How many people may use each of them.
    #[schema(minimum = 1, maximum = 10_000)]
    uses_per_code: u32,
    /// From then on they can be redeemed.
    starts_at: Timestamp,
    /// From then on no more.
    ends_at: Timestamp,
    /// What each gives: published courses.
    #[schema(min_items = 1, max_items = 20)]
    courses: Vec<CourseId>,
}

impl NewBatch {
    /// The batch with its name in its one form, and its courses in the order of their ids.
    fn checked(mut self) -> Result<Self, Problem> {
        self.name = text::line(&self.name, MAX_NAME).map_err(|error| Problem::field("name", error))?;
        for (field, value, allowed) in
            [("count", self.count, COUNTS), ("uses_per_code", self.uses_per_code, USES)]
        {
            if !allowed.contains(&value) {
                let (least, most) = (allowed.start(), allowed.end());
                return Err(Problem::field(field, format!("is not {least} to {most}")));
            }
        }
        if self.ends_at <= self.starts_at {
            return Err(Problem::field("ends_at", "is not later than starts_at"));
        }
        if !COURSES.contains(&self.courses.len()) {
            return Err(Problem::field("courses", "are not 1 to 20"));
        }
        self.courses.sort_unstable();
        self.courses.dedup();
        Ok(self)
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct BatchEntry {
    id: ActivationBatchId,
    name: String,
    prefix: CodePrefix,
    count: u32,
    uses_per_code: u32,
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// In the order of their ids.
    courses: Vec<CourseId>,
    /// How often codes of it were redeemed.
    uses: i64,
    created_by: UserId,
    created_at: Timestamp,
    /// Since when no code of it is good any more.
    revoked_at: Option<Timestamp>,
}

impl From<FoundBatch> for BatchEntry {
    fn from(found: FoundBatch) -> Self {
        Self {
            id: found.key.id,
            name: found.name,
            prefix: found.key.prefix,
            count: found.count,
            uses_per_code: found.uses_per_code,
            starts_at: found.starts_at,
            ends_at: found.ends_at,
            courses: found.courses,
            uses: found.uses,
            created_by: found.created_by,
            created_at: found.created_at,
            revoked_at: found.revoked_at,
        }
    }
}

/// The academy's batches of activation codes, newest first
#[utoipa::path(get, path = "/api/v1/activation-codes/batches", tag = "activation codes", params(PageParams),
    responses((status = 200, description = "A page of batches", body = Page<BatchEntry>)))]
pub async fn list(
    State(activation): State<Activation>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<BatchEntry>>, Problem> {
    let after = page.cursor.as_deref().map(Cursor::decode).transpose()?;
    let found =
        store::list_batches(&activation.edge.tenant(caller.tenant), after, page.limit.and_one()).await?;
    let found = Page::of(found, page.limit, |last| Cursor {
        key: last.created_at.as_millis(),
        id: last.key.id.to_string(),
    });
    Ok(Body(found.map(BatchEntry::from)))
}

/// Make activation codes
///
/// A batch of them, to be exported as CSV. Needs an `Idempotency-Key`.
#[utoipa::path(post, path = "/api/v1/activation-codes/batches", tag = "activation codes", request_body = NewBatch,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, bare or quoted")),
    responses((status = 201, description = "The batch", body = BatchEntry,
                headers(("Location" = String), ("Idempotent-Replayed" = String, description = "`true` if this was answered before"))),
              (status = 400, description = "The Idempotency-Key is missing, or the body is not well-formed", body = ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The academy has 65,535 batches already, or two were made at once: try again", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(activation): State<Activation>,
    caller: Caller,
    origin: Origin,
    headers: HeaderMap,
    Body(new): Body<NewBatch>,
) -> Result<Response, Problem> {
    let sent = headers.get(IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let key = idempotency::key(&CallContext { idempotency_key: sent, ..CallContext::default() })?;
    let fingerprint = idempotency::fingerprint(&new)?;
    let new = new.checked()?;
    let database = activation.edge.tenant(caller.tenant);
    let scope = Scope { person: caller.user, route: CREATE, key: &key };
    if let Some(answered) = store::find_answer(&database, scope).await? {
        return replay(answered, &fingerprint);
    }
    let (now, ports) = (activation.edge.ports.now(), &activation.edge.ports);
    let id = ActivationBatchId::new(now, ports.random());
    let row = store::NewBatch {
        id,
        name: &new.name,
        prefix: &new.prefix,
        count: new.count,
        uses_per_code: new.uses_per_code,
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        created_by: caller.user,
        now,
    };
    let mut batch = vec![store::insert_batch(row)];
    batch.extend(new.courses.iter().map(|course| store::insert_course(id, *course)));
    let change = json!({ "after": new });
    batch.extend(activation.audited(&caller, &origin, "activation_batch.created", id, change).await?);
    let entry = BatchEntry {
        id,
        name: new.name,
        prefix: new.prefix,
        count: new.count,
        uses_per_code: new.uses_per_code,
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        courses: new.courses,
        uses: 0,
        created_by: caller.user,
        created_at: now,
        revoked_at: None,
    };
    let answer = idempotency::created(format!("{PATH}/{id}"), &entry)?;
    batch.push(store::insert_answer(scope, &fingerprint, &answer, now));
    match database.batch(batch).await {
        Ok(_) => idempotency::respond(answer, false),
        // The same request, sent twice at once.
        Err(error) if error.is_duplicate_of("idempotency") => {
            let answered = store::find_answer(&database, scope).await?;
            replay(answered.ok_or_else(idempotency::still_running)?, &fingerprint)
        }
        Err(error) if store::lacks_a_course(&error) => Err(Problem::field(
            "courses",
            "holds one that is not in the academy's catalog, or has limited seats",
        )),
        Err(error) if store::has_no_number(&error) => {
            Err(Problem::new(StatusCode::CONFLICT, "too-many-batches", "The academy has 65,535 batches."))
        }
        Err(error) => Err(error.into()),
    }
}

fn replay(
    (known, answer): (Vec<u8>, idempotency::StoredResponse),
    fingerprint: &[u8; 32],
) -> Result<Response, Problem> {
    if known != fingerprint {
        return Err(idempotency::mismatch());
    }
    idempotency::respond(answer, true)
}

/// One batch
#[utoipa::path(get, path = "/api/v1/activation-codes/batches/{batch_id}", tag = "activation codes",
    params(("batch_id" = ActivationBatchId, Path, description = "The batch")),
    responses((status = 200, description = "The batch", body = BatchEntry)))]
pub async fn show(
    State(activation): State<Activation>,
    caller: Caller,
    PathParam(batch): PathParam<ActivationBatchId>,
) -> Result<Body<BatchEntry>, Problem> {
    let found = store::find_batch(&activation.edge.tenant(caller.tenant), batch).await?;
    Ok(Body(found.ok_or_else(Problem::not_found)?.into()))
}

/// Revoke a batch
///
/// None of its codes is good from then on. Who has redeemed one keeps its courses. A second time it changes nothing.
#[utoipa::path(post, path = "/api/v1/activation-codes/batches/{batch_id}/revocation", tag = "activation codes",
    params(("batch_id" = ActivationBatchId, Path, description = "The batch")),
    responses((status = 200, description = "The batch as it is now", body = BatchEntry)))]
pub async fn revoke(
    State(activation): State<Activation>,
    caller: Caller,
    origin: Origin,
    PathParam(id): PathParam<ActivationBatchId>,
) -> Result<Body<BatchEntry>, Problem> {
    let database = activation.edge.tenant(caller.tenant);
    let mut found = store::find_batch(&database, id).await?.ok_or_else(Problem::not_found)?;
    if found.revoked_at.is_none() {
        let now = activation.edge.ports.now();
        let mut batch = vec![store::revoke_batch(id, now)];
        let change = json!({ "before": { "revoked_at": null }, "after": { "revoked_at": now } });
        batch.extend(activation.audited(&caller, &origin, "activation_batch.revoked", id, change).await?);
        match database.batch_if(store::is_not_revoked(id), batch).await {
            // Somebody else has just done it.
            Ok(_) | Err(StoreError::Guard) => {}
            Err(error) => return Err(error.into()),
        }
        found = store::find_batch(&database, id).await?.ok_or_else(Problem::not_found)?;
    }
    Ok(Body(found.into()))
}
