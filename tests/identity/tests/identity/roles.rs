//! Who may do what, and who decides it.

use http::Method;
use serde_json::{Value, json};

use crate::world::{From, PASSWORD, World, from, request, send};

async fn define(world: &World, who: &From, name: &str, permissions: &[&str]) -> crate::world::Answer {
    world.post(who, "/api/v1/roles", json!({ "name": name, "permissions": permissions })).await
}

async fn give(world: &World, who: &From, person: &str, roles: &[&str]) -> crate::world::Answer {
    let body = json!({ "roles": roles });
    world.send(who, Method::PUT, &format!("/api/v1/people/{person}/roles"), body).await
}

#[tokio::test]
async fn an_academy_defines_roles_and_who_gets_one_may_do_more_at_the_next_refresh() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let learner = from("192.0.2.2");
    let tokens = world.join(&learner, "learner@example.org", PASSWORD).await;
    let signed_in = learner.with(&tokens);
    let person = world.me(&signed_in).await.expect(200)["id"].as_str().unwrap().to_owned();
    let editor = define(&world, &admin, "Editör", &["courses:write", "people:read"]).await.expect(201);
    let id = editor["id"].as_str().unwrap();
    assert_eq!(define(&world, &admin, "Editör", &[]).await.slug(), "/problems/name-taken");
    world.send(&signed_in, Method::GET, "/api/v1/people", Value::Null).await.expect(403);

    world.wait(2);
    let entry = give(&world, &admin, &person, &["student", id]).await.expect(200);
    assert_eq!(entry["roles"], json!(["student", id]));
    let refresh = async |tokens: &Value| {
        world
            .post(&learner, "/api/v1/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] }))
            .await
    };
    let tokens = refresh(&tokens).await.expect(200);
    let signed_in = learner.with(&tokens);
    world.send(&signed_in, Method::GET, "/api/v1/people", Value::Null).await.expect(200);
    let roles = world.send(&signed_in, Method::GET, "/api/v1/roles", Value::Null).await.expect(200);
    let names: Vec<_> = roles["data"].as_array().unwrap().iter().map(|role| role["id"].clone()).collect();
    assert_eq!(names, [json!("tenant_admin"), json!("instructor"), json!("student"), json!(id)]);

    world.wait(2);
    let path = format!("/api/v1/roles/{id}");
    world.send(&admin, Method::DELETE, &path, Value::Null).await.expect(204);
    world.send(&admin, Method::DELETE, &path, Value::Null).await.expect(404);
    let rename = json!({ "name": "Şükrü" });
    let refused = world.send(&signed_in, Method::PATCH, "/api/v1/users/me", rename).await;
    assert_eq!(refused.slug(), "/problems/token-expired", "writes know of it at once");
    let tokens = refresh(&tokens).await.expect(200);
    world.send(&learner.with(&tokens), Method::GET, "/api/v1/people", Value::Null).await.expect(403);
    let actions = world.audited();
    for action in ["role.created", "person.roles_changed", "role.deleted"] {
        assert!(actions.contains(&action.to_owned()), "{action}");
    }
}

#[tokio::test]
async fn a_token_of_the_very_second_in_which_a_role_is_taken_is_refused_and_the_next_one_passes() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let (_, person) = world.join_as("192.0.2.2", "teacher@example.org", &["instructor"]).await;
    let device = from("192.0.2.2");
    let tokens = world.login(&device, "teacher@example.org", PASSWORD).await.expect(200);
    give(&world, &admin, &person, &["student"]).await.expect(200);
    let rename = async |tokens: &Value| {
        let change = json!({ "name": "Şükrü" });
        world.send(&device.with(tokens), Method::PATCH, "/api/v1/users/me", change).await
    };
    assert_eq!(rename(&tokens).await.slug(), "/problems/token-expired");
    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let tokens = world.post(&device, "/api/v1/auth/refresh", body).await.expect(200);
    assert_eq!(rename(&tokens).await.expect(200)["permissions"], json!([]));
}

