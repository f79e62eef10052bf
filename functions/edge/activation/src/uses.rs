//! Who has redeemed which code.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
};
use akademi_domain::{
    identity::PersonName,
    ids::{ActivationBatchId, TenantId, UserId},
    time::Timestamp,
};
use akademi_identity::Profile;
use axum::extract::State;
use serde::Serialize;

use crate::{
    Activation,
    store::{self, FoundUse, UsePlace},
};

#[derive(Serialize, utoipa::ToSchema)]
pub struct CodeUse {
    code: String,
    person: Redeemer,
    at: Timestamp,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Redeemer {
    id: UserId,
    /// `null` of somebody whose data was erased.
    name: Option<PersonName>,
}

fn place(cursor: Cursor) -> Result<UsePlace, Problem> {
    let of_list =
        cursor.id.split_once(':').and_then(|(person, code)| Some((person.to_owned(), code.parse().ok()?)));
    let (person, code) = of_list.ok_or_else(|| Problem::field("cursor", "is not a cursor of this list"))?;
    Ok(UsePlace { at: cursor.key, person, code })
}

fn name(activation: &Activation, tenant: TenantId, found: &FoundUse) -> Result<Option<PersonName>, Problem> {
    let (Some(profile), Some(wrapped)) = (&found.profile, &found.wrapped_key) else { return Ok(None) };
    let key = activation.vault.unwrap_key(tenant, found.person, wrapped).map_err(Problem::broken)?;
    Ok(Some(Profile::open(&key, found.person, profile)?.name))
}

/// Who has redeemed which code of a batch, newest first
#[utoipa::path(get, path = "/api/v1/activation-codes/batches/{batch_id}/uses", tag = "activation codes",
    params(("batch_id" = ActivationBatchId, Path, description = "The batch"), PageParams),
    responses((status = 200, description = "A page of redemptions", body = Page<CodeUse>)))]
pub async fn list(
    State(activation): State<Activation>,
    caller: Caller,
    PathParam(id): PathParam<ActivationBatchId>,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<CodeUse>>, Problem> {
    let after = page.cursor.as_deref().map(Cursor::decode).transpose()?.map(place).transpose()?;
    let database = activation.edge.tenant(caller.tenant);
    let batch = store::find_batch(&database, id).await?.ok_or_else(Problem::not_found)?.key;
    let found = store::list_uses(&database, id, after, page.limit.and_one()).await?;
    let found = Page::of(found, page.limit, |last| Cursor {
        key: last.at.as_millis(),
        id: format!("{}:{}", last.person, last.code),
    });
    found
        .try_map(|found| {
            Ok(CodeUse {
                code: activation.codes.code(caller.tenant, &batch, found.code).to_string(),
                person: Redeemer { id: found.person, name: name(&activation, caller.tenant, &found)? },
                at: found.at,
            })
        })
        .map(Body)
}
