//! Facebook passes on that somebody wants to be known here no more.

use akademi_api::gate::Directory;
use akademi_domain::ids::{IdentityId, TenantId, UserId};
use akademi_edge_store::{Platform, PlatformSql};
use akademi_local::demo::PASSWORD;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{Method, Request, header};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    browser::{Browser, Page, token},
    world::{LEARNER, World, contains},
};

const SECRET: &str = "demo_app_secret_0001";
const FACEBOOK_ID: &str = "10158000777";
const LINKS: &str = "SELECT count(*) FROM identity";
const WAITING: &str = "SELECT count(*) FROM provider_sign_in";
const DONE: &str = "SELECT count(*) FROM provider_deletion";
const MAILS: &str =
    "SELECT count(*) FROM feed_event WHERE kind = 'mail_wanted' AND payload LIKE '%identity_unlinked%'";

fn signed(secret: &str, issued_at: i64) -> String {
    let payload = json!({ "user_id": FACEBOOK_ID, "algorithm": "HMAC-SHA256", "issued_at": issued_at });
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    format!("{}.{payload}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// As Facebook's server does: a form, without cookies.
async fn wish(world: &World, provider: &str, signed_request: &str) -> Page {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("signed_request", signed_request)
        .finish();
    let request =
        Request::post(format!("{}/api/v1/auth/providers/{provider}/data-deletion", world.address()))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form));
    world.browser().send(request.unwrap()).await
}

/// The learner has linked their account of Facebook, and another browser of theirs waits for their word.
async fn link(world: &World, person: &Value) {
    let tenant: TenantId =
        world.local.edge.directory().academy("umraniye.localhost").await.unwrap().unwrap().id;
    let person: UserId = person["id"].as_str().unwrap().parse().unwrap();
    let now = world.local.edge.ports.now();
    let key = world.vault().derive(&format!("akademi/identity-lookup/1/{tenant}"));
    let issuer = "https://www.facebook.com";
    let length = (issuer.len() as u64).to_be_bytes();
    let lookup = akademi_seal::hmac(&key, &[&length, issuer.as_bytes(), FACEBOOK_ID.as_bytes()].concat());
    let identity = IdentityId::new(now, world.local.edge.ports.random());
    let linked = PlatformSql::new(
        "INSERT INTO identity (tenant_id, id, person_id, provider, subject_lookup, created_at) \
         VALUES (?1, ?2, ?3, 'fb', ?4, ?5)",
    );
    let waiting = PlatformSql::new(
        "INSERT INTO provider_sign_in (tenant_id, browser, provider, issuer, names_issuer, redirect_uri, return_to, \
         subject_lookup, expires_at) VALUES (?1, randomblob(32), 'fb', 'i', 0, 'r', '/', ?2, ?3)",
    );
    let statements = vec![
        linked.with([tenant.into(), identity.into(), person.into(), lookup.as_slice().into(), now.into()]),
        waiting.with([tenant.into(), lookup.as_slice().into(), now.plus_seconds(600).into()]),
    ];
    Platform::new(world.local.edge.database.as_ref()).batch(statements).await.unwrap();
}

async fn world() -> (World, Browser, String) {
    let world = World::new(&[]).await;
    let settings = json!({ "kind": "facebook", "app_id": "123", "app_secret": SECRET, "version": "v23.0" });
    assert_eq!(world.configure("fb", settings).await.0, 200);
    let browser = world.browser();
    let own = token(&browser.login(LEARNER, PASSWORD).await.expect(200));
    let me = browser.ask(Method::GET, "/api/v1/users/me", None, Some(&own)).await.expect(200);
    link(&world, &me).await;
    (world, browser, own)
}

async fn counts(world: &World) -> [i64; 4] {
    [world.count(LINKS).await, world.count(WAITING).await, world.count(DONE).await, world.count(MAILS).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_unlinks_the_identity_once_and_keeps_the_account() {
    let (world, browser, own) = world().await;
    let now = world.local.edge.ports.now().as_seconds();
    let wished = signed(SECRET, now);
    let told = wish(&world, "fb", &wished).await.expect(200);
    assert_eq!(counts(&world).await, [0, 0, 1, 1]);
    assert!(browser.identities(&own).await.is_empty());
    let me = browser.ask(Method::GET, "/api/v1/users/me", None, Some(&own)).await.expect(200);
    assert_eq!(me["email"], LEARNER, "the account stays");

    let (url, code) = (told["url"].as_str().unwrap(), told["confirmation_code"].as_str().unwrap());
    assert_eq!(url, format!("{}/data-deletion/{code}", world.address()));
    let page = browser.get(url).await;
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert_eq!(
        (page.status, &page.headers[header::CONTENT_TYPE]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    assert!(text.contains("Bağlantınız silindi"), "{text}");
    let strange = browser.get(&format!("{}/data-deletion/{}", world.address(), "0".repeat(64))).await;
    assert_eq!(strange.status, 404);
    assert!(contains(&strange.body, "Böyle bir silme isteği yok"));

    assert_eq!(wish(&world, "fb", &wished).await.expect(200), told, "a second time");
    assert_eq!(counts(&world).await, [0, 0, 1, 1]);
    world.carry().await;
    assert!(world.audited().await.contains(&"identity.unlinked".to_owned()));
    assert!(!contains(&world.kept(), FACEBOOK_ID), "the id stands in the store or the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_facebook_has_not_signed_changes_nothing() {
    let (world, ..) = world().await;
    let now = world.local.edge.ports.now().as_seconds();
    let (mut altered, other) = (signed(SECRET, now), signed("another secret", now));
    altered.push('A');
    for request in ["", "a.b", &altered, &other] {
        let refused = wish(&world, "fb", request).await;
        assert_eq!((refused.status, refused.slug().as_str()), (400, "callback-refused"), "{request}");
    }
    let (status, said) = world.configure("city", crate::world::oidc("https://idp.example")).await;
    assert_eq!(status, 200, "{said}");
    for provider in ["none", "city"] {
        assert_eq!(wish(&world, provider, &signed(SECRET, now)).await.status, 404, "{provider}");
    }
    assert_eq!(counts(&world).await, [1, 1, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_from_before_leaves_what_was_linked_after_it() {
    let (world, browser, own) = world().await;
    let before = world.local.edge.ports.now().as_seconds() - 3600;
    wish(&world, "fb", &signed(SECRET, before)).await.expect(200);
    assert_eq!(browser.identities(&own).await.len(), 1);
    assert_eq!(world.count(MAILS).await, 0);
}