#[tokio::test]
async fn nobody_gives_takes_or_touches_what_they_may_not_do_themselves() {
    let world = World::new();
    let (admin, admins_id) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let role =
        define(&world, &admin, "Halkla ilişkiler", &["people:read", "people:write", "roles:write"]).await;
    let role = role.expect(201)["id"].as_str().unwrap().to_owned();
    let (clerk, clerks_id) = world.join_as("192.0.2.2", "clerk@example.org", &[&role]).await;
    let (_, learners_id) = world.join_as("192.0.2.3", "learner@example.org", &[]).await;

    for (what, answer) in [
        ("an administrator is made", give(&world, &clerk, &learners_id, &["tenant_admin"]).await),
        ("an instructor is made", give(&world, &clerk, &learners_id, &["instructor"]).await),
        ("an administrator is demoted", give(&world, &clerk, &admins_id, &["student"]).await),
        ("a role beyond oneself", define(&world, &clerk, "Kasa", &["commerce:write"]).await),
        (
            "an administrator is suspended",
            world
                .send(
                    &clerk,
                    Method::PUT,
                    &format!("/api/v1/people/{admins_id}/state"),
                    json!({ "state": "suspended" }),
                )
                .await,
        ),
        (
            "an administrator is signed out",
            world
                .send(&clerk, Method::DELETE, &format!("/api/v1/people/{admins_id}/sessions"), Value::Null)
                .await,
        ),
        (
            "an administrator is invited",
            world
                .post(
                    &clerk,
                    "/api/v1/people/invitations",
                    json!({ "name": "A", "email": "a@example.org", "roles": ["tenant_admin"] }),
                )
                .await,
        ),
    ] {
        assert_eq!((answer.status, answer.slug()), (403, "/problems/forbidden"), "{what}");
    }
    assert_eq!(give(&world, &clerk, &clerks_id, &["student"]).await.slug(), "/problems/yourself");
    assert_eq!(give(&world, &admin, &learners_id, &["global_admin"]).await.status, 422);
    assert_eq!(define(&world, &admin, "Platform", &["platform:write"]).await.status, 422);
    assert_eq!(give(&world, &clerk, &learners_id, &[&role]).await.status, 200);
    assert_eq!(world.count("SELECT count(*) FROM role_assignment WHERE role = 'tenant_admin'"), 1);
}

#[tokio::test]
async fn an_academy_keeps_an_administrator_who_can_sign_in() {
    let world = World::new();
    let (first, first_id) = world.join_as("192.0.2.1", "first@example.org", &["tenant_admin"]).await;
    let (second, second_id) = world.join_as("192.0.2.2", "second@example.org", &["tenant_admin"]).await;
    let suspend = async |who: &From, person: &str| {
        let body = json!({ "state": "suspended" });
        world.send(who, Method::PUT, &format!("/api/v1/people/{person}/state"), body).await
    };
    suspend(&first, &second_id).await.expect(200);
    // The second's session has ended: only the first is left, whom nobody else may touch.
    assert_eq!(suspend(&second, &first_id).await.status, 401);
    let body = json!({ "state": "active" });
    world.send(&first, Method::PUT, &format!("/api/v1/people/{second_id}/state"), body).await.expect(200);
    let second = from("192.0.2.2")
        .with(&world.login(&from("192.0.2.2"), "second@example.org", PASSWORD).await.expect(200));
    world.me(&second).await.expect(200);
}

/// Two administrators demote each other at the same moment; what they are told, and how many are left.
async fn demote_each_other(is_lax: bool) -> ([u16; 2], i64) {
    let world = World::new();
    let (first, first_id) = world.join_as("192.0.2.1", "first@example.org", &["tenant_admin"]).await;
    let (second, second_id) = world.join_as("192.0.2.2", "second@example.org", &["tenant_admin"]).await;
    let racing = world.racing("FROM role WHERE", 2, is_lax);
    let demote = async |who: &From, person: &str| {
        let path = format!("/api/v1/people/{person}/roles");
        send(&racing, request(who, Method::PUT, &path, json!({ "roles": ["student"] }))).await
    };
    let (one, other) = futures::join!(demote(&first, &second_id), demote(&second, &first_id));
    let mut told = [one, other];
    told.sort_unstable();
    (told, world.count("SELECT count(*) FROM role_assignment WHERE role = 'tenant_admin'"))
}

#[tokio::test]
async fn two_administrators_who_demote_each_other_leave_one() {
    assert_eq!(demote_each_other(false).await, ([200, 409], 1));
    assert_eq!(demote_each_other(true).await, ([200, 200], 0), "without its condition nobody is left");
}

#[tokio::test]
async fn giving_roles_asks_who_it_is_once_more() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    world.execute("UPDATE session SET authenticated_at = 0");
    assert_eq!(define(&world, &admin, "Editör", &[]).await.slug(), "/problems/step-up-required");
    world.post(&admin, "/api/v1/auth/step-up", json!({ "password": PASSWORD })).await.expect(204);
    define(&world, &admin, "Editör", &[]).await.expect(201);
}
