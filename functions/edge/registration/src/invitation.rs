//! Somebody whom staff has invited.

use akademi_api::{Academy, Body, Problem};
use akademi_domain::{
    identity::{NewPassword, PersonName},
    mail::LinkPurpose,
};
use akademi_identity::{Origin, password};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::{
    Registrar,
    registration::{become_person, link_invalid, welcome},
    store,
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// Of the link in the e-mail.
    token: String,
    password: NewPassword,
    /// If the inviter spelled it wrongly.
    #[serde(default)]
    name: Option<PersonName>,
}

/// Accept an invitation
///
/// Makes the account with the roles of the invitation. A link is good once, and for a week.
#[utoipa::path(post, path = "/api/v1/auth/accept-invitation", tag = "auth", request_body = Acceptance,
    responses((status = 204, description = "The account is there: sign in"),
              (status = 404, description = "The link is not valid, too old, or was used", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn accept(
    State(registrar): State<Registrar>,
    academy: Academy,
    origin: Origin,
    Body(acceptance): Body<Acceptance>,
) -> Result<StatusCode, Problem> {
    let ports = &registrar.edge.ports;
    let now = ports.now();
    let link = registrar.links.read(&acceptance.token, LinkPurpose::AcceptInvitation, academy.id);
    let link = link.ok_or_else(link_invalid)?;
    let pending = store::find_pending(&registrar.edge.tenant(academy.id), link, now).await?;
    let pending = pending.filter(|pending| pending.password_hash.is_none()).ok_or_else(link_invalid)?;
    let password_hash = password::hash(acceptance.password.as_str(), ports.random())?;
    let batch = become_person(&registrar, &academy, &pending, acceptance.name, password_hash, &origin, now)?;
    welcome(&registrar, &academy, link, batch).await
}
