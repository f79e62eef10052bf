//! What somebody between the browser, the academy and the providers might try.

use bytes::Bytes;
use http::{Request, header};
use serde_json::json;

use crate::{browser::query, liar::Liar, world::World};

async fn world() -> (World, Liar) {
    let (world, liar) = (World::new(&["127.0.0.1"]).await, Liar::start().await);
    world.with_oidc("liar", &liar.issuer).await;
    (world, liar)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_providers_answer_is_not_taken_for_anothers() {
    let (world, liar) = world().await;
    let evil = Liar::start().await;
    world.with_oidc("evil", &evil.issuer).await;
    let browser = world.browser();
    let asked = query(&browser.start("liar").await);
    let (code, state) = (("code", "c"), ("state", asked["state"].as_str()));
    // At the other's address.
    assert_eq!(browser.come_back("evil", &[code, state]).await.slug(), "no-sign-in-under-way");
    // Under the other's name (RFC 9207): the sign-in is over.
    let told = browser.come_back("liar", &[code, state, ("iss", &evil.issuer)]).await;
    assert_eq!((told.status, told.slug().as_str()), (403, "provider-refused"));
    assert_eq!(browser.come_back("liar", &[code, state]).await.slug(), "no-sign-in-under-way");

    // A provider that says that it names itself has to.
    liar.says.lock().unwrap().description = json!({ "authorization_response_iss_parameter_supported": true });
    world.with_oidc("liar", &liar.issuer).await;
    let fresh = World::new(&["127.0.0.1"]).await;
    fresh.with_oidc("liar", &liar.issuer).await;
    let browser = fresh.browser();
    let asked = query(&browser.start("liar").await);
    let state = ("state", asked["state"].as_str());
    assert_eq!(browser.come_back("liar", &[code, state]).await.slug(), "provider-refused");
    let asked = query(&browser.start("liar").await);
    let state = ("state", asked["state"].as_str());
    assert_eq!(browser.come_back("liar", &[code, state, ("iss", &liar.issuer)]).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_sent_to_its_own_academy_and_nowhere_else() {
    let (world, _liar) = world().await;
    let browser = world.browser();
    let start =
        |to: &str| browser.post("/api/v1/auth/providers/liar/start", Some(json!({ "return_to": to })));
    for strange in
        ["https://evil.example", "//evil.example", "/\\evil.example", "/a//evil.example", "/%2f", "/a?b"]
    {
        assert_eq!(start(strange).await.status, 422, "{strange}");
    }
    // A name in the request that is no academy's makes no redirect address.
    let request = Request::post(format!("{}/api/v1/auth/providers/liar/start", world.address()))
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(json!({ "return_to": "/" }).to_string()));
    let begun = browser.send(request.unwrap()).await.expect(200);
    let asked = query(begun["url"].as_str().unwrap());
    assert!(asked["redirect_uri"].starts_with(&world.address()), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_moves_nothing() {
    let (world, liar) = world().await;
    let browser = world.browser();
    let asked = query(&browser.start("liar").await);
    let now = world.local.edge.ports.now().as_seconds();
    liar.says.lock().unwrap().id_token = liar.honest(&liar.claims(&asked["nonce"], now));
    browser.come_back("liar", &[("code", "c"), ("state", &asked["state"])]).await;
    let path = "/api/v1/auth/providers/liar/sign-in";
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ] {
        let request = Request::post(format!("{}{path}", world.address())).header(name, value);
        let told = browser.send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(told.slug(), "cross-site-request", "{value}");
    }
    // A browser without the cookie, or with two, has nothing under way.
    assert_eq!(world.browser().sign_in("liar").await.slug(), "no-sign-in-under-way");
    browser.sign_in("liar").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_took_too_long_or_was_refused_is_over() {
    let (world, _liar) = world().await;
    let browser = world.browser();
    let asked = query(&browser.start("liar").await);
    world.execute("UPDATE provider_sign_in SET expires_at = 1").await;
    let told = browser.come_back("liar", &[("code", "c"), ("state", &asked["state"])]).await;
    assert_eq!(told.slug(), "no-sign-in-under-way");
    browser.start("liar").await;
    assert_eq!(world.count("SELECT count(*) FROM provider_sign_in").await, 1, "what is over is forgotten");

    let asked = query(&browser.start("liar").await);
    let refused =
        [("error", "access_denied"), ("error_description", "<b>"), ("state", asked["state"].as_str())];
    let told = browser.come_back("liar", &refused).await;
    assert_eq!((told.status, told.location().as_str()), (303, "/account?sign_in_refused=liar"));
    assert_eq!(browser.sign_in("liar").await.slug(), "no-sign-in-under-way");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_leads_this_plane_to_no_private_address() {
    // Only one port of this machine is trusted.
    let liar = Liar::start().await;
    let authority = liar.issuer.trim_start_matches("http://").to_owned();
    let other = Liar::start().await;
    let world = World::new(&[&authority]).await;
    for issuer in [
        other.issuer.as_str(),
        "https://127.0.0.1:1",
        "https://10.0.0.1",
        "https://[::1]",
        "http://a.example",
    ] {
        let (status, said) = world.configure("bad", crate::world::oidc(issuer)).await;
        assert_eq!(status, 422, "{issuer}: {said}");
    }
    let start = async |provider: &str| {
        let body = json!({ "return_to": "/" });
        world.browser().post(&format!("/api/v1/auth/providers/{provider}/start"), Some(body)).await
    };
    // A name that resolves to this machine passes for a name until it is asked.
    world.with_oidc("name", "https://localhost").await;
    assert_eq!(start("name").await.status, 503);
    assert!(world.logged().contains("the name has no public address"), "{}", world.logged());

    liar.says.lock().unwrap().redirect = Some(format!("{}/.well-known/openid-configuration", other.issuer));
    world.with_oidc("liar", &liar.issuer).await;
    assert_eq!(start("liar").await.status, 503, "no redirect is followed");
    liar.says.lock().unwrap().redirect = None;
    liar.says.lock().unwrap().description = json!({ "issuer": other.issuer });
    assert_eq!(start("liar").await.status, 503, "it speaks for another");
    liar.says.lock().unwrap().description = json!({ "token_endpoint": format!("{}/token", other.issuer) });
    let browser = world.browser();
    let now = world.local.edge.ports.now().as_seconds();
    let told = liar.sign_in("liar", &browser, now, |liar, claims| liar.honest(&claims)).await;
    assert_eq!(told.status, 503, "its token endpoint is elsewhere");
    assert!(other.says.lock().unwrap().asked.is_empty(), "nobody was asked there");
}
