//! Two academies with people, courses and slugs of the same names: neither sees or moves anything of the other.

use akademi_feed::LambdaEvent;
use http::Method;
use serde_json::{Value, json};

use crate::world::{ISIK, KADIKOY, NOW, UMRANIYE, Who, World, administrator, course, learner, person};

/// All that the other academy shows and keeps.
fn elsewhere(world: &World) -> Vec<Value> {
    let ask = |path: &str, who: Option<Who>| {
        let answer = world.ask_of(KADIKOY, Method::GET, path, who, None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    };
    vec![
        ask(ISIK, None),
        ask("/api/v1/catalog/courses", None),
        ask(&format!("{ISIK}/reviews"), None),
        ask(&format!("{ISIK}/reviews/mine"), learner(1)),
        ask("/api/v1/users/me/likes", learner(1)),
        ask("/api/v1/reviews", administrator()),
        ask("/api/v1/reviews?state=shown", administrator()),
        ask("/api/v1/reviews?state=waiting", administrator()),
        ask("/api/v1/catalog/courses?sort=rating", None),
        ask(&format!("/api/v1/shares/courses/{}", course(1)), administrator()),
        ask(&format!("/api/v1/clicks/courses/{}", course(1)), administrator()),
    ]
}

#[test]
fn what_is_done_in_one_academy_moves_nothing_in_another() {
    let world = World::new();
    let tell = |academy, method: Method, path: &str, who, body: Option<Value>| {
        let answer = world.ask_of(academy, method, path, who, body.as_ref());
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        answer.body
    };
    let live = |academy| {
        let mine = format!("{ISIK}/reviews/mine");
        tell(academy, Method::PUT, &mine, learner(1), Some(json!({ "stars": 2, "text": "Ortak" })));
        let review = tell(academy, Method::PUT, &mine, learner(2), Some(json!({ "stars": 4 })));
        tell(academy, Method::PUT, &format!("{ISIK}/like"), learner(1), None);
        tell(academy, Method::POST, &format!("{ISIK}/shares"), None, Some(json!({ "via": "x" })));
        tell(academy, Method::POST, &format!("{ISIK}/visits"), None, Some(json!({ "via": "x" })));
        let url = format!("https://{}/", academy.1);
        let sold = LambdaEvent::SoldElsewhereSet { course: course(1), label: "Shop".into(), url };
        world.feed(academy.0, &[sold]);
        let go = world.ask_of(academy, Method::GET, &format!("{ISIK}/go"), None, None);
        assert_eq!(go.headers[http::header::LOCATION].to_str().unwrap(), format!("https://{}/", academy.1));
        review["id"].as_str().unwrap().to_owned()
    };
    let review = live(KADIKOY);
    let report = json!({ "reason": "other" });
    let reports = format!("/api/v1/reviews/{review}/reports");
    tell(KADIKOY, Method::POST, &reports, learner(3), Some(report.clone()));
    let before = elsewhere(&world);
    assert_eq!(before[2]["rating"]["count"], 2);
    assert_eq!(before[5]["data"][0]["reports"], 1);

    live(UMRANIYE);
    // Of the same ids, as no chance makes them.
    world.store.execute(
        "UPDATE review SET id = (SELECT other.id FROM review AS other WHERE other.tenant_id <> review.tenant_id \
         AND other.person_id = review.person_id) \
         WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'umraniye')",
    );
    tell(UMRANIYE, Method::POST, &reports, learner(3), Some(report));
    let state = format!("/api/v1/reviews/{review}/state");
    let hide = json!({ "state": "hidden", "reason": "other", "version": 1 });
    tell(UMRANIYE, Method::PUT, &state, administrator(), Some(hide));
    let mine = format!("{ISIK}/reviews/mine");
    tell(UMRANIYE, Method::PUT, &mine, learner(1), Some(json!({ "stars": 5 })));
    tell(UMRANIYE, Method::DELETE, &mine, learner(1), None);
    tell(UMRANIYE, Method::DELETE, &mine, learner(2), None);
    tell(UMRANIYE, Method::DELETE, &format!("{ISIK}/like"), learner(1), None);
    tell(UMRANIYE, Method::POST, &format!("{ISIK}/visits"), None, Some(json!({ "via": "x" })));
    world.feed(1, &[LambdaEvent::PersonErased { person: person(2), at: NOW }]);
    assert_eq!(elsewhere(&world), before);
}

#[test]
fn what_another_academy_has_of_the_same_ids_opens_no_report_and_hides_no_change() {
    let world = World::new();
    let mine = format!("{ISIK}/reviews/mine");
    let write = |academy, stars: u8, text: &str| {
        let body = json!({ "stars": stars, "text": text });
        let answer = world.ask_of(academy, Method::PUT, &mine, learner(1), Some(&body));
        assert!(answer.status < 300, "{}", answer.body);
        answer.body
    };
    write(KADIKOY, 2, "Bizim");
    write(UMRANIYE, 4, "Ortak");
    // Of the same ids, as no chance makes them.
    world.store.execute(
        "UPDATE review SET id = (SELECT other.id FROM review AS other WHERE other.tenant_id <> review.tenant_id) \
         WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'umraniye')",
    );
    let review = write(UMRANIYE, 4, "Ortak")["id"].as_str().unwrap().to_owned();
    let reports = format!("/api/v1/reviews/{review}/reports");
    let report = || world.ask(Method::POST, &reports, learner(2), Some(&json!({ "reason": "other" }))).status;
    assert_eq!(report(), 204);
    assert_eq!(world.set_state(administrator(), &review, &json!({ "state": "shown" })).status, 200);
    world.store.wait(60);
    write(KADIKOY, 4, "Bizim");
    assert_eq!(report(), 204);
    assert_eq!(world.store.count("SELECT count(*) FROM review_report WHERE settled_at IS NULL"), 0);

    assert_eq!(write(UMRANIYE, 4, "Bizim")["text"], "Bizim", "what another academy has already");
    assert_eq!(write(UMRANIYE, 4, "Bizim")["text"], "Bizim", "as it is kept here");
    let answer = world.ask_of(UMRANIYE, Method::GET, &mine, learner(1), None);
    assert_eq!(answer.body["updated_at"], json!(world.store.now()));
}

#[test]
fn anothers_token_and_anothers_review_are_good_for_nothing() {
    let world = World::new();
    let review = world.review(1, ISIK, 3, "Bizim");
    let hide = json!({ "state": "hidden", "reason": "other", "version": 1 });
    let path = format!("/api/v1/reviews/{review}/state");
    assert_eq!(world.ask_of(KADIKOY, Method::PUT, &path, administrator(), Some(&hide)).status, 404);
    let path = format!("/api/v1/reviews/{review}/reports");
    let report = json!({ "reason": "other" });
    assert_eq!(world.ask_of(KADIKOY, Method::POST, &path, learner(2), Some(&report)).status, 404);
    let foreign = (1, KADIKOY.1);
    let mine = format!("{ISIK}/reviews/mine");
    assert_eq!(world.ask_of(foreign, Method::GET, &mine, learner(1), None).status, 401);
    assert_eq!(world.ask(Method::GET, &mine, learner(2), None).status, 404, "another person's");
    assert_eq!(world.get(ISIK)["rating"]["count"], 1);
}
