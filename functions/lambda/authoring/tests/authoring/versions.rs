//! What was published is kept, and can be put back into the draft.

use akademi_feed::LambdaEvent;
use http::Method;
use serde_json::{Value, json};

use crate::academy::{World, administrator, html_lesson, instructor, modules, whole_course};

async fn restore(world: &World, course: &str, version: i64, revision: i64) -> crate::academy::Answer {
    let path = format!("{course}/versions/{version}/restore");
    world.call(instructor(1), Method::POST, &path, Some(&json!({ "revision": revision }))).await
}

/// A course of three versions: the whole course, the same with one lesson of it under another title, and one new lesson.
async fn published_thrice(world: &World) -> (String, Value, Value) {
    let (course, _) = world.create(instructor(1), "Işık").await;
    let about = json!({ "revision": 1, "summary": "Bir ders", "language": "tr", "minimum_score": 60 });
    world.call(instructor(1), Method::PATCH, &course, Some(&about)).await.expect(200);
    let first = world.put_content(instructor(1), &course, 2, &whole_course()).await.expect(200);
    world.publish(instructor(1), &course).await.expect(200);
    world.pass_seconds(60);
    let mut again = modules(&[first["modules"][0]["sections"][0]["lessons"][0].clone()]);
    again[0]["sections"][0]["lessons"][0]["title"] = json!("Yeniden oku");
    world.put_content(instructor(1), &course, 3, &again).await.expect(200);
    world.publish(administrator(1), &course).await.expect(200);
    world.pass_seconds(60);
    let about =
        json!({ "revision": 4, "title": "Gölge", "summary": "", "language": null, "minimum_score": null });
    world.call(instructor(1), Method::PATCH, &course, Some(&about)).await.expect(200);
    let third = world
        .put_content(instructor(1), &course, 5, &modules(&[html_lesson("Yeni", "yeni")]))
        .await
        .expect(200);
    world.publish(instructor(1), &course).await.expect(200);
    (course, first, third)
}

