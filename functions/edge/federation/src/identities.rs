//! Who somebody is elsewhere, as their account knows it.

use akademi_api::{Academy, Body, Caller, PathParam, Problem, authorization::own_page, caller::AcademyHost};
use akademi_domain::{ids::IdentityId, mail::MailKind, time::Timestamp};
use akademi_edge_store::{StoreError, TenantStatement};
use akademi_identity::{Audit, Known, Letter, Origin, audit, has_another_way_in};
use axum::extract::State;
use http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;
use serde_json::json;

use crate::{
    Federation,
    browser::not_under_way,
    store::{self, NewIdentity},
};

#[derive(Serialize, utoipa::ToSchema)]
pub struct IdentityEntry {
    pub id: IdentityId,
    /// What addresses call the provider; it may be gone.
    pub provider: String,
    pub created_at: Timestamp,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Identities {
    data: Vec<IdentityEntry>,
}

/// One's own identities elsewhere
#[utoipa::path(get, path = "/api/v1/users/me/identities", tag = "account",
    responses((status = 200, description = "The identities", body = Identities)))]
pub async fn list(State(federation): State<Federation>, caller: Caller) -> Result<Body<Identities>, Problem> {
    let data = store::list_identities(&federation.edge.tenant(caller.tenant), caller.user).await?;
    Ok(Body(Identities { data }))
}

/// Link the identity that this browser has just shown
///
/// After a sign-in with a provider that answered `link-needed`. An identity whose provider answers for an e-mail address goes to
/// the account of that address and no other.
#[utoipa::path(post, path = "/api/v1/users/me/identities", tag = "account",
    responses((status = 201, description = "Linked: from now on it signs in", body = IdentityEntry),
              (status = 404, description = "No identity waits in this browser", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "It belongs to another account", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn link(
    State(federation): State<Federation>,
    (academy, host): (Academy, AcademyHost),
    caller: Caller,
    origin: Origin,
    headers: HeaderMap,
    target: Uri,
) -> Result<(StatusCode, Body<IdentityEntry>), Problem> {
    let ports = &federation.edge.ports;
    let now = ports.now();
    let database = federation.edge.tenant(caller.tenant);
    let browser = federation.browsers.read(&headers)?;
    own_page(&headers, &target)?;
    let found = store::find_sign_in(&database, &browser.lookup, now).await?.ok_or_else(not_under_way)?;
    let subject_lookup = found.subject_lookup.ok_or_else(not_under_way)?;
    let known = Known::find(&database, &federation.vault, &caller).await?;
    let own_lookup = federation.vault.email_lookup(caller.tenant, &known.profile.email);
    if found.email_lookup.is_some_and(|lookup| lookup != own_lookup) {
        return Err(of_another());
    }
    let id = IdentityId::new(now, ports.random());
    let new = NewIdentity {
        id,
        person: caller.user,
        provider: &found.provider,
        subject_lookup: &subject_lookup,
        now,
    };
    let mut batch = vec![store::insert_identity(new), store::delete_sign_in(&browser.lookup)];
    let change = json!({ "after": { "provider": found.provider } });
    batch.extend(federation.audited(&caller, &known, &origin, "identity.linked", change)?);
    batch.extend(federation.told(&academy, &host, &caller, &known, MailKind::IdentityLinked)?);
    let linked = database.batch_if(store::is_waiting(&browser.lookup), batch).await;
    linked.map_err(|error| match error {
        StoreError::Guard => not_under_way(),
        error if error.is_duplicate_of("identity") => of_another(),
        error => error.into(),
    })?;
    Ok((StatusCode::CREATED, Body(IdentityEntry { id, provider: found.provider, created_at: now })))
}

/// Unlink an identity
///
/// It signs in no more. Not the last way into an account that has no password.
#[utoipa::path(delete, path = "/api/v1/users/me/identities/{identity_id}", tag = "account",
    params(("identity_id" = IdentityId, Path, description = "The identity")),
    responses((status = 204, description = "Unlinked"),
              (status = 409, description = "It is the last way in: set a password first", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn unlink(
    State(federation): State<Federation>,
    (academy, host): (Academy, AcademyHost),
    caller: Caller,
    origin: Origin,
    PathParam(identity): PathParam<IdentityId>,
) -> Result<StatusCode, Problem> {
    let database = federation.edge.tenant(caller.tenant);
    let known = Known::find(&database, &federation.vault, &caller).await?;
    let identities = store::list_identities(&database, caller.user).await?;
    let found = identities.into_iter().find(|found| found.id == identity).ok_or_else(Problem::not_found)?;
    let mut batch = vec![store::delete_identity(caller.user, identity)];
    let change = json!({ "before": { "provider": found.provider } });
    batch.extend(federation.audited(&caller, &known, &origin, "identity.unlinked", change)?);
    batch.extend(federation.told(&academy, &host, &caller, &known, MailKind::IdentityUnlinked)?);
    let unlinked = database.batch_if(has_another_way_in(caller.user), batch).await;
    unlinked.map_err(|error| match error {
        StoreError::Guard => last_way_in(),
        error => error.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

impl Federation {
    fn audited(
        &self,
        caller: &Caller,
        known: &Known,
        origin: &Origin,
        action: &'static str,
        change: serde_json::Value,
    ) -> Result<[TenantStatement; 2], Problem> {
        let entry = Audit {
            action,
            actor: Some(caller.user),
            target: audit::person(caller.user),
            origin,
            sealed_for: Some((caller.user, &known.key)),
            change: Some(change),
        };
        entry.append(&self.edge.ports, self.edge.ports.now())
    }

    /// The statements that have the account's owner told by mail: it may have been somebody else.
    fn told(
        &self,
        academy: &Academy,
        host: &AcademyHost,
        caller: &Caller,
        known: &Known,
        kind: MailKind,
    ) -> Result<[TenantStatement; 2], Problem> {
        let letter =
            Letter { kind, person: caller.user, key: &known.key, recipient: &known.profile, link: None };
        letter.wanted(&self.edge.ports, academy, host, self.edge.ports.now())
    }
}

fn of_another() -> Problem {
    Problem::new(StatusCode::CONFLICT, "identity-of-another", "This identity belongs to another account.")
}

fn last_way_in() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "last-way-in",
        "Without this identity nothing would sign you in: set a password first.",
    )
}
