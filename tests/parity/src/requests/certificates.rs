//! A certificate of the learner's, issued and revoked as the Lambda plane does it.

use akademi_domain::{certificate::CertificateSerial, ids::UserId, time::Timestamp};
use akademi_feed::{Batch, Envelope, LambdaEvent};
use akademi_local::api_client::{ApiClient, JsonExt};
use akademi_seal::PersonKey;
use anyhow::Context;
use http::Method;
use serde_json::json;

use super::{COURSE, Recorder, publications};

const SERIAL: CertificateSerial = CertificateSerial::new([0xc0; 16]);
const HOLDER: &str = "Şükrü Iğdır Çağlayangöl";
/// 2026-11-20T21:30:00Z, which is the next day in Istanbul.
const ISSUED_AT: Timestamp = Timestamp::from_millis(1_795_210_200_000);

pub(super) async fn certificates(
    r: &mut Recorder<'_>,
    learner: &ApiClient,
    kadikoy: &ApiClient,
) -> anyhow::Result<()> {
    let umraniye = r.academy.clone();
    let person: UserId = learner.get("/api/v1/users/me").await?.json()?.text("id")?.parse()?;
    let key = key_of(r, person).await?;
    let holder = key.seal(person, "certificate_holder", HOLDER.as_bytes(), [7; 24]);
    let issued = LambdaEvent::CertificateIssued {
        serial: SERIAL,
        person,
        course: COURSE.parse()?,
        title: "Işığın Yolculuğu".into(),
        holder: hex::encode(holder),
        completed_at: ISSUED_AT,
        issued_at: ISSUED_AT,
    };
    let (check, page) = (format!("/api/v1/certificates/{SERIAL}"), format!("/verify/{SERIAL}"));
    let own = "/api/v1/users/me/certificates";
    r.get("certificate, before it is issued", &umraniye, &check).await?;
    r.get("certificate page, before it is issued", &umraniye, &page).await?;
    r.get("no certificates", learner, own).await?;
    feed_in(r, "certificate in", 1, &issued).await?;
    r.get("certificate", &umraniye, &check).await?;
    r.get("another academy's certificate", kadikoy, &check).await?;
    r.get("no serial", &umraniye, "/api/v1/certificates/1").await?;
    r.get("certificate page", &umraniye, &page).await?;
    r.get("another academy's certificate page", kadikoy, &page).await?;
    r.get("page of no serial", &umraniye, "/verify/%00").await?;
    r.get("certificates", learner, own).await?;
    r.get("certificates, not signed in", &umraniye, own).await?;
    feed_in(r, "revocation in", 2, &LambdaEvent::CertificateRevoked { serial: SERIAL, at: ISSUED_AT })
        .await?;
    r.get("certificate, revoked", &umraniye, &check).await?;
    r.get("certificate page, revoked", &umraniye, &page).await?;
    r.get("certificates, revoked", learner, own).await?;
    Ok(())
}

/// The learner's key, asked for as `sync` does.
async fn key_of(r: &mut Recorder<'_>, person: UserId) -> anyhow::Result<PersonKey> {
    let wanted = json!({ "people": [{ "tenant": r.deployment.umraniye, "person": person }] });
    let target = "/internal/person-keys";
    let given = r.call("person's key", Method::POST, target, wanted.to_string()).await?.json()?;
    let key = given.pointer("/keys/0/key").and_then(|key| key.as_str()).context("no key")?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes)?;
    Ok(PersonKey::from_bytes(bytes))
}

/// Brings the `nth` event after the publications.
async fn feed_in(r: &mut Recorder<'_>, name: &str, nth: i64, event: &LambdaEvent) -> anyhow::Result<()> {
    let tenant = r.deployment.umraniye;
    let before = publications(tenant);
    let number = before.to + nth;
    let record = event.record();
    let (kind, version) = (record.kind.to_owned(), record.version);
    let envelope = Envelope { number, tenant, kind, version, payload: record.payload };
    let batch = Batch { source: before.source, from: number - 1, to: number, events: vec![envelope] };
    r.call(name, Method::POST, "/internal/feed", serde_json::to_string(&batch)?).await?;
    Ok(())
}
