//! Modules that open on a date, some days after the enrolment, or after other modules; texts that have to be read for a time.

use crate::world::{GATE, HEARTBEATS, MADE, World, course, played};
use akademi_domain::{
    course::{
        CourseOutline, Html, LessonBody, LessonKind, LessonOutline, ModuleOutline, Requirement,
        SectionOutline, opening::Opening,
    },
    ids::{LessonId, ModuleId, SectionId},
};
use akademi_feed::LambdaEvent;
use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};

const DAY: i64 = 24 * 3600;

/// A module and its only lesson have the same number.
fn module(number: u8) -> ModuleId {
    ModuleId::new(MADE, [number; 10])
}

fn lesson(number: u8) -> LessonId {
    LessonId::new(MADE, [number; 10])
}

fn read_for(seconds: u32) -> Requirement {
    Requirement::OpenedFor { seconds: seconds.try_into().unwrap() }
}

/// Publishes a course of texts, each in a module of its own.
fn publish(world: &mut World, version: i64, modules: &[(Option<Opening>, Requirement)]) {
    let mut outlines = Vec::new();
    for (number, (opens, requirement)) in (1..).zip(modules) {
        world.apply(&LambdaEvent::LessonPublished {
            course: course(),
            version,
            lesson: lesson(number),
            title: "Işık".into(),
            duration_seconds: None,
            requirement: Some(*requirement),
            opens: opens.clone(),
            body: LessonBody::Html { html: Html::sanitised("<p>Işık</p>".into()) },
            answers: None,
            words: String::new(),
        });
        let outline = LessonOutline {
            id: lesson(number),
            title: "Işık".parse().unwrap(),
            kind: LessonKind::Html,
            duration_seconds: None,
            requirement: Some(*requirement),
        };
        outlines.push(ModuleOutline {
            id: module(number),
            title: "Bölüm".parse().unwrap(),
            at_least: None,
            opens: opens.clone(),
            sections: vec![SectionOutline {
                id: SectionId::new(MADE, [number; 10]),
                title: "Giriş".parse().unwrap(),
                lessons: vec![outline],
            }],
        });
    }
    let outline = CourseOutline {
        id: course(),
        slug: "isik".parse().unwrap(),
        title: "Işık".parse().unwrap(),
        language: None,
        minimum_score: None,
        pictures: Default::default(),
        modules: outlines,
    };
    world.apply(&LambdaEvent::CoursePublished {
        version,
        summary: String::new(),
        outline,
        owner: None,
        at: MADE,
    });
}

fn path(number: u8) -> String {
    format!("/api/v1/learning/courses/{}/lessons/{}", course(), lesson(number))
}

fn look(world: &World, here: &Router, number: u8) -> (StatusCode, Value) {
    world.ask(here, 1, Method::GET, &path(number), Value::Null)
}

fn open(world: &World, here: &Router, number: u8) -> (StatusCode, Value) {
    world.ask(here, 1, Method::POST, &format!("{}/opening", path(number)), json!({}))
}

/// A text that is read from second `from` to second `to`.
fn read(world: &World, here: &Router, number: u8, from: u32, to: u32) -> (StatusCode, Value) {
    let mut body = played(1, from, to);
    body["lesson"] = json!(lesson(number));
    world.ask(here, 1, Method::POST, HEARTBEATS, body)
}

fn overview(world: &World, here: &Router) -> Value {
    let path = format!("/api/v1/progress/courses/{}", course());
    world.ask(here, 1, Method::GET, &path, Value::Null).1
}

/// That nothing of a lesson is shown or written, and what the learner is told.
fn assert_closed(world: &World, here: &Router, number: u8, detail: &str) {
    let tries = [look(world, here, number), open(world, here, number), read(world, here, number, 0, 0)];
    for (status, answer) in tries {
        assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
        let told = (answer["type"].as_str().unwrap(), answer["detail"].as_str().unwrap());
        assert!(told.0.ends_with("lesson-closed") && told.1 == detail, "{answer}");
    }
    let begun = overview(world, here);
    assert!(
        begun["lessons"].as_array().unwrap().iter().all(|begun| begun["lesson"] != json!(lesson(number)))
    );
}

