//! Requests through API Gateway.

use akademi_domain::permission::Permissions;
use akademi_runtime_api::queue::Sent;
use bytes::Bytes;
use http::{Method, Request, header};
use serde_json::{Value, json};
use std::time::Duration;

use crate::{
    api_gateway::{Call, Gateway, forward, json},
    world::{REQUEST_SECONDS, Running, World, course},
};

fn price() -> String {
    format!("/api/v1/commerce/courses/{}/price", course())
}

fn lira(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "TRY", "vat_basis_points": 2000 })
}

async fn payments(world: &World) -> Running {
    world.start(env!("CARGO_BIN_EXE_payments")).await
}

fn coupon(code: &str) -> Value {
    json!({ "code": code, "discount": { "kind": "percent", "share": 2000 }, "scope": { "kind": "all" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_write_is_kept_and_read_again() {
    let world = World::new().await;
    let payments = payments(&world).await;
    let set = forward(&world, &payments, Call::staff(Method::PUT, &price()).body(lira(14990))).await;
    assert_eq!(set.status(), 200, "{:?}", set.body());
    let read = forward(&world, &payments, Call::staff(Method::GET, &price())).await;
    assert_eq!((read.status().as_u16(), json(&read)["price"]["amount"].as_i64()), (200, Some(14990)));
    assert_eq!(read.headers()["x-request-id"], "the-request");
    assert_eq!(read.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(world.number("SELECT amount FROM price").await, 14990);
    let log = payments.binary.log_with(r#""method":"GET""#).await.unwrap();
    let lines: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<_> =
        lines.iter().map(|line| (line["function"].as_str(), line["status"].as_i64())).collect();
    assert_eq!(said, [(Some("payments"), Some(200)); 2], "one line of JSON for each request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_arrives_as_it_was_signed() {
    let world = World::new().await;
    let payments = payments(&world).await;
    for code in ["BAHAR", "GUZ20"] {
        let call = Call::staff(Method::POST, "/api/v1/commerce/coupons").body(coupon(code));
        let made = forward(&world, &payments, call).await;
        assert_eq!(made.status(), 201, "{:?}", made.body());
    }
    let first =
        json(&forward(&world, &payments, Call::staff(Method::GET, "/api/v1/commerce/coupons?limit=1")).await);
    assert_eq!(first["data"].as_array().unwrap().len(), 1, "{first}");
    let next = first["next_cursor"].as_str().unwrap();
    let target = format!("/api/v1/commerce/coupons?cursor={}&limit=%31", next.replace('=', "%3D"));
    let second = json(&forward(&world, &payments, Call::staff(Method::GET, &target)).await);
    assert_eq!(second["data"].as_array().unwrap().len(), 1, "{second}");
    assert_ne!(first["data"][0]["code"], second["data"][0]["code"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_answered_as_get_without_a_body() {
    let world = World::new().await;
    let payments = payments(&world).await;
    forward(&world, &payments, Call::staff(Method::PUT, &price()).body(lira(100))).await;
    let get = forward(&world, &payments, Call::staff(Method::GET, &price())).await;
    let head = forward(&world, &payments, Call::staff(Method::HEAD, &price())).await;
    assert_eq!((head.status(), head.body().len()), (get.status(), 0));
    assert!(!get.body().is_empty());
    assert_eq!(head.headers()[header::CONTENT_TYPE], get.headers()[header::CONTENT_TYPE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_a_problem_document_and_changes_nothing() {
    let world = World::new().await;
    let payments = payments(&world).await;
    let path = price();
    let learner = Call { permissions: Permissions::NONE, ..Call::staff(Method::PUT, &path).body(lira(1)) };
    let staff = |body| Call::staff(Method::PUT, &path).body(body);
    for (call, status, problem) in [
        (learner, 403, "forbidden"),
        (staff(json!({ "amount": "x" })), 422, "invalid"),
        (staff(lira(-1)), 422, "invalid"),
        (Call::staff(Method::DELETE, &path), 405, "method-not-allowed"),
        (Call::staff(Method::GET, "/api/v1/authoring/courses"), 404, "not-found"),
    ] {
        let answer = forward(&world, &payments, call).await;
        assert_eq!(answer.status().as_u16(), status, "{:?}", answer.body());
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
        let kind = json(&answer)["type"].as_str().unwrap().to_owned();
        assert!(kind.contains(problem), "{kind}");
    }
    let unsigned = Request::put(format!("https://lambda.example.com{path}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(lira(1).to_string()))
        .unwrap();
    let refused = Gateway(&payments.api).exchange(unsigned).await.unwrap();
    assert_eq!((refused.status().as_u16(), json(&refused)["status"].as_u64()), (401, Some(401)));
    let allow = forward(&world, &payments, Call::staff(Method::DELETE, &path)).await;
    assert_eq!(allow.headers()[header::ALLOW], "PUT, GET, HEAD, OPTIONS");
    assert_eq!(world.number("SELECT count(*) FROM price").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_wakes_sync_at_once_and_once_more_when_the_invocation_is_over() {
    let world = World::new().await;
    let payments = payments(&world).await;
    let wake = r#"{"wake":"sync"}"#;
    forward(&world, &payments, Call::staff(Method::PUT, &price()).body(lira(14990))).await;
    let sent = world.queues.take();
    let [later, now] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(*now, Sent { queue: "sync".into(), body: wake.into(), delay_seconds: 0 });
    assert_eq!((later.queue.as_str(), later.body.as_str()), ("sync", wake));
    assert!((REQUEST_SECONDS - 3..=REQUEST_SECONDS).contains(&later.delay_seconds), "{later:?}");

    forward(&world, &payments, Call::staff(Method::GET, &price())).await;
    assert_eq!(world.queues.take(), [], "who reads wakes nobody");
    forward(&world, &payments, Call::staff(Method::PUT, &price()).body(lira(-1))).await;
    let sent = world.queues.take();
    assert!(matches!(sent.as_slice(), [Sent { delay_seconds: 1.., .. }]), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_later_wake_is_queued_before_the_write_begins() {
    let world = World::new().await;
    let payments = payments(&world).await;
    world.queues.set_held(true);
    let path = price();
    let write = forward(&world, &payments, Call::staff(Method::PUT, &path).body(lira(14990)));
    let look = async {
        let sent = loop {
            let sent = world.queues.take();
            if !sent.is_empty() {
                break sent;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        // Time for a write that does not wait.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let rows = world.number("SELECT count(*) FROM price").await;
        world.queues.set_held(false);
        (sent.len(), rows)
    };
    let (set, seen) = futures::future::join(write, look).await;
    assert_eq!((seen, set.status().as_u16()), ((1, 0), 200));
    assert_eq!(world.number("SELECT count(*) FROM price").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_stands_although_its_wake_is_lost() {
    let world = World::new().await;
    let payments = payments(&world).await;
    world.queues.set_down(true);
    let set = forward(&world, &payments, Call::staff(Method::PUT, &price()).body(lira(14990))).await;
    assert_eq!(set.status(), 200);
    payments.binary.log_with("the queue answered 503").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_with_routes_serves_its_own() {
    let world = World::new().await;
    for (program, target, status) in [
        (env!("CARGO_BIN_EXE_audit"), "/api/v1/audit", 403),
        (env!("CARGO_BIN_EXE_authoring"), "/api/v1/authoring/courses", 403),
        (env!("CARGO_BIN_EXE_certificates"), "/api/v1/certificates", 403),
        (env!("CARGO_BIN_EXE_etl"), "/api/v1/reports/learner?from=2026-11-01&to=2026-11-20", 200),
        (env!("CARGO_BIN_EXE_images"), "/api/v1/images", 403),
        (env!("CARGO_BIN_EXE_invoices"), "/api/v1/invoices", 200),
        (env!("CARGO_BIN_EXE_mail"), "/api/v1/mails", 403),
        (env!("CARGO_BIN_EXE_payments"), "/api/v1/orders", 200),
        (env!("CARGO_BIN_EXE_sync"), "/internal/health", 401),
        (env!("CARGO_BIN_EXE_transcode"), "/health/live", 404),
    ] {
        let running = world.start(program).await;
        let answer = forward(&world, &running, Call::staff(Method::GET, target)).await;
        assert_eq!(answer.status().as_u16(), status, "{program}: {:?}", answer.body());
    }
}
