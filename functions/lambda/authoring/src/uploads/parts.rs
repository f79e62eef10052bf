//! Links for the parts of an upload.

use akademi_api::{Body, Caller, PathParam, Problem, problem::ProblemDocument, signed::CallContext};
use akademi_domain::ids::UploadId;
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    objects::Announced,
    uploads::{folder, part_key},
};
use axum::{Extension, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{store, target, until};
use crate::{Authoring, AuthoringError, storage::UploadLink};

/// How many links one request gives.
const MAX_PARTS: usize = 100;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartsRequest {
    /// Each number once.
    #[schema(min_items = 1, max_items = 100)]
    parts: Vec<AnnouncedPart>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedPart {
    /// From 1.
    number: u64,
    /// Of the part's bytes, in lower-case hex. It stays what was said first.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PartLinks {
    parts: Vec<PartLink>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PartLink {
    number: u64,
    /// Exactly so many are taken.
    bytes: u64,
    upload: UploadLink,
}

/// Get links for parts
///
/// For at most 100 at once. Each takes exactly the part's bytes with this checksum and stores nothing else. Asking again gives
/// new links.
#[utoipa::path(post, path = "/api/v1/uploads/{upload_id}/parts", tag = "media", request_body = PartsRequest,
    params(("upload_id" = UploadId, Path, description = "The upload: one's own")),
    responses((status = 200, description = "A link for each, in their order", body = PartLinks),
              (status = 409, description = "The upload is complete or its time is over, or a part was announced with another checksum (`another-part`)", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn links(
    State(authoring): State<Authoring>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam(id): PathParam<UploadId>,
    Body(request): Body<PartsRequest>,
) -> Result<Body<PartLinks>, AuthoringError> {
    if !(1..=MAX_PARTS).contains(&request.parts.len()) {
        return Err(Problem::field("parts", format!("are not 1 to {MAX_PARTS}")).into());
    }
    let mut tx = authoring.postgres.tenant(caller.tenant).await?;
    let upload = store::find_upload(&mut tx, id, caller.user).await?.ok_or(AuthoringError::NotFound)?;
    authoring.check_open(&upload)?;
    let mut announced = BTreeMap::new();
    for (place, part) in request.parts.iter().enumerate() {
        let field = |name: &str| format!("parts[{place}].{name}");
        let Some(bytes) = upload.parts.size(part.number) else {
            let last = upload.parts.count();
            return Err(Problem::field(field("number"), format!("is not 1 to {last}")).into());
        };
        let sha256 = digest(&part.sha256)
            .ok_or_else(|| Problem::field(field("sha256"), "is not 64 lower-case hexadecimal digits"))?;
        if announced.insert(part.number, Announced { bytes, sha256 }).is_some() {
            return Err(Problem::field(field("number"), "stands twice").into());
        }
    }
    let new = store::announce_parts(&mut tx, id, &announced).await?;
    if !store::are_announced(&mut tx, id, &announced).await? {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "another-part",
            "A part was announced with another checksum: this is another file, which needs an upload of its own.",
        )
        .into());
    }
    if new > 0 {
        let announced = Write {
            action: Action::UploadPartsAnnounced,
            target: target(id),
            before: Value::Null,
            after: json!({ "parts": new }),
        };
        authoring.auditor.record(&mut tx, Actor::new(&caller, &call), announced).await?;
    }
    tx.commit().await?;
    let folder = folder(caller.tenant, id).map_err(Problem::broken)?;
    let (now, last) = (authoring.ports.now(), until(upload.created_at));
    let link = |part: &AnnouncedPart| {
        let announced = announced.get(&part.number).ok_or_else(Problem::internal)?;
        let key = part_key(&folder, part.number).map_err(Problem::broken)?;
        let upload = authoring.storage.upload_part(key, announced, now, last)?;
        Ok(PartLink { number: part.number, bytes: announced.bytes, upload })
    };
    let parts = request.parts.iter().map(link).collect::<Result<_, Problem>>()?;
    Ok(Body(PartLinks { parts }))
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let is_lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    hex::decode(text).ok().filter(|_| is_lower)?.try_into().ok()
}
