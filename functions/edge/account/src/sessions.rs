//! The devices on which somebody is signed in.

use akademi_api::{
    Body, Caller, PathParam, Problem, QueryParams,
    paging::{Cursor, Page, PageParams},
};
use akademi_domain::{ids::SessionId, time::Timestamp};
use akademi_edge_store::TenantStatement;
use akademi_identity::{Audit, Origin, audit, revoke_session, revoke_sessions, session::keeping::no_cookies};
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::{Account, store};

#[derive(Serialize, utoipa::ToSchema)]
pub struct Session {
    id: SessionId,
    /// What the device said of itself at sign-in.
    device: String,
    /// Where that was, as far as the host knows: ISO 3166-1 alpha-2.
    country: Option<String>,
    created_at: Timestamp,
    /// When the device last refreshed its token.
    last_seen_at: Timestamp,
    /// Whether this request belongs to it.
    current: bool,
}

/// Sign out of this device
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "account",
    responses((status = 204, description = "The session has ended; a browser forgets its tokens")))]
pub async fn logout(
    State(account): State<Account>,
    caller: Caller,
    origin: Origin,
) -> Result<(StatusCode, HeaderMap), Problem> {
    let now = account.edge.ports.now();
    let batch = vec![revoke_session(caller.session, now)];
    let target = format!("session:{}", caller.session);
    Ok((commit_end(&account, &caller, &origin, target, batch).await?, no_cookies()?))
}

/// One's own sessions, last seen first
#[utoipa::path(get, path = "/api/v1/users/me/sessions", tag = "account", params(PageParams),
    responses((status = 200, description = "A page of sessions", body = Page<Session>)))]
pub async fn list(
    State(account): State<Account>,
    caller: Caller,
    QueryParams(page): QueryParams<PageParams>,
) -> Result<Body<Page<Session>>, Problem> {
    let after = page.cursor.as_deref().map(Cursor::decode).transpose()?;
    let database = account.edge.tenant(caller.tenant);
    let found = store::list_sessions(&database, caller.user, after, page.limit.and_one()).await?;
    let found = Page::of(found, page.limit, |last| Cursor {
        key: last.rotated_at.as_millis(),
        id: last.id.to_string(),
    });
    Ok(Body(found.map(|row| Session {
        current: row.id == caller.session,
        id: row.id,
        device: row.device,
        country: row.country,
        created_at: row.created_at,
        last_seen_at: row.rotated_at,
    })))
}

/// Sign out of one device
#[utoipa::path(delete, path = "/api/v1/users/me/sessions/{session_id}", tag = "account",
    params(("session_id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "The session has ended")))]
pub async fn end(
    State(account): State<Account>,
    caller: Caller,
    origin: Origin,
    PathParam(session): PathParam<SessionId>,
) -> Result<StatusCode, Problem> {
    if !store::is_session_of(&account.edge.tenant(caller.tenant), session, caller.user).await? {
        return Err(Problem::not_found());
    }
    let batch = vec![revoke_session(session, account.edge.ports.now())];
    commit_end(&account, &caller, &origin, format!("session:{session}"), batch).await
}

/// Sign out everywhere
///
/// Ends all sessions, this one too.
#[utoipa::path(delete, path = "/api/v1/users/me/sessions", tag = "account",
    responses((status = 204, description = "All sessions have ended")))]
pub async fn end_all(
    State(account): State<Account>,
    caller: Caller,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let batch = vec![revoke_sessions(caller.user, None, account.edge.ports.now())];
    commit_end(&account, &caller, &origin, audit::person(caller.user), batch).await
}

async fn commit_end(
    account: &Account,
    caller: &Caller,
    origin: &Origin,
    target: String,
    mut batch: Vec<TenantStatement>,
) -> Result<StatusCode, Problem> {
    let ports = &account.edge.ports;
    let entry = Audit {
        action: "session.ended",
        actor: Some(caller.user),
        target,
        origin,
        sealed_for: None,
        change: None,
    };
    batch.extend(entry.append(ports, ports.now())?);
    account.edge.tenant(caller.tenant).batch(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}
