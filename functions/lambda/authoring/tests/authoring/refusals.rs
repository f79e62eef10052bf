//! What is refused, with which status, and that nothing is written then.

use akademi_domain::permission::Permissions;
use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};

use crate::academy::{
    COURSES, Person, World, html_lesson, instructor, modules, quiz_lesson, video_lesson, whole_course,
};

/// A change of the JSON that would be taken.
fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap();
    match name.parse::<usize>() {
        Ok(at) => parent[at] = new,
        Err(_) => parent[name] = new,
    }
    value
}

const LESSON: &str = "modules[0].sections[0].lessons[0]";

#[tokio::test]
async fn content_that_breaks_a_rule_is_refused_by_its_path() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let (other, _) = world.create(instructor(1), "Gölge").await;
    let others = world.put_content(instructor(1), &other, 1, &whole_course()).await.expect(200);
    let mine = world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    let own_lesson = &mine["modules"][0]["sections"][0]["lessons"][0];

    let html = || html_lesson("Oku", "x");
    let quiz = || quiz_lesson("Sına");
    let question = |n: usize, field: &str| format!("{LESSON}.body.quiz.questions[{n}].{field}");
    let key = |n: usize, field: &str| format!("{LESSON}.answers.questions[{n}].{field}");
    let in_body = |field: &str| format!("{LESSON}.body.{field}");
    let field = |field: &str| format!("{LESSON}.{field}");
    let cases: Vec<(&str, Value, Vec<String>)> = vec![
        ("unknown field", with(html(), "/colour", json!(1)), vec![field("colour")]),
        ("title of a wrong type", with(html(), "/title", json!(5)), vec![field("title")]),
        ("title too long", html_lesson(&"x".repeat(201), "x"), vec![field("title")]),
        ("title missing", json!({ "body": { "kind": "html", "html": "x" } }), vec![field("title")]),
        ("no such kind", with(html(), "/body/kind", json!("song")), vec![in_body("kind")]),
        ("unknown field in a body", with(html(), "/body/css", json!("x")), vec![in_body("css")]),
        (
            "an id that nobody has",
            with(html(), "/id", json!("01890000-0000-7000-8000-00000000ffff")),
            vec![field("id")],
        ),
        (
            "an id of another course",
            others["modules"][0]["sections"][0]["lessons"][0].clone(),
            vec![field("id")],
        ),
        ("no id at all", with(html(), "/id", json!("7")), vec![field("id")]),
        ("html too deep", html_lesson("Oku", &"<div>".repeat(300)), vec![in_body("html")]),
        ("html too long", html_lesson("Oku", &"x".repeat(300_001)), vec![in_body("html")]),
        ("a body that is long as JSON", html_lesson("Oku", &"\"".repeat(150_001)), vec![field("body")]),
        (
            "a length of what has none",
            with(html(), "/duration_seconds", json!(5)),
            vec![field("duration_seconds")],
        ),
        ("no length", video_lesson("İzle", 0), vec![field("duration_seconds")]),
        ("more than 12 hours", video_lesson("İzle", 43_201), vec![field("duration_seconds")]),
        (
            "an end before the start",
            with(
                with(video_lesson("İzle", 60), "/body/start_seconds", json!(9)),
                "/body/end_seconds",
                json!(9),
            ),
            vec![in_body("end_seconds")],
        ),
        (
            "a rule of another kind",
            with(html(), "/requirement", json!({ "rule": "coverage", "percent": 90 })),
            vec![field("requirement")],
        ),
        ("a share of nothing", with(quiz(), "/requirement/percent", json!(0)), vec![field("requirement")]),
        (
            "answers without a quiz",
            with(html(), "/answers", quiz()["answers"].clone()),
            vec![field("answers")],
        ),
        ("a quiz without answers", with(quiz(), "/answers", json!(null)), vec![field("answers")]),
        (
            "a question without a key and a key without a question",
            with(quiz(), "/answers/questions/0/question", json!("q9")),
            vec![key(0, "question"), question(0, "id")],
        ),
        (
            "two keys of one question",
            with(quiz(), "/answers/questions/0/question", json!("q2")),
            vec![key(0, "points"), key(0, "rule.kind"), key(1, "question"), question(0, "id")],
        ),
        ("other points", with(quiz(), "/answers/questions/1/points", json!(3)), vec![key(1, "points")]),
        (
            "a choice that is not there",
            with(quiz(), "/answers/questions/0/rule/correct", json!(["c9"])),
            vec![key(0, "rule.correct")],
        ),
        (
            "no right choice",
            with(quiz(), "/answers/questions/0/rule/correct", json!([])),
            vec![key(0, "rule.correct")],
        ),
        (
            "an empty range",
            with(
                quiz(),
                "/answers/questions/1/rule/accepted/0",
                json!({ "match": "range", "from": 2.0, "to": 1.0, "without_from": false, "without_to": false }),
            ),
            vec![key(1, "rule.accepted[0]")],
        ),
        (
            "a NUL",
            with(quiz(), "/answers/questions/2/rule/accepted/0/text", json!("a\0")),
            vec![field("answers")],
        ),
        (
            "a file name that is a path",
            with(crate::academy::document_lesson("İndir"), "/body/file_name", json!("../a.pdf")),
            vec![in_body("file_name")],
        ),
        (
            "no media type",
            with(crate::academy::document_lesson("İndir"), "/body/content_type", json!("pdf")),
            vec![in_body("content_type")],
        ),
    ];
    let before = world.everything().await;
    for (name, lesson, fields) in &cases {
        let answer =
            world.put_content(instructor(1), &course, 2, &modules(std::slice::from_ref(lesson))).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().0),
            (422, "invalid-request"),
            "{name}: {}",
            answer.body
        );
        assert_eq!(&answer.problem().1, fields, "{name}: {}", answer.body);
    }
    let twice = modules(&[own_lesson.clone(), own_lesson.clone()]);
    let answer = world.put_content(instructor(1), &course, 2, &twice).await;
    assert_eq!(answer.problem().1, ["modules[0].sections[0].lessons[1].id"]);
    // All that is wrong at once, not only the first.
    let both = modules(&[with(html(), "/duration_seconds", json!(5)), with(quiz(), "/answers", json!(null))]);
    let answer = world.put_content(instructor(1), &course, 2, &both).await;
    assert_eq!(answer.problem().1, [&field("duration_seconds"), "modules[0].sections[0].lessons[1].answers"]);
    assert_eq!(world.everything().await, before);
    eprintln!("{} refused contents", cases.len() + 2);
}

