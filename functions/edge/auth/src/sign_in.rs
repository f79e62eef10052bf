//! Sign-in with a password.

use akademi_api::{Academy, Body, Problem};
use akademi_domain::{identity::EmailAddress, ids::UserId};
use akademi_edge_store::TenantStatement;
use akademi_identity::{
    Audit, Origin, audit, password,
    session::{
        Proven,
        challenge::SecondFactorNeeded,
        keeping::{Keeping, TokenPair},
    },
    throttle,
};
use akademi_seal::PersonKey;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Deserialize;

use crate::{Auth, store};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    email: EmailAddress,
    #[schema(format = Password, max_length = 1024)]
    password: String,
}

/// Sign in
///
/// Starts a session on this device. An unknown address and a wrong password answer alike. A page of the academy's own host that
/// sends `Akademi-Tokens: cookies` has its browser keep the tokens: no script reads them.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, description = "Signed in", body = TokenPair),
              (status = 202, description = "The password is right; a code of the second factor is needed", body = SecondFactorNeeded),
              (status = 401, description = "The address or the password is wrong", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many attempts", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn login(
    State(auth): State<Auth>,
    academy: Academy,
    origin: Origin,
    keeping: Keeping,
    Body(login): Body<Login>,
) -> Result<Response, Problem> {
    let now = auth.edge.ports.now();
    let database = auth.edge.tenant(academy.id);
    let lookup = auth.vault.email_lookup(academy.id, &login.email);
    let tries = auth.throttles.password_tries(&lookup, &origin);
    let attempt = throttle::admit(&database, &tries, now).await?;
    let found = store::find_credentials(&database, &lookup).await?;
    let stored = found.as_ref().map(|person| person.password_hash.as_str());
    // A password beyond what anybody can choose costs no hash of its own length.
    let is_right = password::verify(login.password.get(..1024).unwrap_or(&login.password), stored)?;
    let Some(person) = found else {
        let [counter, ..] = &tries;
        database.batch(vec![throttle::unchanged(counter)]).await?;
        return Err(Problem::wrong_credentials());
    };
    let key = auth.vault.unwrap_key(academy.id, person.id, &person.wrapped_key).map_err(Problem::broken)?;
    if !is_right || !person.active {
        let failed = failed_attempt(&auth, person.id, &key, &origin, "sign_in.failed")?;
        database.batch(failed.into()).await?;
        return Err(Problem::wrong_credentials());
    }
    if person.has_second_factor {
        database.batch(attempt.succeeded()).await?;
        let needed = auth.sessions.challenge(academy.id, person.id, now);
        return Ok((StatusCode::ACCEPTED, Body(needed)).into_response());
    }
    let proven = Proven {
        tenant: academy.id,
        person: person.id,
        key: &key,
        granted: &person.granted,
        origin: &origin,
        by: "password",
    };
    keeping.deliver(auth.sessions.start(proven, None, attempt.succeeded()).await?)
}

/// The entry of an attempt on somebody's account that failed.
pub fn failed_attempt(
    auth: &Auth,
    person: UserId,
    key: &PersonKey,
    origin: &Origin,
    action: &'static str,
) -> Result<[TenantStatement; 2], Problem> {
    let failed = Audit {
        action,
        actor: None,
        target: audit::person(person),
        origin,
        sealed_for: Some((person, key)),
        change: None,
    };
    failed.append(&auth.edge.ports, auth.edge.ports.now())
}
