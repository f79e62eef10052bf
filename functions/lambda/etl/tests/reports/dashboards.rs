//! What the dashboards show.

use akademi_domain::quiz::Score;
use serde_json::{Value, json};

use crate::academies::{Academies, DAY, NIGHT, Who, admin, at, course, instructor, learner, tenant};

fn money(amount: i64, currency: &str) -> Value {
    json!({ "amount": amount, "currency": currency })
}

/// One learner buys course 1, watches it, answers its quiz, completes it and is certified, all on DAY.
async fn one_of_everything(academies: &Academies) {
    let one = tenant(1);
    academies.order((one, 1), "paid", "TRY", &[(1, 14990)], Some(at(DAY, 3600))).await;
    academies.enrol(one, 1, 1, at(DAY, 3601)).await;
    academies.watch(1, 1, 120, 7, at(DAY, 4000)).await;
    academies.progress(one, 1, 1, 50, (0, 0), Some(Score { points: 3, max: 4 }), at(DAY, 5000)).await;
    academies.complete(one, 1, 1, at(DAY, 5000)).await;
    academies.certify(one, 1, 1, at(DAY, 5001)).await;
}

#[tokio::test]
async fn one_of_everything_is_on_each_dashboard() {
    let academies = Academies::new().await;
    one_of_everything(&academies).await;
    let before = academies.dashboard(admin(), "institution").await;
    assert_eq!((&before["as_of"], &before["totals"]["enrolments"]), (&Value::Null, &json!(0)), "no run yet");
    assert!(academies.run(1, DAY).await > 0);

    let activity = json!({
        "enrolments": 1, "completions": 1, "certificates": 1, "revoked_certificates": 0,
        "paid": [money(14990, "TRY")], "watched_seconds": 120,
    });
    let with = |more: Value| {
        let mut merged = activity.clone();
        merged.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        merged
    };
    let nothing = |day| {
        json!({ "day": day, "enrolments": 0, "completions": 0, "certificates": 0, "revoked_certificates": 0, "paid": [],
                "watched_seconds": 0, "active_learners": 0 })
    };
    let whole = json!({
        "from": DAY.plus(-1), "to": DAY.plus(1), "as_of": NIGHT,
        "totals": with(json!({ "active_learners": 1 })),
        "days": [nothing(DAY.plus(-1)), with(json!({ "day": DAY, "active_learners": 1 })), nothing(DAY.plus(1))],
        "courses": [with(json!({
            "course": course(1), "title": "Işık 1", "active_learners": 1, "refused_seconds": 7,
            "average_score_permille": 750,
        }))],
    });
    assert_eq!(academies.dashboard(admin(), "institution").await, whole);
    assert_eq!(academies.dashboard(instructor(100), "instructor").await, whole);
    let own = json!({
        "from": DAY.plus(-1), "to": DAY.plus(1), "as_of": NIGHT, "totals": activity,
        "courses": [with(json!({ "course": course(1), "title": "Işık 1" }))],
    });
    assert_eq!(academies.dashboard(learner(1), "learner").await, own);
}

#[tokio::test]
async fn a_second_run_changes_no_row() {
    let academies = Academies::new().await;
    one_of_everything(&academies).await;
    // A learner's day, what was paid, the sums of both, the score.
    assert_eq!(academies.run(1, DAY).await, 5);
    // Whatever writes a row gives it another xmin.
    let written = "SELECT sum(hashtext(row)) FROM (
        SELECT xmin::text || to_jsonb(r) FROM learning_day AS r UNION ALL SELECT xmin::text || to_jsonb(r) FROM paid_day AS r
        UNION ALL SELECT xmin::text || to_jsonb(r) FROM course_day AS r
        UNION ALL SELECT xmin::text || to_jsonb(r) FROM course_paid_day AS r
        UNION ALL SELECT xmin::text || to_jsonb(r) FROM course_score AS r) AS rows (row)";
    let before = academies.number(written).await;
    academies.clock.set(NIGHT.plus_seconds(60));
    assert_eq!(academies.run(1, DAY).await, 0);
    assert_eq!(academies.number(written).await, before);
    assert_eq!(academies.dashboard(admin(), "institution").await["as_of"], json!(NIGHT.plus_seconds(60)));
    academies.execute("UPDATE learning_day SET watched_seconds = watched_seconds").await;
    assert_ne!(academies.number(written).await, before, "a row that is written again is seen");
}

#[tokio::test]
async fn what_no_longer_holds_is_removed() {
    let academies = Academies::new().await;
    one_of_everything(&academies).await;
    academies.run(1, DAY).await;
    academies.execute("DELETE FROM certificate; DELETE FROM enrolment; DELETE FROM watched_day").await;
    academies.execute("UPDATE customer_order SET state = 'failed', paid_at = NULL").await;
    assert_eq!(academies.run(1, DAY).await, 4);
    let shown = academies.dashboard(admin(), "institution").await;
    assert_eq!((&shown["totals"]["paid"], &shown["courses"]), (&json!([]), &json!([])), "{shown}");
    assert_eq!(academies.dashboard(learner(1), "learner").await["courses"], json!([]));
    assert_eq!(academies.number("SELECT count(*) FROM learning_day").await, 0);
}

