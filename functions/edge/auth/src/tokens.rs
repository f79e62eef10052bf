//! What a client gets when it is signed in.

use akademi_api::{Body, Caller, Problem};
use akademi_domain::{
    identity::ACCESS_TOKEN_SECONDS,
    ids::{SessionId, TenantId, UserId},
    permission::Permissions,
    time::Timestamp,
};
use akademi_edge_store::TenantStatement;
use akademi_identity::{Audit, Origin, audit};
use akademi_seal::PersonKey;
use serde::Serialize;

use crate::{
    Auth,
    refresh_token::SessionNonce,
    store::{self, NewSession},
};

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

impl TokenPair {
    pub fn new(
        auth: &Auth,
        caller: &Caller,
        nonce: &SessionNonce,
        generation: i64,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let access_token =
            auth.signer.sign(caller, now, auth.edge.ports.random()).map_err(Problem::broken)?;
        Ok(Self {
            access_token,
            token_type: "Bearer",
            expires_in: ACCESS_TOKEN_SECONDS,
            refresh_token: auth.refresh_tokens.token(caller.tenant, caller.session, nonce, generation),
        })
    }
}

/// Somebody who has shown all that is asked.
pub struct Proven<'a> {
    pub tenant: TenantId,
    pub person: UserId,
    pub key: &'a PersonKey,
    pub permissions: Permissions,
    pub origin: &'a Origin,
    /// How: `password`, `second_factor`.
    pub by: &'static str,
}

/// Starts a session on this device, together with `others` in one step.
///
/// # Errors
/// Of the store.
pub async fn start_session(
    auth: &Auth,
    proven: Proven<'_>,
    condition: Option<TenantStatement>,
    others: Vec<TenantStatement>,
) -> Result<Body<TokenPair>, Problem> {
    let ports = &auth.edge.ports;
    let now = ports.now();
    let session = SessionId::new(now, ports.random());
    let nonce: SessionNonce = ports.random();
    let device = proven.origin.device.clone();
    let country = proven.origin.country.clone();
    let new = NewSession { id: session, person: proven.person, nonce: &nonce, device, country, now };
    let mut batch = others;
    batch.push(store::insert_session(new));
    let signed_in = Audit {
        action: "sign_in.succeeded",
        actor: Some(proven.person),
        target: format!("session:{session}"),
        origin: proven.origin,
        sealed_for: Some((proven.person, proven.key)),
        change: Some(serde_json::json!({ "by": proven.by })),
    };
    batch.extend(signed_in.append(ports, now)?);
    let database = auth.edge.tenant(proven.tenant);
    match condition {
        Some(condition) => database.batch_if(condition, batch).await?,
        None => database.batch(batch).await?,
    };
    let caller =
        Caller { tenant: proven.tenant, user: proven.person, session, permissions: proven.permissions };
    TokenPair::new(auth, &caller, &nonce, 0, now).map(Body)
}

/// The entry of an attempt on somebody's account that failed.
pub fn failed_attempt(
    auth: &Auth,
    person: UserId,
    key: &PersonKey,
    origin: &Origin,
    action: &'static str,
) -> Result<[TenantStatement; 2], Problem> {
    let failed = Audit {
        action,
        actor: None,
        target: audit::person(person),
        origin,
        sealed_for: Some((person, key)),
        change: None,
    };
    failed.append(&auth.edge.ports, auth.edge.ports.now())
}
