//! Searching the log.

use akademi_domain::permission::{Permissions, Role};
use serde_json::json;

use crate::world::{ADDRESS, Who, World, auditor, person, tenant};

async fn world() -> World {
    let world = World::new().await;
    world.add(1, 0, 1, "course.created", "course:1").await;
    world.add(1, 60, 2, "price.set", "course:1").await;
    world.add(1, 120, 1, "price.set", "course:2").await;
    // Of the edge, and late.
    world.add(1, 30, 1, "role.granted", "person:2").await;
    world.add(2, 0, 1, "price.set", "course:1").await;
    world
}

#[tokio::test]
async fn the_newest_come_first_and_every_parameter_must_fit() {
    let world = world().await;
    let actor = format!("?actor={}", person(1));
    for (query, numbers) in [
        ("", &[3, 2, 4, 1][..]),
        ("?action=price.set", &[3, 2]),
        (actor.as_str(), &[3, 4, 1]),
        ("?target=course:1", &[2, 1]),
        ("?target=course:1&action=price.set", &[2]),
        ("?from=2026-09-21T14:13:50Z", &[3, 2, 4]),
        ("?to=2026-09-21T14:13:50Z", &[1]),
        ("?from=2026-09-21T14:13:50Z&to=2026-09-21T14:15:20Z&action=price.set", &[2]),
        ("?action=price", &[]),
    ] {
        assert_eq!(world.numbers(auditor(1), query).await, numbers, "{query}");
    }
    assert_eq!(world.numbers(auditor(2), "").await, [1]);
    assert_eq!(world.numbers(auditor(3), "").await, [0; 0]);
}

#[tokio::test]
async fn an_entry_tells_who_did_what_from_where_and_what_changed() {
    let world = world().await;
    let page = world.get(auditor(1), "/api/v1/audit?target=course:2").await.expect(200);
    let entry = &page["data"][0];
    assert_eq!(
        (&entry["number"], &entry["at"], &entry["action"], &entry["actor"], &entry["target"]),
        (
            &json!(3),
            &json!("2026-09-21T14:15:20Z"),
            &json!("price.set"),
            &json!(person(1)),
            &json!("course:2")
        )
    );
    assert_eq!(entry["origin"], json!({ "address": ADDRESS, "device": "Firefox", "country": null }));
    assert_eq!(entry["change"], json!({ "before": { "title": "Işık" }, "after": { "title": "a,\"b\"" } }));
}

#[tokio::test]
async fn from_where_goes_with_the_person_and_the_rest_stays() {
    let world = world().await;
    world.execute(&format!("DELETE FROM person_key WHERE user_id = '{}'", person(1))).await;
    let page = world.get(auditor(1), "/api/v1/audit").await.expect(200);
    let origins: Vec<bool> = page["data"].as_array().unwrap().iter().map(|e| e["origin"].is_null()).collect();
    assert_eq!(origins, [true, false, true, true]);
    assert!(!world.get(auditor(1), "/api/v1/audit.csv?target=course:2").await.text.contains(ADDRESS));
    assert!(world.get(auditor(1), "/api/v1/audit.csv?target=course:1").await.text.contains(ADDRESS));
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let world = world().await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(auditor(1), &format!("/api/v1/audit?limit=2{cursor}")).await.expect(200);
        seen.extend(page["data"].as_array().unwrap().iter().map(|entry| entry["number"].as_i64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [3, 2, 4, 1]);
}

#[tokio::test]
async fn only_who_may_read_it_does_and_bad_input_is_refused_by_field() {
    let world = world().await;
    let stranger = Who { tenant: tenant(1), permissions: Permissions::NONE };
    let instructor = Who { permissions: Role::Instructor.permissions(), ..stranger };
    for path in ["/api/v1/audit", "/api/v1/audit.csv"] {
        for who in [stranger, instructor] {
            world.get(who, path).await.expect(403);
        }
        let long = format!("target={}", "a".repeat(201));
        for (query, field) in [
            ("actor=x", "actor"),
            ("from=yesterday", "from"),
            ("from=2026-09-21T14:13:50Z&to=2026-09-21T14:13:50Z", "to"),
            ("action=", "action"),
            ("action=a%00b", "action"),
            (&long, "target"),
            ("user=1", "user"),
        ] {
            let answer = world.get(auditor(1), &format!("{path}?{query}")).await.expect(422);
            assert!(answer["errors"][0].to_string().contains(field), "{path}?{query}: {answer}");
        }
    }
    for query in ["limit=0", "limit=101", "cursor=x"] {
        world.get(auditor(1), &format!("/api/v1/audit?{query}")).await.expect(422);
    }
    assert_eq!(world.numbers(auditor(1), "").await.len(), 4, "a refused export is no entry");
}
