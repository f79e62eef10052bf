//! Browsers at the door: cookies, other sites, what every answer says.

use axum::body::Body;
use http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::world::{From, PASSWORD, World, from, request};

const SETTINGS: &str = "/api/v1/academy/settings";
const ME: &str = "/api/v1/users/me";
const COOKIE: &str = "__Host-akademi_access";

fn with(mut request: Request<Body>, headers: &[(&'static str, &str)]) -> Request<Body> {
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_browsers_cookie_writes_only_from_the_academys_own_pages() {
    let world = World::new();
    let who = from("192.0.2.1");
    let tokens = world.join(&who, "sukru@example.org", PASSWORD).await;
    let cookie = format!("theme=dark; {COOKIE}={}", tokens["access_token"].as_str().unwrap());
    let status = async |method: Method, headers: &[(&'static str, &str)]| {
        let body = if method == Method::GET { Value::Null } else { json!({ "name": "Şükrü Iğdır" }) };
        world.ask(with(request(&who, method, ME, body), headers)).await.status().as_u16()
    };
    assert_eq!(status(Method::GET, &[("cookie", &cookie)]).await, 200);
    assert_eq!(
        status(Method::GET, &[("cookie", &cookie), ("sec-fetch-site", "cross-site")]).await,
        200,
        "a link from elsewhere"
    );
    assert_eq!(status(Method::PATCH, &[("cookie", &cookie), ("sec-fetch-site", "same-origin")]).await, 200);
    assert_eq!(status(Method::PATCH, &[("cookie", &cookie), ("origin", "https://one.example")]).await, 200);
    for foreign in [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")][..],
        &[("sec-fetch-site", "same-site"), ("origin", "https://evil.one.example")],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://two.example")],
        &[("origin", "null")],
        &[("referer", "https://one.example/")],
        &[],
    ] {
        let headers: Vec<_> = [&[("cookie", cookie.as_str())], foreign].concat();
        assert_eq!(status(Method::PATCH, &headers).await, 403, "{foreign:?}");
    }
    // A token in a header is nothing that a browser sends by itself.
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    assert_eq!(
        status(Method::PATCH, &[("authorization", &bearer), ("sec-fetch-site", "cross-site")]).await,
        200
    );
    let twice = format!("{cookie}; {COOKIE}=x");
    assert_eq!(status(Method::GET, &[("cookie", &twice)]).await, 401);
    assert_eq!(status(Method::GET, &[("cookie", "akademi_access=x")]).await, 401);
}

#[tokio::test]
async fn a_browser_keeps_its_tokens_where_no_script_reads_them() {
    let world = World::new();
    let who = from("192.0.2.1");
    world.join(&who, "sukru@example.org", PASSWORD).await;
    let login = json!({ "email": "sukru@example.org", "password": PASSWORD });
    let post = async |path: &str, body: Value, headers: &[(&'static str, &str)]| {
        world.ask(with(request(&who, Method::POST, path, body), headers)).await
    };
    let own = ("sec-fetch-site", "same-origin");
    let wanted = ("akademi-tokens", "cookies");
    let foreign =
        post("/api/v1/auth/login", login.clone(), &[wanted, ("sec-fetch-site", "cross-site")]).await;
    assert_eq!(foreign.status(), 403, "another site's page signs nobody in");
    let jar = |answer: &http::Response<Body>| -> String {
        let set = answer.headers().get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
        let cookies = set.map(|cookie| {
            let (pair, attributes) = cookie.split_once("; ").unwrap();
            assert!(pair.starts_with("__Host-akademi_"), "{cookie}");
            for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(attributes.split("; ").any(|one| one == attribute), "{cookie}");
            }
            pair.to_owned()
        });
        cookies.collect::<Vec<_>>().join("; ")
    };
    let answer = post("/api/v1/auth/login", login, &[wanted, own]).await;
    let cookies = jar(&answer);
    assert_eq!(cookies.split("; ").count(), 2);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(
        serde_json::from_slice::<Value>(&body).unwrap(),
        json!({ "token_type": "Cookie", "expires_in": 900 })
    );

    let me = with(request(&who, Method::GET, ME, Value::Null), &[("cookie", &cookies)]);
    assert_eq!(world.ask(me).await.status(), 200);
    world.wait(60);
    let refused = post("/api/v1/auth/refresh", json!({}), &[("cookie", &cookies)]).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(post("/api/v1/auth/refresh", json!({}), &[own]).await.status(), 401);
    let refreshed = post("/api/v1/auth/refresh", json!({}), &[("cookie", &cookies), own]).await;
    assert_eq!(refreshed.status(), 200);
    let cookies = jar(&refreshed);
    let out = post("/api/v1/auth/logout", Value::Null, &[("cookie", &cookies), own]).await;
    assert_eq!(out.status(), 204);
    assert!(
        out.headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .all(|set| set.to_str().unwrap().contains("=; Path=/; Max-Age=0;"))
    );
    let after = post("/api/v1/auth/refresh", json!({}), &[("cookie", &cookies), own]).await;
    assert_eq!(after.status(), 401);
}

#[tokio::test]
async fn other_sites_ask_if_the_academy_lists_them_and_never_with_cookies() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let (listed, stranger) = ("https://www.example.org", "https://evil.example");
    let preflight = async |origin: &str| {
        let asked = request(&from("192.0.2.5"), Method::OPTIONS, ME, Value::Null);
        let headers = [("origin", origin), ("access-control-request-method", "PATCH")];
        world.ask(with(asked, &headers)).await
    };
    let before = preflight(listed).await;
    assert_eq!(
        (before.status().as_u16(), text(before.headers(), "access-control-allow-origin")),
        (204, None)
    );
    world.send(&admin, Method::PATCH, SETTINGS, json!({ "origins": [listed] })).await.expect(200);

    let allowed = preflight(listed).await;
    let headers = allowed.headers();
    assert_eq!(text(headers, "access-control-allow-origin"), Some(listed));
    assert!(text(headers, "access-control-allow-headers").unwrap().contains("idempotency-key"));
    assert!(text(headers, "access-control-allow-methods").unwrap().contains("PATCH"));
    assert_eq!(text(headers, "access-control-allow-credentials"), None);
    assert_eq!(text(preflight(stranger).await.headers(), "access-control-allow-origin"), None);
    assert_eq!(
        text(
            preflight("https://www.example.org.evil.example").await.headers(),
            "access-control-allow-origin"
        ),
        None
    );

    let asked = |origin: &str| with(request(&admin, Method::GET, ME, Value::Null), &[("origin", origin)]);
    let answer = world.ask(asked(listed)).await;
    assert_eq!(text(answer.headers(), "access-control-allow-origin"), Some(listed));
    assert!(text(answer.headers(), "access-control-expose-headers").unwrap().contains("retry-after"));
    let varies = |headers: &HeaderMap| headers.get_all(header::VARY).iter().any(|value| value == "origin");
    assert!(varies(answer.headers()));
    let refused = world.ask(asked(stranger)).await;
    assert!(text(refused.headers(), "access-control-allow-origin").is_none() && varies(refused.headers()));
    // Errors too, so that the page learns what was wrong.
    let unsigned = with(request(&from("192.0.2.5"), Method::GET, ME, Value::Null), &[("origin", listed)]);
    let unsigned = world.ask(unsigned).await;
    assert_eq!(
        (unsigned.status().as_u16(), text(unsigned.headers(), "access-control-allow-origin")),
        (401, Some(listed))
    );
    let nobody = From { host: "nobody.example", ..from("192.0.2.5") };
    let unknown = with(
        request(&nobody, Method::OPTIONS, ME, Value::Null),
        &[("origin", listed), ("access-control-request-method", "GET")],
    );
    assert_eq!(world.ask(unknown).await.status(), 404);
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let world = World::new();
    let asked = [
        (from("192.0.2.1"), ME),
        (from("192.0.2.1"), "/.well-known/jwks.json"),
        (From { host: "nobody.example", ..from("192.0.2.1") }, ME),
        (from("192.0.2.1"), "/nothing"),
    ];
    for (who, path) in asked {
        let answer = world.ask(request(&who, Method::GET, path, Value::Null)).await;
        let headers = answer.headers();
        if path != "/nothing" {
            assert_eq!(text(headers, "strict-transport-security"), Some("max-age=31536000"), "{path}");
            assert!(
                text(headers, "content-security-policy").unwrap().contains("frame-ancestors 'none'"),
                "{path}"
            );
            assert_eq!(text(headers, "x-content-type-options"), Some("nosniff"), "{path}");
            assert!(text(headers, "referrer-policy").is_some(), "{path}");
        }
    }
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let world = World::new();
    let long = "a".repeat(33 * 1024);
    let asked = with(request(&from("192.0.2.1"), Method::GET, ME, Value::Null), &[("x-long", &long)]);
    assert_eq!(world.ask(asked).await.status(), 431);
}
