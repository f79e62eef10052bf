//! Who registers consents to what the academy requires.

use akademi_domain::mail::MailKind;
use serde_json::{Value, json};

use crate::world::{Answer, EMAIL, From, PASSWORD, World, from};

/// `kvkk` in its second version is required in two languages, `news` is not.
fn asking() -> World {
    let world = World::new();
    for (kind, version, language, required) in
        [("kvkk", 1, "tr", 1), ("kvkk", 2, "tr", 1), ("kvkk", 2, "en", 1), ("news", 1, "tr", 0)]
    {
        let sql = format!(
            "INSERT INTO consent_text SELECT id, '{kind}', {version}, '{language}', 'text {version}', \
             CAST('{kind} {version} {language}' AS BLOB), {required}, 'staff', 0 FROM tenant WHERE slug = 'one'"
        );
        world.execute(sql.leak());
    }
    world
}

async fn register(world: &World, who: &From, email: &str, consents: Value) -> Answer {
    let body = json!({ "name": "Şükrü", "email": email, "password": PASSWORD, "consents": consents });
    world.post(who, "/api/v1/auth/register", body).await
}

fn given(kind: &str, version: i64, language: &str) -> Value {
    json!({ "kind": kind, "version": version, "language": language })
}

#[tokio::test]
async fn nobody_registers_without_what_is_required_and_is_told_what_that_is() {
    let (world, device) = (asking(), from("192.0.2.1"));
    let refused = register(&world, &device, EMAIL, json!([])).await;
    assert_eq!((refused.status, refused.slug()), (422, "/problems/consent-required"));
    let told: Vec<_> =
        refused.body["errors"].as_array().unwrap().iter().map(|error| &error["message"]).collect();
    assert_eq!(told, ["lacks kvkk, version 2, language tr", "lacks kvkk, version 2, language en"]);
    for (consents, field) in [
        (json!([given("kvkk", 1, "tr")]), "consents[0]"),
        (json!([given("kvkk", 2, "tr"), given("kvkk", 2, "en")]), "consents[1]"),
        (json!([given("kvkk", 2, "tr"), given("news", 1, "en")]), "consents[1]"),
        (json!([given("kvkk", 2, "tr"), given("yok", 1, "tr")]), "consents[1]"),
    ] {
        let refused = register(&world, &device, EMAIL, consents).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field);
    }
    assert_eq!((world.mails().len(), world.count("SELECT count(*) FROM pending_person")), (0, 0));
}

#[tokio::test]
async fn what_was_consented_to_is_proof_once_the_address_is_confirmed() {
    let (world, device) = (asking(), from("192.0.2.77"));
    let consents = json!([given("kvkk", 2, "en"), given("news", 1, "tr")]);
    register(&world, &device, EMAIL, consents).await.expect(202);
    assert_eq!(world.count("SELECT count(*) FROM consent"), 0, "nobody has come yet");
    world.wait(60);
    // Another version is asked meanwhile: the proof is of what was read.
    world.execute(
        "INSERT INTO consent_text SELECT tenant_id, kind, 3, language, text, digest, required, created_by, 0 \
         FROM consent_text WHERE kind = 'kvkk' AND version = 2",
    );
    let token = json!({ "token": world.newest_token(MailKind::ConfirmAddress) });
    world.post(&device, "/api/v1/auth/confirm", token.clone()).await.expect(204);
    world.post(&device, "/api/v1/auth/confirm", token).await.expect(404);
    let kept = "SELECT count(*) FROM consent JOIN person ON person.id = person_id WHERE number = 1 AND given = 1 \
                AND (digest = CAST('kvkk 2 en' AS BLOB) AND consent.version = 2 OR digest = CAST('news 1 tr' AS BLOB)) \
                AND person.created_at - at = 60000 AND length(origin) > 40 AND instr(origin, CAST('192.0.2' AS BLOB)) = 0";
    assert_eq!((world.count("SELECT count(*) FROM consent"), world.count(kept)), (2, 2));
}

#[tokio::test]
async fn what_is_missing_is_told_alike_whether_there_is_an_account() {
    let (world, device) = (asking(), from("192.0.2.1"));
    register(&world, &device, EMAIL, json!([given("kvkk", 2, "tr")])).await.expect(202);
    let token = json!({ "token": world.newest_token(MailKind::ConfirmAddress) });
    world.post(&device, "/api/v1/auth/confirm", token).await.expect(204);
    let stranger = from("203.0.113.9");
    let mut answers = Vec::new();
    for email in [EMAIL, "kimse@example.org"] {
        let body = json!({ "name": "Ali", "email": email, "password": PASSWORD });
        let (reads, commits) =
            world.watched(&stranger, http::Method::POST, "/api/v1/auth/register", body).await;
        let reads: Vec<_> = reads.iter().map(|statement| statement.sql).collect();
        assert!(!reads.iter().any(|sql| sql.contains("email_lookup")), "nothing is asked about the address");
        let mut refused = register(&world, &stranger, email, json!([])).await;
        refused.body["request_id"] = Value::Null;
        answers.push((reads, commits, refused));
    }
    assert_eq!(answers[0], answers[1]);
}
