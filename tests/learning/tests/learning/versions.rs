//! A course is published again while somebody learns it.

use akademi_domain::{
    course::{
        CourseOutline, Html, LessonBody, LessonKind, LessonOutline, ModuleOutline, Requirement,
        SectionOutline,
    },
    ids::{ModuleId, SectionId},
};
use akademi_feed::LambdaEvent;
use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    staff::lesson_id,
    world::{HEARTBEATS, MADE, World, course, played},
};

/// Texts: the first and the third are done by opening them, the second by reading it for a minute, as the fourth is.
fn requirement(number: u8) -> Requirement {
    if number.is_multiple_of(2) {
        Requirement::OpenedFor { seconds: 60.try_into().unwrap() }
    } else {
        Requirement::Opened
    }
}

/// Publishes a version whose modules hold these lessons.
fn publish(world: &mut World, version: i64, modules: &[&[u8]]) {
    for number in modules.iter().copied().flatten() {
        world.apply(&LambdaEvent::LessonPublished {
            course: course(),
            version,
            lesson: lesson_id(*number),
            title: "Işık".into(),
            duration_seconds: None,
            requirement: Some(requirement(*number)),
            opens: None,
            body: LessonBody::Html { html: Html::sanitised("<p>Işık</p>".into()) },
            answers: None,
            words: String::new(),
        });
    }
    let lesson = |number: &u8| LessonOutline {
        id: lesson_id(*number),
        title: "Işık".parse().unwrap(),
        kind: LessonKind::Html,
        duration_seconds: None,
        requirement: Some(requirement(*number)),
    };
    let module = |(number, lessons): (u8, &&[u8])| ModuleOutline {
        id: ModuleId::new(MADE, [number; 10]),
        title: "Bölüm".parse().unwrap(),
        at_least: None,
        opens: None,
        sections: vec![SectionOutline {
            id: SectionId::new(MADE, [number; 10]),
            title: "Giriş".parse().unwrap(),
            lessons: lessons.iter().map(lesson).collect(),
        }],
    };
    let outline = CourseOutline {
        id: course(),
        slug: "isik".parse().unwrap(),
        title: "Işık".parse().unwrap(),
        language: None,
        minimum_score: None,
        pictures: Default::default(),
        modules: (1..).zip(modules).map(module).collect(),
    };
    let summary = String::new();
    world.apply(&LambdaEvent::CoursePublished { version, summary, outline, owner: None, at: MADE });
}

fn open(world: &World, here: &Router, number: u8) -> StatusCode {
    let path = format!("/api/v1/learning/courses/{}/lessons/{}/opening", course(), lesson_id(number));
    world.ask(here, 1, Method::POST, &path, json!({})).0
}

/// A text that is read from second `from` to second `to`: the seconds that it was read for.
fn read(world: &World, here: &Router, number: u8, from: u32, to: u32) -> Value {
    let mut body = played(1, from, to);
    body["lesson"] = json!(lesson_id(number));
    world.ask(here, 1, Method::POST, HEARTBEATS, body).1["watched_seconds"].clone()
}

/// Lessons that are done, those that are required, and whether the course was completed.
fn standing(world: &World, here: &Router) -> (Value, Value, bool) {
    let path = format!("/api/v1/progress/courses/{}", course());
    let page = world.ask(here, 1, Method::GET, &path, Value::Null).1;
    let completion = &page["completion"];
    let is_done = !page["completed_at"].is_null();
    (completion["fulfilled_lessons"].clone(), completion["required_lessons"].clone(), is_done)
}

#[test]
fn a_learner_in_the_middle_of_a_course_keeps_what_they_did_through_its_versions() {
    let mut world = World::new();
    let here = world.instance();
    publish(&mut world, 2, &[&[1, 2], &[3]]);
    assert_eq!(open(&world, &here, 1), StatusCode::OK);
    read(&world, &here, 2, 0, 0);
    world.pass(30);
    assert_eq!(read(&world, &here, 2, 0, 30), 30);
    assert_eq!(open(&world, &here, 3), StatusCode::OK);
    assert_eq!(standing(&world, &here), (json!(2), json!(3), false));

    // The second lesson moves to the front of another module, the third goes, a fourth comes.
    publish(&mut world, 3, &[&[2], &[1, 4]]);
    assert_eq!(standing(&world, &here), (json!(1), json!(3), false));
    assert_eq!(open(&world, &here, 3), StatusCode::NOT_FOUND);
    world.pass(10);
    assert_eq!(read(&world, &here, 2, 30, 40), 40, "it goes on where it was");
    read(&world, &here, 4, 0, 0);
    world.pass(10);
    assert_eq!(read(&world, &here, 4, 0, 10), 10);

    // The first version again, with its lessons: what was done in the third one counts.
    publish(&mut world, 4, &[&[1, 2], &[3]]);
    assert_eq!(standing(&world, &here), (json!(2), json!(3), false));
    world.pass(20);
    assert_eq!(read(&world, &here, 2, 40, 60), 60);
    assert_eq!(standing(&world, &here), (json!(3), json!(3), true));

    // Once completed it stays so, whatever a later version requires.
    publish(&mut world, 5, &[&[1, 2], &[3, 4]]);
    assert_eq!(standing(&world, &here), (json!(3), json!(4), true));
    world.pass(50);
    assert_eq!(read(&world, &here, 4, 10, 60), 60);
    assert_eq!(standing(&world, &here), (json!(4), json!(4), true));
    assert_eq!(world.count("SELECT count(*) FROM feed_event WHERE kind = 'course_completed'"), 1);
}
