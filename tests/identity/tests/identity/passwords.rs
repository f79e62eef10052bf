//! Forgotten and changed passwords.

use akademi_domain::mail::MailKind;
use http::Method;
use serde_json::{Value, json};

use crate::world::{EMAIL, PASSWORD, World, at_once, from};

const NEXT: &str = "bir başka parola";

#[tokio::test]
async fn a_link_changes_a_forgotten_password_once_and_ends_all_sessions() {
    let (world, device) = (World::new(), from("192.0.2.1"));
    let tokens = world.join(&device, EMAIL, PASSWORD).await;
    let stranger = from("203.0.113.9");
    world.post(&stranger, "/api/v1/auth/forgot-password", json!({ "email": EMAIL })).await.expect(202);
    let token = world.newest_token(MailKind::ResetPassword);
    let reset = json!({ "token": token, "password": NEXT });
    let weak = json!({ "token": token, "password": "Galatasaray1905" });
    let refused = world.post(&stranger, "/api/v1/auth/reset-password", weak).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "password");
    world.post(&stranger, "/api/v1/auth/reset-password", reset.clone()).await.expect(204);
    world.post(&stranger, "/api/v1/auth/reset-password", reset).await.expect(404);
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    world.post(&device, "/api/v1/auth/refresh", refresh).await.expect(401);
    world.login(&device, EMAIL, PASSWORD).await.expect(401);
    world.login(&device, EMAIL, NEXT).await.expect(200);
    assert_eq!(world.mails().last().unwrap().0, MailKind::PasswordChanged);
    assert!(world.audited().contains(&"password.reset".to_owned()));
}

#[tokio::test]
async fn a_link_for_a_password_is_good_for_half_an_hour_and_one_purpose() {
    let (world, device) = (World::new(), from("192.0.2.1"));
    world.join(&device, EMAIL, PASSWORD).await;
    let forgot =
        async || world.post(&device, "/api/v1/auth/forgot-password", json!({ "email": EMAIL })).await;
    forgot().await.expect(202);
    let late = world.newest_token(MailKind::ResetPassword);
    world.post(&device, "/api/v1/auth/confirm", json!({ "token": late })).await.expect(404);
    world.wait(30 * 60);
    let reset = async |token: &str| {
        let body = json!({ "token": token, "password": NEXT });
        world.post(&device, "/api/v1/auth/reset-password", body).await
    };
    reset(&late).await.expect(404);
    forgot().await.expect(202);
    let (first, ()) = (world.newest_token(MailKind::ResetPassword), world.wait(60));
    forgot().await.expect(202);
    let second = world.newest_token(MailKind::ResetPassword);
    reset(&second).await.expect(204);
    reset(&first).await.expect(404);
}

/// Eight use one link at the same moment.
async fn race_for_a_link(is_lax: bool) -> Vec<u16> {
    let (world, device) = (World::new(), from("192.0.2.1"));
    world.join(&device, EMAIL, PASSWORD).await;
    world.post(&device, "/api/v1/auth/forgot-password", json!({ "email": EMAIL })).await.expect(202);
    let token = world.newest_token(MailKind::ResetPassword);
    let bodies = (0..8).map(|n| json!({ "token": token, "password": format!("parola numara {n}") }));
    let racing = world.racing("FROM one_time_link", 8, is_lax);
    at_once(&racing, &device, "/api/v1/auth/reset-password", bodies.collect()).await
}

#[tokio::test]
async fn many_who_use_one_link_at_once_change_the_password_once() {
    assert_eq!(race_for_a_link(false).await, [204, 404, 404, 404, 404, 404, 404, 404]);
    assert_eq!(race_for_a_link(true).await, [204; 8], "without its condition each of them does");
}

#[tokio::test]
async fn changing_the_password_asks_for_the_old_one_and_keeps_this_device_alone() {
    let (world, device) = (World::new(), from("192.0.2.1"));
    let tokens = world.join(&device, EMAIL, PASSWORD).await;
    let other = world.login(&from("192.0.2.2"), EMAIL, PASSWORD).await.expect(200);
    let change = async |current: &str, next: &str| {
        let body = json!({ "current_password": current, "new_password": next });
        world.send(&device.with(&tokens), Method::PUT, "/api/v1/users/me/password", body).await
    };
    let refused = change("yanlış parola", NEXT).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "current_password");
    change(PASSWORD, "password123").await.expect(422);
    assert_eq!(change(PASSWORD, NEXT).await.expect(204), Value::Null);
    let refresh = async |tokens: &Value| {
        let body = json!({ "refresh_token": tokens["refresh_token"] });
        world.post(&device, "/api/v1/auth/refresh", body).await.status
    };
    assert_eq!((refresh(&tokens).await, refresh(&other).await), (200, 401));
    world.login(&device, EMAIL, NEXT).await.expect(200);
}
