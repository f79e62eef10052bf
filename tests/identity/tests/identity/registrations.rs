//! Coming to an academy.

use akademi_domain::mail::MailKind;
use http::Method;
use serde_json::{Value, json};

use crate::world::{EMAIL, HOST, OTHER_HOST, PASSWORD, World, contains, from, tenant};

#[tokio::test]
async fn an_account_is_there_once_its_address_is_confirmed() {
    let (world, device) = (World::new(), from("192.0.2.1"));
    assert_eq!(world.register(&device, EMAIL, PASSWORD).await.expect(202), Value::Null);
    world.login(&device, EMAIL, PASSWORD).await.expect(401);
    let confirm = json!({ "token": world.newest_token(MailKind::ConfirmAddress) });
    let elsewhere = crate::world::From { host: OTHER_HOST, ..device.clone() };
    world.post(&elsewhere, "/api/v1/auth/confirm", confirm.clone()).await.expect(404);
    world.post(&device, "/api/v1/auth/confirm", confirm.clone()).await.expect(204);
    let tokens = world.login(&device, EMAIL, PASSWORD).await.expect(200);
    let me = world.me(&device.with(&tokens)).await.expect(200);
    assert_eq!((&me["name"], &me["roles"]), (&json!("Şükrü Iğdır"), &json!(["student"])));
    let again = world.post(&device, "/api/v1/auth/confirm", confirm).await;
    assert_eq!((again.status, again.slug()), (404, "/problems/link-invalid"));
    assert_eq!(world.audited(), ["person.registered", "sign_in.succeeded"]);
    assert_eq!(world.count("SELECT count(*) FROM pending_person"), 0);
}

#[tokio::test]
async fn a_link_is_good_for_a_day_and_what_waited_is_forgotten() {
    let (world, device) = (World::new(), from("192.0.2.1"));
    world.register(&device, EMAIL, PASSWORD).await.expect(202);
    let confirm = json!({ "token": world.newest_token(MailKind::ConfirmAddress) });
    world.wait(24 * 3600);
    world.post(&device, "/api/v1/auth/confirm", confirm).await.expect(404);
    world.register(&device, "other@example.org", PASSWORD).await.expect(202);
    assert_eq!(world.count("SELECT count(*) FROM pending_person"), 1);
    assert_eq!(world.count("SELECT count(*) FROM person_key"), 1, "nobody can read of the first any more");
}

#[tokio::test]
async fn who_reads_the_mail_decides_whose_password_it_is() {
    let (world, device) = (World::new(), from("192.0.2.1"));
    world.register(&from("203.0.113.9"), EMAIL, "the squatter's own").await.expect(202);
    world.register(&device, EMAIL, PASSWORD).await.expect(202);
    let links: Vec<_> = world.mails().iter().map(|mail| mail.2.unwrap()).collect();
    let purpose = akademi_domain::mail::LinkPurpose::ConfirmAddress;
    let confirm = |link| json!({ "token": world.link_token(purpose, link) });
    world.post(&device, "/api/v1/auth/confirm", confirm(links[1])).await.expect(204);
    world.post(&device, "/api/v1/auth/confirm", confirm(links[0])).await.expect(404);
    world.login(&device, EMAIL, PASSWORD).await.expect(200);
    world.login(&device, EMAIL, "the squatter's own").await.expect(401);
    assert_eq!(world.count("SELECT count(*) FROM person"), 1);
}

#[tokio::test]
async fn an_address_with_an_account_is_told_by_mail_alone() {
    let (world, device) = (World::new(), from("192.0.2.1"));
    world.join(&device, EMAIL, PASSWORD).await;
    let stranger = from("203.0.113.9");
    let known = world.register(&stranger, EMAIL, "another password").await;
    let unknown = world.register(&stranger, "nobody@example.org", "another password").await;
    assert_eq!((known.status, &known.body), (202, &unknown.body));
    assert_eq!(known, unknown);
    let forgot =
        async |email| world.post(&stranger, "/api/v1/auth/forgot-password", json!({ "email": email })).await;
    assert_eq!(forgot(EMAIL).await, forgot("kimse@example.org").await);
    let kinds: Vec<_> = world.mails().iter().map(|mail| mail.0).collect();
    assert_eq!(
        kinds,
        [
            MailKind::ConfirmAddress,
            MailKind::AlreadyRegistered,
            MailKind::ConfirmAddress,
            MailKind::ResetPassword
        ]
    );
    world.login(&device, EMAIL, PASSWORD).await.expect(200);
    let wrong = world.login(&stranger, EMAIL, "wrong password").await;
    let nobody = world.login(&stranger, "kimse@example.org", "wrong password").await;
    let same = |mut body: Value| {
        body["request_id"] = Value::Null;
        body
    };
    assert_eq!((wrong.status, same(wrong.body)), (nobody.status, same(nobody.body)));
}

#[tokio::test]
async fn nothing_personal_stands_in_the_store_or_the_log() {
    let (world, device) = (World::new(), crate::world::From { device: "Netscape", ..from("192.0.2.77") });
    let tokens = world.join(&device, EMAIL, PASSWORD).await;
    let signed_in = device.with(&tokens);
    let change = json!({ "name": "Şükrü Çağlayangöl" });
    world.send(&signed_in, Method::PATCH, "/api/v1/users/me", change).await.expect(200);
    world.login(&device, EMAIL, "wrong password").await.expect(401);
    let kept = world.kept();
    for secret in [EMAIL, "sukru", PASSWORD, "Iğdır", "Çağlayangöl", "192.0.2.77"] {
        assert!(!contains(&kept, secret), "{secret} is kept in clear");
    }
    let token = tokens["refresh_token"].as_str().unwrap();
    assert!(!contains(&kept, token) && !contains(&kept, &world.newest_token(MailKind::ConfirmAddress)));
    assert!(contains(&kept, HOST) && contains(&kept, &tenant(1).to_string()), "the right files were read");
}

#[tokio::test]
async fn what_a_stranger_asks_costs_the_same_whether_there_is_an_account() {
    let (world, device) = (World::new(), from("192.0.2.1"));
    world.join(&device, EMAIL, PASSWORD).await;
    // Nobody has asked for mail to either address for a day.
    world.wait(25 * 3600);
    let stranger = from("203.0.113.9");
    for (path, body) in [
        ("/api/v1/auth/login", json!({ "password": "wrong password" })),
        ("/api/v1/auth/forgot-password", json!({})),
        ("/api/v1/auth/register", json!({ "name": "Ali", "password": "another password" })),
    ] {
        // The fifth finds no mail left that a stranger may ask for.
        for time in 0..5 {
            let cost = async |email: &str| {
                let mut body = body.clone();
                body["email"] = email.into();
                let (reads, commits) = world.watched(&stranger, Method::POST, path, body).await;
                (reads.len(), commits)
            };
            let (known, unknown) = (cost(EMAIL).await, cost("kimse@example.org").await);
            assert_eq!(known, unknown, "{path}, time {time}: reads and commits");
            assert!(known.1 > 0, "{path}");
        }
    }
}
