//! Devices, refresh tokens, and what an academy or a change of roles does to them.

use http::Method;
use serde_json::{Value, json};

use crate::world::{EMAIL, OTHER_HOST, PASSWORD, World, from};

#[tokio::test]
async fn devices_are_listed_and_each_or_all_signed_out() {
    let world = World::new();
    let home = from("192.0.2.1");
    let home = home.with(&world.join(&home, EMAIL, PASSWORD).await);
    world.wait(60);
    let phone = crate::world::From { device: "Telefon", ..from("192.0.2.2") };
    let tokens = world.login(&phone, EMAIL, PASSWORD).await.expect(200);
    let list =
        async || world.send(&home, Method::GET, "/api/v1/users/me/sessions", Value::Null).await.expect(200);
    let found = list().await;
    let devices: Vec<_> =
        found["data"].as_array().unwrap().iter().map(|session| session["device"].clone()).collect();
    assert_eq!(devices, ["Telefon", "Firefox"]);
    let path = format!("/api/v1/users/me/sessions/{}", found["data"][0]["id"].as_str().unwrap());
    world.send(&home, Method::DELETE, &path, Value::Null).await.expect(204);
    let refresh = async |tokens: &Value| {
        world
            .post(&phone, "/api/v1/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] }))
            .await
            .status
    };
    assert_eq!(refresh(&tokens).await, 401);
    let tokens = world.login(&phone, EMAIL, PASSWORD).await.expect(200);
    world.send(&home, Method::DELETE, "/api/v1/users/me/sessions", Value::Null).await.expect(204);
    assert_eq!(refresh(&tokens).await, 401);
    let change = json!({ "name": "Geç Kalan" });
    world.send(&home, Method::PATCH, "/api/v1/users/me", change).await.expect(401);
}

#[tokio::test]
async fn a_refresh_token_that_comes_back_ends_its_session_and_is_noted() {
    let world = World::new();
    let home = from("192.0.2.1");
    let first = world.join(&home, EMAIL, PASSWORD).await;
    let refresh = async |who: &crate::world::From, tokens: &Value| {
        world.post(who, "/api/v1/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] })).await
    };
    let second = refresh(&home, &first).await.expect(200);
    let thief = from("203.0.113.9");
    let raced = refresh(&thief, &first).await.expect(200);
    assert_eq!(
        raced["refresh_token"], second["refresh_token"],
        "within ten seconds it is the same successor"
    );
    world.wait(11);
    refresh(&thief, &first).await.expect(401);
    refresh(&home, &second).await.expect(401);
    assert_eq!(world.audited().last().unwrap(), "refresh_token.reused");
    let elsewhere = crate::world::From { host: OTHER_HOST, ..home };
    refresh(&elsewhere, &second).await.expect(401);
}

#[tokio::test]
async fn an_academy_says_how_long_a_device_stays_signed_in() {
    let world = World::new();
    let home = from("192.0.2.1");
    world.execute("UPDATE tenant SET session_idle_seconds = 600, session_absolute_seconds = 3600");
    let mut tokens = world.join(&home, EMAIL, PASSWORD).await;
    let refresh = async |tokens: &Value| {
        world.post(&home, "/api/v1/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] })).await
    };
    for _ in 0..6 {
        world.wait(590);
        tokens = refresh(&tokens).await.expect(200);
    }
    let rename = async |tokens: &Value| {
        let change = json!({ "name": "Şükrü" });
        world.send(&home.with(tokens), Method::PATCH, "/api/v1/users/me", change).await.status
    };
    assert_eq!(rename(&tokens).await, 200);
    world.wait(61);
    assert_eq!(rename(&tokens).await, 401, "signed in an hour ago");
    refresh(&tokens).await.expect(401);
    let tokens = world.login(&home, EMAIL, PASSWORD).await.expect(200);
    world.wait(601);
    assert_eq!(rename(&tokens).await, 401, "not seen for ten minutes");
    refresh(&tokens).await.expect(401);
}

#[tokio::test]
async fn a_token_from_before_a_change_of_roles_is_refreshed_first() {
    let world = World::new();
    let home = from("192.0.2.1");
    let tokens = world.join(&home, EMAIL, PASSWORD).await;
    world.execute("INSERT INTO role SELECT tenant_id, '01890000-0000-7000-8000-0000000000aa', 'Editör', 4097, 1, 0 FROM person");
    world.execute(
        "INSERT INTO role_assignment SELECT tenant_id, id, '01890000-0000-7000-8000-0000000000aa' FROM person",
    );
    world.wait(5);
    world.execute("UPDATE person SET permissions_since = 1790000005000");
    let rename = async |tokens: &Value| {
        let change = json!({ "name": "Şükrü" });
        world.send(&home.with(tokens), Method::PATCH, "/api/v1/users/me", change).await
    };
    let refused = rename(&tokens).await;
    assert_eq!((refused.status, refused.slug()), (401, "/problems/token-expired"));
    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let fresh = world.post(&home, "/api/v1/auth/refresh", body).await.expect(200);
    let me = rename(&fresh).await.expect(200);
    assert_eq!(me["roles"], json!(["student", "01890000-0000-7000-8000-0000000000aa"]));
    assert_eq!(
        me["permissions"],
        json!(["courses:write"]),
        "a role of an academy gives nothing of the platform"
    );
}
