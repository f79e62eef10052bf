//! A passkey is added, signs in and is removed.

use akademi_local::api_client::JsonExt;
use akademi_passkeys_tests::Authenticator;
use http::{Method, StatusCode};
use serde_json::json;

use crate::world::{LEARNER, World, add, creation, request, show, slug};

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_signs_in_without_a_name_and_its_session_goes_on() {
    let world = World::new().await;
    let learner = world.somebody("umraniye");
    let (owner, mut authenticator) = world.with_passkey().await;
    // Both factors at once: the code of the app is not asked for.
    world.execute("UPDATE person SET totp_secret = x'00' WHERE id IN (SELECT person_id FROM passkey)").await;
    let options = request(&learner).await;
    assert_eq!(options["rpId"], "umraniye.localhost");
    assert_eq!(options["userVerification"], "required");
    assert!(options.get("allowCredentials").is_none());
    let shown = authenticator.get(&world.honest(&options)).unwrap();
    let (status, tokens) = show(&learner, &shown).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    let me = learner.signed_in(tokens.text("access_token").unwrap()).get("/api/v1/users/me").await.unwrap();
    assert_eq!(me.expect(StatusCode::OK).unwrap()["email"], LEARNER);
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let refreshed = learner.post("/api/v1/auth/refresh", &refresh).await.unwrap();
    refreshed.expect(StatusCode::OK).unwrap();

    let listed = owner.get("/api/v1/users/me/passkeys").await.unwrap().expect(StatusCode::OK).unwrap();
    let entry = &listed["data"][0];
    assert_eq!(
        (entry["name"].as_str(), entry["host"].as_str()),
        (Some("Telefonum"), Some("umraniye.localhost"))
    );
    assert!(entry["last_used_at"].is_string());
    assert_eq!(world.count("SELECT counter FROM passkey").await, 1);
    // Its name is nobody's to read in the store.
    assert_eq!(world.count("SELECT count(*) FROM passkey WHERE instr(name, 'Telefonum') > 0").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM passkey_challenge").await, 0);
    let mails = world.count(
        "SELECT count(*) FROM feed_event WHERE kind = 'mail_wanted' AND payload LIKE '%passkey_added%'",
    );
    assert_eq!(mails.await, 1);
    let audited = world.audited().await;
    assert!(audited.contains(&"passkey.added".to_owned()), "{audited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_not_made_twice_and_there_are_twenty_at_most() {
    let world = World::new().await;
    let (owner, mut authenticator) = world.with_passkey().await;
    let options = creation(&owner).await;
    let excluded = options["excludeCredentials"].as_array().unwrap();
    assert_eq!(excluded.len(), 1);
    let again = authenticator.create(&world.honest(&options));
    assert_eq!(excluded[0]["id"], again["id"]);
    let (status, told) = add(&owner, "Telefonum", &again).await;
    assert_eq!((status, slug(&told)), (StatusCode::CONFLICT, "passkey-known"));
    for n in 1..20 {
        let options = creation(&owner).await;
        let shown = Authenticator::new(&options).unwrap().create(&world.honest(&options));
        let (status, told) = add(&owner, &format!("Anahtar {n}"), &shown).await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
        if n == 18 {
            // Begun while there was room.
            let options = creation(&owner).await;
            let last = Authenticator::new(&options).unwrap().create(&world.honest(&options));
            let row = "INSERT INTO passkey SELECT tenant_id, 'another', person_id, host, x'00', public_key, counter, name, \
                       created_at, last_used_at FROM passkey LIMIT 1";
            world.execute(row).await;
            let (status, told) = add(&owner, "Son", &last).await;
            assert_eq!((status, slug(&told)), (StatusCode::CONFLICT, "too-many-passkeys"));
            world.execute("DELETE FROM passkey WHERE id = 'another'").await;
        }
    }
    let more = owner.post("/api/v1/users/me/passkeys/options", &json!({})).await.unwrap();
    assert_eq!(slug(&more.expect(StatusCode::CONFLICT).unwrap()), "too-many-passkeys");
    assert_eq!(world.count("SELECT count(*) FROM passkey").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_passkey_signs_in_no_more_and_the_last_way_in_stays() {
    let world = World::new().await;
    let (owner, mut authenticator) = world.with_passkey().await;
    let listed = owner.get("/api/v1/users/me/passkeys").await.unwrap().expect(StatusCode::OK).unwrap();
    let path = format!("/api/v1/users/me/passkeys/{}", listed["data"][0].text("id").unwrap());
    world.execute("CREATE TABLE kept AS SELECT id, password_hash FROM person").await;
    world.execute("UPDATE person SET password_hash = ''").await;
    let refused = owner.send_json(Method::DELETE, &path, &json!({})).await.unwrap();
    assert_eq!(slug(&refused.expect(StatusCode::CONFLICT).unwrap()), "last-way-in");
    world
        .execute(
            "UPDATE person SET password_hash = (SELECT password_hash FROM kept WHERE kept.id = person.id)",
        )
        .await;
    let removed = owner.send_json(Method::DELETE, &path, &json!({})).await.unwrap();
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    let (status, told) = world.sign_in(&mut authenticator, |_| ()).await;
    assert_eq!((status, slug(&told)), (StatusCode::UNAUTHORIZED, "passkey-refused"));
    let once_more = owner.send_json(Method::DELETE, &path, &json!({})).await.unwrap();
    assert_eq!(once_more.status, StatusCode::NOT_FOUND);
    let audited = world.audited().await;
    assert!(audited.contains(&"passkey.removed".to_owned()), "{audited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_are_added_and_removed_only_by_who_has_proved_who_they_are() {
    let world = World::new().await;
    let (owner, _) = world.with_passkey().await;
    world.execute("UPDATE session SET authenticated_at = 0").await;
    for (method, path) in [
        (Method::POST, "/api/v1/users/me/passkeys/options"),
        (Method::POST, "/api/v1/users/me/passkeys"),
        (Method::DELETE, "/api/v1/users/me/passkeys/01920000-0000-7000-8000-000000000000"),
    ] {
        let refused = owner.send_json(method, path, &json!({})).await.unwrap();
        assert_eq!(slug(&refused.expect(StatusCode::FORBIDDEN).unwrap()), "step-up-required", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_suspended_or_erased_does_not_sign_in() {
    let world = World::new().await;
    let (_, mut authenticator) = world.with_passkey().await;
    world.execute("UPDATE person SET state = 'suspended'").await;
    let (_, suspended) = world.sign_in(&mut authenticator, |_| ()).await;
    world.execute("UPDATE person SET state = 'active'").await;
    assert_eq!(world.sign_in(&mut authenticator, |_| ()).await.0, StatusCode::OK);
    // As an erasure does: what hangs on the person goes with them.
    world.execute("DELETE FROM person_key WHERE person_id IN (SELECT person_id FROM passkey)").await;
    world.execute("DELETE FROM person WHERE id IN (SELECT person_id FROM passkey)").await;
    assert_eq!(world.count("SELECT count(*) FROM passkey").await, 0);
    let (_, erased) = world.sign_in(&mut authenticator, |_| ()).await;
    assert_eq!((slug(&suspended), slug(&erased)), ("passkey-refused", "passkey-refused"));
}