#[tokio::test]
async fn a_course_has_its_bounds() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    let before = world.everything().await;
    let many = vec![html_lesson("x", ""); 2_001];
    let wide = vec![html_lesson(&"x".repeat(200), ""); 1_500];
    let heavy = vec![html_lesson("x", &"x".repeat(290_000)); 14];
    for (lessons, message) in [
        (many, "has 2001 lessons"),
        (wide, "is longer than 350000 bytes"),
        (heavy, "is longer than 3900000 bytes"),
    ] {
        let answer = world.put_content(instructor(1), &course, 1, &modules(&lessons)).await;
        assert_eq!((answer.status.as_u16(), answer.problem().1), (422, vec!["modules"]), "{message}");
        assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains(message), "{}", answer.body);
    }
    let too_large = vec![html_lesson("x", &"x".repeat(300_000)); 14];
    let answer = world.put_content(instructor(1), &course, 1, &modules(&too_large)).await;
    assert_eq!((answer.status.as_u16(), answer.problem().0), (413, "too-large"));
    assert_eq!(world.everything().await, before);

    let most = vec![html_lesson("x", "<p>x</p>"); 2_000];
    let draft = world.put_content(instructor(1), &course, 1, &modules(&most)).await.expect(200);
    assert_eq!(draft["modules"][0]["sections"][0]["lessons"].as_array().unwrap().len(), 2_000);
    world.publish(instructor(1), &course).await.expect(200);
    assert_eq!(world.events().await.len(), 2_001);
}