#[test]
fn a_module_opens_on_its_date_and_days_after_the_enrolment() {
    let mut world = World::new();
    let dated = Opening { from: Some(MADE.day_in_istanbul().plus(2)), ..Opening::default() };
    let later = Opening { days: Some(7), ..Opening::default() };
    publish(
        &mut world,
        2,
        &[
            (None, Requirement::Opened),
            (Some(dated), Requirement::Opened),
            (Some(later), Requirement::Opened),
        ],
    );
    let here = world.instance();
    assert_eq!(look(&world, &here, 1).0, StatusCode::OK);
    let (second, third) = (MADE.day_in_istanbul().plus(2).start_in_istanbul(), MADE.plus_seconds(7 * DAY));
    assert_closed(&world, &here, 2, &format!("It opens at {second}."));
    assert_closed(&world, &here, 3, &format!("It opens at {third}."));
    world.pass(2 * DAY);
    assert_eq!((look(&world, &here, 2).0, look(&world, &here, 3).0), (StatusCode::OK, StatusCode::FORBIDDEN));
    world.pass(5 * DAY);
    assert_eq!(open(&world, &here, 3).0, StatusCode::OK);
}

#[test]
fn a_module_opens_once_what_comes_before_it_is_done() {
    let mut world = World::new();
    let second = Opening { after: vec![module(1)], ..Opening::default() };
    let third = Opening { after: vec![module(1), module(2)], ..Opening::default() };
    let modules = [
        (None, Requirement::Opened),
        (Some(second), Requirement::Opened),
        (Some(third), Requirement::Opened),
    ];
    publish(&mut world, 2, &modules);
    let here = world.instance();
    assert_closed(&world, &here, 2, &format!("What module {} requires comes first.", module(1)));
    open(&world, &here, 1);
    assert_closed(&world, &here, 3, &format!("What module {} requires comes first.", module(2)));
    let (status, done) = open(&world, &here, 2);
    assert_eq!((status, &done["completed_at"]), (StatusCode::OK, &json!(MADE)));
    assert_eq!(open(&world, &here, 3).0, StatusCode::OK);
    assert_eq!(overview(&world, &here)["completion"]["complete"], true);
}

#[test]
fn a_new_version_that_closes_a_module_is_kept_at_the_next_request() {
    let mut world = World::new();
    publish(&mut world, 2, &[(None, read_for(600))]);
    let here = world.instance();
    assert_eq!(read(&world, &here, 1, 0, 0).0, StatusCode::OK);
    publish(&mut world, 3, &[(Some(Opening { days: Some(1), ..Opening::default() }), read_for(600))]);
    world.pass(10);
    assert_eq!(read(&world, &here, 1, 0, 10).0, StatusCode::FORBIDDEN);
    publish(&mut world, 4, &[(None, read_for(600))]);
    assert_eq!(read(&world, &here, 1, 0, 10).1["watched_seconds"], 10);
}

#[test]
fn a_text_is_read_for_its_time_at_the_speed_of_the_clock() {
    let mut world = World::new();
    publish(&mut world, 2, &[(None, read_for(60)), (None, Requirement::Opened)]);
    let here = world.instance();
    open(&world, &here, 1);
    assert_eq!(read(&world, &here, 1, 0, 0).1["lesson_completed"], false);
    world.pass(30);
    // A video would count twice that.
    let (_, answer) = read(&world, &here, 1, 0, 60);
    assert_eq!((&answer["gained_seconds"], &answer["lesson_completed"]), (&json!(45), &json!(false)));
    world.pass(30);
    let (_, answer) = read(&world, &here, 1, 45, 60);
    assert_eq!((&answer["watched_seconds"], &answer["lesson_completed"]), (&json!(60), &json!(true)));
    let (status, answer) = read(&world, &here, 2, 0, 10);
    assert_eq!(status, StatusCode::CONFLICT, "nothing asks for its time: {answer}");
}

#[test]
fn the_page_of_a_course_with_two_hundred_lessons_is_one_query() {
    let mut world = World::new();
    let modules: Vec<_> = (0..200).map(|_| (None, Requirement::Opened)).collect();
    publish(&mut world, 2, &modules);
    let here = world.instance();
    for number in 1..=200 {
        assert_eq!(open(&world, &here, number).0, StatusCode::OK);
    }
    let before = world.queries();
    let overview = overview(&world, &here);
    assert_eq!(world.queries() - before, GATE + 1);
    assert_eq!(overview["lessons"].as_array().unwrap().len(), 200);
    let completion = &overview["completion"];
    assert_eq!((&completion["fulfilled_lessons"], &completion["complete"]), (&json!(200), &json!(true)));
}
