//! Money that goes back, through the sandbox.

use akademi_feed::LambdaEvent;
use akademi_payment_sandbox::{Behaviour, Endpoint, Fault, FaultKind, Handle};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Barrier;

use crate::academy::{Academy, Who, course, learner, person, staff, tenant};
use crate::answer::Answer;
use crate::sandbox::{callbacks, press, start};

/// A paid order of courses 1 and 2, at 149.90 and 100.00.
async fn paid(faults: Vec<Fault>) -> (Academy, Handle, String) {
    let (academy, sandbox) = start(Behaviour { copies: 1, faults, ..Behaviour::default() }).await;
    let order = pay(&academy, 1, 1).await;
    (academy, sandbox, order)
}

/// The same of learner `n`, whose callback is number `callback`.
async fn pay(academy: &Academy, n: u8, callback: i64) -> String {
    let quote = academy.quote(learner(n), &[(1, 14990), (2, 10000)], None);
    let made = academy.order(learner(n), "k", &quote).await.json();
    press(made["checkout"]["page"].as_str().unwrap(), "249,90 TL", "sonuc=ode&taksit=0").await;
    callbacks(academy, callback).await;
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(academy.state(n, &id).await, "paid");
    id
}

fn fault(endpoint: Endpoint, kind: FaultKind) -> Vec<Fault> {
    vec![Fault { endpoint, kind, times: 1 }]
}

impl Academy {
    async fn refund(&self, who: Who, order: &str, key: &str, body: Value) -> Answer {
        let target = format!("/api/v1/commerce/orders/{order}/refunds");
        self.call(who, Method::POST, &target, Some(key), Some(&body)).await
    }

    /// Each account of the ledger that is not even, with its balance.
    async fn balances(&self) -> Vec<String> {
        self.texts(
            "SELECT account || ' ' || sum(amount) FROM ledger_entry GROUP BY account HAVING sum(amount) <> 0 ORDER BY account",
        )
        .await
    }

    /// The courses that were taken back, in the feed's order.
    async fn withdrawn(&self) -> Vec<akademi_domain::ids::CourseId> {
        let course = |event| match event {
            LambdaEvent::EnrolmentWithdrawn { person: whose, course, .. } if whose == person(1) => {
                Some(course)
            }
            _ => None,
        };
        self.events().await.into_iter().filter_map(course).collect()
    }

