//! Passkeys, of an authenticator in software.

use akademi_api::signed::Purpose;
use akademi_local::api_client::{ApiClient, JsonExt};
use akademi_passkeys_tests::{Authenticator, Saying};
use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use serde_json::{Value, json};

use super::NOTHING;
use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const BEGIN: &str = "POST /api/v1/auth/passkey/options";
const SIGN_IN: &str = "POST /api/v1/auth/passkey";
const CREATION: &str = "POST /api/v1/users/me/passkeys/options";
const ADD: &str = "POST /api/v1/users/me/passkeys";
const LIST: &str = "GET /api/v1/users/me/passkeys";
const REMOVE: &str = "DELETE /api/v1/users/me/passkeys/{passkey_id}";
const ATTESTATION: &str = "POST /internal/identity/passkeys/attestation";
const ASSERTION: &str = "POST /internal/identity/passkeys/assertion";

const OWN: &str = "/api/v1/users/me/passkeys";

pub async fn passkeys(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (learner, umraniye) = (r.learner()?, r.umraniye.clone());
    let creation = || Ask::new(Method::POST, format!("{OWN}/options"));
    r.good((CREATION, "of a learner"), &learner, creation()).await?;
    r.turkish((CREATION, "of a learner"), &learner, creation()).await?;
    r.bad((CREATION, "made-up token"), &umraniye.signed_in("abc"), creation()).await?;
    let mut authenticator = one(r, &learner, "İş bilgisayarım").await?;
    one(r, &learner, "Telefonum").await?;
    let nameless = json!({ "name": "", "credential": { "id": "", "response": {} } });
    r.bad((ADD, "without a name"), &learner, Ask::post(OWN, &nameless)).await?;
    r.good((LIST, "both"), &learner, Ask::get(OWN)).await?;
    r.turkish((LIST, "both"), &learner, Ask::get(OWN)).await?;
    r.bad((LIST, "made-up token"), &umraniye.signed_in("abc"), Ask::get(OWN)).await?;

    let begin = || Ask::new(Method::POST, "/api/v1/auth/passkey/options");
    let options = r.good((BEGIN, "of nobody yet"), &umraniye, begin()).await?.json()?;
    r.bad((BEGIN, "at nobody's"), &r.nobody.clone(), begin()).await?;
    let saying = Saying::honest(umraniye.base(), &options)?;
    let shown = json!({ "credential": authenticator.get(&saying)? });
    r.good((SIGN_IN, "with a passkey"), &umraniye, Ask::post("/api/v1/auth/passkey", &shown)).await?;
    r.bad((SIGN_IN, "with the same challenge"), &umraniye, Ask::post("/api/v1/auth/passkey", &shown)).await?;
    let options = r.send(Kind::Good, (BEGIN, "once more"), &umraniye, &begin()).await?.json()?;
    let saying = Saying { flags: 0, ..Saying::honest(umraniye.base(), &options)? };
    let unverified = json!({ "credential": authenticator.get(&saying)? });
    r.bad((SIGN_IN, "without its owner"), &umraniye, Ask::post("/api/v1/auth/passkey", &unverified)).await?;

    let remove = |id: &str| Ask::new(Method::DELETE, format!("{OWN}/{id}"));
    r.bad((REMOVE, "none"), &learner, remove(NOTHING)).await?;
    let listed = r.send(Kind::Good, (LIST, "before one goes"), &learner, &Ask::get(OWN)).await?.json()?;
    let last = listed.pointer("/data/1/id").and_then(Value::as_str).context("there is one only")?;
    r.good((REMOVE, "the newer one"), &learner, remove(last)).await?;
    of_the_plane(r).await
}

/// A new passkey of a learner.
async fn one(r: &mut Recorder<'_>, learner: &ApiClient, name: &str) -> anyhow::Result<Authenticator> {
    let creation = Ask::new(Method::POST, format!("{OWN}/options"));
    let options = r.send(Kind::Good, (CREATION, name), learner, &creation).await?.json()?;
    let mut authenticator = Authenticator::new(&options)?;
    let saying = Saying::honest(learner.base(), &options)?;
    let new = json!({ "name": name, "credential": authenticator.create(&saying) });
    r.good((ADD, name), learner, Ask::post(OWN, &new)).await?;
    r.turkish((ADD, name), learner, Ask::post(OWN, &new)).await?;
    Ok(authenticator)
}

async fn of_the_plane(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let platform = r.platform.clone();
    let challenge = URL_SAFE_NO_PAD.encode([7; 32]);
    let party = json!({ "id": "umraniye.localhost", "origin": "http://umraniye.localhost/" });
    let wanted =
        json!({ "rp": { "id": "umraniye.localhost" }, "challenge": challenge, "user": { "id": "AA" } });
    let saying = Saying::honest("http://umraniye.localhost", &wanted)?;
    let mut authenticator = Authenticator::new(&wanted)?;
    let made = authenticator.create(&saying);
    let attestation = |origin: &str| {
        let shown = json!({
            "relying_party": { "id": "umraniye.localhost", "origin": origin }, "challenge": challenge,
            "credential_id": made.get("id"), "client_data_json": made.pointer("/response/clientDataJSON"),
            "attestation_object": made.pointer("/response/attestationObject"),
        });
        Ask::post("/internal/identity/passkeys/attestation", &shown).signed(Purpose::Wake)
    };
    let told =
        r.good((ATTESTATION, "of a new one"), &platform, attestation("http://umraniye.localhost/")).await?;
    r.bad(
        (ATTESTATION, "without a signature"),
        &platform,
        Ask::post("/internal/identity/passkeys/attestation", &json!({})),
    )
    .await?;
    let public_key = told.json()?.pointer("/public_key").cloned().context("it is not genuine")?;
    let signed = authenticator.get(&Saying { kind: "webauthn.get", ..saying })?;
    let shown = json!({
        "relying_party": party, "challenge": challenge, "credential_id": signed.get("id"),
        "client_data_json": signed.pointer("/response/clientDataJSON"),
        "authenticator_data": signed.pointer("/response/authenticatorData"),
        "signature": signed.pointer("/response/signature"), "public_key": public_key,
    });
    let assertion = Ask::post("/internal/identity/passkeys/assertion", &shown).signed(Purpose::Wake);
    let verdict = r.good((ASSERTION, "of a known one"), &platform, assertion).await?.json()?;
    anyhow::ensure!(verdict.text("verdict")? == "genuine", "{verdict}");
    r.bad(
        (ASSERTION, "without a signature"),
        &platform,
        Ask::post("/internal/identity/passkeys/assertion", &json!({})),
    )
    .await?;
    Ok(())
}
