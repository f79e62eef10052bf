//! Who fails too often waits, and nobody is locked out for good.

use akademi_domain::mail::MailKind;
use serde_json::json;

use crate::world::{EMAIL, PASSWORD, TOO_MANY, World, at_once, from};

#[tokio::test]
async fn wrong_passwords_from_one_address_wait_longer_each_time() {
    let world = World::new();
    world.join(&from("192.0.2.1"), EMAIL, PASSWORD).await;
    let thief = from("203.0.113.9");
    for _ in 0..6 {
        world.login(&thief, EMAIL, "wrong password").await.expect(401);
    }
    let refused = world.login(&thief, EMAIL, PASSWORD).await;
    assert_eq!((refused.status, refused.retry_after), (TOO_MANY, Some(3)));
    world.wait(3);
    world.login(&thief, EMAIL, "wrong password").await.expect(401);
    let refused = world.login(&thief, EMAIL, "wrong password").await;
    assert_eq!(refused.retry_after, Some(5));
    world.login(&from("192.0.2.1"), EMAIL, PASSWORD).await.expect(200);
}

/// How many of 64 wrong passwords at once are looked at.
async fn let_in(is_lax: bool) -> usize {
    let world = World::new();
    world.join(&from("192.0.2.1"), EMAIL, PASSWORD).await;
    let guess = json!({ "email": EMAIL, "password": "wrong password" });
    // Nobody waits for anybody.
    let racing = world.racing("no statement says this", 1, is_lax);
    let statuses = at_once(&racing, &from("203.0.113.9"), "/api/v1/auth/login", vec![guess; 64]).await;
    statuses.into_iter().filter(|status| *status == 401).count()
}

#[tokio::test]
async fn many_at_once_are_counted_one_by_one() {
    let admitted = let_in(false).await;
    assert!((1..=6).contains(&admitted), "{admitted} of 64 were let in");
    let admitted = let_in(true).await;
    assert!(admitted > 6, "without its condition more are: {admitted}");
}

#[tokio::test]
async fn strangers_who_keep_failing_lock_nobody_out() {
    let world = World::new();
    let home = from("192.0.2.1");
    world.join(&home, EMAIL, PASSWORD).await;
    // One try each, from everywhere.
    let mut refused = 0;
    for n in 0..200 {
        let thief = from(&format!("203.0.113.{n}"));
        refused += usize::from(world.login(&thief, EMAIL, "wrong password").await.status == TOO_MANY);
    }
    assert!(refused > 150, "{refused}");
    world.login(&home, EMAIL, PASSWORD).await.expect(200);
    // A new device waits, half a minute at most: whoever is refused is not counted.
    let new = from("198.51.100.7");
    let waits = world.login(&new, EMAIL, PASSWORD).await;
    assert!(waits.status == TOO_MANY && waits.retry_after.unwrap() <= 31, "{waits:?}");
    for _ in 0..20 {
        world.login(&from("203.0.113.250"), EMAIL, "wrong password").await;
    }
    world.wait(31);
    world.login(&new, EMAIL, PASSWORD).await.expect(200);
    // And a link by mail always helps.
    for n in 0..40 {
        world.login(&from(&format!("203.0.113.{n}")), EMAIL, "wrong password").await;
    }
    let newest = from("198.51.100.8");
    world.post(&newest, "/api/v1/auth/forgot-password", json!({ "email": EMAIL })).await.expect(202);
    let body =
        json!({ "token": world.newest_token(MailKind::ResetPassword), "password": "bir başka parola" });
    world.post(&newest, "/api/v1/auth/reset-password", body).await.expect(204);
    world.login(&newest, EMAIL, "bir başka parola").await.expect(200);
}

#[tokio::test]
async fn an_unknown_account_is_slowed_down_like_a_known_one() {
    let world = World::new();
    world.join(&from("192.0.2.1"), EMAIL, PASSWORD).await;
    let statuses = async |email: &str, address: &str| {
        let mut statuses = Vec::new();
        for _ in 0..9 {
            let answer = world.login(&from(address), email, "wrong password").await;
            statuses.push((answer.status, answer.retry_after));
        }
        statuses
    };
    assert_eq!(statuses(EMAIL, "203.0.113.1").await, statuses("kimse@example.org", "203.0.113.2").await);
}

#[tokio::test]
async fn nobodys_mailbox_is_flooded() {
    let world = World::new();
    world.join(&from("192.0.2.1"), EMAIL, PASSWORD).await;
    let before = world.mails().len();
    for n in 0..40 {
        let stranger = from(&format!("203.0.113.{n}"));
        world.post(&stranger, "/api/v1/auth/forgot-password", json!({ "email": EMAIL })).await.expect(202);
        world.register(&stranger, EMAIL, PASSWORD).await.expect(202);
    }
    let sent = world.mails().len() - before;
    assert!((1..=4).contains(&sent), "{sent}");
    world.wait(3600 + 1);
    world
        .post(&from("192.0.2.1"), "/api/v1/auth/forgot-password", json!({ "email": EMAIL }))
        .await
        .expect(202);
    assert_eq!(world.mails().len() - before, sent + 1);
}
