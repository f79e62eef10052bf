//! What staff sees of people, and who is let in.

use akademi_domain::mail::MailKind;
use http::Method;
use serde_json::{Value, json};

use crate::world::{From, OTHER_HOST, PASSWORD, World, from};

async fn list(world: &World, who: &From, query: &str) -> Vec<Value> {
    let found =
        world.send(who, Method::GET, &format!("/api/v1/people{query}"), Value::Null).await.expect(200);
    found["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn people_are_listed_by_pages_and_found_by_address_role_and_state() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    for n in 0..3 {
        world.wait(60);
        world.join(&from("192.0.2.2"), &format!("learner{n}@example.org"), PASSWORD).await;
    }
    let emails = |people: &[Value]| {
        people.iter().map(|person| person["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = list(&world, &admin, "").await;
    assert_eq!(
        emails(&all),
        ["learner2@example.org", "learner1@example.org", "learner0@example.org", "admin@example.org"]
    );
    assert_eq!((&all[0]["name"], &all[0]["second_factor"]), (&json!("Şükrü Iğdır"), &json!(false)));
    let page = world.send(&admin, Method::GET, "/api/v1/people?limit=3", Value::Null).await.expect(200);
    let next = format!("?limit=3&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(emails(&list(&world, &admin, &next).await), ["admin@example.org"]);
    assert_eq!(emails(&list(&world, &admin, "?email=Learner1@Example.org").await), ["learner1@example.org"]);
    assert_eq!(emails(&list(&world, &admin, "?role=tenant_admin").await), ["admin@example.org"]);
    assert_eq!(list(&world, &admin, "?state=suspended").await.len(), 0);
    let elsewhere = From { host: OTHER_HOST, ..admin.clone() };
    world.send(&elsewhere, Method::GET, "/api/v1/people", Value::Null).await.expect(401);
}

#[tokio::test]
async fn who_is_invited_chooses_a_password_and_has_the_roles() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let invite = async |email: &str, roles: &[&str]| {
        let body = json!({ "name": "Öğretmen", "email": email, "roles": roles });
        world.post(&admin, "/api/v1/people/invitations", body).await
    };
    assert_eq!(invite("admin@example.org", &[]).await.slug(), "/problems/email-taken");
    assert_eq!(invite("teacher@example.org", &["caretaker"]).await.status, 422);
    invite("teacher@example.org", &["student"]).await.expect(202);
    let first = world.newest_token(MailKind::Invitation);
    world.wait(1);
    invite("teacher@example.org", &["instructor"]).await.expect(202);
    let second = world.newest_token(MailKind::Invitation);
    let teacher = from("198.51.100.1");
    let accept = async |token: &str, password: &str| {
        let body = json!({ "token": token, "password": password, "name": "Ayşe Öğretmen" });
        world.post(&teacher, "/api/v1/auth/accept-invitation", body).await
    };
    accept(&first, PASSWORD).await.expect(404);
    accept(&second, "kisa").await.expect(422);
    accept(&second, PASSWORD).await.expect(204);
    accept(&second, PASSWORD).await.expect(404);
    let tokens = world.login(&teacher, "teacher@example.org", PASSWORD).await.expect(200);
    let me = world.me(&teacher.with(&tokens)).await.expect(200);
    assert_eq!((&me["name"], &me["roles"]), (&json!("Ayşe Öğretmen"), &json!(["instructor"])));
}

#[tokio::test]
async fn who_is_suspended_is_out_at_once_and_comes_back_as_before() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let home = from("192.0.2.2");
    let tokens = world.join(&home, "learner@example.org", PASSWORD).await;
    let person = world.me(&home.with(&tokens)).await.expect(200)["id"].as_str().unwrap().to_owned();
    let set = async |state: &str| {
        world
            .send(&admin, Method::PUT, &format!("/api/v1/people/{person}/state"), json!({ "state": state }))
            .await
    };
    assert_eq!(set("suspended").await.expect(200)["state"], "suspended");
    set("suspended").await.expect(200);
    let rename = json!({ "name": "Şükrü" });
    world.send(&home.with(&tokens), Method::PATCH, "/api/v1/users/me", rename).await.expect(401);
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    world.post(&home, "/api/v1/auth/refresh", refresh).await.expect(401);
    assert_eq!(
        world.login(&home, "learner@example.org", PASSWORD).await.slug(),
        "/problems/wrong-credentials"
    );
    let before = world.mails().len();
    let forgot = json!({ "email": "learner@example.org" });
    world.post(&home, "/api/v1/auth/forgot-password", forgot).await.expect(202);
    assert_eq!(world.mails().len(), before, "no link for who may not sign in");
    let changes = world.audited().iter().filter(|action| *action == "person.state_changed").count();
    assert_eq!(changes, 1, "asking twice changes once");
    set("active").await.expect(200);
    world.login(&home, "learner@example.org", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn staff_sees_sign_ins_and_ends_them() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let home = from("192.0.2.2");
    let tokens = world.join(&home, "learner@example.org", PASSWORD).await;
    let person = world.me(&home.with(&tokens)).await.expect(200)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/people/{person}/sessions");
    let sign_ins = async || {
        let found = world.send(&admin, Method::GET, &path, Value::Null).await.expect(200);
        found["data"].as_array().unwrap().clone()
    };
    let found = sign_ins().await;
    assert_eq!(
        (found.len(), &found[0]["device"], &found[0]["ended_at"]),
        (1, &json!("Firefox"), &Value::Null)
    );
    world.send(&admin, Method::DELETE, &path, Value::Null).await.expect(204);
    assert!(sign_ins().await[0]["ended_at"].is_string());
    world
        .post(&home, "/api/v1/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] }))
        .await
        .expect(401);
    let nobody = "/api/v1/people/01890000-0000-7000-8000-00000000dead/sessions";
    world.send(&admin, Method::GET, nobody, Value::Null).await.expect(404);
}

#[tokio::test]
async fn the_list_is_read_from_an_index_in_its_order_and_an_address_found_by_one() {
    let world = World::new();
    let (admin, _) = world.join_as("192.0.2.1", "admin@example.org", &["tenant_admin"]).await;
    let plan = async |query: &str| {
        let path = format!("/api/v1/people{query}");
        let (reads, commits) = world.watched(&admin, Method::GET, &path, Value::Null).await;
        assert_eq!(commits, 0);
        world.plan(reads.iter().find(|statement| statement.sql.contains("profile")).unwrap())
    };
    for query in ["", "?state=active", "?role=tenant_admin"] {
        let plan = plan(query).await;
        assert!(plan.contains("USING INDEX person_by_age (tenant_id=?"), "{query}: {plan}");
        assert!(!plan.contains("TEMP B-TREE FOR ORDER BY"), "{query}: {plan}");
    }
    let found = plan("?email=admin@example.org").await;
    assert!(found.contains("(tenant_id=? AND email_lookup=?)"), "{found}");
}
