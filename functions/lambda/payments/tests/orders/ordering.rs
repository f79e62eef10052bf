//! Orders: made from a quote, once per key.

use akademi_domain::ids::OrderId;
use http::{Method, header};
use serde_json::json;
use std::sync::atomic::Ordering;

use crate::academy::{Academy, Who, course, learner, lira, person, staff, tenant};
use crate::ports::NOW;

const ORDERS: &str = "/api/v1/orders";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_holds_its_coupon_and_names_the_page() {
    let academy = Academy::new().await;
    let coupon = academy.coupon("bahar", Some(5)).await;
    let quote = academy.quote(learner(1), &[(1, 14990), (2, 10000)], Some(&coupon));
    let made = academy.order(learner(1), "k", &quote).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let order = made.json();
    assert_eq!((order["state"].as_str(), &order["total"]), (Some("pending"), &json!(lira(19992))));
    assert_eq!(order["checkout"]["page"], "https://www.paytr.com/odeme/guvenli/token1");
    let path = format!("{ORDERS}/{}", order["id"].as_str().unwrap());
    assert_eq!(made.headers[header::LOCATION], path.as_str());
    assert_eq!(academy.uses().await, (1, 0));

    let provider = &academy.provider;
    assert_eq!(provider.sent("payment_amount"), "19992");
    assert_eq!(
        (provider.sent("user_name"), provider.sent("email")),
        ("Şükrü Iğdır".into(), "ogrenci@example.com".into())
    );
    assert_eq!(provider.sent("user_ip"), "203.0.113.7", "the stand-in of a private address");
    let back =
        format!("http://umraniye.localhost:3000/orders/{}?returned=paid", order["id"].as_str().unwrap());
    assert_eq!(provider.sent("merchant_ok_url"), back);

    let shown = academy.call(learner(1), Method::GET, &path, None, None).await.json();
    assert_eq!(shown["lines"][1]["title"], "Işık 2");
    assert_eq!((&shown["lines"][0]["total"], &shown["discount"]), (&json!(lira(11992)), &json!(lira(4998))));
    assert_eq!(shown["checkout"], order["checkout"], "payable for who comes back");
    let listed = academy.call(learner(1), Method::GET, &format!("{ORDERS}?limit=1"), None, None).await.json();
    assert_eq!((&listed["data"][0]["id"], &listed["next_cursor"]), (&order["id"], &json!(null)));
    let columns = academy
        .texts(
            "SELECT to_jsonb(payment)::text || to_jsonb(customer_order)::text FROM payment, customer_order",
        )
        .await;
    assert!(
        !columns[0].contains("0555") && !columns[0].contains("example.com"),
        "no personal field is stored"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_makes_one_order_and_answers_as_the_draft_says() {
    let academy = Academy::new().await;
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    let body = Academy::order_body(&quote);
    let missing = academy.call(learner(1), Method::POST, ORDERS, None, Some(&body)).await;
    assert_eq!(missing.problem(), (400, "idempotency-key-required".into()));

    // The provider keeps the first one waiting.
    academy.provider.gate.forget_permits(usize::MAX);
    let (first, second) = tokio::join!(academy.order(learner(1), "k", &quote), async {
        while academy.number("SELECT count(*) FROM payment").await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let running = academy.order(learner(1), "\"k\"", &quote).await;
        academy.provider.gate.add_permits(100);
        running
    });
    assert_eq!(second.problem(), (409, "still-running".into()));
    assert_eq!(first.status, 201, "{}", first.json());
    assert!(!first.headers.contains_key("idempotent-replayed"));

    // Replayed even when the quote is long over.
    academy.clock.advance_seconds(3600);
    let replayed = academy.order(learner(1), "k", &quote).await;
    assert_eq!((replayed.status, &replayed.body), (201, &first.body));
    assert_eq!(replayed.headers["idempotent-replayed"], "true");
    assert_eq!(replayed.headers[header::LOCATION], first.headers[header::LOCATION]);
    let mut other = body.clone();
    other["buyer"]["phone"] = json!("05551111111");
    let mismatch = academy.call(learner(1), Method::POST, ORDERS, Some("k"), Some(&other)).await;
    assert_eq!(mismatch.problem(), (422, "idempotency-key-reused".into()));
    assert_eq!(academy.number("SELECT count(*) FROM customer_order").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_quote_and_order_are_not_found() {
    let academy = Academy::new().await;
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    assert_eq!(academy.order(learner(2), "k", &quote).await.status, 404);
    let elsewhere = Who { tenant: tenant(2), ..learner(1) };
    assert_eq!(academy.order(elsewhere, "k", &quote).await.status, 404);
    let (id, _) = academy.order_one(1, None).await;
    let path = format!("{ORDERS}/{id}");
    assert_eq!(academy.call(learner(1), Method::GET, &path, None, None).await.status, 200);
    for stranger in [learner(2), elsewhere, staff()] {
        assert_eq!(academy.call(stranger, Method::GET, &path, None, None).await.status, 404);
        let list = academy.call(stranger, Method::GET, ORDERS, None, None).await.json();
        assert_eq!(list["data"], json!([]));
    }
    let unknown = format!("{ORDERS}/{}", OrderId::new(NOW, [9; 10]));
    assert_eq!(academy.call(learner(1), Method::GET, &unknown, None, None).await.status, 404);
    assert_eq!(academy.call(learner(1), Method::GET, &format!("{ORDERS}/x"), None, None).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_longer_holds_is_refused_and_leaves_nothing_behind() {
    let academy = Academy::new().await;
    let coupon = academy.coupon("bahar", Some(1)).await;
    let events = academy.number("SELECT count(*) FROM feed_event").await;
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    let wrong_price = academy.quote(learner(1), &[(1, 14989)], None);
    let unpriced = academy.quote(learner(1), &[(4, 100)], None);
    let order = |quote: String| academy.order(learner(1), "k", Box::leak(quote.into_boxed_str()));

    assert_eq!(order(wrong_price).await.problem(), (409, "price-changed".into()));
    assert_eq!(order(unpriced).await.problem(), (409, "price-changed".into()));
    let mut forged = quote.clone();
    forged.replace_range(quote.len() - 2.., "AA");
    assert_eq!(order(forged).await.json()["errors"][0]["field"], "quote");
    let mut superuser = academy.superuser().await;
    sqlx::query("INSERT INTO enrolment (tenant_id, id, user_id, course_id, source, created_at) VALUES ($1, $2, $2, $3, 'staff', 0)")
        .bind(tenant(1).as_uuid())
        .bind(person(3).as_uuid())
        .bind(course(1).as_uuid())
        .execute(&mut superuser)
        .await
        .unwrap();
    let again = academy.quote(learner(3), &[(1, 14990)], None);
    assert_eq!(academy.order(learner(3), "k", &again).await.problem(), (409, "already-enrolled".into()));
    // The same basket would cost more without the coupon, whose time is over.
    sqlx::query("UPDATE coupon SET terms = jsonb_set(terms, '{ends_at}', '\"2020-01-01T00:00:00Z\"')")
        .execute(&mut superuser)
        .await
        .unwrap();
    let over = academy.quote(learner(1), &[(1, 14990)], Some(&coupon));
    assert_eq!(order(over).await.problem(), (409, "price-changed".into()));
    let body = json!({ "quote": quote });
    let no_address = academy.call(learner(1), Method::POST, ORDERS, Some("k"), Some(&body)).await;
    assert_eq!(no_address.json()["errors"][0]["field"], "buyer.address");
    let unknown = academy.quote(learner(50), &[(1, 14990)], None);
    let not_synced = academy.order(learner(50), "k", &unknown).await;
    assert_eq!((not_synced.status, &not_synced.headers[header::RETRY_AFTER]), (503, &"2".parse().unwrap()));
    academy.clock.advance_seconds(16 * 60);
    assert_eq!(order(quote.clone()).await.problem(), (409, "quote-expired".into()));
    sqlx::query("DELETE FROM payment_account").execute(&mut superuser).await.unwrap();
    let unconfigured = order(academy.quote(learner(1), &[(1, 14990)], None)).await;
    assert_eq!(unconfigured.problem(), (409, "payments-not-configured".into()));
    let ill_formed = json!({ "quote": 7 });
    let refused = academy.call(learner(1), Method::POST, ORDERS, Some("k"), Some(&ill_formed)).await;
    assert_eq!(refused.json()["errors"][0]["field"], "quote");

    for table in ["customer_order", "order_line", "payment", "reservation", "idempotency"] {
        assert_eq!(academy.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(academy.uses().await, (0, 0));
    assert_eq!(academy.number("SELECT count(*) FROM feed_event").await, events);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_stays_payable_when_the_provider_cannot_be_reached() {
    let academy = Academy::new().await;
    let coupon = academy.coupon("bahar", Some(5)).await;
    let quote = academy.quote(learner(1), &[(1, 14990)], Some(&coupon));
    academy.provider.reachable.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        let away = academy.order(learner(1), "k", &quote).await;
        assert_eq!(away.problem(), (503, "unavailable".into()));
        assert!(away.headers.contains_key(header::RETRY_AFTER));
    }
    assert_eq!(academy.uses().await, (1, 0), "held once");
    academy.provider.reachable.store(true, Ordering::SeqCst);
    // Past the quote's time: the order is there, and its price with it.
    academy.clock.advance_seconds(20 * 60);
    let made = academy.order(learner(1), "k", &quote).await;
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(academy.number("SELECT count(*) FROM customer_order").await, 1);
    assert_eq!(academy.uses().await, (1, 0));
    assert_eq!(
        academy.texts("SELECT state FROM payment ORDER BY created_at, id").await,
        ["abandoned", "abandoned", "begun"]
    );

    // A late word about an attempt that was given up does not end the order.
    let abandoned = academy
        .texts("SELECT replace(id::text, '-', '') FROM payment ORDER BY created_at, id")
        .await
        .remove(0);
    let failed = academy.callback(Academy::callback_body(&abandoned, "failed", 0, 11992)).await;
    assert_eq!(failed.body, "OK");
    assert_eq!(academy.state(1, made.json()["id"].as_str().unwrap()).await, "pending");
    assert_eq!(academy.pay(&academy.provider.sent("merchant_oid"), 11992).await.body, "OK");
    assert_eq!(academy.uses().await, (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_ended_is_not_begun_again() {
    let academy = Academy::new().await;
    let quote = academy.quote(learner(1), &[(1, 14990)], None);
    academy.provider.reachable.store(false, Ordering::SeqCst);
    assert_eq!(academy.order(learner(1), "k", &quote).await.status, 503);
    academy.provider.reachable.store(true, Ordering::SeqCst);
    academy.clock.advance_seconds(31 * 60);
    assert_eq!(academy.order(learner(1), "k", &quote).await.problem(), (409, "order-ended".into()));
    assert_eq!(academy.payments.expire_orders(academy.now()).await.unwrap(), 1);
    assert_eq!(academy.order(learner(1), "k", &quote).await.problem(), (409, "order-ended".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_nothing_to_pay_is_paid_at_once() {
    let academy = Academy::new().await;
    let quote = academy.quote(learner(1), &[(3, 0)], None);
    let wakes = academy.wakes.0.load(Ordering::SeqCst);
    let body = json!({ "quote": quote });
    let made = academy.call(learner(1), Method::POST, ORDERS, Some("k"), Some(&body)).await;
    assert_eq!((made.status, made.json()["state"].as_str()), (201, Some("paid")));
    assert_eq!(made.json()["checkout"], json!(null));
    assert_eq!(academy.granted(person(1)).await, [course(3)]);
    assert_eq!(academy.wakes.0.load(Ordering::SeqCst), wakes + 1);
    assert_eq!(academy.number("SELECT count(*) FROM payment").await, 0);
    let replayed = academy.call(learner(1), Method::POST, ORDERS, Some("k"), Some(&body)).await;
    assert_eq!(replayed.body, made.body);
    assert_eq!(academy.granted(person(1)).await.len(), 1);
}
