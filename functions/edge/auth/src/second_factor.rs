//! The second step of a sign-in: a code beside the password.

use akademi_api::{Academy, Body, Problem};
use akademi_identity::{
    Origin, find_person,
    second_factor::{Used, wrong_code},
    session::{
        Proven,
        keeping::{Keeping, TokenPair},
    },
    throttle,
};
use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;

use crate::{Auth, sign_in::failed_attempt};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorAnswer {
    second_factor_token: String,
    /// Six digits of the app, or a recovery code.
    #[schema(max_length = 20)]
    code: String,
}

/// Sign in with a code
///
/// The second step of a sign-in: a code of the authenticator app, or a recovery code, each good once.
#[utoipa::path(post, path = "/api/v1/auth/second-factor", tag = "auth", request_body = SecondFactorAnswer,
    responses((status = 200, description = "Signed in", body = TokenPair),
              (status = 401, description = "The code is wrong, or the password's step is too long ago", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many wrong codes", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn answer(
    State(auth): State<Auth>,
    academy: Academy,
    origin: Origin,
    keeping: Keeping,
    Body(answer): Body<SecondFactorAnswer>,
) -> Result<Response, Problem> {
    let now = auth.edge.ports.now();
    let database = auth.edge.tenant(academy.id);
    let person = auth.sessions.challenged(&answer.second_factor_token, academy.id, now);
    let person = person.ok_or_else(Problem::token_invalid)?;
    let attempt = throttle::admit(&database, &[auth.throttles.code_tries(person)], now).await?;
    let found = find_person(&database, person).await?.ok_or_else(Problem::session_ended)?;
    let key = auth.vault.unwrap_key(academy.id, person, &found.wrapped_key).map_err(Problem::broken)?;
    let Some(used) = Used::of(&answer.code, person, &key, &found, now)? else {
        database.batch(failed_attempt(&auth, person, &key, &origin, "second_factor.failed")?.into()).await?;
        return Err(wrong_code());
    };
    let mut batch = attempt.succeeded();
    batch.push(used.spend(person));
    let proven = Proven {
        tenant: academy.id,
        person,
        key: &key,
        granted: &found.granted,
        origin: &origin,
        by: used.name(),
    };
    let started = auth.sessions.start(proven, Some(used.is_unspent(person)), batch).await;
    // Somebody else used it at the same moment.
    let pair = started
        .map_err(|problem| if problem.status() == StatusCode::CONFLICT { wrong_code() } else { problem })?;
    keeping.deliver(pair)
}
