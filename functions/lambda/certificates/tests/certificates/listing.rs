//! The list that staff see.

use serde_json::{Value, json};

use crate::academy::{NAME, TITLE, World, course, learner, person, staff};

fn serials(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|found| found["serial"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn staff_see_who_holds_what_newest_first() {
    let world = World::new().await;
    let first = world.complete(1, 1, 1).await;
    world.clock.advance_seconds(60);
    let second = world.complete(1, 2, 1).await;
    let page = world.get(staff(1), "/api/v1/certificates").await.expect(200);
    assert_eq!(serials(&page), [&second, &first]);
    assert_eq!(page["next_cursor"], Value::Null);
    assert_eq!(
        page["data"][1],
        json!({
            "serial": first,
            "person": person(1),
            "holder": NAME,
            "course": { "id": course(1), "title": TITLE },
            "completed_at": "2026-09-21T14:13:20Z",
            "issued_at": "2026-09-21T14:13:20Z",
            "revoked_at": null,
            "revocation_reason": null,
        })
    );
}

#[tokio::test]
async fn pages_follow_one_another_without_gap_or_repeat_and_may_be_of_one_course() {
    let world = World::new().await;
    world.add_course(1, 2, "Deniz").await;
    let mut made = Vec::new();
    for (user, of) in [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2)] {
        // Some at the same moment.
        world.clock.advance_seconds(i64::from(of) - 1);
        made.push((world.complete(1, user, of).await, of));
    }
    for (filter, only) in [(String::new(), None), (format!("&course_id={}", course(1)), Some(1))] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let target = format!("/api/v1/certificates?limit=2{filter}{cursor}");
            let page = world.get(staff(1), &target).await.expect(200);
            seen.extend(serials(&page).into_iter().map(str::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut expected: Vec<_> = made
            .iter()
            .filter(|(_, of)| only.is_none_or(|only| only == *of))
            .map(|(serial, _)| serial)
            .collect();
        assert_eq!(seen.len(), expected.len());
        seen.sort();
        expected.sort();
        assert!(seen.iter().eq(expected), "{seen:?}");
    }
}

#[tokio::test]
async fn the_name_of_somebody_erased_is_gone_from_the_list() {
    let world = World::new().await;
    world.complete(1, 1, 1).await;
    world.erase(1, person(1)).await;
    // And of somebody who was erased before the completion arrived.
    world.erase(1, person(2)).await;
    world.complete(1, 2, 1).await;
    let page = world.get(staff(1), "/api/v1/certificates").await.expect(200);
    let holders: Vec<_> = page["data"].as_array().unwrap().iter().map(|found| &found["holder"]).collect();
    assert_eq!(holders, [&Value::Null, &Value::Null]);
}

#[tokio::test]
async fn one_name_that_does_not_open_is_missing_from_its_row_alone_and_told_to_the_log() {
    let world = World::new().await;
    let broken = world.complete(1, 1, 1).await;
    world.complete(1, 2, 1).await;
    let unseal =
        format!("UPDATE certificate SET sealed_holder = '\\x00' WHERE serial = '{broken}' RETURNING 'x'");
    world.text(&unseal).await;
    let page = world.get(staff(1), "/api/v1/certificates").await.expect(200);
    for found in page["data"].as_array().unwrap() {
        let expected = if found["serial"] == broken { Value::Null } else { json!(NAME) };
        assert_eq!(found["holder"], expected, "{page}");
    }
    let log = world.log.0.lock().unwrap();
    let errors: Vec<Value> = log
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["level"] == "error")
        .collect();
    assert_eq!(errors.len(), 1, "{log:?}");
    assert_eq!(errors[0]["function"], "certificates");
    assert!(errors[0]["cause"].as_str().unwrap().contains(&person(1).to_string()), "{errors:?}");
}

#[tokio::test]
async fn only_staff_list_and_only_what_their_academy_issued() {
    let world = World::new().await;
    let ours = world.complete(1, 1, 1).await;
    let theirs = world.complete(2, 1, 1).await;
    assert_eq!(serials(&world.get(staff(1), "/api/v1/certificates").await.expect(200)), [&ours]);
    assert_eq!(serials(&world.get(staff(2), "/api/v1/certificates").await.expect(200)), [&theirs]);
    assert_eq!(world.get(learner(1), "/api/v1/certificates").await.problem(), (403, "forbidden".into()));
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let world = World::new().await;
    for query in ["limit=0", "limit=101", "cursor=x", "cursor=NTpmZg", "course_id=1", "learner=1"] {
        let answer = world.get(staff(1), &format!("/api/v1/certificates?{query}")).await.expect(422);
        let field = query.split_once('=').unwrap().0;
        // serde names an unknown field in its message.
        assert!(answer["errors"].to_string().contains(field), "{query}: {answer}");
    }
}
