//! A draft's content.

use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::academy::{World, html_lesson, instructor, modules, quiz_lesson, whole_course};

/// Without the ids that the function gave, and with the fields that may be left out.
fn without_ids(modules: &Value) -> Value {
    let mut modules = modules.clone();
    for module in modules.as_array_mut().unwrap() {
        module.as_object_mut().unwrap().remove("id").unwrap();
        for section in module["sections"].as_array_mut().unwrap() {
            section.as_object_mut().unwrap().remove("id").unwrap();
            for lesson in section["lessons"].as_array_mut().unwrap() {
                let lesson = lesson.as_object_mut().unwrap();
                lesson.remove("id").unwrap();
                lesson.retain(|_, value| !value.is_null());
            }
        }
    }
    modules
}

fn lessons(draft: &Value) -> Vec<&Value> {
    let sections =
        draft["modules"].as_array().unwrap().iter().flat_map(|m| m["sections"].as_array().unwrap());
    sections.flat_map(|section| section["lessons"].as_array().unwrap()).collect()
}

#[tokio::test]
async fn content_comes_back_as_it_was_sent_with_ids() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let draft = world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    assert_eq!(draft["revision"], 2);
    assert_eq!(without_ids(&draft["modules"]), whole_course());
    let ids: BTreeSet<_> = lessons(&draft).iter().map(|lesson| lesson["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 4);
    let read = world.get(instructor(1), &course).await;
    assert_eq!(read.headers["etag"], "\"2-0\"");
    assert_eq!(read.expect(200), draft);
}

#[tokio::test]
async fn a_lesson_keeps_its_id_wherever_it_goes_and_only_changed_bodies_are_written() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let draft = world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    let rows = |lines: Vec<String>| -> BTreeSet<_> {
        lines.into_iter().filter(|line| line.starts_with("lesson")).collect()
    };
    let before = rows(world.everything().await);

    // The quiz goes to the front under another title, the document goes, a lesson comes.
    let mut modules = draft["modules"].clone();
    let mut quiz = modules[1]["sections"][0]["lessons"][1].take();
    quiz["title"] = json!("Önce sına");
    modules[1]["sections"][0]["lessons"] = json!([html_lesson("Yeni", "yeni")]);
    modules[0]["sections"][0]["lessons"].as_array_mut().unwrap().insert(0, quiz.clone());
    let changed = world.put_content(instructor(1), &course, 2, &modules).await.expect(200);
    let (old, new) = (lessons(&draft), lessons(&changed));
    assert_eq!(new[0], &quiz);
    assert_eq!(new[1..3], old[0..2]);
    assert!(old.iter().all(|lesson| lesson["id"] != new[3]["id"]));
    let after = rows(world.everything().await);
    assert_eq!(
        after.intersection(&before).count(),
        3,
        "the rows of lessons that stayed are not written again"
    );
    assert_eq!(after.len(), 4);

    // An id is good while its lesson is in the draft.
    let gone = world.put_content(instructor(1), &course, 3, &draft["modules"]).await;
    assert_eq!((gone.status.as_u16(), gone.problem().1), (422, vec!["modules[1].sections[0].lessons[0].id"]));
}

#[tokio::test]
async fn hostile_html_is_stored_and_answered_without_what_acts() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let hostile = "ok<script>evil()</script><img src=\"/files/a.png\" onerror=\"evil()\"><a href=\"javascript:evil()\">x</a>";
    let mut quiz = quiz_lesson("Sına");
    quiz["body"]["quiz"]["introduction"] = json!(hostile);
    quiz["body"]["quiz"]["questions"][0]["prompt"] = json!(hostile);
    quiz["body"]["quiz"]["questions"][0]["form"]["choices"][1]["label"] = json!(hostile);
    quiz["answers"]["explanation"] = json!(hostile);
    let sent = modules(&[html_lesson("Oku", hostile), quiz]);
    let draft = world.put_content(instructor(1), &course, 1, &sent).await.expect(200);
    let clean = "ok<img src=\"/files/a.png\"><a rel=\"noopener noreferrer\">x</a>";
    let (html, quiz) = (lessons(&draft)[0], lessons(&draft)[1]);
    assert_eq!(html["body"]["html"], clean);
    assert_eq!(quiz["body"]["quiz"]["introduction"], clean);
    assert_eq!(quiz["body"]["quiz"]["questions"][0]["prompt"], clean);
    assert_eq!(quiz["body"]["quiz"]["questions"][0]["form"]["choices"][1]["label"], clean);
    assert_eq!(quiz["answers"]["explanation"], clean);

    // Also where a lesson that is there already is changed.
    let mut again = draft["modules"].clone();
    again[0]["sections"][0]["lessons"][0]["body"]["html"] = json!(format!("{clean}<script>evil()</script>"));
    world.put_content(instructor(1), &course, 2, &again).await.expect(200);
    world.publish(instructor(1), &course).await.expect(200);
    let everything = world.everything().await.concat();
    for sign in ["evil", "script", "onerror"] {
        assert!(!everything.contains(sign), "{sign}");
    }
}

#[tokio::test]
async fn of_two_contents_of_one_revision_one_is_refused() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let contents = ["bir", "iki"].map(|html| modules(&[html_lesson("Oku", html)]));
    let answers =
        join_all(contents.iter().map(|modules| world.put_content(instructor(1), &course, 1, modules))).await;
    let statuses: BTreeSet<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, BTreeSet::from([200, 409]));
    let draft = world.get(instructor(1), &course).await.expect(200);
    assert_eq!((lessons(&draft).len(), &draft["revision"]), (1, &json!(2)));
}
