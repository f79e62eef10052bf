//! Switching the second factor on and off.

use akademi_api::{Academy, Body, Caller, Problem, caller::AcademyHost};
use akademi_domain::mail::MailKind;
use akademi_edge_store::TenantStatement;
use akademi_identity::{
    Audit, Known, Letter, Origin, audit, person_has_version,
    second_factor::{RECOVERY_LETTERS, recovery_code, recovery_hash},
    totp,
};
use axum::extract::State;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::{Account, store};

const RECOVERY_CODES: usize = 10;

#[derive(Serialize, utoipa::ToSchema)]
pub struct SecondFactorSetup {
    /// For typing it into the app: base32.
    secret: String,
    /// For a QR code that the app reads (`otpauth://totp/…`).
    uri: String,
    /// To be sent back with the first code.
    setup_token: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorConfirmation {
    setup_token: String,
    /// Six digits of the app.
    #[schema(max_length = 20)]
    code: String,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct RecoveryCodes {
    /// Shown once. Each signs in once when the app is lost.
    recovery_codes: Vec<String>,
}

/// Begin a second factor
///
/// A new secret for an authenticator app. Nothing changes until a code of it is sent.
#[utoipa::path(post, path = "/api/v1/users/me/second-factor/setup", tag = "account",
    responses((status = 200, description = "What the app needs", body = SecondFactorSetup)))]
pub async fn setup(
    State(account): State<Account>,
    academy: Academy,
    caller: Caller,
) -> Result<Body<SecondFactorSetup>, Problem> {
    let ports = &account.edge.ports;
    let Known { key, profile, .. } = account.known(&caller).await?;
    let secret: [u8; totp::SECRET_BYTES] = ports.random();
    let sealed = key.seal(caller.user, "totp setup", &secret, ports.random());
    let secret = totp::to_base32(&secret);
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (issuer, account) = (encoded(&academy.profile.name), encoded(profile.email.as_str()));
    let uri = format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    );
    Ok(Body(SecondFactorSetup { secret, uri, setup_token: URL_SAFE_NO_PAD.encode(sealed) }))
}

/// Switch the second factor on
///
/// With the first code of the app. An earlier app and its recovery codes are good no more.
#[utoipa::path(put, path = "/api/v1/users/me/second-factor", tag = "account", request_body = SecondFactorConfirmation,
    responses((status = 200, description = "It is on", body = RecoveryCodes),
              (status = 409, description = "Changed by another request at the same time", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 422, description = "The code is wrong", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn switch_on(
    State(account): State<Account>,
    academy: Academy,
    host: AcademyHost,
    caller: Caller,
    origin: Origin,
    Body(confirmation): Body<SecondFactorConfirmation>,
) -> Result<Body<RecoveryCodes>, Problem> {
    let ports = &account.edge.ports;
    let now = ports.now();
    let known = account.known(&caller).await?;
    let setup = URL_SAFE_NO_PAD.decode(&confirmation.setup_token).ok();
    let secret = setup.and_then(|sealed| known.key.open(caller.user, "totp setup", &sealed).ok());
    let secret =
        secret.ok_or_else(|| Problem::field("setup_token", "is not one that was handed out to you"))?;
    let step = totp::step_of(&secret, confirmation.code.trim(), 0, now)?;
    let step = step.ok_or_else(|| Problem::field("code", "is not the app's code of now"))?;

    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code(ports.random())).collect();
    let sealed = known.key.seal(caller.user, "totp", &secret, ports.random());
    let mut batch =
        vec![store::set_totp(caller.user, Some(&sealed), step), store::delete_recovery_codes(caller.user)];
    let hashes = codes.iter().map(|code| recovery_hash(caller.user, code));
    batch.extend(hashes.map(|hash| store::insert_recovery_code(caller.user, &hash)));
    finish(&account, &academy, &host, &caller, &origin, &known, ("second_factor.switched_on", batch)).await?;
    let recovery_codes = codes
        .iter()
        .map(|code| {
            code.split_at_checked(RECOVERY_LETTERS / 2).map_or_else(String::new, |(a, b)| format!("{a}-{b}"))
        })
        .collect();
    Ok(Body(RecoveryCodes { recovery_codes }))
}

/// Switch the second factor off
#[utoipa::path(delete, path = "/api/v1/users/me/second-factor", tag = "account",
    responses((status = 204, description = "It is off"),
              (status = 409, description = "Changed by another request at the same time", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn switch_off(
    State(account): State<Account>,
    academy: Academy,
    host: AcademyHost,
    caller: Caller,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let known = account.known(&caller).await?;
    if known.person.totp_secret.is_some() {
        let batch = vec![store::set_totp(caller.user, None, 0), store::delete_recovery_codes(caller.user)];
        finish(&account, &academy, &host, &caller, &origin, &known, ("second_factor.switched_off", batch))
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Commits a change of the second factor, of which its owner is told.
async fn finish(
    account: &Account,
    academy: &Academy,
    host: &AcademyHost,
    caller: &Caller,
    origin: &Origin,
    Known { person, key, profile }: &Known,
    (action, mut batch): (&'static str, Vec<TenantStatement>),
) -> Result<(), Problem> {
    let ports = &account.edge.ports;
    let now = ports.now();
    let letter = Letter {
        kind: MailKind::SecondFactorChanged,
        person: caller.user,
        key,
        recipient: profile,
        link: None,
    };
    batch.extend(letter.wanted(ports, academy, host, now)?);
    let entry = Audit {
        action,
        actor: Some(caller.user),
        target: audit::person(caller.user),
        origin,
        sealed_for: Some((caller.user, key)),
        change: None,
    };
    batch.extend(entry.append(ports, now)?);
    let unchanged = person_has_version(caller.user, person.version);
    account.edge.tenant(caller.tenant).batch_if(unchanged, batch).await?;
    Ok(())
}
