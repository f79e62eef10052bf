//! Consent: asked in versions, given and withdrawn with proof.

use akademi_local::demo;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::world::{CONSENT, EMAIL, NAME, World};

#[tokio::test(flavor = "multi_thread")]
async fn consent_names_the_very_text_and_a_new_version_asks_again() {
    let world = World::new().await;
    // Before anything is asked: who comes later says it as they register.
    let (client, id) = world.join(NAME, EMAIL).await;
    let asked = world.ask_consent("kvkk", CONSENT).await;
    let digest = hex::encode(Sha256::digest(CONSENT));
    assert_eq!((&asked["version"], &asked["texts"][0]["digest"]), (&json!(1), &json!(digest)));
    assert_eq!(world.ask_consent("kvkk", CONSENT).await["version"], 1, "the same text is no new version");

    let mine = async || {
        let mine = client.get("/api/v1/users/me/consents").await.unwrap().expect(StatusCode::OK).unwrap();
        mine["data"][0].clone()
    };
    let choose = async |kind: &str, version: i64, given: bool, language: &str| {
        let path = format!("/api/v1/users/me/consents/{kind}");
        let choice = json!({ "given": given, "version": version, "language": language });
        client.send_json(Method::PUT, &path, &choice).await.unwrap()
    };
    assert_eq!((&mine().await["missing"], &mine().await["choice"]), (&json!(true), &Value::Null));
    let given = choose("kvkk", 1, true, "tr").await.expect(StatusCode::OK).unwrap();
    assert_eq!((&given["missing"], &given["choice"]["digest"]), (&json!(false), &json!(digest)));
    choose("kvkk", 2, true, "tr").await.expect(StatusCode::CONFLICT).unwrap();
    choose("kvkk", 1, true, "en").await.expect(StatusCode::CONFLICT).unwrap();
    choose("yok", 1, true, "tr").await.expect(StatusCode::NOT_FOUND).unwrap();

    assert_eq!(world.ask_consent("kvkk", "Yeni metin").await["version"], 2);
    assert_eq!((&mine().await["missing"], &mine().await["choice"]["version"]), (&json!(true), &json!(1)));
    choose("kvkk", 1, true, "tr").await.expect(StatusCode::CONFLICT).unwrap();
    choose("kvkk", 2, true, "tr").await.expect(StatusCode::OK).unwrap();
    let withdrawn = choose("kvkk", 2, false, "tr").await.expect(StatusCode::OK).unwrap();
    assert_eq!((&withdrawn["missing"], &withdrawn["choice"]["given"]), (&json!(true), &json!(false)));
    // All of it stays, and from where is sealed.
    assert_eq!(world.edge_count("consent", &format!("person_id = '{id}'")).await, 3);
    assert_eq!(world.edge_count("consent", "instr(origin, CAST('127.0.0.1' AS BLOB)) > 0").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_consented_to_while_registering_is_kept_with_its_proof() {
    let world = World::new().await;
    world.ask_consent("kvkk", CONSENT).await;
    let (client, _) = world.join(NAME, EMAIL).await;
    let mine = client.get("/api/v1/users/me/consents").await.unwrap().expect(StatusCode::OK).unwrap();
    let digest = hex::encode(Sha256::digest(CONSENT));
    let mine = &mine["data"][0];
    assert_eq!((&mine["missing"], &mine["choice"]["digest"]), (&json!(false), &json!(digest)));
    let export = client.get("/api/v1/users/me/export").await.unwrap().expect(StatusCode::OK).unwrap();
    let proof = export.pointer("/account/consent/0/consent").unwrap();
    assert!(proof["address"].as_str().unwrap().starts_with("127."), "from where opens for them: {proof}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_reads_what_is_asked_and_staff_ask_it() {
    let world = World::new().await;
    world.ask_consent("kvkk", CONSENT).await;
    let read = world.academy.get("/api/v1/consents").await.unwrap();
    assert_eq!(read.expect(StatusCode::OK).unwrap().pointer("/data/0/texts/0/text"), Some(&json!(CONSENT)));
    let etag: HeaderValue = read.headers[header::ETAG].clone();
    let conditional = [(header::IF_NONE_MATCH, etag)];
    let ask = async || {
        world
            .academy
            .send(Method::GET, "/api/v1/consents", &conditional, Default::default())
            .await
            .unwrap()
            .status
    };
    assert_eq!(ask().await, StatusCode::NOT_MODIFIED);
    world.ask_consent("kvkk", "Yeni metin").await;
    assert_eq!(ask().await, StatusCode::OK);

    let put = async |body: Value, kind: &str| {
        let path = format!("/api/v1/academy/consents/{kind}");
        world.administrator.send_json(Method::PUT, &path, &body).await.unwrap().status
    };
    let text = |language: &str, text: &str| json!({ "language": language, "text": text });
    let consent = |texts: Value| json!({ "required": false, "texts": texts });
    let long = "ş".repeat(10 * 1024 + 1);
    for (body, kind) in [
        (consent(json!([])), "a"),
        (consent(json!([text("tr", "a"), text("tr", "b")])), "a"),
        (consent(json!([text("de", "a")])), "a"),
        (consent(json!([text("tr", &long)])), "a"),
    ] {
        assert_eq!(put(body, kind).await, StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
    }
    assert!(put(consent(json!([text("tr", "a")])), "KVKK").await.is_client_error());
    let instructor = world.academy.sign_in("egitmen@umraniye.example", demo::PASSWORD).await.unwrap();
    let path = "/api/v1/academy/consents/a";
    let refused = instructor.send_json(Method::PUT, path, &consent(json!([text("tr", "a")]))).await.unwrap();
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    world.sync().await;
    assert_eq!(world.books_count("audit_entry", "action = 'consent.asked'").await, 2);
}
