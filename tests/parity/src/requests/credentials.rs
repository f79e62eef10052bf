//! Passwords, second factors, links by mail, and the end of all sessions.

use akademi_domain::{
    ids::LinkId,
    mail::LinkPurpose::{self, AcceptInvitation, ResetPassword},
};
use akademi_local::{
    api_client::{ApiClient, JsonExt},
    newcomers::{newest_link, token},
};
use anyhow::Context;
use http::Method;
use serde_json::{Value, json};
use totp_rs::{Algorithm, Secret, TOTP};

use super::identity::PASSWORD;
use crate::{ask::Ask, kind::Kind, recorder::Recorder, seed::INVITATION};

const ACCEPT: &str = "POST /api/v1/auth/accept-invitation";
const FORGOT: &str = "POST /api/v1/auth/forgot-password";
const RESET: &str = "POST /api/v1/auth/reset-password";
const STEP_UP: &str = "POST /api/v1/auth/step-up";
const CHANGE: &str = "PUT /api/v1/users/me/password";
const SETUP: &str = "POST /api/v1/users/me/second-factor/setup";
const SWITCH_ON: &str = "PUT /api/v1/users/me/second-factor";
const SWITCH_OFF: &str = "DELETE /api/v1/users/me/second-factor";
const ANSWER: &str = "POST /api/v1/auth/second-factor";
const LOGIN: &str = "POST /api/v1/auth/login";
const END_ALL: &str = "DELETE /api/v1/users/me/sessions";
const ME: &str = "/api/v1/users/me";
const EMAIL: &str = "sukru@example.org";

pub async fn credentials(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    invitation(r).await?;
    password(r).await?;
    second_factor(r).await?;
    forgotten(r).await?;
    everywhere(r).await
}

impl Recorder<'_> {
    /// The token of a link of the first academy's.
    pub fn link_token(&self, purpose: LinkPurpose, link: LinkId) -> anyhow::Result<String> {
        token(self.deployment.variable("plane_root_keys"), purpose, self.deployment.umraniye, link)
    }

    /// The link of the newest mail of the first academy's.
    pub async fn newest_link(&self) -> anyhow::Result<LinkId> {
        let roots = self.deployment.variable("plane_root_keys");
        let newest = newest_link(&self.umraniye, roots, self.deployment.umraniye, (self.now)()).await?;
        Ok(newest.1)
    }
}

async fn invitation(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, path) = (r.umraniye.clone(), "/api/v1/auth/accept-invitation");
    let token = r.link_token(AcceptInvitation, INVITATION)?;
    let accept = |token: &str, name: &str| json!({ "token": token, "password": PASSWORD, "name": name });
    r.bad((ACCEPT, "without a name to print"), &academy, Ask::post(path, &accept(&token, ""))).await?;
    r.bad((ACCEPT, "made-up token"), &academy, Ask::post(path, &accept("abc", "Ali"))).await?;
    r.good((ACCEPT, "accept"), &academy, Ask::post(path, &accept(&token, "Iğdırlı Öğretmen"))).await?;
    r.turkish((ACCEPT, "accept again"), &academy, Ask::post(path, &accept(&token, "Şükran"))).await?;
    Ok(())
}

async fn password(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (learner, path) = (r.learner()?, "/api/v1/users/me/password");
    let change = |current: &str, new: &str| {
        Ask::json(Method::PUT, path, &json!({ "current_password": current, "new_password": new }))
    };
    let other = "bir başka uzun parola";
    r.bad((CHANGE, "wrong password"), &learner, change("yanlış parola", other)).await?;
    r.bad((CHANGE, "to everybody's"), &learner, change(PASSWORD, "Galatasaray1905")).await?;
    r.good((CHANGE, "change"), &learner, change(PASSWORD, other)).await?;
    r.send(Kind::Good, (CHANGE, "and back"), &learner, &change(other, PASSWORD)).await?;

    let step_up = |body: Value| Ask::post("/api/v1/auth/step-up", &body);
    r.bad((STEP_UP, "wrong password"), &learner, step_up(json!({ "password": "yanlış parola" }))).await?;
    r.bad((STEP_UP, "with nothing"), &learner, step_up(json!({}))).await?;
    r.good((STEP_UP, "with the password"), &learner, step_up(json!({ "password": PASSWORD }))).await?;
    Ok(())
}

