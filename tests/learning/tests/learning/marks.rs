//! Staff says that a learner attended a live class, or that their assignment is accepted.

use akademi_domain::{
    course::opening::Opening,
    ids::UserId,
    permission::{Permission, Permissions},
};
use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    staff::{ADMINISTRATOR, ASSIGNMENT, COLLEAGUE, LIVE, TEACHER, TEXT, lesson_id, staff, with_permissions},
    world::{MADE, World, course, learner},
};

fn lesson(number: u8) -> String {
    format!("/api/v1/learning/courses/{}/lessons/{}", course(), lesson_id(number))
}

fn mark_of(number: u8, person: UserId) -> String {
    format!("{}/marks/{person}", lesson(number))
}

fn give(world: &World, there: &Router, number: u8, person: UserId) -> (StatusCode, Value) {
    world.ask_as(&staff(TEACHER), there, Method::PUT, &mark_of(number, person), Value::Null)
}

fn take_back(world: &World, there: &Router, number: u8, person: UserId) -> (StatusCode, Value) {
    world.ask_as(&staff(TEACHER), there, Method::DELETE, &mark_of(number, person), Value::Null)
}

/// Since when the learner's lesson is marked, and since when it is done, as the learner reads it.
fn standing(world: &World, here: &Router, number: u8) -> (Value, Value) {
    let (status, answer) = world.ask(here, 1, Method::GET, &lesson(number), Value::Null);
    assert_eq!(status, StatusCode::OK, "{answer}");
    (answer["standing"]["marked_at"].clone(), answer["standing"]["completed_at"].clone())
}

/// Whether all is fulfilled, and since when the course is done.
fn course_standing(world: &World, here: &Router) -> (Value, Value) {
    let path = format!("/api/v1/progress/courses/{}", course());
    let (_, answer) = world.ask(here, 1, Method::GET, &path, Value::Null);
    (answer["completion"]["complete"].clone(), answer["completed_at"].clone())
}

const AUDITED: &str = "SELECT count(*) FROM feed_event WHERE kind = 'audited'";
const COMPLETED: &str = "SELECT count(*) FROM feed_event WHERE kind = 'course_completed'";

#[test]
fn what_staff_says_completes_lessons_and_their_course_once() {
    let world = World::with_staff(false);
    let (here, there) = (world.instance(), world.marks());
    assert_eq!(standing(&world, &here, LIVE), (Value::Null, Value::Null));
    world.pass(60);
    let at = json!(world.now());
    let (status, told) = give(&world, &there, LIVE, learner(1));
    let result =
        json!({ "person": learner(1), "marked_at": at, "lesson_completed": true, "course_completed": false });
    assert_eq!((status, &told), (StatusCode::OK, &result));
    assert_eq!(standing(&world, &here, LIVE), (at.clone(), at.clone()));
    let before = world.count("SELECT number FROM feed_head");
    world.pass(60);
    assert_eq!(give(&world, &there, LIVE, learner(1)), (StatusCode::OK, result), "said again");
    assert_eq!(world.count("SELECT number FROM feed_head"), before, "nothing is told of it");

    let done = json!(world.now());
    assert_eq!(give(&world, &there, ASSIGNMENT, learner(1)).1["course_completed"], true);
    assert_eq!(course_standing(&world, &here), (json!(true), done));
    assert_eq!((world.count(COMPLETED), world.count(AUDITED)), (1, 2));
    let summary = "SELECT payload ->> 'completed_at' = payload ->> 'updated_at' FROM feed_event \
         WHERE kind = 'progress_saved' ORDER BY number DESC LIMIT 1";
    assert_eq!(world.count(summary), 1, "the other plane hears of it");
}

#[test]
fn what_is_taken_back_leaves_the_course_done_and_can_be_said_again() {
    let world = World::with_staff(false);
    let (here, there) = (world.instance(), world.marks());
    let done = json!(world.now());
    give(&world, &there, LIVE, learner(1));
    give(&world, &there, ASSIGNMENT, learner(1));
    world.pass(60);
    for _ in 0..2 {
        assert_eq!(take_back(&world, &there, LIVE, learner(1)), (StatusCode::NO_CONTENT, Value::Null));
        assert_eq!(standing(&world, &here, LIVE), (Value::Null, Value::Null));
    }
    assert_eq!(course_standing(&world, &here), (json!(false), done.clone()), "a certificate may be out");
    assert_eq!(world.count(AUDITED), 3);
    let summary = "SELECT payload ->> 'completed_at' IS NULL FROM feed_event \
         WHERE kind = 'progress_saved' ORDER BY number DESC LIMIT 1";
    assert_eq!(world.count(summary), 1, "the other plane hears of it");

    assert_eq!(give(&world, &there, LIVE, learner(1)).0, StatusCode::OK);
    assert_eq!(standing(&world, &here, LIVE).1, json!(world.now()));
    assert_eq!(course_standing(&world, &here), (json!(true), done));
    assert_eq!((world.count(COMPLETED), world.count(AUDITED)), (1, 4));
}

