//! What completes a course beyond its lessons one by one, and what its modules wait for.

use akademi_feed::LambdaEvent;
use http::Method;
use serde_json::{Value, json};

use crate::academy::{World, instructor, quiz_lesson, whole_course};

#[tokio::test]
async fn a_course_is_published_with_what_its_modules_want_and_wait_for() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let draft = world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    let mut modules = draft["modules"].clone();
    modules[0]["at_least"] = json!(1);
    modules[1]["opens"] = json!({ "after": [modules[0]["id"]], "from": "2026-10-01", "days": 7 });
    let changed = world.put_content(instructor(1), &course, 2, &modules).await.expect(200);
    assert_eq!(changed["modules"], modules);
    let change = json!({ "revision": 3, "minimum_score": 60 });
    let head = world.call(instructor(1), Method::PATCH, &course, Some(&change)).await.expect(200);
    assert_eq!(head["minimum_score"], 60);
    world.publish(instructor(1), &course).await.expect(200);

    let (mut waits, mut told) = (Vec::new(), Value::Null);
    for (_, event) in world.events().await {
        match event {
            LambdaEvent::LessonPublished { opens, .. } => waits.push(serde_json::to_value(opens).unwrap()),
            LambdaEvent::CoursePublished { outline, .. } => told = serde_json::to_value(outline).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    let opens = &modules[1]["opens"];
    assert_eq!(waits, [Value::Null, Value::Null, opens.clone(), opens.clone()]);
    assert_eq!((&told["minimum_score"], &told["modules"][0]["at_least"]), (&json!(60), &json!(1)));
    assert_eq!(&told["modules"][1]["opens"], opens);

    let change = json!({ "revision": 4, "minimum_score": null });
    let head = world.call(instructor(1), Method::PATCH, &course, Some(&change)).await.expect(200);
    assert_eq!(head["minimum_score"], Value::Null);
}

#[tokio::test]
async fn what_nobody_could_fulfil_or_reach_is_refused_by_its_path() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let draft = world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    let modules = &draft["modules"];
    let (first, second) = (&modules[0]["id"], &modules[1]["id"]);
    let cases = [
        (0, "at_least", json!(0), "modules[0].at_least"),
        (0, "at_least", json!(3), "modules[0].at_least"),
        (0, "opens", json!({ "after": [second] }), "modules[0].opens.after[0]"),
        (1, "opens", json!({ "after": [second] }), "modules[1].opens.after[0]"),
        (1, "opens", json!({ "after": [first, first] }), "modules[1].opens.after[1]"),
        (1, "opens", json!({ "days": 3651 }), "modules[1].opens.days"),
        (1, "opens", json!({ "from": "2026-02-30" }), "modules[1].opens.from"),
        (1, "opens", json!({ "on": "2026-02-03" }), "modules[1].opens.on"),
    ];
    for (module, field, value, path) in cases {
        let mut wrong = modules.clone();
        wrong[module][field] = value;
        let answer = world.put_content(instructor(1), &course, 2, &wrong).await;
        assert_eq!((answer.status.as_u16(), answer.problem().1), (422, vec![path]), "{field}");
    }
    let mut wrong = modules.clone();
    let mut quiz = quiz_lesson("Sına");
    quiz["requirement"] = json!({ "rule": "opened_for", "seconds": 60 });
    wrong[0]["sections"][0]["lessons"] = json!([quiz]);
    let answer = world.put_content(instructor(1), &course, 2, &wrong).await;
    assert_eq!(answer.problem().1, ["modules[0].sections[0].lessons[0].requirement"]);
    for percent in [0, 101] {
        let change = json!({ "revision": 2, "minimum_score": percent });
        let answer = world.call(instructor(1), Method::PATCH, &course, Some(&change)).await;
        assert_eq!(answer.problem().1, ["minimum_score"]);
    }
    assert_eq!(world.get(instructor(1), &course).await.expect(200), draft, "nothing was written");
}