#[tokio::test]
async fn versions_are_listed_newest_first_and_read_as_they_were() {
    let world = World::new().await;
    let (course, first, third) = published_thrice(&world).await;
    let user = instructor(1).user;
    let head = |version: i64, title: &str, minute: i64| {
        json!({ "version": version, "title": title, "published_by": user,
            "published_at": crate::academy::NOW.plus_seconds(60 * minute) })
    };
    let list = world.get(instructor(1), &format!("{course}/versions")).await.expect(200);
    let all = [head(3, "Gölge", 2), head(2, "Işık", 1), head(1, "Işık", 0)];
    assert_eq!(list, json!({ "data": all, "next_cursor": null }));
    let page = world.get(instructor(1), &format!("{course}/versions?limit=2")).await.expect(200);
    assert_eq!(page["data"], json!(all[..2]));
    let next = format!("{course}/versions?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(world.get(instructor(1), &next).await.expect(200)["data"], json!(all[2..]));

    let mut whole = all[2].clone();
    for (field, value) in [
        ("slug", json!("isik")),
        ("summary", json!("Bir ders")),
        ("language", json!("tr")),
        ("minimum_score", json!(60)),
        ("modules", first["modules"].clone()),
    ] {
        whole[field] = value;
    }
    assert_eq!(world.get(instructor(1), &format!("{course}/versions/1")).await.expect(200), whole);
    let second = world.get(instructor(1), &format!("{course}/versions/2")).await.expect(200);
    let lesson = &second["modules"][0]["sections"][0]["lessons"][0];
    let before = &first["modules"][0]["sections"][0]["lessons"][0];
    assert_eq!((&lesson["id"], &lesson["body"]), (&before["id"], &before["body"]));
    assert_eq!(lesson["title"], "Yeniden oku");
    let newest = world.get(instructor(1), &format!("{course}/versions/3")).await.expect(200);
    assert_eq!((&newest["modules"], &newest["title"]), (&third["modules"], &json!("Gölge")));
}

#[tokio::test]
async fn a_version_that_is_put_back_and_published_is_the_same_lessons_again() {
    let world = World::new().await;
    let (course, first, _) = published_thrice(&world).await;
    let before = world.events().await;
    let restored = restore(&world, &course, 1, 6).await.expect(200);
    for field in ["title", "summary", "language", "minimum_score", "modules"] {
        assert_eq!(restored[field], first[field], "{field}");
    }
    assert_eq!((&restored["slug"], &restored["version"]), (&json!("isik"), &json!(3)));
    assert_eq!(world.get(instructor(1), &course).await.expect(200), restored);
    assert_eq!(world.events().await.len(), before.len(), "learners see it once it is published");

    assert_eq!(world.publish(instructor(1), &course).await.expect(200), json!({ "version": 4 }));
    let events = world.events().await;
    let as_first = |(_, event): &(_, LambdaEvent)| {
        let mut event = event.clone();
        match &mut event {
            LambdaEvent::LessonPublished { version, .. } => *version = 1,
            LambdaEvent::CoursePublished { version, at, .. } => (*version, *at) = (1, crate::academy::NOW),
            other => panic!("{other:?}"),
        }
        event
    };
    let again: Vec<_> = events[before.len()..].iter().map(as_first).collect();
    assert_eq!(again, before[..5].iter().map(|(_, event)| event.clone()).collect::<Vec<_>>());
    assert_eq!(
        world.get(instructor(1), &format!("{course}/versions/3")).await.expect(200)["title"],
        "Gölge",
        "what came between is still there"
    );
}

#[tokio::test]
async fn only_the_own_kept_versions_are_put_back_and_only_into_the_draft_that_was_seen() {
    let world = World::new().await;
    let (course, _, _) = published_thrice(&world).await;
    let draft = world.get(instructor(1), &course).await.expect(200);
    let stale = restore(&world, &course, 1, 5).await;
    assert_eq!((stale.status.as_u16(), stale.problem().0), (409, "conflict"), "{}", stale.body);
    for version in [0, 4, -1] {
        assert_eq!(restore(&world, &course, version, 6).await.status.as_u16(), 404, "{version}");
    }
    let colleague = crate::academy::Person { user: instructor(9).user, ..instructor(1) };
    for person in [colleague, instructor(2)] {
        for path in ["versions", "versions/1"] {
            world.get(person, &format!("{course}/{path}")).await.expect(404);
        }
        let body = json!({ "revision": 6 });
        let path = format!("{course}/versions/1/restore");
        world.call(person, Method::POST, &path, Some(&body)).await.expect(404);
    }
    assert_eq!(world.get(instructor(1), &course).await.expect(200), draft, "nothing was written");
}

#[tokio::test]
async fn the_newest_fifty_versions_are_kept_and_what_lessons_held_goes_with_the_last_that_had_it() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let mut draft = world
        .put_content(
            instructor(1),
            &course,
            1,
            &modules(&[html_lesson("Kalır", "kalır"), html_lesson("Değişir", "d1")]),
        )
        .await
        .expect(200);
    for version in 1..=52 {
        let html = format!("d{version}");
        draft["modules"][0]["sections"][0]["lessons"][1]["body"]["html"] = json!(html);
        world.put_content(instructor(1), &course, version + 1, &draft["modules"]).await.expect(200);
        world.publish(instructor(1), &course).await.expect(200);
    }
    let kept = |lines: Vec<String>, kind: &str| lines.iter().filter(|line| line.starts_with(kind)).count();
    let everything = world.everything().await;
    assert_eq!(kept(everything.clone(), "publication"), 50);
    assert_eq!(kept(everything, "published"), 1 + 50);
    for version in [1, 2] {
        world.get(instructor(1), &format!("{course}/versions/{version}")).await.expect(404);
    }
    for version in [3, 52] {
        let read = world.get(instructor(1), &format!("{course}/versions/{version}")).await.expect(200);
        let lessons = &read["modules"][0]["sections"][0]["lessons"];
        assert_eq!(lessons[0]["body"]["html"], "kalır");
        assert_eq!(lessons[1]["body"]["html"], format!("d{version}"));
    }
}
