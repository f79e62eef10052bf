//! Signing in elsewhere, as far as no provider has to answer.

use akademi_api::signed::Purpose;
use akademi_feed::LambdaEvent;
use akademi_local::api_client::JsonExt;
use akademi_seal::hmac;
use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::json;

use super::NOTHING;
use crate::{ask::Ask, kind::Kind, recorder::Recorder, seed::waiting_cookie};

const SAVE: &str = "PUT /api/v1/academy/identity-providers/{provider}";
const LIST: &str = "GET /api/v1/academy/identity-providers";
const REMOVE: &str = "DELETE /api/v1/academy/identity-providers/{provider}";
const FACES: &str = "GET /api/v1/auth/providers";
const START: &str = "POST /api/v1/auth/providers/{provider}/start";
const ARRIVE: &str = "GET /api/v1/auth/providers/{provider}/callback";
const SIGN_IN: &str = "POST /api/v1/auth/providers/{provider}/sign-in";
const IDENTITIES: &str = "GET /api/v1/users/me/identities";
const LINK: &str = "POST /api/v1/users/me/identities";
const UNLINK: &str = "DELETE /api/v1/users/me/identities/{identity_id}";
const DELETION: &str = "POST /api/v1/auth/providers/{provider}/data-deletion";
const DELETED: &str = "GET /data-deletion/{code}";
const WHOSE: &str = "POST /internal/identity/deletion";
const AUTHORIZE: &str = "POST /internal/identity/authorize";
const EXCHANGE: &str = "POST /internal/identity/exchange";

/// What a page of the academy sends along.
fn of_own_page(ask: Ask) -> Ask {
    ask.with(HeaderName::from_static("sec-fetch-site"), HeaderValue::from_static("same-origin"))
}

pub async fn federation(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    configuration(r).await?;
    let (provider, name) = ("fb".to_owned(), "Şehirle gir".to_owned());
    let saved = LambdaEvent::IdentityProviderSaved { provider, name, kind: "facebook".into() };
    r.bring("an identity provider", &saved).await?;
    let gone = LambdaEvent::IdentityProviderRemoved { provider: "gone".into() };
    r.bring("an identity provider that is gone", &gone).await?;
    let (umraniye, nobody) = (r.umraniye.clone(), r.nobody.clone());
    r.good((FACES, "of the academy"), &umraniye, Ask::get("/api/v1/auth/providers")).await?;
    r.turkish((FACES, "of the academy"), &umraniye, Ask::get("/api/v1/auth/providers")).await?;
    r.bad((FACES, "of nobody"), &nobody, Ask::get("/api/v1/auth/providers")).await?;
    there_and_back(r).await?;
    identities(r).await?;
    deletion(r).await?;
    of_the_plane(r).await
}

/// What Facebook sends for somebody, signed with the secret that is configured.
fn signed_request() -> String {
    let payload = json!({ "user_id": "1", "algorithm": "HMAC-SHA256", "issued_at": 1 }).to_string();
    let payload = URL_SAFE_NO_PAD.encode(payload);
    // RFC 2104 §2: the key is filled up with zeros.
    let key: [u8; 32] = std::array::from_fn(|index| if index == 0 { b's' } else { 0 });
    format!("{}.{payload}", URL_SAFE_NO_PAD.encode(hmac(&key, payload.as_bytes())))
}

async fn deletion(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (umraniye, platform, nobody) = (r.umraniye.clone(), r.platform.clone(), r.nobody.clone());
    let wish = |provider: &str, request: &str| {
        let path = format!("/api/v1/auth/providers/{provider}/data-deletion");
        let form = format!("signed_request={request}");
        Ask::new(Method::POST, path).body("application/x-www-form-urlencoded", form)
    };
    let done = r.good((DELETION, "of somebody"), &umraniye, wish("fb", &signed_request())).await?;
    r.bad((DELETION, "signed by nobody"), &umraniye, wish("fb", "a.b")).await?;
    r.bad((DELETION, "of nobody"), &umraniye, wish("none", "a.b")).await?;
    let page = format!("/data-deletion/{}", done.json()?.text("confirmation_code")?);
    r.good((DELETED, "done"), &umraniye, Ask::get(&page)).await?;
    r.turkish((DELETED, "done"), &umraniye, Ask::get(&page)).await?;
    r.bad((DELETED, "none"), &umraniye, Ask::get("/data-deletion/none")).await?;
    r.bad((DELETED, "of nobody"), &nobody, Ask::get(&page)).await?;
    let whose = |request: &str| {
        let wanted = json!({ "provider": "fb", "signed_request": request });
        Ask::post("/internal/identity/deletion", &wanted).signed(Purpose::Wake)
    };
    r.good((WHOSE, "of somebody"), &platform, whose(&signed_request())).await?;
    r.bad((WHOSE, "signed by nobody"), &platform, whose("a.b")).await?;
    Ok(())
}