#[test]
fn the_audit_log_hears_who_said_what_of_whom() {
    let world = World::with_staff(false);
    let there = world.marks();
    give(&world, &there, LIVE, learner(1));
    take_back(&world, &there, LIVE, learner(1));
    for (action, marked) in [("mark.given", 1), ("mark.taken_back", 0)] {
        let sql: &'static str = format!(
            "SELECT count(*) FROM feed_event WHERE kind = 'audited' AND payload ->> 'action' = '{action}' \
             AND payload ->> 'actor' = '{}' AND payload ->> 'target' = 'person:{}' \
             AND payload ->> '$.change.after.lesson' = '{}' AND payload ->> '$.change.after.marked' = {marked} \
             AND payload ->> '$.change.before.marked' = 1 - {marked} AND payload ->> 'origin' <> ''",
            staff(TEACHER).user,
            learner(1),
            lesson_id(LIVE)
        )
        .leak();
        assert_eq!(world.count(sql), 1, "{action}");
    }
}

#[test]
fn instructors_mark_in_their_own_courses_and_learners_in_none() {
    let world = World::with_staff(false);
    let there = world.marks();
    let nobody = with_permissions(TEACHER, Permissions::NONE.with(Permission::ReviewsWrite));
    let marks = format!("{}/marks", lesson(LIVE));
    for (method, path) in [
        (Method::PUT, mark_of(LIVE, learner(1))),
        (Method::DELETE, mark_of(LIVE, learner(1))),
        (Method::GET, marks.clone()),
    ] {
        let ask = |caller| world.ask_as(&caller, &there, method.clone(), &path, Value::Null).0;
        assert_eq!(ask(staff(COLLEAGUE)), StatusCode::NOT_FOUND, "{method}");
        assert_eq!(ask(nobody), StatusCode::FORBIDDEN, "{method}");
        assert!(ask(staff(ADMINISTRATOR)).is_success(), "{method}");
        let own = world.ask(&there, 1, method.clone(), &path, Value::Null).0;
        assert_eq!(own, StatusCode::FORBIDDEN, "{method}");
    }
    assert_eq!(world.count(AUDITED), 2, "only the administrator's");
}

#[test]
fn other_lessons_and_whoever_is_not_enrolled_have_nothing_to_mark() {
    let world = World::with_staff(false);
    let there = world.marks();
    let (status, problem) = give(&world, &there, TEXT, learner(1));
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &json!("/problems/nothing-to-mark")));
    assert_eq!(take_back(&world, &there, TEXT, learner(1)).0, StatusCode::CONFLICT);
    assert_eq!(give(&world, &there, 39, learner(1)).0, StatusCode::NOT_FOUND, "no such lesson");
    assert_eq!(give(&world, &there, LIVE, learner(9)).0, StatusCode::NOT_FOUND, "not enrolled");
    assert_eq!(world.count(AUDITED), 0);
    assert_eq!(world.count("SELECT count(*) FROM progress"), 0);
}

#[test]
fn what_is_not_open_to_the_learner_yet_is_staffs_to_mark_and_stays_closed() {
    let mut world = World::with_staff(false);
    world.publish_taught(3, Some(Opening { days: Some(7), ..Opening::default() }));
    let (here, there) = (world.instance(), world.marks());
    assert_eq!(give(&world, &there, LIVE, learner(1)).0, StatusCode::OK);
    let (status, _) = world.ask(&here, 1, Method::POST, &format!("{}/opening", lesson(LIVE)), json!({}));
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(world.count("SELECT count(*) FROM progress WHERE opened_at IS NOT NULL"), 0);
}

/// A learner opens a lesson, staff marks it through another function, the learner opens it again: since when it is marked.
fn marked_between_two_openings(world: &World) -> Value {
    let (here, there) = (world.instance(), world.marks());
    let open = || world.ask(&here, 1, Method::POST, &format!("{}/opening", lesson(LIVE)), json!({}));
    assert_eq!(open().0, StatusCode::OK);
    assert_eq!(give(world, &there, LIVE, learner(1)).0, StatusCode::OK);
    assert_eq!(open().0, StatusCode::OK);
    standing(world, &here, LIVE).0
}

#[test]
fn a_mark_outlives_what_another_instance_remembers() {
    assert_eq!(marked_between_two_openings(&World::with_staff(false)), json!(MADE));
}

#[test]
fn without_the_condition_what_another_instance_remembers_takes_a_mark_away() {
    assert_eq!(marked_between_two_openings(&World::with_staff(true)), Value::Null);
}

#[test]
fn staff_lists_the_marks_of_a_lesson_by_pages() {
    let world = World::with_staff(false);
    let there = world.marks();
    let page = |query: &str| {
        let path = format!("{}/marks{query}", lesson(LIVE));
        world.ask_as(&staff(TEACHER), &there, Method::GET, &path, Value::Null).1
    };
    assert_eq!(page(""), json!({ "data": [], "next_cursor": null }));
    for number in [2, 1] {
        give(&world, &there, LIVE, learner(number));
    }
    give(&world, &there, ASSIGNMENT, learner(1));
    let mark = |number| json!({ "person": learner(number), "marked_at": MADE });
    assert_eq!(page("")["data"], json!([mark(1), mark(2)]));
    let first = page("?limit=1");
    assert_eq!(first["data"], json!([mark(1)]));
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(page(&format!("?limit=1&cursor={cursor}")), json!({ "data": [mark(2)], "next_cursor": null }));
    take_back(&world, &there, LIVE, learner(1));
    assert_eq!(page("")["data"], json!([mark(2)]));
}
