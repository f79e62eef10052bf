//! One person: roles, and whether they are let in.

use akademi_api::{Body, Caller, PathParam, Problem};
use akademi_domain::{
    identity::{EmailAddress, PersonName},
    ids::{TenantId, UserId},
    permission::{Permissions, Role},
    time::Timestamp,
};
use akademi_edge_store::append_event;
use akademi_feed::EdgeEvent;
use akademi_identity::{
    Origin, Profile, assign_role, audit, revoke_sessions,
    staff::{self, beyond_oneself, no_administrator},
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    People, not_oneself,
    store::{self, Found, OwnRole, State as PersonState},
};

/// How many roles somebody has at most.
const MAX_ROLES: usize = 20;

#[derive(Serialize, utoipa::ToSchema)]
pub struct PersonEntry {
    pub id: UserId,
    pub name: PersonName,
    pub email: EmailAddress,
    pub state: PersonState,
    /// Built-in roles by name, the academy's own by id.
    pub roles: Vec<String>,
    second_factor: bool,
    pub created_at: Timestamp,
    /// When a device of theirs was last seen.
    last_seen_at: Option<Timestamp>,
}

impl PersonEntry {
    pub fn open(people: &People, tenant: TenantId, found: Found) -> Result<Self, Problem> {
        let key = people.vault.unwrap_key(tenant, found.id, &found.wrapped_key).map_err(Problem::broken)?;
        let Profile { name, email } = Profile::open(&key, found.id, &found.profile)?;
        Ok(Self {
            id: found.id,
            name,
            email,
            state: found.state,
            roles: found.granted.names(),
            second_factor: found.has_second_factor,
            created_at: found.created_at,
            last_seen_at: found.last_seen_at,
        })
    }
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolesChange {
    /// All roles from now on: built-in ones by name, the academy's own by id.
    #[schema(max_items = 20)]
    roles: Vec<String>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StateChange {
    state: PersonState,
}

/// One person
#[utoipa::path(get, path = "/api/v1/people/{person_id}", tag = "people",
    params(("person_id" = UserId, Path, description = "The person")),
    responses((status = 200, description = "The person", body = PersonEntry)))]
pub async fn show(
    State(people): State<People>,
    caller: Caller,
    PathParam(person): PathParam<UserId>,
) -> Result<Body<PersonEntry>, Problem> {
    let found = store::find_person(&people.edge.tenant(caller.tenant), person).await?;
    PersonEntry::open(&people, caller.tenant, found.ok_or_else(Problem::not_found)?).map(Body)
}

/// Give and take roles
///
/// The roles that are named, and no others. Who has the person's tokens refreshes them before they write again.
#[utoipa::path(put, path = "/api/v1/people/{person_id}/roles", tag = "people", request_body = RolesChange,
    params(("person_id" = UserId, Path, description = "The person")),
    responses((status = 200, description = "The person as it is now", body = PersonEntry),
              (status = 409, description = "It is yourself, or the academy would be without an administrator", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn set_roles(
    State(people): State<People>,
    caller: Caller,
    origin: Origin,
    PathParam(person): PathParam<UserId>,
    Body(change): Body<RolesChange>,
) -> Result<Body<PersonEntry>, Problem> {
    not_oneself(&caller, person)?;
    let database = people.edge.tenant(caller.tenant);
    let found = store::find_person(&database, person).await?.ok_or_else(Problem::not_found)?;
    let before = found.granted.names();
    let given = may_give(&people, &caller, &change.roles).await?;
    if !caller.permissions.covers(given) || !caller.permissions.covers(found.granted.permissions) {
        return Err(beyond_oneself());
    }
    let now = people.edge.ports.now();
    let mut batch = vec![store::take_roles(person)];
    batch.extend(change.roles.iter().map(|role| assign_role(person, role)));
    batch.push(store::set_permissions_since(person, now));
    let change = json!({ "before": { "roles": before }, "after": { "roles": change.roles } });
    batch.extend(
        people.audited(&caller, &origin, "person.roles_changed", audit::person(person), change).await?,
    );
    // After the change: the statement sees what it left.
    batch.push(staff::somebody_administers());
    batch.push(staff::clear_guard());
    database.batch(batch).await.map_err(no_administrator)?;
    let found = store::find_person(&database, person).await?.ok_or_else(Problem::not_found)?;
    PersonEntry::open(&people, caller.tenant, found).map(Body)
}

/// Suspend somebody, or let them in again
///
/// Who is suspended is signed out everywhere and can neither sign in nor ask for a new password; nothing of theirs is lost.
#[utoipa::path(put, path = "/api/v1/people/{person_id}/state", tag = "people", request_body = StateChange,
    params(("person_id" = UserId, Path, description = "The person")),
    responses((status = 200, description = "The person as it is now", body = PersonEntry),
              (status = 409, description = "It is yourself, or the academy would be without an administrator", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn set_state(
    State(people): State<People>,
    caller: Caller,
    origin: Origin,
    PathParam(person): PathParam<UserId>,
    Body(change): Body<StateChange>,
) -> Result<Body<PersonEntry>, Problem> {
    not_oneself(&caller, person)?;
    let database = people.edge.tenant(caller.tenant);
    let mut found = store::find_person(&database, person).await?.ok_or_else(Problem::not_found)?;
    if !caller.permissions.covers(found.granted.permissions) {
        return Err(beyond_oneself());
    }
    if found.state != change.state {
        let now = people.edge.ports.now();
        let saved = EdgeEvent::PersonSaved {
            person,
            profile: hex::encode(&found.profile),
            state: change.state.name().to_owned(),
            at: now,
        };
        let mut batch = vec![store::set_state(person, change.state), revoke_sessions(person, None, now)];
        batch.extend(append_event(&saved, now));
        let told = json!({ "before": { "state": found.state }, "after": { "state": change.state } });
        batch.extend(
            people.audited(&caller, &origin, "person.state_changed", audit::person(person), told).await?,
        );
        batch.push(staff::somebody_administers());
        batch.push(staff::clear_guard());
        database.batch(batch).await.map_err(no_administrator)?;
        found.state = change.state;
    }
    PersonEntry::open(&people, caller.tenant, found).map(Body)
}

/// What these roles allow together.
///
/// # Errors
/// 422 for one that is none of the academy's, or that only the platform's own tenant has.
pub async fn may_give(people: &People, caller: &Caller, roles: &[String]) -> Result<Permissions, Problem> {
    permissions_of(&store::list_roles(&people.edge.tenant(caller.tenant)).await?, roles)
}

/// What these roles allow together in an academy with these roles of its own.
///
/// # Errors
/// As [`may_give`].
pub fn permissions_of(own: &[OwnRole], roles: &[String]) -> Result<Permissions, Problem> {
    if roles.len() > MAX_ROLES {
        return Err(Problem::field("roles", "holds more than 20 roles"));
    }
    let mut given = Permissions::NONE;
    for (index, role) in roles.iter().enumerate() {
        let built_in = Role::parse(role).filter(|role| *role != Role::GlobalAdmin).map(Role::permissions);
        let own = || own.iter().find(|own| own.id.to_string() == *role).map(|own| own.permissions);
        let permissions = built_in
            .or_else(own)
            .ok_or_else(|| Problem::field(format!("roles[{index}]"), "is no role here"))?;
        given = given.union(permissions);
    }
    Ok(given)
}
