//! Live classes and assignments.

use akademi_feed::LambdaEvent;
use serde_json::{Value, json};

use crate::academy::{World, html_lesson, instructor, modules};

fn live_lesson(title: &str) -> Value {
    json!({ "title": title, "requirement": { "rule": "attended" }, "body": {
        "kind": "live", "description": "<p>Sorularınızı <b>getirin</b></p>", "starts_at": "2026-10-05T16:00:00Z",
        "duration_minutes": 90, "seats": 30,
    } })
}

fn assignment_lesson(title: &str) -> Value {
    json!({ "title": title, "requirement": { "rule": "accepted" }, "body": {
        "kind": "assignment", "instructions": "<p>Bir <i>prizma</i> çizin</p>", "due_at": "2026-10-12T20:59:59Z",
        "max_points": 20,
        "submission": { "text": true, "files": { "at_most": 2, "content_types": ["application/pdf", "image/png"] } },
    } })
}

/// The lessons of the only section.
fn lessons(draft: &Value) -> &Vec<Value> {
    draft["modules"][0]["sections"][0]["lessons"].as_array().unwrap()
}

#[tokio::test]
async fn live_classes_and_assignments_are_written_published_and_found_like_other_lessons() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let mut open_end = assignment_lesson("Anlat");
    open_end["body"]["due_at"] = Value::Null;
    open_end["body"]["submission"] = json!({ "text": true, "files": null });
    let mut open_door = live_lesson("Tanış");
    open_door["requirement"] = json!({ "rule": "opened" });
    open_door["body"]["seats"] = Value::Null;
    let sent = [live_lesson("Buluş"), assignment_lesson("Çiz"), open_end, open_door];
    let draft = world.put_content(instructor(1), &course, 1, &modules(&sent)).await.expect(200);
    for (sent, kept) in sent.iter().zip(lessons(&draft)) {
        assert_eq!((&sent["body"], &sent["requirement"]), (&kept["body"], &kept["requirement"]));
    }
    assert_eq!(world.get(instructor(1), &course).await.expect(200)["modules"], draft["modules"]);

    world.publish(instructor(1), &course).await.expect(200);
    let mut events = world.events().await;
    let Some((_, LambdaEvent::CoursePublished { outline, .. })) = events.pop() else { panic!("{events:?}") };
    let kinds: Vec<_> = outline.lessons().map(|lesson| lesson.kind.name()).collect();
    assert_eq!(kinds, ["live", "assignment", "assignment", "live"]);
    let words = ["Sorularınızı getirin", "Bir prizma çizin", "Bir prizma çizin", "Sorularınızı getirin"];
    for ((sent, expected), (_, event)) in sent.iter().zip(words).zip(&events) {
        let LambdaEvent::LessonPublished { body, words, .. } = event else { panic!("{event:?}") };
        assert_eq!((json!(body), words.as_str()), (sent["body"].clone(), expected));
    }
}

#[tokio::test]
async fn their_html_is_sanitised() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let hostile = "ok<script>evil()</script><img src=\"/files/a.png\" onerror=\"evil()\">";
    let (mut live, mut assignment) = (live_lesson("Buluş"), assignment_lesson("Çiz"));
    live["body"]["description"] = json!(hostile);
    assignment["body"]["instructions"] = json!(hostile);
    let draft = world.put_content(instructor(1), &course, 1, &modules(&[live, assignment])).await.expect(200);
    let clean = "ok<img src=\"/files/a.png\">";
    assert_eq!(lessons(&draft)[0]["body"]["description"], clean);
    assert_eq!(lessons(&draft)[1]["body"]["instructions"], clean);
}

#[tokio::test]
async fn what_they_may_not_be_is_refused_by_its_path() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let (live, assignment) = (live_lesson("Buluş"), assignment_lesson("Çiz"));
    let youtube = json!({ "title": "İzle", "body": { "kind": "video", "source": { "from": "youtube", "id": "aqz-KE-bpKQ" },
        "start_seconds": null, "end_seconds": null, "subtitles": [] } });
    let files = |at_most: i64, content_types: Value| json!({ "text": false, "files": { "at_most": at_most, "content_types": content_types } });
    let pdf = "application/pdf";
    let cases = [
        // Nobody hands out what lies at YouTube.
        (&youtube, "delivery_bound", json!(true), "delivery_bound"),
        (&live, "duration_minutes", json!(0), "duration_minutes"),
        (&live, "duration_minutes", json!(1441), "duration_minutes"),
        (&live, "seats", json!(0), "seats"),
        (&assignment, "max_points", json!(0), "max_points"),
        (&assignment, "max_points", json!(10_001), "max_points"),
        (&assignment, "submission", json!({ "text": false, "files": null }), "submission"),
        (&assignment, "submission", files(0, json!([pdf])), "submission.files.at_most"),
        (&assignment, "submission", files(21, json!([pdf])), "submission.files.at_most"),
        (&assignment, "submission", files(1, json!([])), "submission.files.content_types"),
        (&assignment, "submission", files(1, json!([pdf, pdf])), "submission.files.content_types[1]"),
        (&assignment, "submission", files(1, json!(["text/html"])), "submission.files.content_types[0]"),
        (&assignment, "submission", files(1, json!(["video/mp4"])), "submission.files.content_types[0]"),
    ];
    for (lesson, field, value, path) in cases {
        let mut wrong = lesson.clone();
        wrong["body"][field] = value.clone();
        let answer = world.put_content(instructor(1), &course, 1, &modules(&[wrong])).await;
        let path = format!("modules[0].sections[0].lessons[0].body.{path}");
        assert_eq!((answer.status.as_u16(), answer.problem().1), (422, vec![path.as_str()]), "{value}");
    }
    for (lesson, field, value) in [
        (&live, "starts_at", json!("yarın")),
        (&assignment, "due_at", json!("2026-02-30T10:00:00Z")),
        (&assignment, "max_points", json!(-1)),
    ] {
        let mut wrong = lesson.clone();
        wrong["body"][field] = value.clone();
        let answer = world.put_content(instructor(1), &course, 1, &modules(&[wrong])).await;
        assert_eq!(answer.status.as_u16(), 422, "{value}: {}", answer.body);
    }
    // What staff says is for these kinds, each for its own.
    for (lesson, rule) in [
        (&live, "accepted"),
        (&assignment, "attended"),
        (&html_lesson("Oku", "x"), "attended"),
        (&html_lesson("Oku", "x"), "accepted"),
    ] {
        let mut wrong = lesson.clone();
        wrong["requirement"] = json!({ "rule": rule });
        let answer = world.put_content(instructor(1), &course, 1, &modules(&[wrong])).await;
        assert_eq!(answer.problem().1, ["modules[0].sections[0].lessons[0].requirement"], "{rule}");
    }
    assert_eq!(world.get(instructor(1), &course).await.expect(200)["revision"], 1, "nothing was written");
}
