//! Batches as staff makes, exports and revokes them.

use akademi_domain::{activation_code::ActivationCode, permission::Role};
use akademi_feed::EdgeEvent;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::world::{BATCHES, START, World, batch, batch_with, course};

#[tokio::test]
async fn a_batch_is_made_once_under_its_key() {
    let world = World::new();
    let staff = world.staff();
    let made = world.post(&staff, BATCHES, Some("\"a\""), batch()).await;
    let entry = made.expect(201);
    assert_eq!(made.headers["location"], format!("{BATCHES}/{}", entry["id"].as_str().unwrap()));
    assert_eq!((&entry["prefix"], &entry["uses"]), (&json!("BAHAR"), &json!(0)));
    world.wait(5);
    let again = world.post(&staff, BATCHES, Some("a"), batch()).await;
    assert_eq!(
        (again.expect(201), &again.headers["idempotent-replayed"]),
        (entry.clone(), &"true".parse().unwrap())
    );
    let other = world.post(&staff, BATCHES, Some("a"), batch_with(json!({ "count": 11 }))).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused".to_owned()));
    assert_eq!(
        world.post(&staff, BATCHES, None, batch()).await.problem(),
        (400, "idempotency-key-required".to_owned())
    );
    assert_eq!(world.count("SELECT count(*) AS n FROM activation_batch"), 1);
    // Another's key is another one.
    world.post(&world.staff(), BATCHES, Some("a"), batch()).await.expect(201);
    assert_eq!(
        world.get(&staff, &format!("{BATCHES}/{}", entry["id"].as_str().unwrap())).await.expect(200),
        entry
    );
}

#[tokio::test]
async fn a_batch_that_is_none_is_refused_with_its_field() {
    let world = World::new();
    let staff = world.staff();
    let courses = |number: u8| (0..number).map(|n| course(0, n)).collect::<Vec<_>>();
    for (wrong, field) in [
        (json!({ "name": " " }), "name"),
        (json!({ "prefix": "YILBASI" }), "prefix"),
        (json!({ "count": 0 }), "count"),
        (json!({ "count": 100_001 }), "count"),
        (json!({ "uses_per_code": 0 }), "uses_per_code"),
        (json!({ "uses_per_code": 10_001 }), "uses_per_code"),
        (json!({ "ends_at": START }), "ends_at"),
        (json!({ "courses": [] }), "courses"),
        (json!({ "courses": courses(21) }), "courses"),
        (json!({ "courses": [course(0, 1), course(0, 9)] }), "courses"),
        (json!({ "courses": [course(1, 1)] }), "courses"),
        (json!({ "seats": 5 }), "seats"),
    ] {
        let answer = world.post(&staff, BATCHES, Some("x"), batch_with(wrong.clone())).await;
        assert_eq!(answer.field(), field, "{wrong}");
    }
    assert_eq!(world.count("SELECT count(*) AS n FROM activation_batch"), 0);
    assert_eq!(world.count("SELECT count(*) AS n FROM idempotency"), 0);
    assert_eq!(world.count("SELECT count(*) AS n FROM feed_event WHERE kind = 'audited'"), 0);
}

#[tokio::test]
async fn the_export_brings_every_code_once_and_always_the_same() {
    let world = World::new();
    let staff = world.staff();
    let (path, first) = world.make(&staff, batch_with(json!({ "count": 10_005 }))).await;
    assert_eq!(first.len(), 10_000);
    let sheet = world.get(&staff, &format!("{path}/codes.csv?from=9999")).await;
    assert_eq!(sheet.headers["content-type"], "text/csv; charset=utf-8");
    assert!(sheet.text.starts_with("number,code,uses\r\n9999,BAHAR-") && sheet.text.ends_with(",0\r\n"));
    let lines: Vec<Vec<_>> = sheet.text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!((lines.len(), lines[0][1], lines[1][1]), (7, first[9998].as_str(), first[9999].as_str()));
    let codes: BTreeSet<_> =
        first.iter().map(String::as_str).chain(lines.iter().map(|line| line[1])).collect();
    assert_eq!(codes.len(), 10_005);
    for code in codes {
        assert_eq!(code.parse::<ActivationCode>().unwrap().to_string(), code);
    }
    for (query, field) in [
        ("from=0", "from"),
        ("from=10006", "from"),
        ("from=3&to=2", "to"),
        ("to=10001", "to"),
        ("to=x", "to"),
    ] {
        assert_eq!(world.get(&staff, &format!("{path}/codes.csv?{query}")).await.field(), field);
    }
}

#[tokio::test]
async fn batches_come_by_pages_newest_first_and_are_their_academys_own() {
    let world = World::new();
    let staff = world.staff();
    for name in ["bir", "iki", "üç"] {
        world.make(&staff, batch_with(json!({ "name": name }))).await;
        world.wait(1);
    }
    let first = world.get(&staff, &format!("{BATCHES}?limit=2")).await.expect(200);
    let second = format!("{BATCHES}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = world.get(&staff, &second).await.expect(200);
    let names = [&first["data"][0], &first["data"][1], &second["data"][0]].map(|batch| batch["name"].clone());
    assert_eq!(names, [json!("üç"), json!("iki"), json!("bir")]);
    assert_eq!(first["data"][0]["courses"], json!([course(0, 1), course(0, 2)]));
    assert_eq!(second["next_cursor"], Value::Null);

    let path = format!("{BATCHES}/{}", first["data"][0]["id"].as_str().unwrap());
    let other = world.join(1, Role::TenantAdmin);
    assert_eq!(world.get(&other, BATCHES).await.expect(200)["data"], json!([]));
    for path in [path.clone(), format!("{path}/codes.csv"), format!("{path}/uses")] {
        world.get(&other, &path).await.expect(404);
    }
    world.post(&other, &format!("{path}/revocation"), None, Value::Null).await.expect(404);
    world.get(&world.learner(), &path).await.expect(403);
}

#[tokio::test]
async fn what_is_done_with_a_batch_stands_in_the_audit_log_once() {
    let world = World::new();
    let (staff, learner) = (world.staff(), world.learner());
    let (path, codes) = world.make(&staff, batch()).await;
    for _ in 0..2 {
        world.redeem(&learner, &codes[6]).await.expect(200);
        world.post(&staff, &format!("{path}/revocation"), None, Value::Null).await.expect(200);
    }
    let entries: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            EdgeEvent::Audited { action, actor, target, origin, sealed_for, change, .. } => {
                assert!(!origin.is_empty() && sealed_for == actor);
                assert_eq!(target, format!("activation_batch:{}", path.rsplit('/').next().unwrap()));
                Some((action, actor.unwrap(), change.unwrap()["after"].clone()))
            }
            _ => None,
        })
        .collect();
    let made = batch_with(json!({ "prefix": "BAHAR" }));
    assert_eq!(
        entries,
        [
            ("activation_batch.created".to_owned(), staff.id, made),
            ("activation_batch.exported".to_owned(), staff.id, json!({ "from": 1, "to": 10 })),
            ("activation_code.redeemed".to_owned(), learner.id, json!({ "code": 7 })),
            ("activation_batch.revoked".to_owned(), staff.id, json!({ "revoked_at": START })),
        ]
    );
}