#[tokio::test]
async fn scores_that_a_restored_edge_has_forgotten_are_no_average() {
    let academies = Academies::new().await;
    let one = tenant(1);
    for (n, points) in [(1, 3), (2, 1)] {
        let score = Some(Score { points, max: 4 });
        academies.progress(one, 1, n, 50 + n, (0, 0), score, at(DAY, 60)).await;
    }
    academies.run(1, DAY).await;
    assert_eq!(academies.number("SELECT sum(permille)::bigint FROM course_score").await, 1000);
    academies.progress(one, 1, 1, 51, (0, 0), None, at(DAY, 90)).await;
    assert_eq!(academies.run(1, DAY).await, 1);
    assert_eq!(academies.number("SELECT sum(permille)::bigint FROM course_score").await, 250);
    assert_eq!(academies.run(1, DAY).await, 0);
}

#[tokio::test]
async fn two_currencies_stay_apart_and_only_what_was_captured_counts() {
    let academies = Academies::new().await;
    let (one, noon) = (tenant(1), Some(at(DAY, 43_200)));
    academies.order((one, 1), "paid", "TRY", &[(1, 14990), (2, 10000)], noon).await;
    academies.order((one, 1), "refund_due", "EUR", &[(1, 500)], noon).await;
    academies.order((one, 2), "refunded", "EUR", &[(1, 700)], Some(at(DAY.plus(1), 0))).await;
    for (state, paid_at) in [("pending", None), ("failed", None), ("expired", None), ("refund_due", None)] {
        academies.order((one, 3), state, "USD", &[(1, 900)], paid_at).await;
    }
    academies.order((one, 3), "paid", "USD", &[(1, 0)], noon).await;
    academies.run(1, DAY).await;
    academies.run(1, DAY.plus(1)).await;

    let shown = academies.dashboard(admin(), "institution").await;
    assert_eq!(shown["totals"]["paid"], json!([money(500 + 700, "EUR"), money(24990, "TRY")]));
    assert_eq!(shown["days"][1]["paid"], json!([money(500, "EUR"), money(24990, "TRY")]));
    assert_eq!(shown["days"][2]["paid"], json!([money(700, "EUR")]));
    let paid = |n: u8| {
        let courses = shown["courses"].as_array().unwrap();
        courses.iter().find(|shown| shown["course"] == json!(course(n))).unwrap()["paid"].clone()
    };
    assert_eq!(paid(1), json!([money(1200, "EUR"), money(14990, "TRY")]));
    assert_eq!(paid(2), json!([money(10000, "TRY")]));
    let own = academies.dashboard(learner(1), "learner").await;
    assert_eq!(own["totals"]["paid"], json!([money(500, "EUR"), money(24990, "TRY")]));
    assert_eq!(own["totals"]["enrolments"], 0, "paying is not being enrolled");
}

#[tokio::test]
async fn a_revocation_counts_on_its_own_day_and_leaves_the_day_of_issue() {
    let academies = Academies::new().await;
    academies.certify(tenant(1), 1, 1, at(DAY, 0)).await;
    academies.run(1, DAY).await;
    academies.revoke_all(at(DAY.plus(1), 60)).await;
    assert_eq!(academies.run(1, DAY).await, 0);
    academies.run(1, DAY.plus(1)).await;
    let shown = academies.dashboard(admin(), "institution").await;
    let counts = |at: &Value| (at["certificates"].clone(), at["revoked_certificates"].clone());
    assert_eq!(counts(&shown["totals"]), (json!(1), json!(1)));
    assert_eq!(counts(&shown["days"][1]), (json!(1), json!(0)));
    assert_eq!(counts(&shown["days"][2]), (json!(0), json!(1)));
    assert_eq!(shown["totals"]["active_learners"], 0, "nobody made progress");
}

#[tokio::test]
async fn everybody_sees_their_own() {
    let academies = Academies::new().await;
    let one = tenant(1);
    academies.watch(1, 1, 100, 0, at(DAY, 60)).await;
    academies.watch(1, 2, 30, 0, at(DAY, 60)).await;
    academies.watch(2, 2, 50, 5, at(DAY.plus(1), 60)).await;
    for (learner, points) in [(1, 4), (2, 1)] {
        let score = Some(Score { points, max: 4 });
        academies.progress(one, learner, 2, 60, (0, 0), score, at(DAY, 90)).await;
    }
    academies.run(1, DAY).await;
    academies.run(1, DAY.plus(1)).await;

    let all = academies.dashboard(admin(), "institution").await;
    assert_eq!(
        (&all["totals"]["watched_seconds"], &all["totals"]["active_learners"]),
        (&json!(180), &json!(2))
    );
    let days: Vec<_> = all["days"].as_array().unwrap().iter().map(|day| &day["active_learners"]).collect();
    assert_eq!(days, [0, 2, 1], "who comes on two days is one learner of the period");
    let ranked: Vec<_> = all["courses"].as_array().unwrap().iter().map(|course| &course["title"]).collect();
    assert_eq!(ranked, ["Işık 1", "Işık 2"]);

    let theirs = academies.dashboard(instructor(101), "instructor").await;
    assert_eq!(theirs["totals"]["watched_seconds"], 80);
    let shown = &theirs["courses"][0];
    assert_eq!((&shown["title"], &shown["refused_seconds"]), (&json!("Işık 2"), &json!(5)));
    assert_eq!((&shown["average_score_permille"], &shown["active_learners"]), (&json!(625), &json!(2)));
    assert_eq!(theirs["courses"].as_array().unwrap().len(), 1);
    assert_eq!(academies.dashboard(instructor(102), "instructor").await["courses"], json!([]));

    let own = academies.dashboard(learner(2), "learner").await;
    assert_eq!(
        (&own["totals"]["watched_seconds"], own["courses"].as_array().unwrap().len()),
        (&json!(50), 1)
    );
    let elsewhere = Who { tenant: tenant(2), ..learner(2) };
    assert_eq!(academies.dashboard(elsewhere, "learner").await["courses"], json!([]));
}
