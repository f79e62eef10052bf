//! Inviting somebody by mail.

use akademi_api::{
    Academy, Body, Caller, Problem,
    caller::{AcademyHost, RequestId},
};
use akademi_domain::identity::{EmailAddress, PersonName};
use akademi_identity::{Origin, Profile, audit, has_account, staff::beyond_oneself};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::{People, person::may_give};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// The name as certificates print it; who is invited may correct it.
    name: PersonName,
    email: EmailAddress,
    /// Built-in roles by name, the academy's own by id.
    #[schema(max_items = 20)]
    roles: Vec<String>,
}

/// Invite somebody
///
/// Sends an e-mail with a link to choose a password; it is good for a week. A later invitation takes the place of an earlier
/// one.
#[utoipa::path(post, path = "/api/v1/people/invitations", tag = "people", request_body = Invitation,
    responses((status = 202, description = "An e-mail is on its way"),
              (status = 409, description = "The address has an account here already", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn invite(
    State(people): State<People>,
    academy: Academy,
    host: AcademyHost,
    caller: Caller,
    origin: Origin,
    request: RequestId,
    Body(invitation): Body<Invitation>,
) -> Result<StatusCode, Problem> {
    let ports = &people.edge.ports;
    let now = ports.now();
    let database = people.edge.tenant(caller.tenant);
    if !caller.permissions.covers(may_give(&people, &caller, &invitation.roles).await?) {
        return Err(beyond_oneself());
    }
    let email_lookup = people.vault.email_lookup(caller.tenant, &invitation.email);
    if has_account(&database, &email_lookup).await? {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "email-taken",
            "This e-mail address has an account here: give it roles instead.",
        ));
    }
    let profile = Profile { name: invitation.name, email: invitation.email };
    let roles = invitation.roles.join(",");
    let sent = akademi_identity::Invitation { academy: &academy, host: &host, profile, roles: &roles };
    let (person, mut batch) = sent.send(&people.vault, ports, now)?;
    let change = json!({ "after": { "roles": invitation.roles } });
    batch.extend(people.audited(&caller, &origin, "person.invited", audit::person(person), change).await?);
    database.batch(batch).await?;
    people.sync.send(ports, &request).await;
    Ok(StatusCode::ACCEPTED)
}
