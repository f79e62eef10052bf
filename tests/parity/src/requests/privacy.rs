//! Consent, all that is kept of somebody, and its end.

use akademi_api::signed::Purpose;
use akademi_local::{api_client::JsonExt, newcomers::make_account};
use anyhow::Context;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOTHING, identity::PASSWORD};
use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const ASK: &str = "PUT /api/v1/academy/consents/{kind}";
const ASKED: &str = "GET /api/v1/consents";
const CHOOSE: &str = "PUT /api/v1/users/me/consents/{kind}";
const REGISTER: &str = "POST /api/v1/auth/register";
const CHOSEN: &str = "GET /api/v1/users/me/consents";
const EXPORT: &str = "GET /api/v1/users/me/export";
const RECORDS: &str = "POST /internal/person-records";
const ERASE_ME: &str = "POST /api/v1/users/me/erasure";
const LIST: &str = "GET /api/v1/people";
const ERASE: &str = "POST /api/v1/people/{person_id}/erasure";

pub async fn privacy(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    export(r).await?;
    consents(r).await?;
    erasure(r).await
}

async fn export(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (learner, platform) = (r.learner()?, r.platform.clone());
    let path = "/api/v1/users/me/export";
    r.good((EXPORT, "everything"), &learner, Ask::get(path)).await?;
    r.turkish((EXPORT, "the name"), &learner, Ask::get(path)).await?;
    r.bad((EXPORT, "made-up token"), &r.umraniye.signed_in("abc"), Ask::get(path)).await?;
    let of = |person: &str| Ask::post("/internal/person-records", &json!({ "person": person }));
    r.good((RECORDS, "of nobody"), &platform, of(NOTHING).signed(Purpose::Wake)).await?;
    r.bad((RECORDS, "no id"), &platform, of("1").signed(Purpose::Wake)).await?;
    r.bad((RECORDS, "signed for another purpose"), &platform, of(NOTHING).signed(Purpose::Feed)).await?;
    Ok(())
}

async fn consents(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, staff, learner) = (r.umraniye.clone(), r.staff.clone(), r.learner()?);
    let text = |language: &str, text: &str| json!({ "language": language, "text": text });
    let ask = |kind: &str, texts: Value| {
        let body = json!({ "required": true, "texts": texts });
        Ask::json(Method::PUT, format!("/api/v1/academy/consents/{kind}"), &body)
    };
    r.good((ASK, "one text"), &staff, ask("kvkk", json!([text("en", "We keep your name.")]))).await?;
    let both = json!([text("en", "We keep your name."), text("tr", "Adınızı saklarız: ışık, ğ, İ.")]);
    r.turkish((ASK, "two languages"), &staff, ask("kvkk", both)).await?;
    r.bad((ASK, "no text"), &staff, ask("kvkk", json!([]))).await?;
    r.bad((ASK, "a language that is none here"), &staff, ask("kvkk", json!([text("de", "a")]))).await?;
    r.bad((ASK, "no kind"), &staff, ask("KVKK", json!([text("en", "a")]))).await?;
    r.good((ASKED, "all"), &academy, Ask::get("/api/v1/consents")).await?;
    r.turkish((ASKED, "in Turkish"), &academy, Ask::get("/api/v1/consents")).await?;
    let nobody = r.nobody.clone();
    r.bad((ASKED, "of nobody"), &nobody, Ask::get("/api/v1/consents")).await?;

    let register = |consents: Value| {
        let body =
            json!({ "name": "Ali", "email": "razi@example.org", "password": PASSWORD, "consents": consents });
        Ask::post("/api/v1/auth/register", &body)
    };
    let given = |version: i64| json!([{ "kind": "kvkk", "version": version, "language": "tr" }]);
    r.bad((REGISTER, "without consent"), &academy, register(json!([]))).await?;
    r.bad((REGISTER, "with consent to an old version"), &academy, register(given(1))).await?;
    r.send(Kind::Good, (REGISTER, "with consent"), &academy, &register(given(2))).await?;

    let choose = |kind: &str, version: i64, given: bool| {
        let body = json!({ "given": given, "version": version, "language": "tr" });
        Ask::json(Method::PUT, format!("/api/v1/users/me/consents/{kind}"), &body)
    };
    r.good((CHOOSE, "give"), &learner, choose("kvkk", 2, true)).await?;
    r.send(Kind::Good, (CHOOSE, "withdraw"), &learner, &choose("kvkk", 2, false)).await?;
    r.bad((CHOOSE, "an old version"), &learner, choose("kvkk", 1, true)).await?;
    r.bad((CHOOSE, "what nobody asks"), &learner, choose("yok", 1, true)).await?;
    r.good((CHOSEN, "all"), &learner, Ask::get("/api/v1/users/me/consents")).await?;
    r.bad((CHOSEN, "made-up token"), &academy.signed_in("abc"), Ask::get("/api/v1/users/me/consents"))
        .await?;
    Ok(())
}

