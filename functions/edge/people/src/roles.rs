//! Roles that an academy defines beside the built-in ones.

use akademi_api::{Body, Caller, PathParam, Problem};
use akademi_domain::{
    ids::RoleId,
    permission::{Permission, Permissions, Role},
    text,
};
use akademi_edge_store::StoreError;
use akademi_identity::{Origin, staff::beyond_oneself};
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    People,
    store::{self, OwnRole},
};

/// How many an academy defines at most.
const MAX_ROLES: usize = 50;
const MAX_NAME: usize = 80;

#[derive(Serialize, utoipa::ToSchema)]
pub struct RoleEntry {
    /// A built-in role's name, or an id.
    id: String,
    /// As people read it; a built-in role has none of its own.
    name: Option<String>,
    built_in: bool,
    permissions: Vec<&'static str>,
}

impl From<OwnRole> for RoleEntry {
    fn from(role: OwnRole) -> Self {
        Self {
            id: role.id.to_string(),
            name: Some(role.name),
            built_in: false,
            permissions: role.permissions.names().collect(),
        }
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Roles {
    data: Vec<RoleEntry>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleDefinition {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    permissions: Vec<Permission>,
}

impl RoleDefinition {
    /// The name in its one form, and the permissions as a set.
    fn read(&self, caller: &Caller) -> Result<(String, Permissions), Problem> {
        let name = text::line(&self.name, MAX_NAME).map_err(|error| Problem::field("name", error))?;
        let permissions = self.permissions.iter().fold(Permissions::NONE, |set, one| set.with(*one));
        if !Permissions::OF_ACADEMIES.covers(permissions) {
            return Err(Problem::field("permissions", "holds one that no academy gives"));
        }
        if !caller.permissions.covers(permissions) {
            return Err(beyond_oneself());
        }
        Ok((name, permissions))
    }
}

/// All roles: the built-in ones and the academy's own
#[utoipa::path(get, path = "/api/v1/roles", tag = "people",
    responses((status = 200, description = "The roles", body = Roles)))]
pub async fn list(State(people): State<People>, caller: Caller) -> Result<Body<Roles>, Problem> {
    let own = store::list_roles(&people.edge.tenant(caller.tenant)).await?;
    let built_in = Role::ALL.into_iter().filter(|role| *role != Role::GlobalAdmin).map(|role| RoleEntry {
        id: role.name().to_owned(),
        name: None,
        built_in: true,
        permissions: role.permissions().names().collect(),
    });
    Ok(Body(Roles { data: built_in.chain(own.into_iter().map(RoleEntry::from)).collect() }))
}

/// Define a role
#[utoipa::path(post, path = "/api/v1/roles", tag = "people", request_body = RoleDefinition,
    responses((status = 201, description = "The role", body = RoleEntry),
              (status = 409, description = "There is a role of this name, or there are 50 already", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn create(
    State(people): State<People>,
    caller: Caller,
    origin: Origin,
    Body(definition): Body<RoleDefinition>,
) -> Result<(StatusCode, Body<RoleEntry>), Problem> {
    let (name, permissions) = definition.read(&caller)?;
    let ports = &people.edge.ports;
    let now = ports.now();
    let database = people.edge.tenant(caller.tenant);
    if store::list_roles(&database).await?.len() >= MAX_ROLES {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "too-many-roles",
            "There are 50 roles: delete one first.",
        ));
    }
    let role = OwnRole { id: akademi_domain::ids::RoleId::new(now, ports.random()), name, permissions };
    let change = json!({ "after": { "name": role.name, "permissions": names(permissions) } });
    let mut batch = vec![store::insert_role(&role, now)];
    batch.extend(people.audited(&caller, &origin, "role.created", target(role.id), change).await?);
    database.batch(batch).await.map_err(name_taken)?;
    Ok((StatusCode::CREATED, Body(role.into())))
}

/// Change a role
///
/// For all who have it, from their next refresh on.
#[utoipa::path(put, path = "/api/v1/roles/{role_id}", tag = "people", request_body = RoleDefinition,
    params(("role_id" = RoleId, Path, description = "The role")),
    responses((status = 200, description = "The role as it is now", body = RoleEntry),
              (status = 409, description = "There is another role of this name", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn change(
    State(people): State<People>,
    caller: Caller,
    origin: Origin,
    PathParam(id): PathParam<RoleId>,
    Body(definition): Body<RoleDefinition>,
) -> Result<Body<RoleEntry>, Problem> {
    let database = people.edge.tenant(caller.tenant);
    let before = find(&people, &caller, id).await?;
    let (name, permissions) = definition.read(&caller)?;
    let role = OwnRole { id, name, permissions };
    let now = people.edge.ports.now();
    let change = json!({
        "before": { "name": before.name, "permissions": names(before.permissions) },
        "after": { "name": role.name, "permissions": names(permissions) },
    });
    let mut batch = vec![store::update_role(&role), store::set_permissions_since_of_role(id, now)];
    batch.extend(people.audited(&caller, &origin, "role.changed", target(id), change).await?);
    database.batch(batch).await.map_err(name_taken)?;
    Ok(Body(role.into()))
}

/// Delete a role
///
/// Who has it has it no more.
#[utoipa::path(delete, path = "/api/v1/roles/{role_id}", tag = "people",
    params(("role_id" = RoleId, Path, description = "The role")),
    responses((status = 204, description = "The role is gone")))]
pub async fn delete(
    State(people): State<People>,
    caller: Caller,
    origin: Origin,
    PathParam(id): PathParam<RoleId>,
) -> Result<StatusCode, Problem> {
    let before = find(&people, &caller, id).await?;
    let change = json!({ "before": { "name": before.name, "permissions": names(before.permissions) } });
    let now = people.edge.ports.now();
    let mut batch = vec![store::set_permissions_since_of_role(id, now)];
    batch.extend(store::delete_role(id));
    batch.extend(people.audited(&caller, &origin, "role.deleted", target(id), change).await?);
    people.edge.tenant(caller.tenant).batch(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A role that the caller may touch.
async fn find(people: &People, caller: &Caller, id: RoleId) -> Result<OwnRole, Problem> {
    let own = store::list_roles(&people.edge.tenant(caller.tenant)).await?;
    let role = own.into_iter().find(|role| role.id == id).ok_or_else(Problem::not_found)?;
    if caller.permissions.covers(role.permissions) { Ok(role) } else { Err(beyond_oneself()) }
}

fn names(permissions: Permissions) -> Vec<&'static str> {
    permissions.names().collect()
}

fn target(id: RoleId) -> String {
    format!("role:{id}")
}

fn name_taken(error: StoreError) -> Problem {
    if error.is_duplicate_of("role") {
        Problem::new(StatusCode::CONFLICT, "name-taken", "There is a role of this name.")
    } else {
        error.into()
    }
}