#[tokio::test]
async fn requests_that_are_not_as_they_must_be_write_nothing() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    world.create(instructor(1), "Gölge").await;
    let content = format!("{course}/content");
    let long = "x".repeat(1_001);
    let cases = [
        (Method::POST, COURSES, json!({}), 422, vec!["title"]),
        (Method::POST, COURSES, json!({ "title": "" }), 422, vec!["title"]),
        (Method::POST, COURSES, json!({ "title": "x".repeat(201) }), 422, vec!["title"]),
        (Method::POST, COURSES, json!({ "title": ["x"] }), 422, vec!["title"]),
        (Method::POST, COURSES, json!({ "title": "x", "price": 1 }), 422, vec!["price"]),
        (Method::POST, COURSES, json!({ "title": "x", "language": "türkçe" }), 422, vec!["language"]),
        (Method::POST, COURSES, json!({ "title": "x", "summary": long }), 422, vec!["summary"]),
        (Method::PATCH, &course, json!({ "title": "x" }), 422, vec!["revision"]),
        (Method::PATCH, &course, json!({ "revision": "1" }), 422, vec!["revision"]),
        (Method::PATCH, &course, json!({ "revision": 1, "slug": "Işık" }), 422, vec!["slug"]),
        (Method::PATCH, &course, json!({ "revision": 1, "owner": "x" }), 422, vec!["owner"]),
        (Method::PATCH, &course, json!({ "revision": 1, "slug": "golge" }), 409, vec![]),
        (Method::PATCH, &course, json!({ "revision": 0, "title": "x" }), 409, vec![]),
        (Method::PATCH, &course, json!({ "revision": 2, "title": "x" }), 409, vec![]),
        (Method::PUT, &content, json!({ "modules": [] }), 422, vec!["revision"]),
        (Method::PUT, &content, json!({ "revision": 1 }), 422, vec!["modules"]),
        (Method::PUT, &content, json!({ "revision": 1, "modules": {} }), 422, vec!["modules"]),
        (
            Method::PUT,
            &content,
            json!({ "revision": 1, "modules": [{ "title": "x" }] }),
            422,
            vec!["modules[0].sections"],
        ),
        (Method::PUT, &content, json!({ "revision": 7, "modules": whole_course() }), 409, vec![]),
    ];
    let before = world.everything().await;
    for (method, target, body, status, fields) in &cases {
        let answer = world.call(instructor(1), method.clone(), target, Some(body)).await;
        assert_eq!(answer.status.as_u16(), *status, "{method} {target} {body}: {}", answer.body);
        assert_eq!(&answer.problem().1, fields, "{method} {target} {body}: {}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    for (method, target) in [(Method::POST, COURSES), (Method::PATCH, &course), (Method::PUT, &content)] {
        for (content_type, body, status) in [
            ("application/json", b"{".to_vec(), 400),
            ("application/json", b"{\"\xff\": 1}".to_vec(), 400),
            ("application/json", Vec::new(), 400),
            ("text/plain", b"{}".to_vec(), 415),
            ("application/json; charset=latin1", b"{}".to_vec(), 415),
            ("application/json", vec![b' '; 4 * 1024 * 1024 + 1], 413),
        ] {
            let answer = world.send(instructor(1), method.clone(), target, content_type, body).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {target} {content_type}");
        }
    }
    for query in ["?limit=0", "?limit=101", "?limit=x", "?cursor=x", "?cursor=MTp4", "?page=2"] {
        assert_eq!(world.get(instructor(1), &format!("{COURSES}{query}")).await.status, 422, "{query}");
    }
    assert_eq!(world.everything().await, before);
    eprintln!("{} refused requests", cases.len() + 18 + 6);
}

/// Every route on this course, with a body that would be taken.
fn routes(course: &str) -> [(Method, String, Option<Value>); 6] {
    [
        (Method::POST, COURSES.into(), Some(json!({ "title": "x" }))),
        (Method::GET, COURSES.into(), None),
        (Method::GET, course.into(), None),
        (Method::PATCH, course.into(), Some(json!({ "revision": 2, "title": "x" }))),
        (Method::PUT, format!("{course}/content"), Some(json!({ "revision": 2, "modules": whole_course() }))),
        (Method::POST, format!("{course}/publish"), None),
    ]
}

#[tokio::test]
async fn another_academy_sees_and_changes_nothing() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    let before = world.everything().await;
    for (method, target, body) in routes(&course).iter().skip(2) {
        let answer = world.call(instructor(2), method.clone(), target, body.as_ref()).await;
        assert_eq!((answer.status.as_u16(), answer.problem().0), (404, "not-found"), "{method} {target}");
    }
    assert_eq!(world.get(instructor(2), COURSES).await.expect(200)["data"], json!([]));
    for unknown in ["01890000-0000-7000-8000-00000000ffff", "7", "%00"] {
        for (method, target, body) in routes(&format!("{COURSES}/{unknown}")).iter().skip(2) {
            let answer = world.call(instructor(1), method.clone(), target, body.as_ref()).await;
            assert_eq!(answer.status, 404, "{method} {target}");
        }
    }
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn every_route_wants_a_signed_call_and_the_permission() {
    let world = World::new().await;
    let (course, _) = world.create(instructor(1), "Işık").await;
    world.put_content(instructor(1), &course, 1, &whole_course()).await.expect(200);
    let before = world.everything().await;
    let learner = Person { permissions: Permissions::NONE, ..instructor(1) };
    for (method, target, body) in &routes(&course) {
        let answer = world.call(learner, method.clone(), target, body.as_ref()).await;
        assert_eq!((answer.status.as_u16(), answer.problem().0), (403, "forbidden"), "{method} {target}");
        let unsigned = Request::builder()
            .method(method.clone())
            .uri(target)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        assert_eq!(world.answer(unsigned).await.status, 401, "{method} {target}");
    }
    assert_eq!(world.everything().await, before);
    // The same requests are taken from an instructor; the change moves the revision on, so that the content is stale.
    for ((method, target, body), status) in routes(&course).iter().zip([201, 200, 200, 200, 409, 200]) {
        world.call(instructor(1), method.clone(), target, body.as_ref()).await.expect(status);
    }
}
