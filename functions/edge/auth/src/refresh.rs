//! The rotation of refresh tokens.

use akademi_api::{Academy, Body, Problem};
use akademi_domain::{
    identity::{Refresh, refresh as decide},
    ids::TenantId,
};
use akademi_identity::{
    Audit, Origin, revoke_session,
    session::{
        Tokens,
        keeping::{Keeping, TokenPair, kept_refresh_token},
        refresh_token::Shown,
    },
};
use axum::{extract::State, response::Response};
use http::{HeaderMap, Uri};
use serde::Deserialize;

use crate::{Auth, store};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// Absent when a browser keeps it as a cookie.
    #[serde(default)]
    refresh_token: Option<String>,
}

/// Refresh
///
/// Trades a refresh token for the next pair. A token that was used before ends the session, unless the client
/// raced itself within ten seconds.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth", request_body = RefreshRequest,
    responses((status = 200, description = "The next pair", body = TokenPair),
              (status = 401, description = "The token is not valid, or its session has ended", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "Many used the same token at once: try again", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn refresh(
    State(auth): State<Auth>,
    academy: Academy,
    origin: Origin,
    keeping: Keeping,
    headers: HeaderMap,
    target: Uri,
    Body(request): Body<RefreshRequest>,
) -> Result<Response, Problem> {
    let (token, keeping) = match &request.refresh_token {
        Some(token) => (token.as_str(), keeping),
        None => (kept_refresh_token(&headers, &target)?, Keeping::Cookies),
    };
    let shown = Shown::parse(token).ok_or_else(Problem::token_invalid)?;
    // Two clients with the same token race for the rotation: who loses reads again and meets the grace.
    for _ in 0..3 {
        if let Some(pair) = try_refresh(&auth, academy.id, &shown, &origin).await? {
            return keeping.deliver(pair);
        }
    }
    Err(Problem::conflict())
}

/// One try; nothing when another request rotated the session meanwhile.
async fn try_refresh(
    auth: &Auth,
    tenant: TenantId,
    shown: &Shown,
    origin: &Origin,
) -> Result<Option<Tokens>, Problem> {
    let database = auth.edge.tenant(tenant);
    let session = store::find_session(&database, shown.session).await?.ok_or_else(Problem::token_invalid)?;
    if !auth.sessions.is_genuine(shown, tenant, &session.nonce) {
        return Err(Problem::token_invalid());
    }
    let now = auth.edge.ports.now();
    let generation = match decide(session.facts, shown.generation, now) {
        Refresh::Rotate => {
            let next = shown.generation + 1;
            if !store::rotate_session(&database, shown.session, shown.generation, now).await? {
                return Ok(None);
            }
            next
        }
        Refresh::Replay => session.facts.generation,
        Refresh::ReuseDetected => {
            let key = auth
                .vault
                .unwrap_key(tenant, session.person, &session.wrapped_key)
                .map_err(Problem::broken)?;
            let entry = Audit {
                action: "refresh_token.reused",
                actor: None,
                target: format!("session:{}", shown.session),
                origin,
                sealed_for: Some((session.person, &key)),
                change: None,
            };
            let mut batch = vec![revoke_session(shown.session, now)];
            batch.extend(entry.append(&auth.edge.ports, now)?);
            database.batch(batch).await?;
            return Err(Problem::session_ended().because("an old refresh token came back"));
        }
        Refresh::Expired | Refresh::Revoked => return Err(Problem::session_ended()),
    };
    if !session.person_active {
        return Err(Problem::session_ended());
    }
    let of = (tenant, session.person, shown.session);
    auth.sessions.pair(of, &session.granted, &session.nonce, generation).map(Some)
}
