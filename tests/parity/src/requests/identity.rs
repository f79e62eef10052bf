//! Registration, sign-in, one's own account, and their refusals.

use akademi_domain::mail::LinkPurpose;
use akademi_local::api_client::JsonExt;
use anyhow::Context;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const REGISTER: &str = "POST /api/v1/auth/register";
const CONFIRM: &str = "POST /api/v1/auth/confirm";
const LOGIN: &str = "POST /api/v1/auth/login";
const REFRESH: &str = "POST /api/v1/auth/refresh";
const LOGOUT: &str = "POST /api/v1/auth/logout";
const KEYS: &str = "GET /.well-known/jwks.json";
const ME: &str = "GET /api/v1/users/me";
const CHANGE_ME: &str = "PATCH /api/v1/users/me";
const SESSIONS: &str = "GET /api/v1/users/me/sessions";
const END_SESSION: &str = "DELETE /api/v1/users/me/sessions/{session_id}";
pub const PASSWORD: &str = "uzun bir parola";

/// A learner registers and signs in, on two devices.
pub async fn identity(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    registration(r).await?;
    sign_in(r).await?;
    account(r).await?;
    sessions(r).await
}

async fn registration(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let academy = r.umraniye.clone();
    let register = "/api/v1/auth/register";
    let person = json!({ "name": "Ali Veli", "email": "ali@example.org", "password": PASSWORD });
    r.good((REGISTER, "register"), &academy, Ask::post(register, &person)).await?;
    r.send(Kind::Good, (REGISTER, "register again"), &academy, &Ask::post(register, &person)).await?;
    let turkish =
        json!({ "name": "Şükrü Iğdır Çağlayangöl 🎓", "email": "Sukru@Example.org", "password": PASSWORD });
    r.turkish((REGISTER, "a Turkish name"), &academy, Ask::post(register, &turkish)).await?;
    confirmation(r).await?;
    r.send(Kind::Good, (REGISTER, "with an account"), &academy, &Ask::post(register, &turkish)).await?;
    for (name, body) in [
        ("unknown field", json!({ "name": "A", "email": "a@b.co", "password": PASSWORD, "role": "admin" })),
        ("missing field", json!({ "name": "A", "email": "a@b.co" })),
        ("wrong type", json!({ "name": 7, "email": "a@b.co", "password": PASSWORD })),
        ("no address", json!({ "name": "A", "email": "a.b.co", "password": PASSWORD })),
        ("short password", json!({ "name": "A", "email": "a@b.co", "password": "kisa" })),
        ("long name", json!({ "name": "A".repeat(201), "email": "a@b.co", "password": PASSWORD })),
    ] {
        r.bad((REGISTER, name), &academy, Ask::post(register, &body)).await?;
    }
    let post = |kind, body: Bytes| Ask::new(Method::POST, register).body(kind, body);
    for (name, body) in [
        ("malformed JSON", Bytes::from_static(b"{\"name\":")),
        ("no UTF-8", Bytes::from_static(b"{\"name\":\"\xff\"}")),
        ("empty body", Bytes::new()),
        ("1 MiB of nothing", vec![b' '; 1 << 20].into()),
    ] {
        r.bad((REGISTER, name), &academy, post("application/json", body)).await?;
    }
    let form = post("application/x-www-form-urlencoded", Bytes::from_static(b"name=A"));
    r.bad((REGISTER, "wrong media type"), &academy, form).await?;
    Ok(())
}

async fn confirmation(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, kadikoy) = (r.umraniye.clone(), r.kadikoy.clone());
    let token = r.link_token(LinkPurpose::ConfirmAddress, r.newest_link().await?)?;
    let confirm = |token: &str| Ask::post("/api/v1/auth/confirm", &json!({ "token": token }));
    r.bad((CONFIRM, "made-up token"), &academy, confirm("abc")).await?;
    r.bad((CONFIRM, "another academy"), &kadikoy, confirm(&token)).await?;
    r.good((CONFIRM, "confirm"), &academy, confirm(&token)).await?;
    r.bad((CONFIRM, "confirm again"), &academy, confirm(&token)).await?;
    Ok(())
}

