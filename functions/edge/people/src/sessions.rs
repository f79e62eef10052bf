//! Where somebody is and was signed in.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
};
use akademi_domain::{
    ids::{SessionId, UserId},
    time::Timestamp,
};
use akademi_identity::{Origin, audit, revoke_sessions, staff::beyond_oneself};
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::{People, store};

#[derive(Serialize, utoipa::ToSchema)]
pub struct SignIn {
    id: SessionId,
    /// What the device said of itself.
    device: String,
    /// ISO 3166-1 alpha-2, as far as the host knows.
    country: Option<String>,
    at: Timestamp,
    last_seen_at: Timestamp,
    /// When it was ended; one that ran out was not.
    ended_at: Option<Timestamp>,
}

/// Somebody's sign-ins, newest first
#[utoipa::path(get, path = "/api/v1/people/{person_id}/sessions", tag = "people",
    params(("person_id" = UserId, Path, description = "The person"), PageParams),
    responses((status = 200, description = "A page of sign-ins", body = Page<SignIn>)))]
pub async fn list(
    State(people): State<People>,
    caller: Caller,
    PathParam(person): PathParam<UserId>,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<SignIn>>, Problem> {
    let after = page.cursor.as_deref().map(Cursor::decode).transpose()?;
    let database = people.edge.tenant(caller.tenant);
    store::find_person(&database, person).await?.ok_or_else(Problem::not_found)?;
    let found = store::list_sign_ins(&database, person, after, page.limit.and_one()).await?;
    let found = Page::of(found, page.limit, |last| Cursor {
        key: last.last_seen_at.as_millis(),
        id: last.id.to_string(),
    });
    Ok(Body(found.map(|row| SignIn {
        id: row.id,
        device: row.device,
        country: row.country,
        at: row.at,
        last_seen_at: row.last_seen_at,
        ended_at: row.ended_at,
    })))
}

/// Sign somebody out everywhere
#[utoipa::path(delete, path = "/api/v1/people/{person_id}/sessions", tag = "people",
    params(("person_id" = UserId, Path, description = "The person")),
    responses((status = 204, description = "All their sessions have ended")))]
pub async fn end_all(
    State(people): State<People>,
    caller: Caller,
    origin: Origin,
    PathParam(person): PathParam<UserId>,
) -> Result<StatusCode, Problem> {
    let database = people.edge.tenant(caller.tenant);
    let found = store::find_person(&database, person).await?.ok_or_else(Problem::not_found)?;
    if !caller.permissions.covers(found.granted.permissions) {
        return Err(beyond_oneself());
    }
    let mut batch = vec![revoke_sessions(person, None, people.edge.ports.now())];
    let target = audit::person(person);
    batch.extend(people.audited(&caller, &origin, "session.ended", target, json!({})).await?);
    database.batch(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}