async fn configuration(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, list) = (r.staff.clone(), "/api/v1/academy/identity-providers");
    let settings = json!({ "kind": "facebook", "app_id": "1", "app_secret": "s", "version": "v23.0" });
    let body = json!({ "name": "Şehirle gir", "settings": settings });
    let save = |provider: &str| Ask::json(Method::PUT, format!("{list}/{provider}"), &body);
    r.good((SAVE, "Facebook"), &staff, save("fb")).await?;
    r.turkish((SAVE, "another"), &staff, save("gone")).await?;
    r.bad((SAVE, "no name"), &staff, save("No-Name")).await?;
    let private =
        json!({ "kind": "oidc", "issuer": "https://10.0.0.1", "client_id": "c", "client_secret": "s" });
    let private = json!({ "name": "Özel", "settings": private });
    let private = Ask::json(Method::PUT, format!("{list}/private"), &private);
    r.bad((SAVE, "of a private network"), &staff, private).await?;
    r.good((LIST, "all"), &staff, Ask::get(list)).await?;
    r.turkish((LIST, "all"), &staff, Ask::get(list)).await?;
    r.bad((LIST, "made-up token"), &r.umraniye.signed_in("abc"), Ask::get(list)).await?;
    let remove = Ask::new(Method::DELETE, format!("{list}/gone"));
    r.good((REMOVE, "one"), &staff, remove.clone()).await?;
    r.bad((REMOVE, "once more"), &staff, remove).await?;
    Ok(())
}

async fn there_and_back(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (umraniye, path) = (r.umraniye.clone(), "/api/v1/auth/providers/fb");
    let start =
        |path: &str, to: &str| of_own_page(Ask::post(format!("{path}/start"), &json!({ "return_to": to })));
    let begun = r.good((START, "Facebook"), &umraniye, start(path, "/account")).await?;
    r.bad((START, "back to a stranger"), &umraniye, start(path, "//evil.example")).await?;
    r.bad((START, "with nobody"), &umraniye, start("/api/v1/auth/providers/none", "/")).await?;
    let strange = Ask::post(format!("{path}/start"), &json!({ "return_to": "/" }));
    r.bad((START, "from no page of the academy"), &umraniye, strange).await?;

    let cookie = begun.headers.get(header::SET_COOKIE).context("no cookie")?.to_str()?;
    let cookie = HeaderValue::try_from(cookie.split(';').next().unwrap_or_default())?;
    let address = begun.json()?.text("url")?;
    let state = address.split(['?', '&']).find_map(|part| part.strip_prefix("state="));
    let back = |state: &str| {
        Ask::get(format!("{path}/callback?code=c&state={state}")).with(header::COOKIE, cookie.clone())
    };
    r.good((ARRIVE, "with a code"), &umraniye, back(state.context("no state")?)).await?;
    r.bad((ARRIVE, "with another state"), &umraniye, back("s")).await?;
    let without = Ask::get(format!("{path}/callback?code=c&state=s"));
    r.bad((ARRIVE, "in another browser"), &umraniye, without).await?;
    r.bad((ARRIVE, "without a state"), &umraniye, Ask::get(format!("{path}/callback"))).await?;

    let sign_in = of_own_page(Ask::new(Method::POST, format!("{path}/sign-in")));
    r.refused((SIGN_IN, "in another browser"), &umraniye, sign_in).await
}

async fn identities(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (learner, path) = (r.learner()?, "/api/v1/users/me/identities");
    let cookie = HeaderValue::try_from(waiting_cookie())?;
    let link = of_own_page(Ask::new(Method::POST, path));
    r.bad((LINK, "in another browser"), &learner, link.clone()).await?;
    let linked = r.good((LINK, "what waits"), &learner, link.with(header::COOKIE, cookie)).await?;
    r.good((IDENTITIES, "one's own"), &learner, Ask::get(path)).await?;
    r.bad((IDENTITIES, "made-up token"), &r.umraniye.signed_in("abc"), Ask::get(path)).await?;
    let one = |id: &str| Ask::new(Method::DELETE, format!("{path}/{id}"));
    r.bad((UNLINK, "none"), &learner, one(NOTHING)).await?;
    r.good((UNLINK, "the one"), &learner, one(&linked.json()?.text("id")?)).await?;
    r.send(Kind::Good, (IDENTITIES, "none left"), &learner, &Ask::get(path)).await?;
    Ok(())
}

async fn of_the_plane(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let platform = r.platform.clone();
    let authorize = |provider: &str| {
        let wanted = json!({
            "provider": provider, "state": "s", "nonce": "n", "code_challenge": "c",
            "redirect_uri": "https://umraniye.localhost/callback",
        });
        Ask::post("/internal/identity/authorize", &wanted).signed(Purpose::Wake)
    };
    r.good((AUTHORIZE, "Facebook"), &platform, authorize("fb")).await?;
    r.bad((AUTHORIZE, "nobody"), &platform, authorize("none")).await?;
    let wanted = json!({
        "provider": "none", "code": "c", "code_verifier": "v", "nonce": "n",
        "redirect_uri": "https://umraniye.localhost/callback",
    });
    let exchange = Ask::post("/internal/identity/exchange", &wanted).signed(Purpose::Wake);
    r.refused((EXCHANGE, "of nobody"), &platform, exchange).await
}
