//! Callbacks: many times, late, forged, wrong.

use akademi_domain::ids::PaymentId;
use axum::body::Body;
use futures::future::join_all;
use http::{Method, Request, header};
use std::sync::atomic::Ordering;

use crate::academy::{Academy, course, learner, person};
use crate::ports::NOW;

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_three_times_at_once_pays_once() {
    let academy = Academy::new().await;
    let coupon = academy.coupon("bahar", Some(5)).await;
    let (id, oid) = academy.order_one(1, Some(&coupon)).await;
    let wakes = academy.wakes.0.load(Ordering::SeqCst);
    let answers = join_all((0..3).map(|_| academy.pay(&oid, 11992))).await;
    for answer in &answers {
        assert_eq!((answer.status, answer.body.as_ref()), (200, b"OK".as_slice()));
        assert_eq!(answer.headers[header::CONTENT_TYPE], "text/plain");
    }
    assert_eq!(academy.state(1, &id).await, "paid");
    assert_eq!(academy.uses().await, (0, 1));
    assert_eq!(academy.granted(person(1)).await, [course(1)]);
    assert_eq!(academy.texts("SELECT state FROM payment").await, ["captured"]);
    assert_eq!(academy.number("SELECT count(*) FROM ledger_transaction").await, 1);
    assert_eq!(academy.texts("SELECT outcome || ' ' || times FROM payment_callback").await, ["applied 3"]);
    assert_eq!(academy.wakes.0.load(Ordering::SeqCst), wakes + 1, "sync is woken once");
    // A failure that is told after the capture is stale.
    let stale = academy.callback(Academy::callback_body(&oid, "failed", 0, 11992)).await;
    assert_eq!(stale.body, "OK");
    assert_eq!(academy.state(1, &id).await, "paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn interest_is_kept_apart_from_what_was_asked() {
    let academy = Academy::new().await;
    let (id, oid) = academy.order_one(1, None).await;
    let answer = academy.callback(Academy::callback_body(&oid, "success", 15739, 14990)).await;
    assert_eq!(answer.body, "OK");
    assert_eq!(academy.state(1, &id).await, "paid");
    assert_eq!(academy.number("SELECT total_paid FROM payment").await, 15739);
    assert_eq!(academy.number("SELECT amount FROM ledger_entry WHERE amount > 0").await, 14990);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_or_does_not_fit_is_kept_and_changes_nothing() {
    let academy = Academy::new().await;
    let (id, oid) = academy.order_one(1, None).await;
    let honest = Academy::callback_body(&oid, "success", 14990, 14990);
    let stranger = PaymentId::new(NOW, [99; 10]).as_uuid().as_simple().to_string();
    let cases = [
        (honest.replace("total_amount=14990", "total_amount=149900"), 400, "wrong_signature"),
        (honest.replace("&hash=", "&hash=A"), 400, "wrong_signature"),
        (honest.replace("&hash=", "&hask="), 400, "malformed"),
        ("{}".to_owned(), 400, "malformed"),
        (Academy::callback_body(&oid, "success", 14989, 14990), 409, "wrong_amount"),
        (Academy::callback_body(&oid, "success", 14990, 1), 409, "wrong_amount"),
        (Academy::callback_body(&stranger, "success", 14990, 14990), 409, "unknown_attempt"),
        (Academy::callback_body("ORD1", "success", 14990, 14990), 409, "unknown_attempt"),
    ];
    for (body, status, _) in &cases {
        for _ in 0..2 {
            let answer = academy.callback(body.clone()).await;
            assert_eq!(answer.status, *status, "{body}");
            assert_ne!(answer.body, "OK");
        }
    }
    let mut raised: Vec<&str> = cases.iter().map(|(_, _, kind)| *kind).collect();
    raised.sort_unstable();
    assert_eq!(academy.texts("SELECT kind FROM payment_alarm ORDER BY kind").await, raised, "once for each");
    assert_eq!(
        academy.number("SELECT count(*) FROM payment_callback WHERE times = 2").await,
        cases.len() as i64
    );
    assert_eq!(
        academy.number("SELECT count(*) FROM payment_callback WHERE verification = 'verified'").await,
        4
    );
    assert_eq!(academy.state(1, &id).await, "pending");
    assert_eq!(academy.number("SELECT count(*) FROM ledger_entry").await, 0);
    assert!(academy.granted(person(1)).await.is_empty());
    // None of it stands in the way of the real one.
    assert_eq!(academy.callback(honest).await.body, "OK");
    assert_eq!(academy.state(1, &id).await, "paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_finds_its_academy_by_its_address_only() {
    let academy = Academy::new().await;
    let (_, oid) = academy.order_one(1, None).await;
    let body = Academy::callback_body(&oid, "success", 14990, 14990);
    let token = academy.callback.rsplit_once('/').unwrap().1.to_owned();
    assert_eq!(token.len(), 32, "128 bits in hexadecimal");
    for path in [
        format!("/callbacks/paytr/{}", "0".repeat(32)),
        "/callbacks/paytr/x".to_owned(),
        format!("/callbacks/stripe/{token}"),
    ] {
        let request = Request::post(&path).body(Body::from(body.clone())).unwrap();
        assert_eq!(academy.send(request).await.status, 404, "{path}");
    }
    let large = Request::post(&academy.callback).body(Body::from("x".repeat(65 * 1024))).unwrap();
    assert_eq!(academy.send(large).await.status, 413);
    let read = Request::get(&academy.callback).body(Body::empty()).unwrap();
    assert_eq!(academy.send(read).await.status, 405);
    assert_eq!(academy.number("SELECT count(*) FROM payment_callback").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_payment_releases_its_coupon_and_late_money_takes_it_again() {
    let academy = Academy::new().await;
    let coupon = academy.coupon("bahar", Some(1)).await;
    let (id, oid) = academy.order_one(1, Some(&coupon)).await;
    assert_eq!(academy.uses().await, (1, 0));
    let failed = Academy::callback_body(&oid, "failed", 0, 11992);
    for _ in 0..2 {
        assert_eq!(academy.callback(failed.clone()).await.body, "OK");
    }
    assert_eq!((academy.state(1, &id).await.as_str(), academy.uses().await), ("failed", (0, 0)));
    let shown =
        academy.call(learner(1), Method::GET, &format!("/api/v1/orders/{id}"), None, None).await.json();
    assert!(shown["checkout"].is_null(), "not payable any more");

    assert_eq!(academy.pay(&oid, 11992).await.body, "OK");
    assert_eq!((academy.state(1, &id).await.as_str(), academy.uses().await), ("paid", (0, 1)));
    assert_eq!(academy.granted(person(1)).await, [course(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_for_a_coupon_that_is_gone_must_go_back() {
    let academy = Academy::new().await;
    let coupon = academy.coupon("bahar", Some(1)).await;
    let (late, late_oid) = academy.order_one(1, Some(&coupon)).await;
    academy.clock.advance_seconds(31 * 60);
    assert_eq!(academy.payments.expire_orders(academy.now()).await.unwrap(), 1);
    let (quick, quick_oid) = academy.order_one(2, Some(&coupon)).await;
    assert_eq!(academy.pay(&quick_oid, 11992).await.body, "OK");
    for _ in 0..2 {
        assert_eq!(academy.pay(&late_oid, 11992).await.body, "OK");
    }
    assert_eq!(academy.state(1, &late).await, "refund_due");
    assert_eq!(academy.state(2, &quick).await, "paid");
    assert_eq!(academy.uses().await, (0, 1), "never more than the limit");
    assert!(academy.granted(person(1)).await.is_empty());
    assert_eq!(academy.texts("SELECT kind FROM payment_alarm").await, ["late_capture"]);
    assert_eq!(academy.number("SELECT amount FROM ledger_entry WHERE account = 'refunds_due'").await, -11992);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_payment_of_an_order_must_go_back() {
    let academy = Academy::new().await;
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    academy.provider.reachable.store(false, Ordering::SeqCst);
    assert_eq!(academy.order(learner(1), "k", &quote).await.status, 503);
    academy.provider.reachable.store(true, Ordering::SeqCst);
    assert_eq!(academy.order(learner(1), "k", &quote).await.status, 201);
    let oids = academy.texts("SELECT replace(id::text, '-', '') FROM payment").await;
    for oid in &oids {
        assert_eq!(academy.pay(oid, 14990).await.body, "OK");
    }
    assert_eq!(academy.texts("SELECT state FROM payment ORDER BY state").await, ["captured", "refund_due"]);
    assert_eq!(academy.texts("SELECT kind FROM payment_alarm").await, ["second_capture"]);
    assert_eq!(academy.granted(person(1)).await, [course(1)]);
    assert_eq!(academy.number("SELECT sum(amount)::bigint FROM ledger_entry").await, 0);
}
