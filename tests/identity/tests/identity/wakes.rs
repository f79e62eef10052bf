//! Mail that somebody waits for leaves at once.

use akademi_domain::mail::MailKind;
use serde_json::json;

use crate::world::{EMAIL, PASSWORD, World, from};

#[tokio::test]
async fn each_mail_that_somebody_waits_for_wakes_the_other_plane_once() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let device = from("192.0.2.2");
    let since = |before: usize| world.lambda.wakes() - before;
    let before = world.lambda.wakes();
    world.register(&device, EMAIL, PASSWORD).await.expect(202);
    assert_eq!(since(before), 1, "registered");
    let token = world.newest_token(MailKind::ConfirmAddress);
    world.post(&device, "/api/v1/auth/confirm", json!({ "token": token })).await.expect(204);
    assert_eq!(since(before), 1, "nobody waits for mail");
    world.post(&device, "/api/v1/auth/forgot-password", json!({ "email": EMAIL })).await.expect(202);
    assert_eq!(since(before), 2, "a forgotten password");
    let body =
        json!({ "token": world.newest_token(MailKind::ResetPassword), "password": "bambaşka bir parola" });
    world.post(&device, "/api/v1/auth/reset-password", body).await.expect(204);
    assert_eq!(since(before), 3, "a new password");
    let guest = json!({ "name": "Ali", "email": "ali@example.org", "roles": [] });
    world.post(&admin, "/api/v1/people/invitations", guest).await.expect(202);
    assert_eq!(since(before), 4, "invited");
}

#[tokio::test]
async fn a_wake_tells_nobody_whether_an_address_has_an_account() {
    let world = World::new();
    world.join(&from("192.0.2.1"), EMAIL, PASSWORD).await;
    let stranger = from("203.0.113.9");
    // Four mails to one address: the fifth is not sent, and nobody can tell.
    for time in 0..5 {
        let before = world.lambda.wakes();
        for email in [EMAIL, "kimse@example.org"] {
            world
                .post(&stranger, "/api/v1/auth/forgot-password", json!({ "email": email }))
                .await
                .expect(202);
            world.register(&stranger, email, PASSWORD).await.expect(202);
        }
        assert_eq!(world.lambda.wakes() - before, 4, "time {time}");
    }
}

#[tokio::test]
async fn a_wake_that_is_lost_loses_nothing() {
    let (world, device) = (World::new(), from("192.0.2.1"));
    world.lambda.go_away();
    world.register(&device, EMAIL, PASSWORD).await.expect(202);
    assert_eq!((world.lambda.wakes(), world.mails().len()), (0, 1), "the mail waits in the feed");
}