async fn erasure(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (academy, staff) = (r.umraniye.clone(), r.staff.clone());
    let roots = r.deployment.variable("plane_root_keys");
    let (tenant, email) = (r.deployment.umraniye, "gecici@example.org");
    // Asked for twice: one of them goes on waiting.
    academy.register("Geçici", email, PASSWORD).await.context("registering")?;
    make_account(&academy, roots, tenant, (r.now)(), ("Geçici Üye", email, PASSWORD))
        .await
        .context("joining")?;
    let client = academy.sign_in(email, PASSWORD).await.context("signing in")?;
    // From where somebody consents is another address on each host: nobody compares this export.
    let choice = json!({ "given": true, "version": 2, "language": "tr" });
    let chosen = client.send_json(Method::PUT, "/api/v1/users/me/consents/kvkk", &choice).await?;
    chosen.expect(StatusCode::OK).context("consenting")?;
    let export = client.get("/api/v1/users/me/export").await?;
    // Hosts may compress it.
    anyhow::ensure!(export.status == StatusCode::OK, "the export answers {}", export.status);
    let me = |email: &str| Ask::post("/api/v1/users/me/erasure", &json!({ "email": email }));
    r.bad((ERASE_ME, "by another's address"), &client, me("ali@example.org")).await?;
    r.bad((ERASE_ME, "by no address"), &client, me("ali")).await?;
    r.good((ERASE_ME, "oneself"), &client, me(email)).await?;
    let gone = client.get("/api/v1/users/me").await?;
    anyhow::ensure!(gone.status == StatusCode::UNAUTHORIZED, "somebody erased is {}", gone.status);

    let found = r
        .send(Kind::Good, (LIST, "whom to erase"), &staff, &Ask::get("/api/v1/people?role=instructor"))
        .await?
        .json()?;
    let teacher = found.pointer("/data/0").map(|person| person.text("id")).transpose()?.unwrap_or_default();
    let erase = |person: &str| Ask::new(Method::POST, format!("/api/v1/people/{person}/erasure"));
    r.bad((ERASE, "nobody"), &staff, erase(NOTHING)).await?;
    r.good((ERASE, "the teacher"), &staff, erase(&teacher)).await?;
    r.bad((ERASE, "again"), &staff, erase(&teacher)).await?;
    Ok(())
}

/// The very end of the list: the learner, who has learnt and bought here, is erased.
pub async fn farewell(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let found = Ask::get("/api/v1/people?email=sukru@example.org");
    let found = r.send(Kind::Good, (LIST, "the learner, to be erased"), &staff, &found).await?.json()?;
    let learner = found.pointer("/data/0").map(|person| person.text("id")).transpose()?.unwrap_or_default();
    let erase = Ask::new(Method::POST, format!("/api/v1/people/{learner}/erasure"));
    r.send(Kind::Good, (ERASE, "the learner"), &staff, &erase).await?;
    Ok(())
}
