//! Writing, changing, deleting and reading reviews.

use akademi_feed::LambdaEvent;
use http::{Method, header};
use serde_json::{Value, json};

use crate::world::{ISIK, NOW, RENK, STRANGER, World, course, enrolment, learner, person};

fn mine(course: &str) -> String {
    format!("{course}/reviews/mine")
}

fn reviews(world: &World, query: &str) -> Value {
    world.get(&format!("{ISIK}/reviews{query}"))
}

fn authors(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|review| review["author"].as_str().unwrap()).collect()
}

#[test]
fn a_review_is_written_once_changed_and_deleted_and_the_figures_follow() {
    let world = World::new();
    let (path, body) = (mine(ISIK), json!({ "stars": 4, "text": " C\u{327}ok iyi\r\nbir ders " }));
    let first = world.ask(Method::PUT, &path, learner(1), Some(&body));
    assert_eq!((first.status, &first.body["text"]), (201, &json!("Çok iyi\nbir ders")), "{}", first.body);
    world.store.wait(60);
    let second = world.ask(Method::PUT, &path, learner(1), Some(&json!({ "stars": 2 })));
    assert_eq!((second.status, &second.body["id"]), (200, &first.body["id"]));
    assert_eq!(second.body["text"], Value::Null);
    assert_ne!(second.body["created_at"], second.body["updated_at"]);
    assert_eq!(world.ask(Method::GET, &path, learner(1), None).body, second.body);
    world.review(2, ISIK, 5, "");

    let page = reviews(&world, "");
    assert_eq!(page["rating"], json!({ "average": 3.5, "count": 2, "stars": [0, 1, 0, 0, 1] }));
    assert_eq!(authors(&page), ["İpek I.", "Ayşe Y."], "newest first, and no more of a name");
    assert!(!page.to_string().contains(&person(1).to_string()), "nobody's id");
    assert_eq!(world.get(ISIK)["rating"], json!({ "average": 3.5, "count": 2 }));
    assert_eq!(world.get("/api/v1/catalog/courses")["data"][1]["rating"]["count"], 2);
    assert_eq!(world.get(RENK)["rating"], json!({ "average": null, "count": 0 }));

    for _ in 0..2 {
        assert_eq!(world.ask(Method::DELETE, &path, learner(1), None).status, 204);
    }
    assert_eq!(world.ask(Method::GET, &path, learner(1), None).status, 404);
    assert_eq!(reviews(&world, "")["rating"]["stars"], json!([0, 0, 0, 0, 1]));
    assert_eq!(world.get(ISIK)["rating"]["average"], 5.0);
}

#[test]
fn only_who_is_enrolled_reviews_and_a_review_outlives_the_enrolment() {
    let world = World::new();
    let body = json!({ "stars": 1, "text": "Param geri geldi." });
    let stranger = world.ask(Method::PUT, &mine(ISIK), learner(STRANGER), Some(&body));
    assert_eq!((stranger.status, &stranger.body["type"]), (403, &json!("/problems/not-enrolled")));
    assert_eq!(world.ask(Method::PUT, &mine(ISIK), None, Some(&body)).status, 401);

    world.review(1, ISIK, 1, "Param geri geldi.");
    let (person, course, enrolment) = (person(1), course(1), enrolment(1, 1));
    world.feed(1, &[LambdaEvent::EnrolmentWithdrawn { person, course, enrolment, at: NOW }]);
    assert_eq!(reviews(&world, "")["rating"]["count"], 1, "what they have seen they have seen");
    assert_eq!(world.ask(Method::PUT, &mine(ISIK), learner(1), Some(&body)).status, 403);
    assert_eq!(world.ask(Method::DELETE, &mine(ISIK), learner(1), None).status, 204);
    assert_eq!(reviews(&world, "")["rating"]["count"], 0);

    world.store.execute("UPDATE person SET state = 'suspended'");
    assert_eq!(world.ask(Method::PUT, &mine(ISIK), learner(2), Some(&body)).status, 403, "a token of before");
}