async fn second_factor(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, learner) = (r.umraniye.clone(), r.learner()?);
    let path = format!("{ME}/second-factor");
    let begin = Ask::new(Method::POST, format!("{path}/setup"));
    let setup = r.good((SETUP, "begin"), &learner, begin).await?.json()?;
    r.bad(
        (SETUP, "made-up token"),
        &academy.signed_in("abc"),
        Ask::new(Method::POST, format!("{path}/setup")),
    )
    .await?;
    let app = app(&setup.text("secret")?)?;
    let code = app.generate(u64::try_from((r.now)().as_seconds())?);
    let on = |code: &str| {
        Ask::json(Method::PUT, &path, &json!({ "setup_token": setup.get("setup_token"), "code": code }))
    };
    r.bad((SWITCH_ON, "wrong code"), &learner, on("12345")).await?;
    r.good((SWITCH_ON, "switch on"), &learner, on(&code)).await?;
    let codes = r.send(Kind::Good, (SWITCH_ON, "once more"), &learner, &on(&code)).await?.json()?;
    let codes = codes.get("recovery_codes").and_then(Value::as_array).context("no recovery codes")?;

    let login = Ask::post("/api/v1/auth/login", &json!({ "email": EMAIL, "password": PASSWORD }));
    let asked = r.send(Kind::Good, (LOGIN, "with a second factor"), &academy, &login).await?.json()?;
    let answer = |code: &Value| {
        let body = json!({ "second_factor_token": asked.get("second_factor_token"), "code": code });
        Ask::post("/api/v1/auth/second-factor", &body)
    };
    r.bad((ANSWER, "wrong code"), &academy, answer(&json!("12345"))).await?;
    r.good((ANSWER, "a recovery code"), &academy, answer(codes.first().context("no code")?)).await?;
    r.bad((ANSWER, "the same code"), &academy, answer(codes.first().context("no code")?)).await?;

    let off = Ask::new(Method::DELETE, &path);
    r.bad((SWITCH_OFF, "made-up token"), &academy.signed_in("abc"), off.clone()).await?;
    r.good((SWITCH_OFF, "switch off"), &learner, off).await?;
    Ok(())
}

fn app(secret: &str) -> anyhow::Result<TOTP> {
    let secret = Secret::Encoded(secret.to_owned()).to_bytes().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(TOTP::new(Algorithm::SHA1, 6, 1, 30, secret)?)
}

async fn forgotten(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let academy = r.umraniye.clone();
    let forgot = |email: &str| Ask::post("/api/v1/auth/forgot-password", &json!({ "email": email }));
    r.good((FORGOT, "forgotten"), &academy, forgot(EMAIL)).await?;
    r.send(Kind::Good, (FORGOT, "of nobody"), &academy, &forgot("kimse@example.org")).await?;
    r.bad((FORGOT, "no address"), &academy, forgot("kimse")).await?;
    let token = r.link_token(ResetPassword, r.newest_link().await?)?;
    let reset = |token: &str, password: &str| {
        Ask::post("/api/v1/auth/reset-password", &json!({ "token": token, "password": password }))
    };
    r.bad((RESET, "made-up token"), &academy, reset("abc", PASSWORD)).await?;
    r.bad((RESET, "to a short one"), &academy, reset(&token, "kisa")).await?;
    r.good((RESET, "choose a new one"), &academy, reset(&token, PASSWORD)).await?;
    r.learner = Some(signed_in(&academy).await?);
    Ok(())
}

async fn everywhere(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, learner) = (r.umraniye.clone(), r.learner()?);
    let end = Ask::new(Method::DELETE, format!("{ME}/sessions"));
    r.bad((END_ALL, "made-up token"), &academy.signed_in("abc"), end.clone()).await?;
    r.good((END_ALL, "everywhere"), &learner, end).await?;
    r.learner = Some(signed_in(&academy).await?);
    Ok(())
}

async fn signed_in(academy: &ApiClient) -> anyhow::Result<ApiClient> {
    academy.sign_in(EMAIL, PASSWORD).await
}
