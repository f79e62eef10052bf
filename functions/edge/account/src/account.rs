//! One's own account.

use akademi_api::{Body, Caller, Problem};
use akademi_domain::{
    identity::{EmailAddress, PersonName},
    ids::UserId,
    time::Timestamp,
};
use akademi_edge_store::append_event;
use akademi_feed::EdgeEvent;
use akademi_identity::{Granted, Known, Profile, person_has_version};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::{Account, store};

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Account)]
pub struct OwnAccount {
    id: UserId,
    name: PersonName,
    email: EmailAddress,
    /// Built-in roles by name, the academy's own by id.
    roles: Vec<String>,
    /// What the roles allow, by name.
    permissions: Vec<&'static str>,
    /// Whether signing in takes a code beside the password.
    second_factor: bool,
    created_at: Timestamp,
}

impl OwnAccount {
    fn new(
        id: UserId,
        profile: Profile,
        granted: &Granted,
        second_factor: bool,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            name: profile.name,
            email: profile.email,
            roles: granted.names(),
            permissions: granted.permissions.names().collect(),
            second_factor,
            created_at,
        }
    }
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// The name as certificates print it.
    name: PersonName,
}

/// One's own account
#[utoipa::path(get, path = "/api/v1/users/me", tag = "account",
    responses((status = 200, description = "The account", body = OwnAccount)))]
pub async fn show(State(account): State<Account>, caller: Caller) -> Result<Body<OwnAccount>, Problem> {
    let known = account.known(&caller).await?;
    let person = known.person;
    Ok(Body(OwnAccount::new(
        caller.user,
        known.profile,
        &person.granted,
        person.totp_secret.is_some(),
        person.created_at,
    )))
}

/// Change one's own account
#[utoipa::path(patch, path = "/api/v1/users/me", tag = "account", request_body = AccountChange,
    responses((status = 200, description = "The account as it is now", body = OwnAccount),
              (status = 409, description = "Changed by another request at the same time", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn change(
    State(account): State<Account>,
    caller: Caller,
    Body(change): Body<AccountChange>,
) -> Result<Body<OwnAccount>, Problem> {
    let ports = &account.edge.ports;
    let Known { person, key, mut profile } = account.known(&caller).await?;
    profile.name = change.name;
    let sealed = profile.seal(&key, caller.user, ports.random())?;
    let now = ports.now();
    let saved = EdgeEvent::PersonSaved {
        person: caller.user,
        profile: hex::encode(&sealed),
        state: "active".into(),
        at: now,
    };
    let mut batch = vec![store::update_profile(caller.user, &sealed), store::forget_name(caller.user)];
    batch.extend(append_event(&saved, now));
    let unchanged = person_has_version(caller.user, person.version);
    account.edge.tenant(caller.tenant).batch_if(unchanged, batch).await?;
    let has_second_factor = person.totp_secret.is_some();
    Ok(Body(OwnAccount::new(caller.user, profile, &person.granted, has_second_factor, person.created_at)))
}
