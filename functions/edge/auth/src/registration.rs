//! A person comes to an academy.

use akademi_api::{Academy, Body, Problem};
use akademi_domain::{
    identity::{EmailAddress, NewPassword, PersonName},
    ids::UserId,
    permission::Role,
};
use akademi_edge_store::append_event;
use akademi_feed::EdgeEvent;
use akademi_seal::PersonKey;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::{
    Auth,
    account::{Account, Profile},
    password,
    store::{self, NewPerson},
};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The name as certificates print it.
    name: PersonName,
    email: EmailAddress,
    password: NewPassword,
}

/// Register
///
/// Makes an account at this academy. An address that has one already is refused with 409.
#[utoipa::path(post, path = "/api/v1/auth/register", tag = "auth", request_body = Registration,
    responses((status = 201, description = "The account was made", body = Account),
              (status = 409, description = "The address has an account here already", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn register(
    State(auth): State<Auth>,
    academy: Academy,
    Body(registration): Body<Registration>,
) -> Result<(StatusCode, Body<Account>), Problem> {
    let ports = &auth.edge.ports;
    let now = ports.now();
    let password_hash = password::hash(registration.password.as_str(), ports.random())?;

    let person = UserId::new(now, ports.random());
    let key = PersonKey::from_bytes(ports.random());
    let profile = Profile { name: registration.name, email: registration.email };
    let sealed = profile.seal(&key, person, ports.random())?;
    let wrapped = auth.vault.wrap(academy.id, person, &key, ports.random());
    let email_lookup = auth.vault.email_lookup(academy.id, &profile.email);

    let saved =
        EdgeEvent::PersonSaved { person, profile: hex::encode(&sealed), state: "active".into(), at: now };
    let new = NewPerson { id: person, email_lookup: &email_lookup, profile: &sealed, password_hash, now };
    let mut batch = vec![
        store::insert_person(new),
        store::insert_person_key(person, &wrapped),
        store::assign_role(person, Role::Student),
    ];
    batch.extend(append_event(&saved, now));
    auth.edge.tenant(academy.id).batch(batch).await.map_err(|error| {
        if error.is_duplicate_of("person") {
            Problem::new(
                StatusCode::CONFLICT,
                "email-taken",
                "This e-mail address has an account here: sign in instead.",
            )
        } else {
            error.into()
        }
    })?;
    let account = Account::new(person, profile, vec![Role::Student], now);
    Ok((StatusCode::CREATED, Body(account)))
}
