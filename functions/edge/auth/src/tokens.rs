//! What a client gets when it is signed in.

use akademi_api::{Body, Caller, Problem};
use akademi_domain::{
    identity::ACCESS_TOKEN_SECONDS,
    ids::{SessionId, TenantId, UserId},
};
use akademi_edge_store::TenantStatement;
use akademi_identity::{Audit, Granted, Origin, audit};
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
        session: (TenantId, UserId, SessionId),
        granted: &Granted,
        nonce: &SessionNonce,
        generation: i64,
    ) -> Result<Self, Problem> {
        let (tenant, user, session) = session;
        let caller = Caller { tenant, user, session, permissions: granted.permissions };
        let ports = &auth.edge.ports;
        // Not before the moment from which its permissions hold, which may be the second that is to come.
        let issued = ports.now().max(granted.since);
        let access_token = auth.signer.sign(&caller, issued, ports.random()).map_err(Problem::broken)?;
        Ok(Self {
            access_token,
            token_type: "Bearer",
            expires_in: ACCESS_TOKEN_SECONDS,
            refresh_token: auth.refresh_tokens.token(tenant, session, nonce, generation),
        })
    }
}

/// Somebody who has shown all that is asked.
pub struct Proven<'a> {
    pub tenant: TenantId,
    pub person: UserId,
    pub key: &'a PersonKey,
    pub granted: &'a Granted,
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
    let session = (proven.tenant, proven.person, session);
    TokenPair::new(auth, session, proven.granted, &nonce, 0).map(Body)
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
