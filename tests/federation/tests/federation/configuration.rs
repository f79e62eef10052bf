//! What staff configures.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::Row;

use crate::world::{CLIENT_SECRET, World, contains};

const ISSUER: &str = "https://accounts.google.com";

fn settings() -> Value {
    json!({ "kind": "oidc", "issuer": ISSUER, "client_id": "c", "client_secret": CLIENT_SECRET })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_goes_in_and_never_comes_out() {
    let world = World::new(&[]).await;
    let (status, saved) = world.configure("google", settings()).await;
    assert_eq!(status, StatusCode::OK, "{saved}");
    assert_eq!(saved["redirect_path"], "/api/v1/auth/providers/google/callback");
    let listed = world.listed().await;
    assert_eq!(listed, json!({ "data": [saved] }));
    assert_eq!((&saved["issuer"], &saved["client_id"]), (&json!(ISSUER), &json!("c")));
    assert!(!listed.to_string().contains(CLIENT_SECRET));
    let mut connection = world.database.superuser().await.unwrap();
    let mut kept = Vec::new();
    for sql in [
        "SELECT row_to_json(t)::text FROM identity_provider t",
        "SELECT row_to_json(t)::text FROM audit_entry t",
        "SELECT row_to_json(t)::text FROM feed_event t",
    ] {
        for row in sqlx::query(sql).fetch_all(&mut connection).await.unwrap() {
            kept.extend(row.get::<String, _>(0).into_bytes());
        }
    }
    assert!(contains(&kept, "identity_provider.saved"));
    assert!(!contains(&kept, CLIENT_SECRET) && !contains(&kept, &hex::encode(CLIENT_SECRET)));
    assert!(!contains(&world.kept(), CLIENT_SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_what_they_may_sign_in_with() {
    let world = World::new(&[]).await;
    let faces = async || {
        let listed = world.browser().ask(Method::GET, "/api/v1/auth/providers", None, None).await.expect(200);
        listed["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    assert!(faces().await.is_empty());
    world.configure("google", settings()).await;
    let facebook = json!({ "kind": "facebook", "app_id": "1", "app_secret": "s", "version": "v23.0" });
    assert_eq!(world.configure("fb", facebook).await.0, StatusCode::OK);
    let edevlet =
        json!({ "kind": "edevlet", "client_id": "c", "client_secret": "s", "scope": "Kimlik-Dogrula" });
    assert_eq!(world.configure("e-devlet", edevlet).await.0, StatusCode::OK);
    assert_eq!(faces().await, ["e-devlet", "fb", "google"]);
    assert_eq!(world.administer(Method::DELETE, "fb", Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(world.administer(Method::DELETE, "fb", Value::Null).await.0, StatusCode::NOT_FOUND);
    assert_eq!(faces().await, ["e-devlet", "google"]);
    let begin = json!({ "return_to": "/" });
    let gone = world.browser().post("/api/v1/auth/providers/fb/start", Some(begin)).await;
    assert_eq!(gone.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_provider_could_be_asked_with_is_refused() {
    let world = World::new(&[]).await;
    let with = |name: &str, value: Value| {
        let mut changed = settings();
        changed[name] = value;
        changed
    };
    let facebook = |id: &str, version: &str| json!({ "kind": "facebook", "app_id": id, "app_secret": "s", "version": version });
    for bad in [
        with("issuer", json!("http://accounts.google.com")),
        with("issuer", json!("https://accounts.google.com?x=1")),
        with("issuer", json!("https://accounts.google.com#x")),
        with("issuer", json!("accounts.google.com")),
        with("issuer", json!("https://user@accounts.google.com")),
        with("client_id", json!("")),
        with("client_secret", json!("")),
        with("client_secret", json!("a\nb")),
        with("scopes", json!(["a b"])),
        with("kind", json!("saml")),
        with("base_url", json!("https://a.example")),
        facebook("1", "23"),
        facebook("1", "v23.0/../x"),
        facebook("a", "v23.0"),
    ] {
        let (status, said) = world.configure("bad", bad.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}: {said}");
    }
    assert_eq!(world.configure("Bad", settings()).await.0, StatusCode::NOT_FOUND);
    for number in 0..20 {
        assert_eq!(world.configure(&format!("p{number}"), settings()).await.0, StatusCode::OK);
    }
    let (status, said) = world.configure("one-more", settings()).await;
    assert_eq!(
        (status, &said["type"]),
        (StatusCode::CONFLICT, &json!("/problems/too-many-identity-providers"))
    );
    assert_eq!(world.configure("p0", settings()).await.0, StatusCode::OK, "what is there may be changed");
}
