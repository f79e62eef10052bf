//! A passkey of a real browser: Chromium's own checks, then ours.

use akademi_browser::Browser;
use akademi_local::api_client::JsonExt;
use http::StatusCode;
use serde_json::{Value, json};

use crate::world::{LEARNER, World, add, creation, request, show, slug};

/// What a page does with the options to add a passkey; the name of the error where the browser refuses.
const CREATE: &str = "
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(arguments[0]);
    return navigator.credentials.create({ publicKey }).then(made => made.toJSON(), error => error.name);";

/// The same with those to sign in.
const GET: &str = "
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(arguments[0]);
    return navigator.credentials.get({ publicKey }).then(shown => shown.toJSON(), error => error.name);";

/// A page of an academy: any does, since its policy lets scripts of the driver ask for passkeys, and call nobody.
fn page(world: &World, browser: &Browser, academy: &str) {
    browser.open(&format!("{}/api/docs", world.origin(academy))).unwrap();
    assert_eq!(browser.run("return window.isSecureContext;", &[]).unwrap(), true, "{academy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_of_a_real_browser_is_added_and_signs_in_once_for_each_challenge() {
    let world = World::new().await;
    let browser = Browser::start().unwrap();
    browser.add_authenticator().unwrap();
    page(&world, &browser, "umraniye");
    let learner = world.signed_in(LEARNER).await;

    let made = browser.run(CREATE, &[&creation(&learner).await]).unwrap();
    let (status, told) = add(&learner, "Dizüstü", &made).await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    let again = browser.run(CREATE, &[&creation(&learner).await]).unwrap();
    assert_eq!(again, "InvalidStateError", "this authenticator has one already");

    let somebody = world.somebody("umraniye");
    let shown = browser.run(GET, &[&request(&somebody).await]).unwrap();
    let (status, tokens) = show(&somebody, &shown).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    let me = somebody.signed_in(tokens.text("access_token").unwrap()).get("/api/v1/users/me").await.unwrap();
    assert_eq!(me.expect(StatusCode::OK).unwrap()["email"], LEARNER);

    let (status, told) = show(&somebody, &shown).await;
    assert_eq!((status, slug(&told)), (StatusCode::CONFLICT, "challenge-over"), "replayed");
    let counter = world.count("SELECT counter FROM passkey").await;
    assert!(counter > 0, "Chromium's authenticator counts");
    let shown = browser.run(GET, &[&request(&somebody).await]).unwrap();
    assert_eq!(show(&somebody, &shown).await.0, StatusCode::OK, "and signs in again");
    assert!(world.count("SELECT counter FROM passkey").await > counter);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_browser_signs_for_no_other_host_and_what_it_lets_through_is_refused() {
    let world = World::new().await;
    let browser = Browser::start().unwrap();
    let authenticator = browser.add_authenticator().unwrap();
    page(&world, &browser, "umraniye");
    let learner = world.signed_in(LEARNER).await;
    let made = browser.run(CREATE, &[&creation(&learner).await]).unwrap();
    assert_eq!(add(&learner, "Dizüstü", &made).await.0, StatusCode::CREATED);
    let somebody = world.somebody("umraniye");
    let refused = (StatusCode::UNAUTHORIZED, "passkey-refused");

    // A page of another academy asks for this one's, and then for its own.
    page(&world, &browser, "kadikoy");
    let options = request(&somebody).await;
    assert_eq!(browser.run(GET, &[&options]).unwrap(), "SecurityError");
    let own = json!({ "rpId": "kadikoy.localhost", "challenge": options["challenge"], "timeout": 1000 });
    assert_eq!(browser.run(GET, &[&own]).unwrap(), "NotAllowedError", "none was made there");
    // To make one for this host is refused too.
    assert_eq!(browser.run(CREATE, &[&creation(&learner).await]).unwrap(), "SecurityError");

    // A host below this one may ask for its passkeys, for all the browser knows.
    page(&world, &browser, "sahte.umraniye");
    let shown = browser.run(GET, &[&request(&somebody).await]).unwrap();
    let (status, told) = show(&somebody, &shown).await;
    assert_eq!((status, slug(&told)), refused, "{shown}");

    // Its owner is not recognised: a true page's wish is not granted, and what another page asks for is not enough.
    page(&world, &browser, "umraniye");
    browser.recognise_owner(&authenticator, false).unwrap();
    let mut options = request(&somebody).await;
    assert_eq!(browser.run(GET, &[&options]).unwrap(), "NotAllowedError");
    options["userVerification"] = Value::from("discouraged");
    let shown = browser.run(GET, &[&options]).unwrap();
    let (status, told) = show(&somebody, &shown).await;
    assert_eq!((status, slug(&told)), refused, "{shown}");

    browser.recognise_owner(&authenticator, true).unwrap();
    let shown = browser.run(GET, &[&request(&somebody).await]).unwrap();
    assert_eq!(show(&somebody, &shown).await.0, StatusCode::OK, "and nothing else is wrong");
}