async fn sign_in(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, kadikoy) = (r.umraniye.clone(), r.kadikoy.clone());
    let login = "/api/v1/auth/login";
    let right = json!({ "email": "sukru@example.org", "password": PASSWORD });
    let wrong = json!({ "email": "sukru@example.org", "password": "baska parola" });
    let unknown = json!({ "email": "kimse@example.org", "password": PASSWORD });
    let tokens = r.good((LOGIN, "sign in"), &academy, Ask::post(login, &right)).await?.json()?;
    r.bad((LOGIN, "wrong password"), &academy, Ask::post(login, &wrong)).await?;
    r.bad((LOGIN, "unknown address"), &academy, Ask::post(login, &unknown)).await?;
    r.bad((LOGIN, "another academy"), &kadikoy, Ask::post(login, &right)).await?;
    r.send(Kind::Good, (LOGIN, "on another device"), &academy, &Ask::post(login, &right)).await?;
    r.learner = Some(academy.signed_in(tokens.text("access_token")?));

    let refresh = "/api/v1/auth/refresh";
    let old = json!({ "refresh_token": tokens.text("refresh_token")? });
    let next = r.good((REFRESH, "refresh"), &academy, Ask::post(refresh, &old)).await?.json()?;
    let raced =
        r.send(Kind::Good, (REFRESH, "refresh, raced"), &academy, &Ask::post(refresh, &old)).await?.json()?;
    anyhow::ensure!(
        next.get("refresh_token") == raced.get("refresh_token"),
        "a race gets the same successor"
    );
    r.bad((REFRESH, "refresh elsewhere"), &kadikoy, Ask::post(refresh, &old)).await?;
    let made_up = json!({ "refresh_token": "abc" });
    r.bad((REFRESH, "made-up token"), &academy, Ask::post(refresh, &made_up)).await?;

    r.good((KEYS, "key set"), &academy, Ask::get("/.well-known/jwks.json")).await?;
    let nobody = r.nobody.clone();
    r.bad((KEYS, "key set of nobody"), &nobody, Ask::get("/.well-known/jwks.json")).await?;
    Ok(())
}

async fn account(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, kadikoy, learner) = (r.umraniye.clone(), r.kadikoy.clone(), r.learner()?);
    let me = "/api/v1/users/me";
    r.good((ME, "me"), &learner, Ask::get(me)).await?;
    r.bad((ME, "made-up token"), &academy.signed_in("abc.def.ghi"), Ask::get(me)).await?;
    let kadikoys = kadikoy.signed_in(r.deployment.staff_token((r.now)())?);
    r.bad((ME, "another academy's token"), &kadikoys, Ask::get(me)).await?;

    let rename = |name: &str| Ask::json(Method::PATCH, me, &json!({ "name": name }));
    r.good((CHANGE_ME, "rename"), &learner, rename("Sukru C.")).await?;
    r.turkish((CHANGE_ME, "a Turkish name"), &learner, rename("Şükrü Çağlayangöl")).await?;
    r.bad((CHANGE_ME, "no name"), &learner, rename("")).await?;
    r.send(Kind::Turkish, (ME, "me, renamed"), &learner, &Ask::get(me)).await?;
    Ok(())
}

async fn sessions(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let learner = r.learner()?;
    let sessions = "/api/v1/users/me/sessions";
    let found = r.good((SESSIONS, "sessions"), &learner, Ask::get(sessions)).await?.json()?;
    r.paged(SESSIONS, &learner, sessions, "").await?;
    let mut others = found.get("data").and_then(Value::as_array).into_iter().flatten();
    let other =
        others.find(|session| session.get("current") == Some(&json!(false))).context("one session only")?;
    let end = |id: &str| Ask::new(Method::DELETE, format!("{sessions}/{id}"));
    r.good((END_SESSION, "another device's session"), &learner, end(&other.text("id")?)).await?;
    r.bad((END_SESSION, "unknown session"), &learner, end(super::NOTHING)).await?;
    r.bad((END_SESSION, "no id"), &learner, end("1")).await?;
    Ok(())
}

/// The end of the list: the learner leaves.
pub async fn sign_out(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let learner = r.learner()?;
    r.good((LOGOUT, "sign out"), &learner, Ask::post("/api/v1/auth/logout", &json!({}))).await?;
    let made_up = r.umraniye.signed_in("abc");
    r.bad((LOGOUT, "made-up token"), &made_up, Ask::post("/api/v1/auth/logout", &json!({}))).await?;
    let rename = Ask::json(Method::PATCH, "/api/v1/users/me", &json!({ "name": "Geç Kalan" }));
    r.bad((CHANGE_ME, "after signing out"), &learner, rename).await?;
    Ok(())
}
