//! One's own account.

use akademi_api::{Body, Caller, Problem};
use akademi_domain::{
    identity::{EmailAddress, PersonName},
    ids::UserId,
    permission::{Permissions, Role},
    time::Timestamp,
};
use akademi_edge_store::append_event;
use akademi_feed::EdgeEvent;
use akademi_seal::{Nonce, PersonKey};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::{Auth, store};

/// The personal fields that are sealed together.
#[derive(Serialize, Deserialize)]
pub struct Profile {
    pub name: PersonName,
    pub email: EmailAddress,
}

impl Profile {
    /// # Errors
    /// `internal`, should the profile not serialise.
    pub fn seal(&self, key: &PersonKey, person: UserId, nonce: Nonce) -> Result<Vec<u8>, Problem> {
        let plain = serde_json::to_vec(self).map_err(Problem::broken)?;
        Ok(key.seal(person, "profile", &plain, nonce))
    }

    fn open(key: &PersonKey, person: UserId, sealed: &[u8]) -> Result<Self, Problem> {
        let plain = key.open(person, "profile", sealed).map_err(Problem::broken)?;
        serde_json::from_slice(&plain).map_err(|_| Problem::broken("a sealed profile has another shape"))
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Account {
    id: UserId,
    name: PersonName,
    email: EmailAddress,
    roles: Vec<Role>,
    /// What the roles allow, by name.
    permissions: Vec<&'static str>,
    created_at: Timestamp,
}

impl Account {
    pub fn new(id: UserId, profile: Profile, roles: Vec<Role>, created_at: Timestamp) -> Self {
        let permissions = roles.iter().fold(Permissions::NONE, |set, role| set.union(role.permissions()));
        Self {
            id,
            name: profile.name,
            email: profile.email,
            roles,
            permissions: permissions.names().collect(),
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
#[utoipa::path(get, path = "/api/v1/users/me", tag = "auth",
    responses((status = 200, description = "The account", body = Account)))]
pub async fn show(State(auth): State<Auth>, caller: Caller) -> Result<Body<Account>, Problem> {
    let person = find(&auth, &caller).await?;
    let key = auth.vault.unwrap(caller.tenant, caller.user, &person.wrapped_key).map_err(Problem::broken)?;
    let profile = Profile::open(&key, caller.user, &person.profile)?;
    Ok(Body(Account::new(caller.user, profile, person.roles, person.created_at)))
}

/// Change one's own account
#[utoipa::path(patch, path = "/api/v1/users/me", tag = "auth", request_body = AccountChange,
    responses((status = 200, description = "The account as it is now", body = Account),
              (status = 409, description = "Changed by another request at the same time", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn change(
    State(auth): State<Auth>,
    caller: Caller,
    Body(change): Body<AccountChange>,
) -> Result<Body<Account>, Problem> {
    let ports = &auth.edge.ports;
    let person = find(&auth, &caller).await?;
    let key = auth.vault.unwrap(caller.tenant, caller.user, &person.wrapped_key).map_err(Problem::broken)?;
    let mut profile = Profile::open(&key, caller.user, &person.profile)?;
    profile.name = change.name;
    let sealed = profile.seal(&key, caller.user, ports.random())?;
    let now = ports.now();
    let saved = EdgeEvent::PersonSaved {
        person: caller.user,
        profile: hex::encode(&sealed),
        state: "active".into(),
        at: now,
    };
    let mut batch = vec![store::update_profile(caller.user, &sealed)];
    batch.extend(append_event(&saved, now));
    let unchanged = store::person_has_version(caller.user, person.version);
    auth.edge.tenant(caller.tenant).batch_if(unchanged, batch).await?;
    Ok(Body(Account::new(caller.user, profile, person.roles, person.created_at)))
}

async fn find(auth: &Auth, caller: &Caller) -> Result<store::Person, Problem> {
    store::find_person(&auth.edge.tenant(caller.tenant), caller.user)
        .await?
        .ok_or_else(Problem::session_ended)
}
