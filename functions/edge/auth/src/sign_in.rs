//! Sign-in with a password, and the rotation of refresh tokens.

use akademi_api::{Academy, Body, Caller, Problem};
use akademi_domain::{
    identity::{ACCESS_TOKEN_SECONDS, EmailAddress, Refresh, refresh as decide},
    ids::{SessionId, TenantId},
    permission::{Permissions, Role},
    time::Timestamp,
};
use axum::extract::State;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use crate::{
    Auth, password,
    refresh_token::{SessionNonce, Shown},
    store::{self, NewSession},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    email: EmailAddress,
    #[schema(format = Password, max_length = 1024)]
    password: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    refresh_token: String,
}

/// What a client keeps to stay signed in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenPair {
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
    /// Good for one use: the answer to a refresh carries the next one.
    refresh_token: String,
}

/// Sign in
///
/// Starts a session on this device. An unknown address and a wrong password answer alike.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, description = "Signed in", body = TokenPair),
              (status = 401, description = "The address or the password is wrong", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn login(
    State(auth): State<Auth>,
    academy: Academy,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Result<Body<TokenPair>, Problem> {
    let database = auth.edge.tenant(academy.id);
    let lookup = auth.vault.email_lookup(academy.id, &login.email);
    let found = store::find_credentials(&database, &lookup).await?;
    let stored = found.as_ref().map(|person| person.password_hash.as_str());
    // A password beyond what anybody can choose costs no hash of its own length.
    let is_right = password::verify(login.password.get(..1024).unwrap_or(&login.password), stored)?;
    let person = found.filter(|person| is_right && person.active).ok_or_else(Problem::wrong_credentials)?;

    let ports = &auth.edge.ports;
    let now = ports.now();
    let session = SessionId::new(now, ports.random());
    let nonce: SessionNonce = ports.random();
    let new = NewSession { id: session, person: person.id, nonce: &nonce, device: device(&headers), now };
    database.batch(vec![store::insert_session(new)]).await?;
    let caller =
        Caller { tenant: academy.id, user: person.id, session, permissions: permissions(&person.roles) };
    pair(&auth, &caller, &nonce, 0, now)
}

/// Refresh
///
/// Trades a refresh token for the next pair. A token that was used before ends the session, unless the client
/// raced itself within ten seconds.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "auth", request_body = RefreshRequest,
    responses((status = 200, description = "The next pair", body = TokenPair),
              (status = 401, description = "The token is not valid, or its session has ended", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn refresh(
    State(auth): State<Auth>,
    academy: Academy,
    Body(request): Body<RefreshRequest>,
) -> Result<Body<TokenPair>, Problem> {
    let shown = Shown::parse(&request.refresh_token).ok_or_else(Problem::token_invalid)?;
    // Two clients with the same token race for the rotation: who loses reads again and meets the grace.
    for _ in 0..3 {
        if let Some(pair) = try_refresh(&auth, academy.id, &shown).await? {
            return Ok(pair);
        }
    }
    Err(Problem::conflict())
}

/// One try; nothing when another request rotated the session meanwhile.
async fn try_refresh(
    auth: &Auth,
    tenant: TenantId,
    shown: &Shown,
) -> Result<Option<Body<TokenPair>>, Problem> {
    let database = auth.edge.tenant(tenant);
    let session = store::find_session(&database, shown.session).await?.ok_or_else(Problem::token_invalid)?;
    if !auth.refresh_tokens.is_genuine(shown, tenant, &session.nonce) {
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
            database.batch(vec![store::revoke_session(shown.session, now)]).await?;
            return Err(Problem::session_ended().because("an old refresh token came back"));
        }
        Refresh::Expired | Refresh::Revoked => return Err(Problem::session_ended()),
    };
    if !session.person_active {
        return Err(Problem::session_ended());
    }
    let caller = Caller {
        tenant,
        user: session.person,
        session: shown.session,
        permissions: permissions(&session.roles),
    };
    pair(auth, &caller, &session.nonce, generation, now).map(Some)
}

fn pair(
    auth: &Auth,
    caller: &Caller,
    nonce: &SessionNonce,
    generation: i64,
    now: Timestamp,
) -> Result<Body<TokenPair>, Problem> {
    let access_token = auth.signer.sign(caller, now, auth.edge.ports.random()).map_err(Problem::broken)?;
    Ok(Body(TokenPair {
        access_token,
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_SECONDS,
        refresh_token: auth.refresh_tokens.token(caller.tenant, caller.session, nonce, generation),
    }))
}

fn permissions(roles: &[Role]) -> Permissions {
    roles.iter().fold(Permissions::NONE, |set, role| set.union(role.permissions()))
}

/// The device by what it says of itself, at most 120 characters.
fn device(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    agent.chars().filter(|letter| !letter.is_control()).take(120).collect()
}
