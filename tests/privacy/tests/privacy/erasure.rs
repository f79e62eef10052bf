//! Who is erased is gone in both planes, and what stays names nobody.

use akademi_local::{api_client::JsonExt, demo};
use http::StatusCode;
use serde_json::json;

use crate::world::{EMAIL, NAME, PASSWORD, World};

#[tokio::test(flavor = "multi_thread")]
async fn who_erases_themselves_is_gone_in_both_planes_and_stays_a_number() {
    let world = World::new().await;
    let life = world.live().await;
    let people = world.edge_rows("SELECT people FROM tenant").await[0].integer(0).unwrap();
    let pdf = format!("/api/v1/certificates/{}/pdf", life.certificate);
    assert_eq!(life.client.get(&pdf).await.unwrap().status, StatusCode::OK);

    let wrong = life.client.post("/api/v1/users/me/erasure", &json!({ "email": "a@b.co" })).await.unwrap();
    wrong.expect(StatusCode::UNPROCESSABLE_ENTITY).unwrap();
    // A mail that waits for a person of that name.
    world
        .books_execute(format!(
            "UPDATE mail SET state = 'queued', sent_at = NULL WHERE person_id = '{}'",
            life.id
        ))
        .await;
    world.erase(&life.client, EMAIL).await;
    assert_eq!(world.edge_rows("SELECT people FROM tenant").await[0].integer(0).unwrap(), people - 1);
    let gone = ["person_key", "session", "role_assignment", "progress", "enrolment", "one_time_link"];
    for table in gone.into_iter().chain(["review", "review_report", "course_like"]) {
        assert_eq!(world.edge_count(table, &format!("person_id = '{}'", life.id)).await, 0, "{table}");
    }
    assert_eq!(world.edge_count("person", &format!("id = '{}'", life.id)).await, 0);
    assert_eq!(world.edge_count("course_figures", "stars_5 + likes > 0").await, 0);
    life.client.get("/api/v1/users/me").await.unwrap().expect(StatusCode::UNAUTHORIZED).unwrap();
    let login = json!({ "email": EMAIL, "password": PASSWORD });
    let refused = world.academy.post("/api/v1/auth/login", &login).await.unwrap();
    refused.expect(StatusCode::UNAUTHORIZED).unwrap();

    world.sync().await;
    let of = |column: &str| format!("{column} = '{}'", life.id);
    assert_eq!(world.books_count("person_key", &of("user_id")).await, 0);
    let empty = format!("{} AND state = 'erased' AND sealed_profile IS NULL", of("id"));
    assert_eq!(world.books_count("person", &empty).await, 1);
    assert_eq!(world.books_count("mail", &format!("{} AND state = 'queued'", of("person_id"))).await, 0);
    assert_eq!(world.books_count("idempotency", &of("user_id")).await, 0);
    assert_eq!(world.books_count("customer_order", &of("id").replace(&life.id, &life.order)).await, 1);

    let checked = world.academy.get(&format!("/api/v1/certificates/{}", life.certificate)).await.unwrap();
    let checked = checked.expect(StatusCode::OK).unwrap();
    assert_eq!((checked.text("status").unwrap().as_str(), &checked["holder"]), ("valid", &json!(null)));
    let page = world.academy.get(&format!("/verify/{}", life.certificate)).await.unwrap();
    assert_eq!(page.status, StatusCode::OK);
    assert!(!String::from_utf8_lossy(&page.body).contains(NAME));
    // Staff still see which codes were used.
    let batches = world.administrator.get("/api/v1/activation-codes/batches").await.unwrap();
    let batch =
        batches.expect(StatusCode::OK).unwrap().pointer("/data/0/id").unwrap().as_str().unwrap().to_owned();
    let uses = format!("/api/v1/activation-codes/batches/{batch}/uses");
    world.administrator.get(&uses).await.unwrap().expect(StatusCode::OK).unwrap();
    world.administrator.get("/api/v1/audit").await.unwrap().expect(StatusCode::OK).unwrap();

    // The same address comes back as somebody else.
    let (_, again) = world.join(NAME, EMAIL).await;
    assert_ne!(again, life.id);
    world.sync().await;
    assert_eq!(world.books_count("person_key", &format!("user_id = '{again}'")).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_academy_keeps_an_administrator_and_staff_erase_others() {
    let world = World::new().await;
    let own = json!({ "email": "yonetici@umraniye.example" });
    let last = world.administrator.post("/api/v1/users/me/erasure", &own).await.unwrap();
    assert_eq!(last.expect(StatusCode::CONFLICT).unwrap()["type"], "/problems/no-administrator");
    let me = world.administrator.get("/api/v1/users/me").await.unwrap().json().unwrap().text("id").unwrap();
    let erasure = |id: &str| format!("/api/v1/people/{id}/erasure");
    let oneself = world.administrator.post(&erasure(&me), &json!({})).await.unwrap();
    assert_eq!(oneself.expect(StatusCode::CONFLICT).unwrap()["type"], "/problems/yourself");

    let instructor = world.academy.sign_in("egitmen@umraniye.example", demo::PASSWORD).await.unwrap();
    let (client, id) = world.join(NAME, EMAIL).await;
    assert_eq!(instructor.post(&erasure(&id), &json!({})).await.unwrap().status, StatusCode::FORBIDDEN);
    assert_eq!(client.get("/api/v1/users/me").await.unwrap().status, StatusCode::OK);
    assert_eq!(
        world.administrator.post(&erasure(&id), &json!({})).await.unwrap().status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(client.get("/api/v1/users/me").await.unwrap().status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        world.administrator.post(&erasure(&id), &json!({})).await.unwrap().status,
        StatusCode::NOT_FOUND
    );
    world.sync().await;
    let entry = format!("action = 'person.erased' AND actor = '{me}' AND target = 'person:{id}'");
    assert_eq!(world.books_count("audit_entry", &entry).await, 1);
}
