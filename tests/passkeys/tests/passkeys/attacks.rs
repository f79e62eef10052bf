//! What must not sign in, and what must not be added.

use akademi_passkeys_tests::{Authenticator, PRESENT, Saying, VERIFIED};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use serde_json::{Value, json};

use crate::world::{LEARNER, TEACHER, World, add, creation, request, show, slug};

/// What browser or authenticator say that is not so.
type Lie = fn(&mut Saying);

/// One bit is another one.
fn bent(credential: &Value, field: &str, place: usize) -> Value {
    let mut bent = credential.clone();
    let bytes = &mut bent["response"][field];
    let mut decoded = URL_SAFE_NO_PAD.decode(bytes.as_str().unwrap()).unwrap();
    decoded[place] ^= 1;
    *bytes = json!(URL_SAFE_NO_PAD.encode(decoded));
    bent
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_verified_at_this_host_signs_in() {
    let world = World::new().await;
    let (_, mut authenticator) = world.with_passkey().await;
    let port = world.local.address.port();
    let refused = (StatusCode::UNAUTHORIZED, "passkey-refused");
    for origin in [
        "https://evil.example".to_owned(),
        "http://umraniye.localhost".to_owned(),
        format!("https://umraniye.localhost:{port}"),
        world.origin("kadikoy"),
        format!("http://a.umraniye.localhost:{port}"),
    ] {
        let (status, told) = world.sign_in(&mut authenticator, |saying| saying.origin = origin.clone()).await;
        assert_eq!((status, slug(&told)), refused, "{origin}");
    }
    for rp_id in ["localhost", "kadikoy.localhost", ""] {
        let (status, told) = world.sign_in(&mut authenticator, |saying| saying.rp_id = rp_id.into()).await;
        assert_eq!((status, slug(&told)), refused, "{rp_id}");
    }
    for flags in [PRESENT, VERIFIED, 0] {
        let (status, told) = world.sign_in(&mut authenticator, |saying| saying.flags = flags).await;
        assert_eq!((status, slug(&told)), refused, "{flags}");
    }
    let (status, told) = world.sign_in(&mut authenticator, |saying| saying.kind = "webauthn.create").await;
    assert_eq!((status, slug(&told)), refused);
    let (status, _) = world.sign_in(&mut authenticator, |saying| saying.cross_origin = true).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "within another site's page");
    assert_eq!(
        world.sign_in(&mut authenticator, |_| ()).await.0,
        StatusCode::OK,
        "and nothing else is wrong"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_altered_after_signing_does_not_sign_in() {
    let world = World::new().await;
    let (_, mut authenticator) = world.with_passkey().await;
    let somebody = world.somebody("umraniye");
    // The last byte of the signature, the counter, and a byte within the RP ID's hash.
    for (field, place) in [("signature", 60), ("authenticatorData", 36), ("authenticatorData", 3)] {
        let saying = world.honest(&request(&somebody).await);
        let shown = bent(&authenticator.get(&saying).unwrap(), field, place);
        let (status, told) = show(&somebody, &shown).await;
        assert_eq!((status, slug(&told)), (StatusCode::UNAUTHORIZED, "passkey-refused"), "{field}");
    }
    // Signed for one page, told by another.
    let saying = world.honest(&request(&somebody).await);
    let mut shown = authenticator.get(&saying).unwrap();
    let client_data =
        json!({ "type": "webauthn.get", "challenge": saying.challenge, "origin": saying.origin });
    shown["response"]["clientDataJSON"] = json!(URL_SAFE_NO_PAD.encode(client_data.to_string()));
    assert_eq!(show(&somebody, &shown).await.0, StatusCode::UNAUTHORIZED);
    let audited = world.audited().await;
    assert_eq!(audited.iter().filter(|action| *action == "sign_in.failed").count(), 4, "{audited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_good_once_for_one_purpose_and_five_minutes() {
    let world = World::new().await;
    let (owner, mut authenticator) = world.with_passkey().await;
    let somebody = world.somebody("umraniye");
    let over = (StatusCode::CONFLICT, "challenge-over");
    let saying = world.honest(&request(&somebody).await);
    let shown = authenticator.get(&saying).unwrap();
    assert_eq!(show(&somebody, &shown).await.0, StatusCode::OK);
    let (status, told) = show(&somebody, &shown).await;
    assert_eq!((status, slug(&told)), over, "replayed");
    let (status, told) = show(&somebody, &authenticator.get(&saying).unwrap()).await;
    assert_eq!((status, slug(&told)), over, "signed anew");
    // One that failed is gone too.
    let saying = world.honest(&request(&somebody).await);
    let failed = bent(&authenticator.get(&saying).unwrap(), "signature", 60);
    assert_eq!(show(&somebody, &failed).await.0, StatusCode::UNAUTHORIZED);
    let (status, told) = show(&somebody, &authenticator.get(&saying).unwrap()).await;
    assert_eq!((status, slug(&told)), over, "after a failure");
    // Of adding a passkey.
    let options = creation(&owner).await;
    let mut saying = world.honest(&options);
    saying.kind = "webauthn.get";
    let (status, told) = show(&somebody, &authenticator.get(&saying).unwrap()).await;
    assert_eq!((status, slug(&told)), over, "of a registration");
    // Of a sign-in.
    let mut saying = world.honest(&request(&somebody).await);
    saying.kind = "webauthn.create";
    let (status, told) = add(&owner, "x", &Authenticator::new(&options).unwrap().create(&saying)).await;
    assert_eq!((status, slug(&told)), over, "of a sign-in");
    // Of somebody else.
    let teacher = world.signed_in(TEACHER).await;
    let saying = world.honest(&creation(&owner).await);
    let (status, told) = add(&teacher, "x", &Authenticator::new(&options).unwrap().create(&saying)).await;
    assert_eq!((status, slug(&told)), over, "of another person");
    // An older one of one's own.
    let saying = world.honest(&creation(&owner).await);
    creation(&owner).await;
    let (status, told) = add(&owner, "x", &Authenticator::new(&options).unwrap().create(&saying)).await;
    assert_eq!((status, slug(&told)), over, "not the newest");
    // Of nobody, and of long ago.
    let (status, told) = world.sign_in(&mut authenticator, |saying| saying.challenge = "AAAA".into()).await;
    assert_eq!((status, slug(&told)), over, "made up");
    let saying = world.honest(&request(&somebody).await);
    let now = "UPDATE passkey_challenge SET expires_at = unixepoch() * 1000 WHERE person_id IS NULL";
    world.execute(now).await;
    let (status, told) = show(&somebody, &authenticator.get(&saying).unwrap()).await;
    assert_eq!((status, slug(&told)), over, "too late");
    // Of another academy.
    let other = world.somebody("kadikoy");
    let challenge = request(&other).await["challenge"].as_str().unwrap().to_owned();
    let (status, told) = world.sign_in(&mut authenticator, |saying| saying.challenge = challenge).await;
    assert_eq!((status, slug(&told)), over, "of another academy");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_passkey_is_told_what_a_wrong_one_is() {
    let world = World::new().await;
    let (owner, mut authenticator) = world.with_passkey().await;
    let options = creation(&owner).await;
    let mut unknown = Authenticator::new(&options).unwrap();
    let (status, told) = world.sign_in(&mut unknown, |_| ()).await;
    let (wrong_status, mut wrong) = world.sign_in(&mut authenticator, |saying| saying.flags = 0).await;
    assert_eq!((status, slug(&told)), (StatusCode::UNAUTHORIZED, "passkey-refused"));
    wrong["request_id"] = told["request_id"].clone();
    assert_eq!((wrong_status, &wrong), (status, &told));
    // Another key pair under the id of one that is known.
    unknown.credential_id = authenticator.credential_id.clone();
    assert_eq!(world.sign_in(&mut unknown, |_| ()).await.0, StatusCode::UNAUTHORIZED);
    // A known one that names somebody else, or nobody.
    for handle in [[7; 16].as_slice(), &[]] {
        authenticator.says_it_is(handle);
        assert_eq!(world.sign_in(&mut authenticator, |_| ()).await.0, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_of_one_academy_does_not_sign_in_at_another() {
    let world = World::new().await;
    let (_, mut authenticator) = world.with_passkey().await;
    let other = world.somebody("kadikoy");
    let mut saying = world.honest(&request(&other).await);
    saying.origin = world.origin("kadikoy");
    let (status, told) = show(&other, &authenticator.get(&saying).unwrap()).await;
    assert_eq!((status, slug(&told)), (StatusCode::UNAUTHORIZED, "passkey-refused"));
    // Nor at another host of the same one.
    world.execute("UPDATE passkey SET host = 'other.localhost'").await;
    assert_eq!(world.sign_in(&mut authenticator, |_| ()).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_has_not_counted_along_is_refused_and_told_of() {
    let world = World::new().await;
    let (_, mut authenticator) = world.with_passkey().await;
    authenticator.counter = 40;
    assert_eq!(world.sign_in(&mut authenticator, |_| ()).await.0, StatusCode::OK);
    for counter in [40, 7] {
        authenticator.counter = counter;
        world.execute("UPDATE passkey SET last_used_at = NULL").await;
        let back = counter - 1;
        authenticator.counter = back;
        let (status, told) = world.sign_in(&mut authenticator, |_| ()).await;
        assert_eq!((status, slug(&told)), (StatusCode::UNAUTHORIZED, "passkey-refused"), "{counter}");
    }
    assert_eq!(world.count("SELECT counter FROM passkey WHERE last_used_at IS NULL").await, 41);
    let audited = world.audited().await;
    assert_eq!(audited.iter().filter(|action| *action == "passkey.counted_back").count(), 2, "{audited:?}");
    authenticator.counter = 41;
    assert_eq!(world.sign_in(&mut authenticator, |_| ()).await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_made_for_this_host_with_its_owner_verified_is_added() {
    let world = World::new().await;
    let learner = world.signed_in(LEARNER).await;
    let evil: [(&str, Lie); 5] = [
        ("another origin", |saying| saying.origin = "https://evil.example".into()),
        ("another RP ID", |saying| saying.rp_id = "localhost".into()),
        ("an unverified owner", |saying| saying.flags = PRESENT),
        ("a sign-in", |saying| saying.kind = "webauthn.get"),
        ("another site's page", |saying| saying.cross_origin = true),
    ];
    for (what, lie) in evil {
        let options = creation(&learner).await;
        let mut saying = world.honest(&options);
        lie(&mut saying);
        let shown = Authenticator::new(&options).unwrap().create(&saying);
        let (status, told) = add(&learner, "x", &shown).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{what}: {told}");
    }
    // An id that is not the one that was attested is not the one that is kept.
    let options = creation(&learner).await;
    let mut authenticator = Authenticator::new(&options).unwrap();
    let mut shown = authenticator.create(&world.honest(&options));
    shown["id"] = json!(URL_SAFE_NO_PAD.encode([1; 16]));
    let (status, told) = add(&learner, "x", &shown).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
    for malformed in ["", "!", "AAAA"] {
        let options = creation(&learner).await;
        let mut shown = authenticator.create(&world.honest(&options));
        shown["response"]["attestationObject"] = json!(malformed);
        assert_eq!(add(&learner, "x", &shown).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{malformed}");
    }
    assert_eq!(world.count("SELECT count(*) FROM passkey").await, 0);
}
