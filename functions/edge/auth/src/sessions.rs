//! The devices on which somebody is signed in.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
};
use akademi_domain::{ids::SessionId, time::Timestamp};
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;

use crate::{Auth, store};

#[derive(Serialize, utoipa::ToSchema)]
pub struct Session {
    id: SessionId,
    /// What the device said of itself at sign-in.
    device: String,
    created_at: Timestamp,
    /// When the device last refreshed its token.
    last_seen_at: Timestamp,
    /// Whether this request belongs to it.
    current: bool,
}

/// Sign out of this device
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "auth",
    responses((status = 204, description = "The session has ended")))]
pub async fn logout(State(auth): State<Auth>, caller: Caller) -> Result<StatusCode, Problem> {
    let revoke = store::revoke_session(caller.session, auth.edge.ports.now());
    auth.edge.tenant(caller.tenant).batch(vec![revoke]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own sessions, last seen first
#[utoipa::path(get, path = "/api/v1/users/me/sessions", tag = "auth", params(PageParams),
    responses((status = 200, description = "A page of sessions", body = Page<Session>)))]
pub async fn list(
    State(auth): State<Auth>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<Session>>, Problem> {
    let after = page.cursor.as_deref().map(Cursor::decode).transpose()?;
    let limit = page.limit.get();
    let database = auth.edge.tenant(caller.tenant);
    let mut found = store::list_sessions(&database, caller.user, after, limit + 1).await?;
    let has_more = found.len() as i64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = found
        .last()
        .filter(|_| has_more)
        .map(|last| Cursor { key: last.rotated_at.as_millis(), id: last.id.to_string() }.encode());
    let data = found
        .into_iter()
        .map(|row| Session {
            current: row.id == caller.session,
            id: row.id,
            device: row.device,
            created_at: row.created_at,
            last_seen_at: row.rotated_at,
        })
        .collect();
    Ok(Body(Page { data, next_cursor }))
}

/// Sign out of one device
#[utoipa::path(delete, path = "/api/v1/users/me/sessions/{session_id}", tag = "auth",
    params(("session_id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "The session has ended")))]
pub async fn end(
    State(auth): State<Auth>,
    caller: Caller,
    PathParam(session): PathParam<SessionId>,
) -> Result<StatusCode, Problem> {
    let database = auth.edge.tenant(caller.tenant);
    let found = store::find_session(&database, session).await?;
    if found.is_none_or(|found| found.person != caller.user) {
        return Err(Problem::not_found());
    }
    database.batch(vec![store::revoke_session(session, auth.edge.ports.now())]).await?;
    Ok(StatusCode::NO_CONTENT)
}
