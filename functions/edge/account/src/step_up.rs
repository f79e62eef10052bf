//! Somebody who is signed in proves once more who they are, before something dangerous.

use akademi_api::{Body, Caller, Problem};
use akademi_identity::{
    Known, Origin, password,
    second_factor::{Used, wrong_code},
    throttle,
};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;

use crate::{Account, store};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    /// Of an account without a second factor.
    #[serde(default)]
    #[schema(format = Password, max_length = 1024)]
    password: Option<String>,
    /// Of an account with one: six digits of the app, or a recovery code.
    #[serde(default)]
    #[schema(max_length = 20)]
    code: Option<String>,
}

/// Prove once more who one is
///
/// With the password, or with a code where the second factor is on. Good for a quarter of an hour on this device.
#[utoipa::path(post, path = "/api/v1/auth/step-up", tag = "account", request_body = StepUp,
    responses((status = 204, description = "Proven"),
              (status = 422, description = "The password is wrong, or a code is asked for", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 429, description = "Too many attempts", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn step_up(
    State(account): State<Account>,
    caller: Caller,
    origin: Origin,
    Body(proof): Body<StepUp>,
) -> Result<StatusCode, Problem> {
    let now = account.edge.ports.now();
    let database = account.edge.tenant(caller.tenant);
    let Known { person, key, profile } = account.known(&caller).await?;
    let proven = store::set_authenticated(caller.session, now);
    if person.totp_secret.is_some() {
        let code = proof.code.ok_or_else(|| Problem::field("code", "is needed: your second factor is on"))?;
        let attempt = throttle::admit(&database, &[account.throttles.code_tries(caller.user)], now).await?;
        let used = Used::of(&code, caller.user, &key, &person, now)?.ok_or_else(wrong_code)?;
        let mut batch = attempt.succeeded();
        batch.extend([used.spend(caller.user), proven]);
        database.batch_if(used.is_unspent(caller.user), batch).await.map_err(|error| match error {
            akademi_edge_store::StoreError::Guard => wrong_code(),
            error => error.into(),
        })?;
    } else {
        let shown = proof.password.ok_or_else(|| Problem::field("password", "is needed"))?;
        let email_lookup = account.vault.email_lookup(caller.tenant, &profile.email);
        let attempt =
            throttle::admit(&database, &account.throttles.password_tries(&email_lookup, &origin), now)
                .await?;
        if !password::verify(&shown, Some(&person.password_hash))? {
            return Err(Problem::field("password", "is not your password"));
        }
        let mut batch = attempt.succeeded();
        batch.push(proven);
        database.batch(batch).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
