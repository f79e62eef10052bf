//! Somebody's personal data is destroyed.

use akademi_api::{Body, Caller, PathParam, Problem};
use akademi_domain::{
    identity::EmailAddress,
    ids::{TenantId, UserId},
    permission::Role,
};
use akademi_edge_store::{TenantStatement, append_event};
use akademi_feed::EdgeEvent;
use akademi_identity::{
    Audit, Granted, Known, Origin, audit,
    session::keeping::no_cookies,
    staff::{beyond_oneself, clear_guard, no_administrator, somebody_administers, yourself},
};
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::{Privacy, store};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// One's own address, so that nobody does it by mistake.
    email: EmailAddress,
}

/// Erase oneself
///
/// Destroys the account and all personal data, here and in the books of the academy: at once, and for good. Orders and
/// certificates stay without a name.
#[utoipa::path(post, path = "/api/v1/users/me/erasure", tag = "privacy", request_body = Erasure,
    responses((status = 204, description = "You are forgotten; a browser forgets its tokens"),
              (status = 409, description = "The academy would be without an administrator", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn erase_oneself(
    State(privacy): State<Privacy>,
    caller: Caller,
    origin: Origin,
    Body(erasure): Body<Erasure>,
) -> Result<(StatusCode, HeaderMap), Problem> {
    let database = privacy.edge.tenant(caller.tenant);
    let known = Known::find(&database, &privacy.vault, &caller).await?;
    if known.profile.email != erasure.email {
        return Err(Problem::field("email", "is not your address"));
    }
    // The entry names the id, which names nobody from now on; from where is sealed for nobody.
    let entry = Audit {
        action: "person.erased",
        actor: Some(caller.user),
        target: audit::person(caller.user),
        origin: &origin,
        sealed_for: None,
        change: None,
    };
    let entry = entry.append(&privacy.edge.ports, privacy.edge.ports.now())?;
    erase(&privacy, caller.tenant, caller.user, &known.person.granted, entry).await?;
    Ok((StatusCode::NO_CONTENT, no_cookies()?))
}

/// Erase somebody
///
/// Who has asked the academy for it: at once, and for good.
#[utoipa::path(post, path = "/api/v1/people/{person_id}/erasure", tag = "privacy",
    params(("person_id" = UserId, Path, description = "The person")),
    responses((status = 204, description = "They are forgotten"),
              (status = 409, description = "It is yourself, or the academy would be without an administrator", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn erase_person(
    State(privacy): State<Privacy>,
    caller: Caller,
    origin: Origin,
    PathParam(person): PathParam<UserId>,
) -> Result<StatusCode, Problem> {
    if caller.user == person {
        return Err(yourself());
    }
    let granted = store::find_granted(&privacy.edge.tenant(caller.tenant), person).await?;
    let granted = granted.ok_or_else(Problem::not_found)?;
    if !caller.permissions.covers(granted.permissions) {
        return Err(beyond_oneself());
    }
    let (by, target) = ((&caller, &origin), audit::person(person));
    let entry =
        audit::by_staff(&privacy.edge, &privacy.vault, by, "person.erased", target, json!({})).await?;
    erase(&privacy, caller.tenant, person, &granted, entry).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One step here; the other plane follows by the feed.
async fn erase(
    privacy: &Privacy,
    tenant: TenantId,
    person: UserId,
    granted: &Granted,
    entry: [TenantStatement; 2],
) -> Result<(), Problem> {
    let now = privacy.edge.ports.now();
    let mut batch = akademi_edge_store::erase_person(person, now);
    batch.extend(append_event(&EdgeEvent::PersonErased { person, at: now }, now));
    batch.extend(entry);
    if granted.roles.iter().any(|role| matches!(role, Role::TenantAdmin | Role::GlobalAdmin)) {
        // After the change: the statement sees what it left.
        batch.push(somebody_administers());
        batch.push(clear_guard());
    }
    privacy.edge.tenant(tenant).batch(batch).await.map_err(no_administrator)?;
    Ok(())
}
