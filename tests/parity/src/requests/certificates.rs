//! Certificates: at the edge as the Lambda plane's events bring them, and the Lambda plane's own routes.

use akademi_domain::{certificate::CertificateSerial, ids::UserId, time::Timestamp};
use akademi_feed::LambdaEvent;
use akademi_local::api_client::JsonExt;
use akademi_seal::PersonKey;
use anyhow::Context;
use http::{HeaderValue, header};
use serde_json::json;

use super::{COURSE, NOTHING, feed::call};
use crate::{ask::Ask, kind::Kind, recorder::Recorder, seed::lambda::CERTIFICATES};

const CHECK: &str = "GET /api/v1/certificates/{serial}";
const PAGE: &str = "GET /verify/{serial}";
const OWN: &str = "GET /api/v1/users/me/certificates";
const KEYS: &str = "POST /internal/person-keys";
const LIST: &str = "GET /api/v1/certificates";
const PDF: &str = "GET /api/v1/certificates/{serial}/pdf";
const REVOCATION: &str = "POST /api/v1/certificates/{serial}/revocation";

const SERIAL: CertificateSerial = CertificateSerial::new([0xc0; 16]);
const OTHER_SERIAL: CertificateSerial = CertificateSerial::new([0xc1; 16]);
const HOLDER: &str = "Şükrü Iğdır Çağlayangöl";
/// 2026-11-20T21:30:00Z, which is the next day in Istanbul.
const ISSUED_AT: Timestamp = Timestamp::from_millis(1_795_210_200_000);

pub async fn certificates(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    issued(r).await?;
    revoked(r).await?;
    list(r).await?;
    page_and_revocation(r).await
}

fn check(serial: CertificateSerial) -> Ask {
    Ask::get(format!("/api/v1/certificates/{serial}"))
}

fn page(serial: CertificateSerial) -> Ask {
    Ask::get(format!("/verify/{serial}"))
}

async fn issued(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (umraniye, kadikoy, learner) = (r.umraniye.clone(), r.kadikoy.clone(), r.learner()?);
    let own = "/api/v1/users/me/certificates";
    let person: UserId = learner.get("/api/v1/users/me").await?.json()?.text("id")?.parse()?;
    let key = key_of(r, person).await?;
    let holder = key.seal(person, "certificate_holder", HOLDER.as_bytes(), [7; 24]);
    let issued = |serial| {
        anyhow::Ok(LambdaEvent::CertificateIssued {
            serial,
            person,
            course: COURSE.parse()?,
            title: "Işığın Yolculuğu".into(),
            holder: hex::encode(&holder),
            completed_at: ISSUED_AT,
            issued_at: ISSUED_AT,
        })
    };
    r.bad((CHECK, "before it is issued"), &umraniye, check(SERIAL)).await?;
    r.bad((PAGE, "before it is issued"), &umraniye, page(SERIAL)).await?;
    r.send(Kind::Good, (OWN, "none"), &learner, &Ask::get(own)).await?;
    r.bring("certificate", &issued(SERIAL)?).await?;
    r.bring("another certificate", &issued(OTHER_SERIAL)?).await?;
    r.good((CHECK, "certificate"), &umraniye, check(SERIAL)).await?;
    r.bad((CHECK, "another academy's"), &kadikoy, check(SERIAL)).await?;
    r.bad((CHECK, "no serial"), &umraniye, Ask::get("/api/v1/certificates/1")).await?;
    r.good((PAGE, "certificate page"), &umraniye, page(SERIAL)).await?;
    let english = page(SERIAL).with(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
    r.turkish((PAGE, "for an English browser"), &umraniye, english).await?;
    r.bad((PAGE, "another academy's"), &kadikoy, page(SERIAL)).await?;
    r.bad((PAGE, "of no serial"), &umraniye, Ask::get("/verify/%00")).await?;
    r.good((OWN, "one's own"), &learner, Ask::get(own)).await?;
    r.paged(OWN, &learner, own, "").await?;
    Ok(())
}

async fn revoked(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (umraniye, learner) = (r.umraniye.clone(), r.learner()?);
    r.bring("revocation", &LambdaEvent::CertificateRevoked { serial: SERIAL, at: ISSUED_AT }).await?;
    r.send(Kind::Good, (CHECK, "revoked"), &umraniye, &check(SERIAL)).await?;
    r.send(Kind::Good, (PAGE, "revoked"), &umraniye, &page(SERIAL)).await?;
    r.send(Kind::Good, (OWN, "revoked"), &learner, &Ask::get("/api/v1/users/me/certificates")).await?;
    Ok(())
}

/// The learner's key, asked for as `sync` does.
async fn key_of(r: &mut Recorder<'_>, person: UserId) -> anyhow::Result<PersonKey> {
    let wanted = json!({ "people": [{ "tenant": r.deployment.umraniye, "person": person }] });
    let client = r.umraniye.clone();
    let ask = call(&wanted, "/internal/person-keys");
    let given = r.send(Kind::Good, (KEYS, "of the learner"), &client, &ask).await?.json()?;
    let key = given.pointer("/keys/0/key").and_then(|key| key.as_str()).context("no key")?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes)?;
    Ok(PersonKey::from_bytes(bytes))
}

async fn list(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let staff = r.staff.clone();
    let list = "/api/v1/certificates";
    r.good((LIST, "the academy's"), &staff, Ask::get(list)).await?;
    r.paged(LIST, &staff, list, "").await?;
    let of_course = Ask::get(format!("{list}?course_id={COURSE}"));
    r.send(Kind::Good, (LIST, "of a course"), &staff, &of_course).await?;
    r.bad((LIST, "of no course"), &staff, Ask::get(format!("{list}?course_id=x"))).await?;
    Ok(())
}

async fn page_and_revocation(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, learner) = (r.staff.clone(), r.learner()?);
    let [kept, taken_back] = CERTIFICATES.map(|serial| format!("/api/v1/certificates/{}", serial.simple()));
    let nobodys = format!("/api/v1/certificates/{}", "0".repeat(32));
    // The page prints its own address, which would tell the hosts' ports.
    let host = HeaderValue::from_static("umraniye.localhost");
    let pdf = |certificate: &str| Ask::get(format!("{certificate}/pdf")).with(header::HOST, host.clone());
    r.good((PDF, "page"), &staff, pdf(&kept)).await?;
    r.bad((PDF, "unknown"), &staff, pdf(&nobodys)).await?;
    r.bad((PDF, "somebody else's"), &learner, pdf(&kept)).await?;

    let revoke = |certificate: &str, reason: &str| {
        Ask::post(format!("{certificate}/revocation"), &json!({ "reason": reason }))
    };
    r.good((REVOCATION, "revoke"), &staff, revoke(&taken_back, "by mistake")).await?;
    r.turkish((REVOCATION, "revoke again"), &staff, revoke(&taken_back, "Yanlışlıkla verildi")).await?;
    r.bad((REVOCATION, "without a reason"), &staff, revoke(&taken_back, "")).await?;
    r.bad((REVOCATION, "unknown"), &staff, revoke(&nobodys, "x")).await?;
    r.bad((REVOCATION, "no serial"), &staff, revoke(&format!("/api/v1/certificates/{NOTHING}"), "x")).await?;
    r.bad((PDF, "revoked"), &staff, pdf(&taken_back)).await?;
    Ok(())
}
