//! What authors leave in the audit log.

use akademi_domain::permission::Permissions;
use akademi_lambda_store::audit::{Verdict, verify};
use http::Method;
use serde_json::{Value, json};
use sqlx::Row;

use crate::{
    academy::{COURSES, Person, World, html_lesson, instructor, modules},
    import_world::{job, small_course, start, uploaded},
};

/// Action, target and change of all entries so far, in order.
async fn entries(world: &World) -> Vec<(String, String, Value)> {
    let mut superuser = world.database.superuser().await.unwrap();
    let rows = sqlx::query("SELECT action, target, actor, change FROM audit_entry ORDER BY number")
        .fetch_all(&mut superuser)
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            assert_eq!(row.get::<sqlx::types::Uuid, _>("actor"), instructor(1).user.as_uuid());
            (row.get("action"), row.get("target"), row.get("change"))
        })
        .collect()
}

#[tokio::test]
async fn each_write_of_a_course_leaves_one_entry_with_what_changed() {
    let world = World::new().await;
    let author = instructor(1);
    let (course, draft) = world.create(author, "Işık").await;
    let target = format!("course:{}", draft["id"].as_str().unwrap());
    let change = json!({ "revision": 1, "title": "Gölge" });
    world.call(author, Method::PATCH, &course, Some(&change)).await.expect(200);
    world.put_content(author, &course, 2, &modules(&[html_lesson("Oku", "<p>a</p>")])).await.expect(200);
    world.publish(author, &course).await.expect(200);
    world.publish(author, &course).await.expect(200);

    let head = json!({ "title": "Işık", "slug": "isik", "summary": "", "language": null, "minimum_score": null,
        "revision": 1 });
    let [none, one] = [0, 1].map(|n| json!({ "revision": 2 + n, "modules": n, "sections": n, "lessons": n }));
    let version = |n: i64| json!({ "before": { "version": n - 1 }, "after": { "version": n } });
    let renamed = json!({
        "before": { "title": "Işık", "revision": 1 }, "after": { "title": "Gölge", "revision": 2 },
    });
    let wanted = [
        ("course.created", json!({ "before": null, "after": head })),
        ("course.changed", renamed),
        ("course.content_replaced", json!({ "before": none, "after": one })),
        ("course.published", version(1)),
        ("course.published", version(2)),
    ];
    assert_eq!(
        entries(&world).await,
        wanted.map(|(action, change)| (action.to_owned(), target.clone(), change))
    );
    let verdict = verify(world.database.postgres(), author.tenant).await.unwrap();
    assert_eq!(verdict, Verdict::Whole { entries: 5 });
}

#[tokio::test]
async fn a_write_that_is_refused_leaves_none() {
    let world = World::new().await;
    let author = instructor(1);
    let (course, _) = world.create(author, "Işık").await;
    let (_, other) = world.create(author, "Gölge").await;
    let before = entries(&world).await;
    let patch = async |change: Value| world.call(author, Method::PATCH, &course, Some(&change)).await.status;
    assert_eq!(patch(json!({ "revision": 7, "title": "x" })).await, 409);
    assert_eq!(patch(json!({ "revision": 1, "slug": other["slug"] })).await, 409);
    assert_eq!(world.put_content(author, &course, 7, &json!([])).await.status, 409);
    let invalid =
        modules(&[json!({ "title": "Oku", "duration_seconds": 0, "body": { "kind": "html", "html": "" } })]);
    assert_eq!(world.put_content(author, &course, 1, &invalid).await.status, 422);
    assert_eq!(world.publish(author, &course).await.status, 422);
    let stranger = Person { permissions: Permissions::NONE, ..author };
    let new = json!({ "title": "x" });
    assert_eq!(world.call(stranger, Method::POST, COURSES, Some(&new)).await.status, 403);
    assert_eq!(world.publish(instructor(2), &course).await.status, 404);
    assert_eq!(entries(&world).await, before);
}

#[tokio::test]
async fn an_import_is_asked_for_started_and_made_once_each_however_often_it_is_repeated() {
    let world = World::new().await;
    let author = instructor(1);
    let archive = small_course();
    let made = uploaded(&world, author, "k", &archive).await;
    assert_eq!(uploaded(&world, author, "k", &archive).await, made);
    let id = &made["job"];
    start(&world, author, id).await;
    start(&world, author, id).await;
    assert!(world.authoring.run_next_import().await.unwrap());
    assert!(!world.authoring.run_next_import().await.unwrap());
    start(&world, author, id).await;

    let result = job(&world, author, id).await["result"].clone();
    let import = format!("import:{}", id.as_str().unwrap());
    let content = json!({ "revision": 2, "modules": 1, "sections": 1, "lessons": 1 });
    let course = json!({ "import": id, "title": "Işık", "slug": "isik", "content": content });
    let started = json!({ "owner": author.user, "bytes": archive.len() });
    let wanted = [
        ("import.requested", import.clone(), json!({ "bytes": archive.len() })),
        ("import.started", import, started),
        ("course.imported", format!("course:{}", result["course"].as_str().unwrap_or_default()), course),
    ];
    let wanted = wanted.map(|(action, target, after)| {
        (action.to_owned(), target, json!({ "before": null, "after": after }))
    });
    assert_eq!(entries(&world).await, wanted, "{result}");
}

#[tokio::test]
async fn an_import_that_fails_leaves_no_course_in_the_log() {
    let world = World::new().await;
    let made = uploaded(&world, instructor(1), "k", b"no archive").await;
    start(&world, instructor(1), &made["job"]).await;
    assert!(world.authoring.run_next_import().await.unwrap());
    let actions: Vec<String> = entries(&world).await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(actions, ["import.requested", "import.started"]);
}
