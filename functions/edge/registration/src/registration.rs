//! A person comes to an academy.

use akademi_api::{
    Academy, Body, Problem,
    caller::{AcademyHost, RequestId},
};
use akademi_domain::{
    identity::{EmailAddress, NewPassword, PersonName},
    ids::{LinkId, UserId},
    mail::{LinkPurpose, MailKind},
    permission::Role,
    time::Timestamp,
};
use akademi_edge_store::{StoreError, TenantStatement};
use akademi_identity::{
    Letter, Newcomer, Origin, Profile,
    consent::{GivenConsent, keep_consents, seal_origin},
    insert_person_key, password, throttle,
};
use akademi_seal::PersonKey;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::{
    Registrar, consents, password_reset,
    store::{self, NewPending, Pending},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The name as certificates print it.
    name: PersonName,
    email: EmailAddress,
    password: NewPassword,
    /// What is consented to: all that the academy requires, and what else one will.
    #[serde(default)]
    #[schema(max_items = 20)]
    consents: Vec<GivenConsent>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Of the link in the e-mail.
    token: String,
}

/// Register
///
/// Sends an e-mail with a link; the account is made when the link is confirmed. To an address that has an account goes an
/// e-mail that says so, and the answer is the same. What the academy requires consent to is consented to here: `errors` lists
/// what is missing.
#[utoipa::path(post, path = "/api/v1/auth/register", tag = "auth", request_body = Registration,
    responses((status = 202, description = "An e-mail is on its way"),
              (status = 429, description = "Too many registrations from this address", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn register(
    State(registrar): State<Registrar>,
    academy: Academy,
    host: AcademyHost,
    origin: Origin,
    request: RequestId,
    Body(registration): Body<Registration>,
) -> Result<StatusCode, Problem> {
    // Before anything is asked about the address: whether it has an account changes nothing of it.
    consents::check(&registrar, academy.id, &registration.consents).await?;
    take(&registrar, &academy, &host, &origin, registration).await?;
    registrar.sync.send(&registrar.edge.ports, &request).await;
    Ok(StatusCode::ACCEPTED)
}

async fn take(
    registrar: &Registrar,
    academy: &Academy,
    host: &AcademyHost,
    origin: &Origin,
    registration: Registration,
) -> Result<(), Problem> {
    let ports = &registrar.edge.ports;
    let now = ports.now();
    let database = registrar.edge.tenant(academy.id);
    let email_lookup = registrar.vault.email_lookup(academy.id, &registration.email);
    throttle::admit(&database, &[registrar.throttles.address_tries(b"registration", origin)], now).await?;
    // Whether there is an account changes neither what is answered nor what that costs.
    let password_hash = password::hash(registration.password.as_str(), ports.random())?;
    if !throttle::is_admitted(&database, registrar.throttles.mail_tries(&email_lookup), now).await? {
        return Ok(());
    }
    if let Some(person) = store::find_recipient(&database, &email_lookup).await? {
        return password_reset::send_link(registrar, academy, host, person, MailKind::AlreadyRegistered)
            .await;
    }
    let (link, person) = (LinkId::new(now, ports.random()), UserId::new(now, ports.random()));
    let key = PersonKey::from_bytes(ports.random());
    let profile = Profile { name: registration.name, email: registration.email };
    let new = NewPending {
        link,
        person,
        email_lookup: &email_lookup,
        profile: &profile.seal(&key, person, ports.random())?,
        password_hash: Some(password_hash),
        roles: Role::Student.name(),
        consents: &registration.consents,
        consent_origin: seal_origin(origin, &key, person, ports.random())?,
        expires_at: now.plus_seconds(LinkPurpose::ConfirmAddress.seconds()),
        now,
    };
    let mut batch = Vec::from(store::forget_expired(now));
    batch.push(store::insert_pending(new));
    batch
        .push(insert_person_key(person, &registrar.vault.wrap_key(academy.id, person, &key, ports.random())));
    let letter =
        Letter { kind: MailKind::ConfirmAddress, person, key: &key, recipient: &profile, link: Some(link) };
    batch.extend(letter.wanted(ports, academy, host, now)?);
    database.batch(batch).await?;
    Ok(())
}

/// Confirm an address
///
/// Makes the account that was asked for. A link is good once, and for a day.
#[utoipa::path(post, path = "/api/v1/auth/confirm", tag = "auth", request_body = Confirmation,
    responses((status = 204, description = "The account is there: sign in"),
              (status = 404, description = "The link is not valid, too old, or was used", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn confirm(
    State(registrar): State<Registrar>,
    academy: Academy,
    origin: Origin,
    Body(confirmation): Body<Confirmation>,
) -> Result<StatusCode, Problem> {
    let now = registrar.edge.ports.now();
    let link = registrar.links.read(&confirmation.token, LinkPurpose::ConfirmAddress, academy.id);
    let link = link.ok_or_else(link_invalid)?;
    let pending = store::find_pending(&registrar.edge.tenant(academy.id), link, now).await?;
    let mut pending = pending.ok_or_else(link_invalid)?;
    let password_hash = pending.password_hash.take().ok_or_else(link_invalid)?;
    let batch = become_person(&registrar, &academy, &pending, None, password_hash, &origin, now)?;
    welcome(&registrar, &academy, link, batch).await
}

/// The statements that make a person of who waited, perhaps under another name.
pub fn become_person(
    registrar: &Registrar,
    academy: &Academy,
    pending: &Pending,
    renamed: Option<PersonName>,
    password_hash: String,
    origin: &Origin,
    now: Timestamp,
) -> Result<Vec<TenantStatement>, Problem> {
    let ports = &registrar.edge.ports;
    let person = pending.person;
    let key =
        registrar.vault.unwrap_key(academy.id, person, &pending.wrapped_key).map_err(Problem::broken)?;
    let profile = match renamed {
        Some(name) => {
            let profile = Profile { name, ..Profile::open(&key, person, &pending.profile)? };
            profile.seal(&key, person, ports.random())?
        }
        None => pending.profile.clone(),
    };
    let newcomer = Newcomer {
        id: person,
        key: &key,
        email_lookup: &pending.email_lookup,
        profile: &profile,
        password_hash: Some(password_hash),
        roles: &pending.roles,
        origin,
    };
    newcomer.joins(ports, now)
}

/// Does what a link of a pending person is for, once.
pub async fn welcome(
    registrar: &Registrar,
    academy: &Academy,
    link: LinkId,
    mut batch: Vec<TenantStatement>,
) -> Result<StatusCode, Problem> {
    batch.push(keep_consents(link));
    batch.push(store::delete_pending(link));
    let unused = store::pending_is_there(link);
    registrar.edge.tenant(academy.id).batch_if(unused, batch).await.map_err(|error| match error {
        // Used by another request at the same time, or the address has come by another link.
        StoreError::Guard => link_invalid(),
        error if error.is_duplicate_of("person") => link_invalid(),
        error => error.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// One answer for a link that never was, is too old, or was used.
pub fn link_invalid() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "link-invalid",
        "This link is not valid: it is too old, was used before, or was cut off. If you used it, sign in; else ask for a new one.",
    )
}
