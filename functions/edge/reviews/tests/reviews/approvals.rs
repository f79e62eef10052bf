//! Reviews that wait for staff, where the academy has them wait.

use akademi_edge_world::Meeting;
use akademi_feed::EdgeEvent;
use futures::executor::block_on;
use http::Method;
use serde_json::{Value, json};

use crate::world::{
    ADMINISTRATOR, Answer, ISIK, KADIKOY, RENK, UMRANIYE, Who, World, administrator, instructor, learner,
    person, router, send,
};

const APPROVALS: &str = "/api/v1/reviews/approvals";
const WAITING: &str = "/api/v1/reviews?state=waiting";

fn mine(world: &World, n: u8) -> Value {
    world.ask(Method::GET, &format!("{ISIK}/reviews/mine"), learner(n), None).body
}

/// The entries that staff sees as waiting.
fn waiting(world: &World, who: Option<Who>) -> Vec<Value> {
    let answer = world.ask(Method::GET, WAITING, who, None);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["data"].as_array().unwrap().clone()
}

fn seen(entry: &Value) -> Value {
    json!({ "id": entry["id"], "version": entry["version"] })
}

fn approve(world: &World, who: Option<Who>, entries: &[Value]) -> Answer {
    let reviews: Vec<_> = entries.iter().map(seen).collect();
    world.ask(Method::POST, APPROVALS, who, Some(&json!({ "reviews": reviews })))
}

fn count(world: &World, course: &str) -> i64 {
    let page = world.get(&format!("{course}/reviews"));
    let count = page["rating"]["count"].as_i64().unwrap();
    assert_eq!(page["data"].as_array().unwrap().len() as i64, count, "{page}");
    assert_eq!(world.get(course)["rating"]["count"], count);
    count
}

