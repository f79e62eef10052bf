//! A course that waits for the mean of its quizzes, and heartbeats after an attempt.

use crate::world::{GATE, MADE, World, course};
use akademi_domain::{
    course::{
        CourseOutline, Html, LessonBody, LessonKind, LessonOutline, ModuleOutline, Requirement,
        SectionOutline,
    },
    ids::{LessonId, ModuleId, SectionId},
    quiz::Quiz,
};
use akademi_feed::LambdaEvent;
use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};

fn quiz() -> LessonId {
    LessonId::new(MADE, [7; 10])
}

/// Publishes a course of the video, which is not required, and one quiz of two questions, half of which does for the lesson
/// and `minimum_score` percent of which for the course.
fn publish(world: &mut World, minimum_score: u8) {
    world.send_video(2, 600);
    let half = Some(Requirement::usual(LessonKind::Quiz));
    let key = |question: &str| {
        let rule = json!({ "kind": "text", "accepted": [{ "match": "exact", "text": "yedi" }] });
        json!({ "question": question, "points": 1, "rule": rule })
    };
    world.apply(&LambdaEvent::LessonPublished {
        course: course(),
        version: 2,
        lesson: quiz(),
        title: "Sına".into(),
        duration_seconds: None,
        requirement: half,
        opens: None,
        body: LessonBody::Quiz { quiz: Quiz { introduction: Html::default(), questions: Vec::new() } },
        answers: Some(json!({ "questions": [key("q1"), key("q2")], "explanation": "" })),
        words: String::new(),
    });
    let outline = LessonOutline {
        id: quiz(),
        title: "Sına".parse().unwrap(),
        kind: LessonKind::Quiz,
        duration_seconds: None,
        requirement: half,
    };
    let section = SectionOutline {
        id: SectionId::new(MADE, [1; 10]),
        title: "Son".parse().unwrap(),
        lessons: vec![outline],
    };
    let module = ModuleOutline {
        id: ModuleId::new(MADE, [1; 10]),
        title: "Son".parse().unwrap(),
        at_least: None,
        opens: None,
        sections: vec![section],
    };
    let outline = CourseOutline {
        id: course(),
        slug: "isik".parse().unwrap(),
        title: "Işık".parse().unwrap(),
        language: None,
        minimum_score: Some(minimum_score.try_into().unwrap()),
        pictures: Default::default(),
        modules: vec![module],
    };
    let summary = String::new();
    world.apply(&LambdaEvent::CoursePublished { version: 2, summary, outline, owner: None, at: MADE });
}

/// Answers both questions: whether the lesson is done, and the course.
fn attempt(world: &World, there: &Router, answers: [&str; 2]) -> (Value, Value) {
    let path = format!("/api/v1/learning/courses/{}/lessons/{}/attempts", course(), quiz());
    let answer = |question: &str, text: &str| json!({ "question": question, "answer": { "text": text } });
    let body = json!({ "answers": [answer("q1", answers[0]), answer("q2", answers[1])] });
    let (status, answer) = world.ask(there, 1, Method::POST, &path, body);
    assert_eq!(status, StatusCode::OK, "{answer}");
    (answer["lesson_completed"].clone(), answer["course_completed"].clone())
}

#[test]
fn a_better_attempt_completes_the_course_that_waited_for_its_score() {
    let mut world = World::new();
    publish(&mut world, 100);
    let (here, there) = (world.instance(), world.assessment());
    let attempt = |answers| attempt(&world, &there, answers);
    assert_eq!(attempt(["yedi", "altı"]), (json!(true), json!(false)));
    let overview = format!("/api/v1/progress/courses/{}", course());
    let overview = world.ask(&here, 1, Method::GET, &overview, Value::Null).1;
    assert_eq!((&overview["completion"]["percent"], &overview["completed_at"]), (&json!(99), &Value::Null));
    assert_eq!(attempt(["altı", "altı"]), (json!(true), json!(false)));
    assert_eq!(attempt(["yedi", "yedi"]), (json!(true), json!(true)));
    assert_eq!(attempt(["altı", "yedi"]), (json!(true), json!(true)));
    assert_eq!(world.count("SELECT count(*) FROM feed_event WHERE kind = 'course_completed'"), 1);
}

/// Heartbeats through `progress` with an attempt through `assessment` between them, which completes the course: whether the
/// last heartbeat knows, and how many statements it read by.
fn beat_after_an_attempt(mut world: World) -> (Value, usize) {
    publish(&mut world, 50);
    let (here, there) = (world.instance(), world.assessment());
    assert_eq!(world.beat(&here, 1, 0, 0).1["course_completed"], false);
    world.pass(10);
    assert_eq!(attempt(&world, &there, ["yedi", "altı"]), (json!(true), json!(true)));
    let (status, answer, queries) = world.beat(&here, 1, 0, 10);
    assert_eq!((status, &answer["watched_seconds"]), (StatusCode::OK, &json!(10)), "{answer}");
    (answer["course_completed"].clone(), queries - GATE)
}

#[test]
fn a_heartbeat_knows_what_another_function_wrote_since_the_one_before() {
    assert_eq!(beat_after_an_attempt(World::new()), (json!(true), 1));
}

#[test]
fn without_the_condition_a_heartbeat_forgets_what_another_function_wrote() {
    assert_eq!(beat_after_an_attempt(World::over(true)), (json!(false), 0));
}