    async fn resolve_after(&self, seconds: i64) {
        self.clock.advance_seconds(seconds);
        self.payments.resolve_refunds(self.now()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_refund_gives_all_back_and_takes_the_courses() {
    let (academy, _sandbox, order) = paid(Vec::new()).await;
    let answer = academy.refund(staff(), &order, "r", json!({ "reason": "vazgeçti" })).await;
    let refund = answer.json();
    assert_eq!(
        (answer.status, &refund["state"], &refund["amount"]["amount"]),
        (201, &json!("done"), &json!(24990))
    );
    assert_eq!(academy.state(1, &order).await, "refunded");
    assert_eq!(academy.withdrawn().await, [course(1), course(2)]);
    assert_eq!(academy.balances().await, [""; 0], "every account is even again");
    assert_eq!(academy.texts("SELECT state FROM payment").await, ["refunded"]);
    let again = academy.refund(staff(), &order, "r2", json!({ "reason": "yine" })).await;
    assert_eq!(again.problem(), (409, "nothing-to-refund".into()));

    let target = format!("/api/v1/commerce/orders/{order}");
    let seen = academy.call(staff(), Method::GET, &target, None, None).await.json();
    assert_eq!(seen["refunds"][0]["id"], refund["id"]);
    assert_eq!(seen["refunds"][0]["lines"].as_array().unwrap().len(), 2);
    assert_eq!((&seen["payments"][0]["state"], &seen["state"]), (&json!("refunded"), &json!("refunded")));
    let listed =
        academy.call(staff(), Method::GET, "/api/v1/commerce/orders?state=refunded", None, None).await.json();
    assert_eq!(listed["data"][0]["id"], json!(order));
    let none =
        academy.call(staff(), Method::GET, "/api/v1/commerce/orders?state=paid", None, None).await.json();
    assert_eq!(none["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_goes_back_with_its_course_and_an_amount_with_none() {
    let (academy, _sandbox, order) = paid(Vec::new()).await;
    let line = academy
        .refund(staff(), &order, "1", json!({ "courses": [course(2)], "reason": "ders" }))
        .await
        .json();
    assert_eq!(
        line["lines"],
        json!([{ "course": course(2), "amount": { "amount": 10000, "currency": "TRY" },
        "vat": { "amount": 1667, "currency": "TRY" }, "withdraws": true }])
    );
    assert_eq!(academy.state(1, &order).await, "partly_refunded");
    assert_eq!(academy.withdrawn().await, [course(2)]);

    let part =
        academy.refund(staff(), &order, "2", json!({ "amount": 4990, "reason": "indirim" })).await.json();
    assert_eq!(
        (&part["lines"][0]["course"], &part["lines"][0]["withdraws"]),
        (&json!(course(1)), &json!(false))
    );
    assert_eq!(academy.balances().await, ["provider:paytr 10000", "sales -8334", "vat -1666"]);

    let more = academy.refund(staff(), &order, "3", json!({ "amount": 10001, "reason": "çok" })).await;
    assert_eq!(more.problem(), (422, "invalid-request".into()));
    assert_eq!(more.json()["errors"][0]["message"], "is more than the 10000 minor units that are left");
    let rest = academy.refund(staff(), &order, "4", json!({ "reason": "kalan" })).await.json();
    assert_eq!(rest["amount"]["amount"], 10000);
    assert_eq!(academy.state(1, &order).await, "refunded");
    assert_eq!(academy.withdrawn().await, [course(2), course(1)]);
    assert_eq!(academy.balances().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_gives_back_once() {
    let (academy, _sandbox, order) = paid(Vec::new()).await;
    let body = json!({ "amount": 1000, "reason": "indirim" });
    let first = academy.refund(staff(), &order, "r", body.clone()).await;
    let again = academy.refund(staff(), &order, "r", body).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = academy.refund(staff(), &order, "r", json!({ "amount": 1001, "reason": "indirim" })).await;
    assert_eq!(other.status, 422);
    assert_eq!(academy.number("SELECT count(*) FROM refund").await, 1);
    assert_eq!(academy.number("SELECT used FROM budget").await, 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_was_not_answered_is_asked_about_and_not_repeated() {
    let (academy, _sandbox, order) = paid(fault(Endpoint::Refund, FaultKind::ErrorAfter)).await;
    let answer = academy.refund(staff(), &order, "r", json!({ "amount": 1000, "reason": "indirim" })).await;
    assert_eq!((answer.status, &answer.json()["state"]), (201, &json!("requested")));
    assert_eq!(academy.state(1, &order).await, "paid");
    academy.resolve_after(59).await;
    assert_eq!(academy.texts("SELECT state FROM refund").await, ["requested"], "not yet");
    academy.resolve_after(1).await;
    assert_eq!(academy.texts("SELECT state FROM refund").await, ["done"]);
    assert_eq!(academy.state(1, &order).await, "partly_refunded");
    // The provider would have booked a repetition as well: of 249.90 all but one refund is left.
    let rest = academy.refund(staff(), &order, "rest", json!({ "reason": "kalan" })).await.json();
    assert_eq!((&rest["state"], &rest["amount"]["amount"]), (&json!("done"), &json!(23990)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_never_arrived_is_refused_in_the_end_and_its_money_is_free() {
    let (academy, _sandbox, order) = paid(fault(Endpoint::Refund, FaultKind::ErrorBefore)).await;
    academy.refund(staff(), &order, "r", json!({ "reason": "hepsi" })).await;
    let meanwhile = academy.refund(staff(), &order, "r2", json!({ "amount": 1, "reason": "bir daha" })).await;
    assert_eq!(meanwhile.status, 422, "its money is reserved");
    for _ in 0..6 {
        academy.resolve_after(10 * 60).await;
    }
    assert_eq!(
        academy.texts("SELECT state || ' ' || failure_code FROM refund").await,
        ["refused not_booked"]
    );
    assert_eq!(academy.texts("SELECT kind FROM payment_alarm").await, ["refund_refused"]);
    assert_eq!(academy.state(1, &order).await, "paid");
    let again = academy.refund(staff(), &order, "r3", json!({ "reason": "hepsi" })).await.json();
    assert_eq!(again["state"], "done");
    assert_eq!(academy.balances().await, [""; 0]);
}

/// The refund of the rest hoped that the one before it would go through.
#[tokio::test(flavor = "multi_thread")]
async fn a_course_is_taken_back_only_once_all_of_its_line_has_gone_back() {
    let (academy, _sandbox, order) = paid(fault(Endpoint::Refund, FaultKind::ErrorBefore)).await;
    let lost = academy.refund(staff(), &order, "1", json!({ "amount": 3333, "reason": "indirim" })).await;
    assert_eq!(lost.json()["state"], "requested");
    let rest = academy.refund(staff(), &order, "2", json!({ "reason": "kalan" })).await.json();
    assert_eq!((&rest["state"], &rest["amount"]["amount"]), (&json!("done"), &json!(24990 - 3333)));
    let withdraws = |refund: &Value| {
        let lines = refund["lines"].as_array().unwrap().iter();
        lines.map(|line| line["withdraws"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(withdraws(&rest), [false, false]);
    assert_eq!(academy.withdrawn().await, []);
    for _ in 0..6 {
        academy.resolve_after(10 * 60).await;
    }
    let last = academy.refund(staff(), &order, "3", json!({ "reason": "kalan" })).await.json();
    assert_eq!((&last["state"], &last["amount"]["amount"]), (&json!("done"), &json!(3333)));
    assert_eq!(withdraws(&last), [true, true]);
    assert_eq!(academy.withdrawn().await, [course(1), course(2)]);
    assert_eq!(academy.balances().await, [""; 0], "to the last kuruş of VAT");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_cannot_be_gone_on_with_is_in_nobodys_way() {
    let faults = vec![Fault { endpoint: Endpoint::Refund, kind: FaultKind::ErrorAfter, times: 2 }];
    let (academy, _sandbox, broken) = paid(faults).await;
    let whole = pay(&academy, 2, 2).await;
    for order in [&broken, &whole] {
        academy.refund(staff(), order, order, json!({ "reason": "hepsi" })).await;
    }
    academy.break_account_of(&broken).await;
    academy.clock.advance_seconds(60);
    academy.payments.resolve_refunds(academy.now()).await.unwrap_err();
    assert_eq!(
        (academy.state(1, &broken).await, academy.state(2, &whole).await),
        ("paid".into(), "refunded".into())
    );
    assert_eq!(academy.payments.resolve_refunds(academy.now()).await.unwrap(), 0, "it has its pause too");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_came_too_late_goes_back_by_itself() {
    let (academy, _sandbox) = start(Behaviour { copies: 1, ..Behaviour::default() }).await;
    let coupon = academy.coupon("tek", Some(1)).await;
    let order = |n| {
        let (academy, coupon) = (&academy, &coupon);
        async move {
            let quote = academy.quote(learner(n), &[(1, 14990)], Some(coupon));
            academy.order(learner(n), "k", &quote).await.json()
        }
    };
    let late = order(1).await;
    academy.clock.advance_seconds(31 * 60);
    assert_eq!(academy.payments.expire_orders(academy.now()).await.unwrap(), 1);
    order(2).await;
    press(late["checkout"]["page"].as_str().unwrap(), "119,92 TL", "sonuc=ode&taksit=0").await;
    callbacks(&academy, 1).await;
    let id = late["id"].as_str().unwrap();
    assert_eq!(academy.state(1, id).await, "refund_due");
    assert_eq!(academy.balances().await, ["provider:paytr 11992", "refunds_due -11992"]);
    academy.resolve_after(0).await;
    assert_eq!(academy.state(1, id).await, "refunded");
    assert_eq!(academy.balances().await, [""; 0]);
    assert_eq!((academy.granted(person(1)).await, academy.withdrawn().await), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_refund_is_refused_and_nothing_is_kept() {
    let (academy, _sandbox, order) = paid(Vec::new()).await;
    let bodies = [
        (json!({ "reason": "" }), 422),
        (json!({ "reason": "a".repeat(501) }), 422),
        (json!({ "amount": 0, "reason": "x" }), 422),
        (json!({ "amount": -1, "reason": "x" }), 422),
        (json!({ "amount": 1.5, "reason": "x" }), 422),
        (json!({ "amount": i64::MAX, "reason": "x" }), 422),
        (json!({ "amount": 1, "courses": [course(1)], "reason": "x" }), 422),
        (json!({ "courses": [course(3)], "reason": "x" }), 422),
        (json!({ "courses": [course(1), course(1)], "reason": "x" }), 422),
        (json!({ "courses": [], "reason": "x" }), 409),
        (json!({ "amount": 1 }), 422),
        (json!({ "amount": 1, "reason": "x", "currency": "EUR" }), 422),
    ];
    for (n, (body, status)) in bodies.into_iter().enumerate() {
        let answer = academy.refund(staff(), &order, &format!("k{n}"), body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.json());
    }
    let nobodys = academy.refund(staff(), &course(9).to_string(), "n", json!({ "reason": "x" })).await;
    assert_eq!(nobodys.status, 404);
    let elsewhere =
        academy.refund(Who { tenant: tenant(2), ..staff() }, &order, "e", json!({ "reason": "x" })).await;
    assert_eq!(elsewhere.status, 404, "another academy's");
    let pending =
        academy.order(learner(2), "p", &academy.quote(learner(2), &[(1, 14990)], None)).await.json();
    let unpaid =
        academy.refund(staff(), pending["id"].as_str().unwrap(), "u", json!({ "reason": "x" })).await;
    assert_eq!(unpaid.problem(), (409, "nothing-to-refund".into()));
    assert_eq!(academy.number("SELECT count(*) FROM refund").await, 0);
    assert_eq!(academy.number("SELECT count(*) FROM ledger_transaction").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_100_refunds_at_once_none_gives_back_more_than_was_paid() {
    let (academy, _sandbox, order) = paid(Vec::new()).await;
    let keys: Vec<String> = (0..100).map(|n| format!("k{n}")).collect();
    let asked =
        keys.iter().map(|key| academy.refund(staff(), &order, key, json!({ "amount": 700, "reason": "x" })));
    let answers = join_all(asked).await;
    let done = answers.iter().filter(|answer| answer.json()["state"] == "done").count();
    // 35 times 7.00 is 245.00.
    assert_eq!(done, 35, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| [201, 422].contains(&answer.status)));
    assert_eq!(academy.number("SELECT held + used FROM budget").await, 24500);
    assert_eq!(academy.balances().await.first().unwrap(), "provider:paytr 490");
    println!("100 refunds at once: {done} done");
}

/// The same race with a look and a step apart, and without the schema's word.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_reservation_more_goes_back_than_was_paid() {
    let (academy, _sandbox, order) = paid(Vec::new()).await;
    academy.refund(staff(), &order, "first", json!({ "amount": 24000, "reason": "x" })).await;
    let mut superuser = academy.superuser().await;
    sqlx::query("ALTER TABLE budget DROP CONSTRAINT budget_within_ceiling")
        .execute(&mut superuser)
        .await
        .unwrap();
    let all_have_looked = Arc::new(Barrier::new(4));
    let holds = (0..4).map(|_| {
        let (all_have_looked, postgres) = (all_have_looked.clone(), academy.database.postgres().clone());
        async move {
            let mut tx = postgres.tenant(tenant(1)).await.unwrap();
            let left: bool = sqlx::query_scalar("SELECT held + used + 700 <= ceiling FROM budget")
                .fetch_one(tx.connection())
                .await
                .unwrap();
            all_have_looked.wait().await;
            if left {
                sqlx::query("UPDATE budget SET held = held + 700").execute(tx.connection()).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
    });
    join_all(holds.map(tokio::spawn)).await;
    assert!(academy.number("SELECT held + used - ceiling FROM budget").await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_course_that_is_paid_in_two_orders_is_granted_once_and_given_back_once() {
    let (academy, _sandbox) = start(Behaviour { copies: 1, ..Behaviour::default() }).await;
    let order = |key: &'static str, basket: &'static [(u8, i64)]| {
        let academy = &academy;
        async move {
            let quote = academy.quote(learner(1), basket, None);
            academy.order(learner(1), key, &quote).await.json()
        }
    };
    // Both are open at once, in two windows.
    let (one, two) = (order("a", &[(1, 14990)]).await, order("b", &[(2, 10000), (1, 14990)]).await);
    let page = |made: &Value| made["checkout"]["page"].as_str().unwrap().to_owned();
    let (first, second) = (page(&one), page(&two));
    tokio::join!(
        press(&first, "149,90 TL", "sonuc=ode&taksit=0"),
        press(&second, "249,90 TL", "sonuc=ode&taksit=0")
    );
    callbacks(&academy, 2).await;
    let mut granted = academy.granted(person(1)).await;
    granted.sort_unstable();
    assert_eq!(granted, [course(1), course(2)]);
    academy.resolve_after(0).await;
    let back = academy.texts("SELECT reason || ' ' || state || ' ' || amount FROM refund").await;
    assert_eq!(back, ["bought_before done 14990"]);
    assert_eq!(academy.balances().await.first().unwrap(), "provider:paytr 24990");
    let again = academy.order(learner(1), "c", &academy.quote(learner(1), &[(1, 14990)], None)).await;
    assert_eq!(
        again.problem(),
        (409, "already-enrolled".into()),
        "before the edge has told of the enrolment"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_course_that_is_taken_back_gives_its_seat_back() {
    let (academy, _sandbox, order) = paid(Vec::new()).await;
    let target = format!("/api/v1/commerce/courses/{}/seats", course(2));
    let set = academy.call(staff(), Method::PUT, &target, None, Some(&json!({ "capacity": 1 }))).await;
    assert_eq!((&set.json()["taken"], set.status), (&json!(1), 200));
    let quote = academy.quote(learner(2), &[(2, 10000)], None);
    assert_eq!(academy.order(learner(2), "k", &quote).await.problem(), (409, "course-full".into()));
    academy.refund(staff(), &order, "r", json!({ "courses": [course(2)], "reason": "ders" })).await;
    assert_eq!(academy.number("SELECT used FROM budget WHERE kind = 'seat'").await, 0);
    assert_eq!(academy.order(learner(2), "k", &quote).await.status, 201);
}
