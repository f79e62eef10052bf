//! The whole way, with a real OpenID provider.

use akademi_local::demo::PASSWORD;
use http::Method;
use serde_json::{Value, json};
use totp_rs::{Algorithm, Secret, TOTP};

use crate::{
    browser::{Browser, query, token},
    openid::OpenId,
    world::{LEARNER, TEACHER, World, contains},
};

const PEOPLE: &str = "SELECT count(*) FROM person";
const LINKS: &str = "SELECT count(*) FROM identity";

async fn world() -> (World, OpenId) {
    let world = World::new(&["127.0.0.1"]).await;
    let provider = OpenId::start(&format!("{}/api/v1/auth/providers/city/callback", world.address()));
    world.with_oidc("city", &provider.issuer).await;
    (world, provider)
}

/// The way to the provider and back, up to the page that asks for the session.
async fn to_and_fro(provider: &OpenId, browser: &Browser, who: &str) -> String {
    let address = browser.start("city").await;
    let back = provider.sign_in(browser, &address, who).await;
    let arrived = browser.get(&back).await;
    assert_eq!((arrived.status, arrived.location().as_str()), (303, "/account?sign_in=city"), "{arrived:?}");
    back
}

async fn me(browser: &Browser, token: &str) -> Value {
    browser.ask(Method::GET, "/api/v1/users/me", None, Some(token)).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_gets_an_account_and_comes_back_to_it() {
    let (world, provider) = world().await;
    let browser = world.browser();
    let faces = browser.ask(Method::GET, "/api/v1/auth/providers", None, None).await.expect(200);
    assert_eq!(faces, json!({ "data": [{ "id": "city", "name": "With city", "kind": "oidc" }] }));
    let (people, who) = (world.count(PEOPLE).await, "Zeynep~zeynep@city.example~true");

    let back = to_and_fro(&provider, &browser, who).await;
    assert_eq!(query(&back)["iss"], provider.issuer, "the provider names itself");
    let tokens = browser.sign_in("city").await.expect(200);
    let account = me(&browser, &token(&tokens)).await;
    assert_eq!((&account["name"], &account["email"]), (&json!("Zeynep"), &json!("zeynep@city.example")));
    assert_eq!(account["roles"], json!(["student"]));
    let refreshed = json!({ "refresh_token": tokens["refresh_token"] });
    browser.post("/api/v1/auth/refresh", Some(refreshed)).await.expect(200);

    let other = world.browser();
    to_and_fro(&provider, &other, who).await;
    let again = other.sign_in("city").await.expect(200);
    assert_eq!(me(&other, &token(&again)).await["id"], account["id"]);
    assert_eq!((world.count(PEOPLE).await, world.count(LINKS).await), (people + 1, 1));

    // Nobody comes in by a password that was never set.
    for password in ["", " ", PASSWORD] {
        assert_eq!(browser.login("zeynep@city.example", password).await.slug(), "wrong-credentials");
    }
    world.carry().await;
    let kept = world.kept();
    for secret in
        ["zeynep@city.example", "Zeynep", query(&back)["code"].as_str(), query(&back)["state"].as_str()]
    {
        assert!(!contains(&kept, secret), "{secret} stands in the store or the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_new_comes_where_people_are_invited() {
    let (world, provider) = world().await;
    let browser = world.browser();
    let people = world.count(PEOPLE).await;
    world.execute("UPDATE tenant SET features_off = 1").await;
    to_and_fro(&provider, &browser, "Zeynep~zeynep@city.example~true").await;
    assert_eq!(browser.sign_in("city").await.slug(), "feature-off");
    assert_eq!(world.count(PEOPLE).await, people);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_of_a_known_address_is_linked_by_its_owner_alone() {
    let (world, provider) = world().await;
    let browser = world.browser();
    let who = format!("S~{LEARNER}~true");
    to_and_fro(&provider, &browser, &who).await;
    assert_eq!(browser.sign_in("city").await.slug(), "link-needed");
    assert_eq!(world.count(LINKS).await, 0);
    assert_eq!(browser.sign_in("city").await.slug(), "no-sign-in-under-way", "it waits for its owner");

    // Somebody else who is signed in gets nothing of it.
    let tokens = browser.login(TEACHER, PASSWORD).await.expect(200);
    assert_eq!(browser.link(&token(&tokens)).await.slug(), "identity-of-another");
    let tokens = browser.login(LEARNER, PASSWORD).await.expect(200);
    let own = token(&tokens);
    // Nor does another browser of the owner's.
    assert_eq!(world.browser().link(&own).await.slug(), "no-sign-in-under-way");
    // Nor whoever found the owner's device a day after.
    world.execute("UPDATE session SET authenticated_at = 0").await;
    assert_eq!(browser.link(&own).await.slug(), "step-up-required");
    let own = token(&browser.login(LEARNER, PASSWORD).await.expect(200));
    browser.link(&own).await.expect(201);
    assert_eq!(browser.link(&own).await.slug(), "no-sign-in-under-way");

    let other = world.browser();
    to_and_fro(&provider, &other, &who).await;
    let tokens = other.sign_in("city").await.expect(200);
    assert_eq!(me(&other, &token(&tokens)).await["email"], LEARNER);
    let identities = other.identities(&own).await;
    let path = format!("/api/v1/users/me/identities/{}", identities[0]["id"].as_str().unwrap());
    let stranger = token(&browser.login(TEACHER, PASSWORD).await.expect(200));
    other.ask(Method::DELETE, &path, None, Some(&stranger)).await.expect(404);
    other.ask(Method::DELETE, &path, None, Some(&own)).await.expect(204);
    to_and_fro(&provider, &other, &who).await;
    assert_eq!(other.sign_in("city").await.slug(), "link-needed", "it is linked no more");

    world.carry().await;
    let told = world.audited().await;
    for action in ["identity.linked", "identity.unlinked", "identity_provider.saved"] {
        assert!(told.iter().any(|told| told == action), "{action}: {told:?}");
    }
    let mut mailed = world.mailed().await;
    mailed.retain(|kind| kind.starts_with("identity_"));
    mailed.sort();
    assert_eq!(mailed, ["identity_linked", "identity_unlinked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_way_in_stays() {
    let (world, provider) = world().await;
    let browser = world.browser();
    to_and_fro(&provider, &browser, "Z~z@city.example~true").await;
    let tokens = browser.sign_in("city").await.expect(200);
    let own = token(&tokens);
    let [identity] = &browser.identities(&own).await[..] else { panic!() };
    let path = format!("/api/v1/users/me/identities/{}", identity["id"].as_str().unwrap());
    assert_eq!(browser.ask(Method::DELETE, &path, None, Some(&own)).await.slug(), "last-way-in");
    world.execute("UPDATE person SET password_hash = 'x' WHERE password_hash = ''").await;
    browser.ask(Method::DELETE, &path, None, Some(&own)).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unverified_address_takes_nothing_over() {
    let (world, provider) = world().await;
    let browser = world.browser();
    for email in [LEARNER, "new@city.example"] {
        let people = world.count(PEOPLE).await;
        to_and_fro(&provider, &browser, &format!("M~{email}~false")).await;
        assert_eq!(browser.sign_in("city").await.slug(), "link-needed");
        assert_eq!(world.count(PEOPLE).await, people, "{email}");
    }
    // Linked by somebody who is signed in, it signs in to that account and not to the one of the address.
    to_and_fro(&provider, &browser, &format!("M~{LEARNER}~false")).await;
    browser.sign_in("city").await.expect(409);
    let tokens = browser.login(TEACHER, PASSWORD).await.expect(200);
    browser.link(&token(&tokens)).await.expect(201);
    to_and_fro(&provider, &browser, &format!("M~{LEARNER}~false")).await;
    let tokens = browser.sign_in("city").await.expect(200);
    assert_eq!(me(&browser, &token(&tokens)).await["email"], TEACHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_asked_for_and_a_suspended_account_stays_closed() {
    let (world, provider) = world().await;
    let browser = world.browser();
    let who = "Z~z@city.example~true";
    to_and_fro(&provider, &browser, who).await;
    let own = token(&browser.sign_in("city").await.expect(200));
    let factor = "/api/v1/users/me/second-factor";
    let setup = browser.ask(Method::POST, &format!("{factor}/setup"), None, Some(&own)).await.expect(200);
    let secret = Secret::Encoded(setup["secret"].as_str().unwrap().to_owned()).to_bytes().unwrap();
    let app = TOTP::new(Algorithm::SHA1, 6, 1, 30, secret).unwrap();
    let step = u64::try_from(world.local.edge.ports.now().as_seconds()).unwrap();
    let body = json!({ "setup_token": setup["setup_token"], "code": app.generate(step) });
    browser.ask(Method::PUT, factor, Some(body), Some(&own)).await.expect(200);

    to_and_fro(&provider, &browser, who).await;
    let challenge = browser.sign_in("city").await.expect(202);
    assert!(challenge.get("access_token").is_none());
    let code = app.generate(step + 30);
    let body = json!({ "second_factor_token": challenge["second_factor_token"], "code": code });
    browser.post("/api/v1/auth/second-factor", Some(body)).await.expect(200);

    world.execute("UPDATE person SET state = 'suspended'").await;
    to_and_fro(&provider, &browser, who).await;
    assert_eq!(browser.sign_in("city").await.slug(), "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_and_for_the_browser_that_asked() {
    let (world, provider) = world().await;
    let (browser, thief) = (world.browser(), world.browser());
    let address = browser.start("city").await;
    let back = provider.sign_in(&browser, &address, "Z~z@city.example~true").await;
    // Somebody who sees the address before its browser does has no cookie, or another one.
    assert_eq!(thief.get(&back).await.slug(), "no-sign-in-under-way");
    let stolen = query(&back)["code"].clone();
    let own = query(&thief.start("city").await)["state"].clone();
    assert_eq!(thief.get(&back).await.slug(), "no-sign-in-under-way", "a state of another browser");
    // With the thief's own state the code meets another verifier: the provider refuses it.
    let injected = [("code", stolen.as_str()), ("state", &own), ("iss", &provider.issuer)];
    assert_eq!(thief.come_back("city", &injected).await.status, 303);
    assert_eq!(thief.sign_in("city").await.slug(), "provider-refused");

    let (replay, address) = (world.browser(), browser.start("city").await);
    let back = provider.sign_in(&browser, &address, "Z~z@city.example~true").await;
    assert_eq!(browser.get(&back).await.status, 303);
    assert_eq!(browser.get(&back).await.status, 303, "the page was loaded again");
    let state = query(&back)["state"].clone();
    let another = [("code", "another"), ("state", &state), ("iss", &provider.issuer)];
    assert_eq!(
        browser.come_back("city", &another).await.slug(),
        "no-sign-in-under-way",
        "the state was used"
    );
    browser.sign_in("city").await.expect(200);
    assert_eq!(browser.get(&back).await.slug(), "no-sign-in-under-way", "it was used up");
    assert_eq!(browser.sign_in("city").await.slug(), "no-sign-in-under-way");
    let state = query(&replay.start("city").await)["state"].clone();
    let used = [("code", query(&back)["code"].clone()), ("state", state), ("iss", provider.issuer.clone())];
    let used: Vec<_> = used.iter().map(|(name, value)| (*name, value.as_str())).collect();
    replay.come_back("city", &used).await;
    assert_eq!(replay.sign_in("city").await.slug(), "provider-refused", "the code was used");
    assert!(world.logged().contains("invalid_grant"), "the provider itself says so");
}