#[test]
fn a_list_is_sorted_filtered_and_paged_without_gap_or_repeat() {
    let world = World::new();
    for (n, stars) in [(1, 3), (2, 5), (3, 3), (4, 1), (5, 5)] {
        world.store.wait(1);
        world.review(n, ISIK, stars, "");
    }
    let walk = |query: &str| {
        let mut cursor = String::new();
        let mut found = Vec::new();
        loop {
            let page = reviews(&world, &format!("?limit=2{query}{cursor}"));
            assert!(page["data"].as_array().unwrap().len() <= 2);
            found.extend(
                authors(&page).into_iter().map(|author| author.split(' ').next().unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    };
    assert_eq!(walk(""), ["Deniz", "Öykü", "Çağrı", "İpek", "Ayşe"]);
    assert_eq!(walk("&sort=newest"), walk(""));
    assert_eq!(walk("&sort=highest"), ["Deniz", "İpek", "Çağrı", "Ayşe", "Öykü"]);
    assert_eq!(walk("&sort=lowest"), ["Öykü", "Ayşe", "Çağrı", "İpek", "Deniz"]);
    assert_eq!(walk("&stars=3"), ["Çağrı", "Ayşe"]);
    assert_eq!(walk("&stars=3&sort=highest"), ["Çağrı", "Ayşe"]);
    assert_eq!(walk("&stars=3&sort=lowest"), ["Ayşe", "Çağrı"]);
    assert_eq!(walk("&stars=2"), Vec::<String>::new());
    assert_eq!(reviews(&world, "?stars=2")["rating"]["count"], 5, "the figures are of all");
    let high = reviews(&world, "?limit=2&sort=highest");
    let cursor = high["next_cursor"].as_str().unwrap();
    assert_eq!(
        authors(&reviews(&world, &format!("?stars=3&sort=highest&cursor={cursor}"))),
        ["Ayşe Y."],
        "with another filter's cursor, too, nothing but what is asked for"
    );
}

#[test]
fn a_list_is_kept_until_a_review_moves_it_and_a_name_for_a_minute() {
    let world = World::new();
    world.review(1, ISIK, 4, "Güzel");
    let path = format!("{ISIK}/reviews");
    let first = world.ask(Method::GET, &path, None, None);
    let etag = first.headers[header::ETAG].clone();
    assert!(first.headers[header::CACHE_CONTROL].to_str().unwrap().starts_with("public"));
    world.rename(1, 1, "Ayşe Nur Kaya");
    assert_eq!(world.get(&path), first.body);
    world.store.wait(60);
    assert_eq!(authors(&world.get(&path)), ["Ayşe K."]);
    let before = world.ask(Method::GET, &path, None, None).headers[header::ETAG].clone();
    assert_ne!(before, etag);
    world.review(1, ISIK, 4, "Çok güzel");
    assert_eq!(world.get(&path)["data"][0]["text"], "Çok güzel", "at once");
}

#[test]
fn a_review_that_is_written_as_it_is_changes_nothing_that_anybody_keeps() {
    let world = World::new();
    let generation = || world.store.count("SELECT sum(generation) FROM tenant");
    let write = |body: &Value| world.ask(Method::PUT, &mine(ISIK), learner(1), Some(body));
    for body in [json!({ "stars": 4 }), json!({ "stars": 4, "text": "Güzel" })] {
        let first = write(&body);
        world.store.wait(60);
        let before = generation();
        let again = write(&body);
        assert_eq!(again.status, 200, "{}", again.body);
        for field in ["id", "stars", "text", "state", "created_at", "updated_at"] {
            assert_eq!(again.body[field], first.body[field], "{field}");
        }
        assert_eq!(generation(), before, "{body}");
    }
    assert_eq!(world.store.count("SELECT version FROM review"), 2);
    let before = generation();
    assert_eq!(write(&json!({ "stars": 5, "text": "Güzel" })).status, 200);
    assert!(generation() > before, "what differs is seen at once");
}

#[test]
fn whoever_changes_a_review_very_often_waits_and_nobody_else_does() {
    let world = World::new();
    let write =
        |n: u8, stars: u8| world.ask(Method::PUT, &mine(ISIK), learner(n), Some(&json!({ "stars": stars })));
    for n in 0..101 {
        assert!(write(1, 1 + n % 2).status < 300, "{n}");
    }
    let before = world.store.count("SELECT sum(generation) FROM tenant");
    let refused = write(1, 5);
    assert_eq!((refused.status, &refused.body["type"]), (429, &json!("/problems/too-many-requests")));
    assert_eq!(world.store.count("SELECT sum(generation) FROM tenant"), before);
    assert_eq!(write(2, 5).status, 201);
    world.store.wait(refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap());
    assert_eq!(write(1, 5).status, 200);
}

#[test]
fn what_is_no_review_is_refused_by_its_field_and_nothing_is_written() {
    let world = World::new();
    let refused = |body: Value| {
        let answer = world.ask(Method::PUT, &mine(ISIK), learner(1), Some(&body));
        assert_eq!(answer.status, 422, "{body}: {}", answer.body);
        assert_eq!(answer.body["errors"].as_array().unwrap().len(), 1);
        answer.body["errors"][0]["field"].as_str().unwrap().to_owned()
    };
    for stars in [json!(0), json!(6), json!(-1), json!(4.5), json!("5"), json!(null), json!(1_i64 << 60)] {
        assert_eq!(refused(json!({ "stars": stars, "text": "a" })), "stars");
    }
    assert_eq!(refused(json!({ "text": "a" })), "stars");
    for text in ["ş".repeat(2001), " ".into(), String::new(), "a\0b".into(), "a\tb".into(), "a\u{9b}b".into()]
    {
        assert_eq!(refused(json!({ "stars": 3, "text": text })), "text");
    }
    assert_eq!(refused(json!({ "stars": 3, "state": "shown" })), "state");
    assert_eq!(refused(json!({ "stars": 3, "person": person(2) })), "person");
    let yok = "/api/v1/catalog/courses/yok";
    assert_eq!(world.ask(Method::PUT, &mine(yok), learner(1), Some(&json!({ "stars": 3 }))).status, 404);
    assert_eq!(world.ask(Method::DELETE, &mine(yok), learner(1), None).status, 404);
    assert_eq!(world.ask(Method::GET, &mine(yok), learner(1), None).status, 404);
    assert_eq!(world.ask(Method::GET, &format!("{yok}/reviews"), None, None).status, 404);
    for query in ["?sort=best", "?stars=6", "?stars=x", "?limit=0", "?cursor=x", "?page=2"] {
        assert_eq!(
            world.ask(Method::GET, &format!("{ISIK}/reviews{query}"), None, None).status,
            422,
            "{query}"
        );
    }
    assert_eq!(world.store.count("SELECT count(*) FROM review"), 0);
    assert_eq!(world.store.count("SELECT count(*) FROM course_figures WHERE standing > 0"), 0);
}

#[test]
fn an_erased_persons_reviews_reports_and_likes_go_and_the_figures_follow_at_once() {
    let world = World::new();
    world.review(1, ISIK, 5, "Adım Ayşe");
    world.review(1, RENK, 1, "Kötü");
    let other = world.review(2, ISIK, 2, "Eh");
    let report = json!({ "reason": "insult" });
    let path = format!("/api/v1/reviews/{other}/reports");
    assert_eq!(world.ask(Method::POST, &path, learner(1), Some(&report)).status, 204);
    for n in [1, 2] {
        assert_eq!(world.ask(Method::PUT, &format!("{ISIK}/like"), learner(n), None).status, 204);
    }
    assert_eq!(reviews(&world, "")["rating"]["average"], 3.5);
    for _ in 0..2 {
        world.feed(1, &[LambdaEvent::PersonErased { person: person(1), at: NOW }]);
    }
    let page = reviews(&world, "");
    assert_eq!(page["rating"], json!({ "average": 2.0, "count": 1, "stars": [0, 1, 0, 0, 0] }));
    assert_eq!(authors(&page), ["İpek I."]);
    assert_eq!((&world.get(ISIK)["likes"], &world.get(RENK)["rating"]["count"]), (&json!(1), &json!(0)));
    let left = "SELECT (SELECT count(*) FROM review WHERE person_id LIKE '%' || '01010101') \
                + (SELECT count(*) FROM review_report) + (SELECT count(*) FROM course_like) - 1";
    assert_eq!(world.store.count(left), 0);
    let body = json!({ "stars": 5 });
    assert_eq!(world.ask(Method::PUT, &mine(ISIK), learner(1), Some(&body)).status, 403, "a token of before");
    assert_eq!(world.ask(Method::PUT, &format!("{ISIK}/like"), learner(1), None).status, 404);
}

#[test]
fn a_course_that_is_withdrawn_shows_no_reviews_and_its_authors_keep_theirs() {
    let world = World::new();
    world.review(1, ISIK, 5, "İyi");
    world.feed(1, &[LambdaEvent::CourseWithdrawn { course: course(1) }]);
    assert_eq!(world.ask(Method::GET, &format!("{ISIK}/reviews"), None, None).status, 404);
    assert_eq!(world.ask(Method::GET, &mine(ISIK), learner(1), None).status, 200);
    assert_eq!(world.ask(Method::DELETE, &mine(ISIK), learner(1), None).status, 204);
}
