//! The kept counts are what counting anew would give, after any history.

use akademi_feed::LambdaEvent;
use http::Method;
use proptest::prelude::*;
use serde_json::json;

use crate::world::{ISIK, LEARNERS, NOW, RENK, World, administrator, learner, person};

/// How many courses have other figures than their reviews and likes give.
pub const WRONG: &str = "SELECT count(*) FROM course LEFT JOIN course_figures AS kept \
    ON kept.tenant_id = course.tenant_id AND kept.course_id = course.id \
    WHERE json_array(coalesce(stars_1, 0), coalesce(stars_2, 0), coalesce(stars_3, 0), coalesce(stars_4, 0), \
    coalesce(stars_5, 0), coalesce(likes, 0)) <> (SELECT json_array(count(*) FILTER (WHERE stars = 1), \
    count(*) FILTER (WHERE stars = 2), count(*) FILTER (WHERE stars = 3), count(*) FILTER (WHERE stars = 4), \
    count(*) FILTER (WHERE stars = 5), (SELECT count(*) FROM course_like AS liked \
    WHERE liked.tenant_id = course.tenant_id AND liked.course_id = course.id)) \
    FROM review WHERE review.tenant_id = course.tenant_id AND review.course_id = course.id AND state = 'shown')";

#[derive(Debug, Clone)]
enum Act {
    Write(u8),
    Delete,
    Hide,
    Show,
    /// By staff, who has seen it.
    Approve,
    /// The academy has reviews wait from now on, or no longer.
    NeedApproval(bool),
    Like,
    Unlike,
    Withdraw,
    Erase,
}

fn acts() -> impl Strategy<Value = Vec<(u8, bool, Act)>> {
    let act = prop_oneof![
        6 => (1..=5_u8).prop_map(Act::Write),
        2 => Just(Act::Delete),
        3 => Just(Act::Hide),
        2 => Just(Act::Show),
        3 => Just(Act::Approve),
        2 => any::<bool>().prop_map(Act::NeedApproval),
        2 => Just(Act::Like),
        1 => Just(Act::Unlike),
        1 => Just(Act::Withdraw),
        1 => Just(Act::Erase),
    ];
    prop::collection::vec((1..=LEARNERS, any::<bool>(), act), 1..40)
}

/// Does it; whether it is taken or refused is not the question here.
fn act(world: &World, (n, is_first, act): &(u8, bool, Act)) {
    let course = if *is_first { ISIK } else { RENK };
    let ask = |method, path: &str, body: Option<serde_json::Value>| {
        let answer = world.ask(method, &format!("{course}{path}"), learner(*n), body.as_ref());
        assert!(answer.status < 500, "{}", answer.body);
        answer
    };
    let decide = |decision| {
        let own = ask(Method::GET, "/reviews/mine", None);
        if let Some(review) = own.body["id"].as_str() {
            assert!(world.set_state(administrator(), review, &decision).status < 500);
        }
    };
    match act {
        Act::Write(stars) => drop(ask(Method::PUT, "/reviews/mine", Some(json!({ "stars": stars })))),
        Act::Delete => drop(ask(Method::DELETE, "/reviews/mine", None)),
        Act::Hide => decide(json!({ "state": "hidden", "reason": "other" })),
        Act::Show => decide(json!({ "state": "shown" })),
        Act::Approve => {
            let waiting = world.ask(Method::GET, "/api/v1/reviews?state=waiting", administrator(), None);
            let entries = waiting.body["data"].as_array().unwrap().iter();
            let seen: Vec<_> =
                entries.map(|entry| json!({ "id": entry["id"], "version": entry["version"] })).collect();
            let approvals = Some(json!({ "reviews": seen })).filter(|_| !seen.is_empty());
            if let Some(approvals) = approvals {
                let answer =
                    world.ask(Method::POST, "/api/v1/reviews/approvals", administrator(), Some(&approvals));
                assert_eq!((answer.status, &answer.body["left"]), (200, &json!([])), "{}", answer.body);
            }
        }
        Act::NeedApproval(needed) => world.need_approval(*needed),
        Act::Like => drop(ask(Method::PUT, "/like", None)),
        Act::Unlike => drop(ask(Method::DELETE, "/like", None)),
        Act::Withdraw => {
            let of = if *is_first { 1 } else { 2 };
            let (person, course) = (person(*n), crate::world::course(of));
            let enrolment = crate::world::enrolment(*n, of);
            world.feed(1, &[LambdaEvent::EnrolmentWithdrawn { person, course, enrolment, at: NOW }]);
        }
        Act::Erase => world.feed(1, &[LambdaEvent::PersonErased { person: person(*n), at: NOW }]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_what_a_recount_gives_after_any_history(history in acts()) {
        let world = World::new();
        for step in &history {
            act(&world, step);
            prop_assert_eq!(world.store.count(WRONG), 0, "after {:?}", step);
        }
        let shown = world.store.count("SELECT count(*) FROM review WHERE state = 'shown'");
        let told: i64 = [ISIK, RENK].iter().map(|course| world.get(course)["rating"]["count"].as_i64().unwrap()).sum();
        prop_assert_eq!(told, shown);
    }
}

#[test]
fn the_recount_notices_a_figure_that_drifts() {
    let world = World::new();
    world.review(1, ISIK, 4, "");
    assert_eq!(world.store.count(WRONG), 0);
    world.store.execute("UPDATE course_figures SET stars_4 = 2 WHERE stars_4 = 1");
    assert_eq!(world.store.count(WRONG), 1);
}