#[test]
fn a_review_waits_until_staff_approves_it_and_its_author_sees_that() {
    let world = World::new();
    world.review(1, ISIK, 2, "Eskiden");
    assert_eq!(
        (mine(&world, 1)["state"].clone(), count(&world, ISIK)),
        (json!("shown"), 1),
        "unless asked for"
    );
    world.need_approval(true);
    for n in [2, 3] {
        world.store.wait(1);
        world.review(n, ISIK, 4, "Yeni");
    }
    assert_eq!(mine(&world, 2)["state"], "waiting");
    assert_eq!(count(&world, ISIK), 1, "what is shown stays shown, and the others wait");
    assert_eq!(
        world.ask(Method::GET, "/api/v1/reviews?state=shown", administrator(), None).body["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let entries = waiting(&world, administrator());
    assert_eq!((&entries[1]["author"], &entries[1]["text"]), (&json!("İpek I."), &json!("Yeni")));

    let answer = approve(&world, administrator(), &entries);
    let ids = json!([entries[0]["id"], entries[1]["id"]]);
    assert_eq!((answer.status, &answer.body), (200, &json!({ "approved": ids, "left": [] })));
    assert_eq!((mine(&world, 2)["state"].clone(), count(&world, ISIK)), (json!("shown"), 3));
    assert_eq!(world.get(ISIK)["rating"]["average"], 3.33);
    assert_eq!(waiting(&world, administrator()), [Value::Null; 0]);
    let again = approve(&world, administrator(), &entries);
    assert_eq!(again.body, json!({ "approved": [], "left": ids }), "once");
    assert_eq!(count(&world, ISIK), 3);
}

#[test]
fn a_shown_review_that_is_changed_waits_again_and_one_that_is_said_again_does_not() {
    let world = World::new();
    world.review(1, ISIK, 5, "İyi");
    world.need_approval(true);
    world.review(1, ISIK, 5, "İyi");
    assert_eq!((mine(&world, 1)["state"].clone(), count(&world, ISIK)), (json!("shown"), 1));
    world.review(1, ISIK, 5, "Reklam");
    assert_eq!((mine(&world, 1)["state"].clone(), count(&world, ISIK)), (json!("waiting"), 0), "at once");
    world.review(1, ISIK, 5, "Reklam");
    assert_eq!(mine(&world, 1)["state"], "waiting");
    assert_eq!(world.ask(Method::DELETE, &format!("{ISIK}/reviews/mine"), learner(1), None).status, 204);
    assert_eq!(world.store.count("SELECT count(*) FROM review"), 0);

    world.review(2, ISIK, 1, "Kaba");
    let id = mine(&world, 2)["id"].as_str().unwrap().to_owned();
    let hide = json!({ "state": "hidden", "reason": "insult" });
    assert_eq!(world.set_state(administrator(), &id, &hide).status, 200, "instead of an approval");
    world.review(2, ISIK, 3, "Nazik");
    assert_eq!(mine(&world, 2)["state"], "hidden", "until staff shows it");
    assert_eq!(world.set_state(administrator(), &id, &json!({ "state": "shown" })).status, 200);
    assert_eq!(count(&world, ISIK), 1);
}

#[test]
fn what_waits_is_seen_by_nobody_else_and_waits_on_when_approval_is_no_longer_asked_for() {
    let world = World::new();
    world.need_approval(true);
    let review = world.review(1, ISIK, 4, "Bekliyor");
    let report = json!({ "reason": "other" });
    let path = format!("/api/v1/reviews/{review}/reports");
    assert_eq!(world.ask(Method::POST, &path, learner(2), Some(&report)).status, 404);
    world.need_approval(false);
    assert_eq!((mine(&world, 1)["state"].clone(), count(&world, ISIK)), (json!("waiting"), 0));
    world.review(2, ISIK, 3, "");
    assert_eq!(count(&world, ISIK), 1, "who writes now is seen at once");
    world.review(1, ISIK, 4, "Bekliyor");
    assert_eq!(count(&world, ISIK), 2, "and so is who writes again");
}

#[test]
fn an_approval_is_of_what_staff_has_seen_of_their_own_courses_and_of_their_academy() {
    let world = World::new();
    world.need_approval(true);
    for (n, course) in [(1, ISIK), (2, ISIK), (3, RENK)] {
        world.store.wait(1);
        world.review(n, course, 4, "Görülen");
    }
    let entries = waiting(&world, administrator());
    world.review(1, ISIK, 4, "Sonradan değişen");
    let [renk, second, first] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(waiting(&world, instructor()).len(), 2, "of their own courses");
    let answer = approve(&world, instructor(), &entries);
    let left = json!([renk["id"], first["id"]]);
    assert_eq!(answer.body, json!({ "approved": [second["id"]], "left": left }));
    assert_eq!((count(&world, ISIK), count(&world, RENK)), (1, 0));
    assert_eq!(approve(&world, learner(1), &entries).status, 403);
    let body = json!({ "reviews": [seen(renk)] });
    let elsewhere = world.ask_of(KADIKOY, Method::POST, APPROVALS, administrator(), Some(&body));
    assert_eq!(elsewhere.body, json!({ "approved": [], "left": [renk["id"]] }));
    assert_eq!(count(&world, RENK), 0);

    let twice = json!([seen(renk), { "id": renk["id"], "version": 9 }]);
    for (reviews, field) in [
        (json!([]), "reviews"),
        (json!(vec![seen(renk); 101]), "reviews"),
        (twice, "reviews[1]"),
        (json!([{ "id": renk["id"] }]), "reviews[0].version"),
        (json!(["x"]), "reviews[0]"),
    ] {
        let answer =
            world.ask(Method::POST, APPROVALS, administrator(), Some(&json!({ "reviews": reviews })));
        assert_eq!(
            (answer.status, &answer.body["errors"][0]["field"]),
            (422, &json!(field)),
            "{}",
            answer.body
        );
    }
    assert_eq!(waiting(&world, administrator()).len(), 2, "nothing is written");
    let state = format!("/api/v1/reviews/{}/state", renk["id"].as_str().unwrap());
    let back = json!({ "state": "waiting", "version": renk["version"] });
    let back = world.ask(Method::PUT, &state, administrator(), Some(&back));
    assert_eq!(back.status, 422, "staff shows or hides");
}

#[test]
fn each_approval_stands_in_the_audit_log_and_decides_on_reports() {
    let world = World::new();
    let reviews = [1, 2].map(|n| world.review(n, ISIK, 4, "Önce"));
    let report = json!({ "reason": "other" });
    let path = format!("/api/v1/reviews/{}/reports", reviews[0]);
    assert_eq!(world.ask(Method::POST, &path, learner(3), Some(&report)).status, 204);
    world.need_approval(true);
    for n in [1, 2] {
        world.review(n, ISIK, 4, "Gizli sözler");
    }
    assert_eq!(approve(&world, administrator(), &waiting(&world, administrator())).status, 200);
    assert_eq!(world.store.count("SELECT count(*) FROM review_report WHERE settled_at IS NULL"), 0);
    let mut targets: Vec<_> = world
        .store
        .events()
        .into_iter()
        .filter_map(|(_, event)| match event {
            EdgeEvent::Audited { action, actor, target, change, .. } => {
                assert_eq!((action.as_str(), actor), ("review.approved", Some(person(ADMINISTRATOR))));
                let change = change.unwrap();
                assert_eq!(
                    change,
                    json!({ "before": { "state": "waiting" }, "after": { "state": "shown" } })
                );
                Some(target)
            }
            _ => None,
        })
        .collect();
    targets.sort();
    let mut wanted = reviews.map(|review| format!("review:{review}"));
    wanted.sort();
    assert_eq!(targets, wanted);
}

#[test]
fn two_of_staff_who_approve_at_once_count_a_review_once() {
    let approved = |is_lax: bool| {
        let world = World::new();
        world.need_approval(true);
        world.review(1, ISIK, 4, "");
        let body = json!({ "reviews": [seen(&waiting(&world, administrator())[0])] });
        let meeting = Meeting { words: vec!["AS seen CROSS JOIN review"], many: 2, is_lax };
        let router = router(&world.store.racing(meeting), &world.variables);
        let ask = || {
            let request = world.request(UMRANIYE, (Method::POST, APPROVALS), administrator(), Some(&body));
            send(&router, request)
        };
        let (one, two) = block_on(futures::future::join(ask(), ask()));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        (statuses, world.store.count(crate::figures::WRONG))
    };
    assert_eq!(approved(false), ([200, 409], 0));
    assert_eq!(approved(true), ([200, 200], 1), "without the condition it is counted twice");
}
