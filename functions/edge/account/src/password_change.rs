//! A new password by somebody who knows the old one.

use akademi_api::{Academy, Body, Caller, Problem, caller::AcademyHost};
use akademi_domain::{identity::NewPassword, mail::MailKind};
use akademi_identity::{
    Audit, Known, Letter, Origin, audit, password, person_has_version, revoke_sessions, throttle,
    update_password, use_links,
};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::Account;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    #[schema(format = Password, max_length = 1024)]
    current_password: String,
    new_password: NewPassword,
}

/// Change one's password
///
/// All other devices are signed out.
#[utoipa::path(put, path = "/api/v1/users/me/password", tag = "account", request_body = PasswordChange,
    responses((status = 204, description = "The password is changed"),
              (status = 409, description = "Changed by another request at the same time", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 422, description = "The current password is another one, or the new one is not good enough", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many wrong passwords", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn change(
    State(account): State<Account>,
    academy: Academy,
    host: AcademyHost,
    caller: Caller,
    origin: Origin,
    Body(change): Body<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let ports = &account.edge.ports;
    let now = ports.now();
    let database = account.edge.tenant(caller.tenant);
    let Known { person, key, profile } = account.known(&caller).await?;
    let email_lookup = account.vault.email_lookup(caller.tenant, &profile.email);
    let attempt =
        throttle::admit(&database, &account.throttles.password_tries(&email_lookup, &origin), now).await?;
    if !password::verify(&change.current_password, Some(&person.password_hash))? {
        return Err(Problem::field("current_password", "is not your password"));
    }
    let password_hash = password::hash(change.new_password.as_str(), ports.random())?;
    let mut batch = attempt.succeeded();
    batch.push(update_password(caller.user, password_hash));
    batch.push(revoke_sessions(caller.user, Some(caller.session), now));
    batch.push(use_links(caller.user, now));
    let letter = Letter {
        kind: MailKind::PasswordChanged,
        person: caller.user,
        key: &key,
        recipient: &profile,
        link: None,
    };
    batch.extend(letter.wanted(ports, &academy, &host, now)?);
    let entry = Audit {
        action: "password.changed",
        actor: Some(caller.user),
        target: audit::person(caller.user),
        origin: &origin,
        sealed_for: Some((caller.user, &key)),
        change: None,
    };
    batch.extend(entry.append(ports, now)?);
    database.batch_if(person_has_version(caller.user, person.version), batch).await?;
    Ok(StatusCode::NO_CONTENT)
}
