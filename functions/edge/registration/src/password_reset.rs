//! A forgotten password: a link by e-mail, good once and for half an hour.

use akademi_api::{
    Academy, Body, Problem,
    caller::{AcademyHost, RequestId},
};
use akademi_domain::{
    identity::{EmailAddress, NewPassword},
    ids::LinkId,
    mail::{LinkPurpose, MailKind},
};
use akademi_edge_store::StoreError;
use akademi_identity::{
    Audit, Letter, Origin, Profile, audit, password, revoke_sessions, throttle, update_password, use_links,
};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::{
    Registrar,
    registration::link_invalid,
    store::{self, Recipient},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    email: EmailAddress,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// Of the link in the e-mail.
    token: String,
    password: NewPassword,
}

/// Ask for a new password
///
/// Sends an e-mail with a link to an address that has an account here. The answer is the same for one that has none.
#[utoipa::path(post, path = "/api/v1/auth/forgot-password", tag = "auth", request_body = Forgotten,
    responses((status = 202, description = "If there is an account, an e-mail is on its way"),
              (status = 429, description = "Too many requests from this address", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn forgot(
    State(registrar): State<Registrar>,
    academy: Academy,
    host: AcademyHost,
    origin: Origin,
    request: RequestId,
    Body(forgotten): Body<Forgotten>,
) -> Result<StatusCode, Problem> {
    let now = registrar.edge.ports.now();
    let database = registrar.edge.tenant(academy.id);
    let email_lookup = registrar.vault.email_lookup(academy.id, &forgotten.email);
    throttle::admit(&database, &[registrar.throttles.address_tries(b"forgotten password", &origin)], now)
        .await?;
    let mails = registrar.throttles.mail_tries(&email_lookup);
    let may_send = throttle::is_admitted(&database, mails, now).await?;
    let person = store::find_recipient(&database, &email_lookup).await?;
    match person.filter(|_| may_send) {
        Some(person) => send_link(&registrar, &academy, &host, person, MailKind::ResetPassword).await?,
        None => database.batch(vec![throttle::unchanged(&mails)]).await.map(drop)?,
    }
    registrar.sync.send(&registrar.edge.ports, &request).await;
    Ok(StatusCode::ACCEPTED)
}

/// Makes a link for a new password and has it sent.
pub async fn send_link(
    registrar: &Registrar,
    academy: &Academy,
    host: &AcademyHost,
    person: Recipient,
    kind: MailKind,
) -> Result<(), Problem> {
    let ports = &registrar.edge.ports;
    let now = ports.now();
    let link = LinkId::new(now, ports.random());
    let key =
        registrar.vault.unwrap_key(academy.id, person.id, &person.wrapped_key).map_err(Problem::broken)?;
    let recipient = Profile::open(&key, person.id, &person.profile)?;
    let letter = Letter { kind, person: person.id, key: &key, recipient: &recipient, link: Some(link) };
    let mut batch = vec![
        store::delete_expired_links(person.id, now),
        store::insert_link(link, person.id, now.plus_seconds(LinkPurpose::ResetPassword.seconds())),
    ];
    batch.extend(letter.wanted(ports, academy, host, now)?);
    registrar.edge.tenant(academy.id).batch(batch).await?;
    Ok(())
}

/// Choose a new password
///
/// With the link of an e-mail. All devices are signed out.
#[utoipa::path(post, path = "/api/v1/auth/reset-password", tag = "auth", request_body = Reset,
    responses((status = 204, description = "The password is changed: sign in"),
              (status = 404, description = "The link is not valid, too old, or was used", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn reset(
    State(registrar): State<Registrar>,
    academy: Academy,
    host: AcademyHost,
    origin: Origin,
    request: RequestId,
    Body(reset): Body<Reset>,
) -> Result<StatusCode, Problem> {
    let ports = &registrar.edge.ports;
    let now = ports.now();
    let database = registrar.edge.tenant(academy.id);
    let link = registrar.links.read(&reset.token, LinkPurpose::ResetPassword, academy.id);
    let link = link.ok_or_else(link_invalid)?;
    let person = store::find_link_owner(&database, link, now).await?.ok_or_else(link_invalid)?;
    let password_hash = password::hash(reset.password.as_str(), ports.random())?;
    let key =
        registrar.vault.unwrap_key(academy.id, person.id, &person.wrapped_key).map_err(Problem::broken)?;
    let recipient = Profile::open(&key, person.id, &person.profile)?;

    let mut batch = vec![
        use_links(person.id, now),
        update_password(person.id, password_hash),
        revoke_sessions(person.id, None, now),
    ];
    // Who reads the mail is the owner: nobody's failures from elsewhere slow this device down.
    let email_lookup = registrar.vault.email_lookup(academy.id, &recipient.email);
    batch.extend(throttle::forgiven(&registrar.throttles.password_tries(&email_lookup, &origin)));
    let changed = Letter {
        kind: MailKind::PasswordChanged,
        person: person.id,
        key: &key,
        recipient: &recipient,
        link: None,
    };
    batch.extend(changed.wanted(ports, &academy, &host, now)?);
    let entry = Audit {
        action: "password.reset",
        actor: Some(person.id),
        target: audit::person(person.id),
        origin: &origin,
        sealed_for: Some((person.id, &key)),
        change: None,
    };
    batch.extend(entry.append(ports, now)?);
    database.batch_if(store::link_is_unused(link, now), batch).await.map_err(|error| match error {
        StoreError::Guard => link_invalid(),
        error => error.into(),
    })?;
    registrar.sync.send(ports, &request).await;
    Ok(StatusCode::NO_CONTENT)
}
