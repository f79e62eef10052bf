//! One's own passkeys.

use akademi_api::{Body, Caller, PathParam, Problem};
use akademi_domain::{ids::PasskeyId, time::Timestamp};
use akademi_edge_store::StoreError;
use akademi_identity::{Audit, Known, Origin, has_another_way_in, passkey::PASSKEY_NAME};
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;

use crate::{Passkeys, store};

/// A passkey as its owner sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PasskeyEntry {
    pub id: PasskeyId,
    pub name: String,
    /// The academy's host that it signs in at: browsers show it to no other.
    pub host: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct OwnPasskeys {
    data: Vec<PasskeyEntry>,
}

/// One's own passkeys
#[utoipa::path(get, path = "/api/v1/users/me/passkeys", tag = "account",
    responses((status = 200, description = "The passkeys, oldest first", body = OwnPasskeys)))]
pub async fn list(State(passkeys): State<Passkeys>, caller: Caller) -> Result<Body<OwnPasskeys>, Problem> {
    let database = passkeys.edge.tenant(caller.tenant);
    let Known { key, .. } = Known::find(&database, &passkeys.vault, &caller).await?;
    let kept = store::list_passkeys(&database, caller.user).await?;
    let entry = |kept: store::Kept| {
        let name = key.open(caller.user, PASSKEY_NAME, &kept.name).map_err(Problem::broken)?;
        Ok(PasskeyEntry {
            id: kept.id,
            name: String::from_utf8(name.to_vec()).map_err(Problem::broken)?,
            host: kept.host,
            created_at: kept.created_at,
            last_used_at: kept.last_used_at,
        })
    };
    let data = kept.into_iter().map(entry).collect::<Result<_, Problem>>()?;
    Ok(Body(OwnPasskeys { data }))
}

/// Remove a passkey
///
/// It signs in no more; the device may go on to show it. Not the last way into an account that has no password.
#[utoipa::path(delete, path = "/api/v1/users/me/passkeys/{passkey_id}", tag = "account",
    params(("passkey_id" = PasskeyId, Path, description = "The passkey")),
    responses((status = 204, description = "Removed"),
              (status = 409, description = "It is the last way in: set a password first", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn remove(
    State(passkeys): State<Passkeys>,
    caller: Caller,
    origin: Origin,
    PathParam(passkey): PathParam<PasskeyId>,
) -> Result<StatusCode, Problem> {
    let ports = &passkeys.edge.ports;
    let database = passkeys.edge.tenant(caller.tenant);
    let Known { key, .. } = Known::find(&database, &passkeys.vault, &caller).await?;
    let kept = store::list_passkeys(&database, caller.user).await?;
    if !kept.iter().any(|kept| kept.id == passkey) {
        return Err(Problem::not_found());
    }
    let entry = Audit {
        action: "passkey.removed",
        actor: Some(caller.user),
        target: format!("passkey:{passkey}"),
        origin: &origin,
        sealed_for: Some((caller.user, &key)),
        change: None,
    };
    let mut batch = vec![store::delete_passkey(caller.user, passkey)];
    batch.extend(entry.append(ports, ports.now())?);
    let removed = database.batch_if(has_another_way_in(caller.user), batch).await;
    removed.map_err(|error| match error {
        StoreError::Guard => last_way_in(),
        error => error.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

fn last_way_in() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "last-way-in",
        "Without this passkey nothing would sign you in: set a password first.",
    )
}
