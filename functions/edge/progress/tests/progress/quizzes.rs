//! A course that waits for the mean of its quizzes.

use crate::world::{MADE, World, course, lesson};
use akademi_domain::{
    course::{
        CourseOutline, Html, LessonBody, LessonKind, LessonOutline, ModuleOutline, Requirement,
        SectionOutline,
    },
    ids::{ModuleId, SectionId},
    quiz::Quiz,
};
use akademi_feed::LambdaEvent;
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// Publishes a course of one quiz of two questions, half of which does for the lesson and all of which for the course.
fn publish(world: &mut World) {
    let half = Some(Requirement::usual(LessonKind::Quiz));
    let key = |question: &str| {
        let rule = json!({ "kind": "text", "accepted": [{ "match": "exact", "text": "yedi" }] });
        json!({ "question": question, "points": 1, "rule": rule })
    };
    world.apply(&LambdaEvent::LessonPublished {
        course: course(),
        version: 2,
        lesson: lesson(),
        title: "Sına".into(),
        duration_seconds: None,
        requirement: half,
        opens: None,
        body: LessonBody::Quiz { quiz: Quiz { introduction: Html::default(), questions: Vec::new() } },
        answers: Some(json!({ "questions": [key("q1"), key("q2")], "explanation": "" })),
        words: String::new(),
    });
    let quiz = LessonOutline {
        id: lesson(),
        title: "Sına".parse().unwrap(),
        kind: LessonKind::Quiz,
        duration_seconds: None,
        requirement: half,
    };
    let section = SectionOutline {
        id: SectionId::new(MADE, [1; 10]),
        title: "Son".parse().unwrap(),
        lessons: vec![quiz],
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
        minimum_score: Some(100.try_into().unwrap()),
        pictures: Default::default(),
        modules: vec![module],
    };
    let summary = String::new();
    world.apply(&LambdaEvent::CoursePublished { version: 2, summary, outline, owner: None, at: MADE });
}

#[test]
fn a_better_attempt_completes_the_course_that_waited_for_its_score() {
    let mut world = World::new();
    publish(&mut world);
    let here = world.instance();
    let path = format!("/api/v1/learning/courses/{}/lessons/{}/attempts", course(), lesson());
    let attempt = |answers: [&str; 2]| {
        let answer = |question: &str, text: &str| json!({ "question": question, "answer": { "text": text } });
        let body = json!({ "answers": [answer("q1", answers[0]), answer("q2", answers[1])] });
        let (status, answer) = world.ask(&here, 1, Method::POST, &path, body);
        assert_eq!(status, StatusCode::OK, "{answer}");
        (answer["lesson_completed"].clone(), answer["course_completed"].clone())
    };
    assert_eq!(attempt(["yedi", "altı"]), (json!(true), json!(false)));
    let overview = format!("/api/v1/progress/courses/{}", course());
    let overview = world.ask(&here, 1, Method::GET, &overview, Value::Null).1;
    assert_eq!((&overview["completion"]["percent"], &overview["completed_at"]), (&json!(99), &Value::Null));
    assert_eq!(attempt(["altı", "altı"]), (json!(true), json!(false)));
    assert_eq!(attempt(["yedi", "yedi"]), (json!(true), json!(true)));
    assert_eq!(attempt(["altı", "yedi"]), (json!(true), json!(true)));
    assert_eq!(world.count("SELECT count(*) FROM feed_event WHERE kind = 'course_completed'"), 1);
}
