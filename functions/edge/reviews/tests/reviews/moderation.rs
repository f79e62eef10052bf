//! Reports, and what staff does about reviews.

use akademi_feed::EdgeEvent;
use http::Method;
use serde_json::{Value, json};

use crate::world::{
    ADMINISTRATOR, Answer, INSTRUCTOR, ISIK, RENK, Who, World, administrator, instructor, learner, person,
};

fn hide(reason: &str) -> Value {
    json!({ "state": "hidden", "reason": reason })
}

fn report(world: &World, n: u8, review: &str, reason: &str) -> u16 {
    let path = format!("/api/v1/reviews/{review}/reports");
    world.ask(Method::POST, &path, learner(n), Some(&json!({ "reason": reason }))).status
}

fn list(world: &World, who: Option<Who>, query: &str) -> Answer {
    world.ask(Method::GET, &format!("/api/v1/reviews{query}"), who, None)
}

fn ids(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["data"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[test]
fn a_hidden_review_leaves_lists_and_figures_at_once_and_its_author_sees_why() {
    let world = World::new();
    let bad = world.review(1, ISIK, 1, "Reklam: ucuz ders");
    world.review(2, ISIK, 4, "İyi");
    let page = |path: &str| world.get(path);
    assert_eq!(page(&format!("{ISIK}/reviews"))["rating"]["average"], 2.5);
    let decision = json!({ "state": "hidden", "reason": "advertising", "note": "Adresi çıkarın." });
    let hidden = world.set_state(administrator(), &bad, &decision);
    assert_eq!((hidden.status, &hidden.body["state"]), (200, &json!("hidden")), "{}", hidden.body);
    assert_eq!(page(&format!("{ISIK}/reviews"))["rating"]["stars"], json!([0, 0, 0, 1, 0]));
    assert_eq!(page(&format!("{ISIK}/reviews"))["data"].as_array().unwrap().len(), 1);
    assert_eq!(page(ISIK)["rating"], json!({ "average": 4.0, "count": 1 }));
    assert_eq!(page("/api/v1/catalog/courses")["data"][1]["rating"]["average"], 4.0);

    let mine = format!("{ISIK}/reviews/mine");
    let own = world.ask(Method::GET, &mine, learner(1), None).body;
    assert_eq!((&own["state"], &own["hidden"]["reason"]), (&json!("hidden"), &json!("advertising")));
    assert_eq!(own["hidden"]["note"], "Adresi çıkarın.");
    world.review(1, ISIK, 2, "Reklamsız");
    assert_eq!(page(ISIK)["rating"]["count"], 1, "who changes it does not show it");
    assert_eq!(world.ask(Method::DELETE, &mine, learner(1), None).status, 204);
    let emptied = world.ask(Method::GET, &mine, learner(1), None).body;
    assert_eq!((&emptied["text"], &emptied["state"]), (&Value::Null, &json!("hidden")));
    world.review(1, ISIK, 5, "Yeniden");
    assert_eq!(page(ISIK)["rating"]["count"], 1, "writing anew shows it no more than changing");

    let shown = world.set_state(administrator(), &bad, &json!({ "state": "shown" }));
    assert_eq!((shown.status, &shown.body["hidden"]), (200, &Value::Null));
    assert_eq!(page(ISIK)["rating"], json!({ "average": 4.5, "count": 2 }));
}

#[test]
fn what_staff_decides_stands_in_the_audit_log_without_anybodys_words() {
    let world = World::new();
    let review = world.review(1, ISIK, 1, "Gizli sözler");
    let decision = json!({ "state": "hidden", "reason": "insult", "note": "Kaba bir söz" });
    world.set_state(administrator(), &review, &decision);
    world.set_state(administrator(), &review, &json!({ "state": "shown" }));
    let entries: Vec<_> = world
        .store
        .events()
        .into_iter()
        .filter_map(|(_, event)| match event {
            EdgeEvent::Audited { action, actor, target, change, .. } => Some((action, actor, target, change)),
            _ => None,
        })
        .collect();
    let actor = Some(person(ADMINISTRATOR));
    let (shown, hidden) =
        (json!({ "state": "shown", "reason": null }), json!({ "state": "hidden", "reason": "insult" }));
    let change = |before: &Value, after: &Value| Some(json!({ "before": before, "after": after }));
    let target = format!("review:{review}");
    assert_eq!(
        entries,
        [
            ("review.hidden".to_owned(), actor, target.clone(), change(&shown, &hidden)),
            ("review.shown".to_owned(), actor, target, change(&hidden, &shown)),
        ]
    );
}

#[test]
fn readers_report_once_each_and_staff_decides() {
    let world = World::new();
    let review = world.review(1, ISIK, 1, "Aptallar");
    let quiet = world.review(2, ISIK, 5, "");
    for reason in ["insult", "other"] {
        assert_eq!(report(&world, 2, &review, reason), 204);
    }
    assert_eq!(report(&world, 3, &review, "off_topic"), 204);
    assert_eq!(report(&world, 1, &review, "other"), 404, "one's own");
    let waiting = list(&world, administrator(), "");
    assert_eq!(ids(&waiting), [review.as_str()]);
    assert_eq!(waiting.body["data"][0]["reports"], 2);
    assert_eq!(waiting.body["data"][0]["author"], "Ayşe Y.");
    assert_eq!(waiting.body["data"][0]["course"]["slug"], "isik");
    assert_eq!(world.set_state(administrator(), &review, &json!({ "state": "shown" })).status, 200);
    assert_eq!(ids(&list(&world, administrator(), "")), [""; 0], "it was decided on");
    assert_eq!(report(&world, 2, &review, "insult"), 204);
    assert_eq!(ids(&list(&world, administrator(), "")), [""; 0], "and is not asked again by the same people");
    assert_eq!(report(&world, 4, &review, "insult"), 204);
    assert_eq!(list(&world, administrator(), "").body["data"][0]["reports"], 1);

    world.set_state(administrator(), &review, &hide("insult"));
    assert_eq!(report(&world, 5, &review, "insult"), 404, "nobody sees it");
    assert_eq!(ids(&list(&world, administrator(), "?state=hidden")), [review.as_str()]);
    assert_eq!(ids(&list(&world, administrator(), "?state=shown")), [quiet.as_str()]);
    assert_eq!(world.store.count("SELECT count(*) FROM review_report"), 3);
}

#[test]
fn a_report_after_staff_has_decided_waits_once_the_author_has_changed_the_review() {
    let world = World::new();
    let review = world.review(1, ISIK, 1, "Aptallar");
    let reports = || {
        let listed = list(&world, administrator(), "?state=shown");
        listed.body["data"][0]["reports"].as_i64().unwrap()
    };
    assert_eq!(report(&world, 2, &review, "insult"), 204);
    assert_eq!(report(&world, 3, &review, "other"), 204);
    world.store.wait(60);
    assert_eq!(world.set_state(administrator(), &review, &json!({ "state": "shown" })).status, 200);
    world.store.wait(60);
    world.review(1, ISIK, 1, "Aptallar");
    assert_eq!(report(&world, 2, &review, "insult"), 204);
    assert_eq!(reports(), 0, "written again it is what staff decided on");
    world.review(1, ISIK, 1, "Reklam");
    assert_eq!(reports(), 0, "nobody has found fault with that yet");
    for reason in ["advertising", "other"] {
        assert_eq!(report(&world, 2, &review, reason), 204);
    }
    assert_eq!(reports(), 1);
    let reason = "SELECT count(*) FROM review_report WHERE settled_at IS NULL AND reason = 'advertising'";
    assert_eq!(world.store.count(reason), 1, "the first of them stays");
    assert_eq!(ids(&list(&world, administrator(), "")), [review.as_str()]);
    world.store.wait(60);
    assert_eq!(world.set_state(administrator(), &review, &json!({ "state": "shown" })).status, 200);
    assert_eq!(report(&world, 2, &review, "advertising"), 204);
    assert_eq!(reports(), 0, "decided on again");
}

#[test]
fn staff_decides_on_what_it_has_seen_and_not_on_what_was_written_since() {
    let world = World::new();
    world.need_approval(true);
    let review = world.review(1, ISIK, 4, "Görülen");
    let seen = || {
        let entry = list(&world, administrator(), "?state=waiting").body["data"][0].take();
        assert_eq!(entry["id"], json!(review));
        entry["version"].clone()
    };
    let show = |version: &Value| json!({ "state": "shown", "version": version });
    let version = seen();
    world.review(1, ISIK, 4, "Sonradan değişen");
    let late = world.set_state(administrator(), &review, &show(&version));
    assert_eq!((late.status, &late.body["type"]), (409, &json!("/problems/conflict")), "{}", late.body);
    assert_eq!(world.get(ISIK)["rating"]["count"], 0, "nobody has read it");
    let shown = world.set_state(administrator(), &review, &show(&seen()));
    assert_eq!((shown.status, &shown.body["state"]), (200, &json!("shown")));
    assert_ne!(shown.body["version"], version);
    assert_eq!(world.get(ISIK)["rating"]["count"], 1);
    let audited =
        world.store.events().iter().filter(|(_, event)| matches!(event, EdgeEvent::Audited { .. })).count();
    assert_eq!(audited, 1);
}

#[test]
fn an_instructor_decides_on_reviews_of_their_own_courses_only() {
    let world = World::new();
    let own = world.review(1, ISIK, 1, "");
    world.store.wait(1);
    let other = world.review(1, RENK, 1, "");
    assert_eq!(ids(&list(&world, instructor(), "?state=shown")), [own.as_str()]);
    assert_eq!(ids(&list(&world, administrator(), "?state=shown")), [other.as_str(), own.as_str()]);
    assert_eq!(world.set_state(instructor(), &other, &hide("other")).status, 404);
    assert_eq!(world.set_state(instructor(), &own, &hide("other")).status, 200);
    assert_eq!(world.get(RENK)["rating"]["count"], 1);
    assert_eq!(world.set_state(learner(1), &own, &json!({ "state": "shown" })).status, 403);
    assert_eq!(list(&world, learner(INSTRUCTOR), "").status, 403, "by permission, not by who one is");
}

#[test]
fn a_list_for_staff_is_paged_and_of_one_course() {
    let world = World::new();
    let mut written: Vec<_> = (1..=3)
        .map(|n| {
            world.store.wait(1);
            world.review(n, ISIK, n, "")
        })
        .collect();
    written.reverse();
    let first = list(&world, administrator(), "?state=shown&limit=2");
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = list(&world, administrator(), &format!("?state=shown&limit=2&cursor={cursor}"));
    assert_eq!([ids(&first), ids(&second)].concat(), written);
    assert_eq!(second.body["next_cursor"], Value::Null);
    let of = |course: u8| format!("?state=shown&course={}", crate::world::course(course));
    assert_eq!(ids(&list(&world, administrator(), &of(1))).len(), 3);
    assert_eq!(ids(&list(&world, administrator(), &of(2))).len(), 0);
}

#[test]
fn a_decision_that_says_too_little_or_too_much_is_refused() {
    let world = World::new();
    let review = world.review(1, ISIK, 3, "");
    for (decision, field) in [
        (json!({ "state": "hidden" }), "reason"),
        (json!({ "state": "hidden", "note": "a" }), "reason"),
        (json!({ "state": "hidden", "reason": "rude" }), "reason"),
        (json!({ "state": "shown", "reason": "other" }), "reason"),
        (json!({ "state": "shown", "note": "a" }), "note"),
        (json!({ "state": "hidden", "reason": "other", "note": "a\0" }), "note"),
        (json!({ "state": "gone" }), "state"),
        (json!({ "reason": "other" }), "state"),
    ] {
        let answer = world.set_state(administrator(), &review, &decision);
        assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!(field)), "{decision}");
    }
    let path = format!("/api/v1/reviews/{review}/state");
    let unseen = world.ask(Method::PUT, &path, administrator(), Some(&hide("other")));
    assert_eq!((unseen.status, &unseen.body["errors"][0]["field"]), (422, &json!("version")));
    let unknown = person(9).to_string();
    assert_eq!(world.set_state(administrator(), &unknown, &hide("other")).status, 404);
    assert_eq!(report(&world, 2, &unknown, "other"), 404);
    assert_eq!(report(&world, 2, &review, "rude"), 422);
    assert_eq!(world.get(ISIK)["rating"]["count"], 1);
}
