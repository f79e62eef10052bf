//! Rules that are due.

use akademi_runtime_api::Outcome;
use serde_json::json;

use crate::{
    events::{batch, schedule},
    world::{World, person, tenant},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_leaves_postgres_asleep_while_the_edge_has_nothing() {
    let mut world = World::new().await;
    let _edge = world.serve_edge().await;
    // PostgreSQL knows nobody of this name.
    let stranger = world.variables["database_url"].replace("akademi_login", "stranger");
    world.variables.insert("database_url".into(), stranger);
    let sync = world.start(env!("CARGO_BIN_EXE_sync")).await;
    let due = sync.api.invoke(schedule(&json!({})), 30).await.unwrap();
    assert_eq!(due.response().unwrap(), json!({ "pulled": 0, "pushed": 0 }));
    // A wake looks at both.
    let woken = sync.api.invoke(batch(&[("a", r#"{"wake":"sync"}"#)]), 30).await.unwrap();
    assert_eq!(woken.response().unwrap(), json!({ "batchItemFailures": [{ "itemIdentifier": "a" }] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_night_derives_all_days_that_are_due_or_the_one_that_it_is_told() {
    let world = World::new().await;
    let etl = world.start(env!("CARGO_BIN_EXE_etl")).await;
    let night = etl.api.invoke(schedule(&json!({})), 60).await.unwrap().response().unwrap();
    assert_eq!((&night["academies"], &night["days"]), (&json!(1), &json!(31)), "{night}");
    let one =
        etl.api.invoke(schedule(&json!("{\"day\":\"2026-01-05\"}")), 60).await.unwrap().response().unwrap();
    assert_eq!(one["days"], 1);
    assert_eq!(world.number("SELECT count(*) FROM etl_run").await, 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_nobody_paid_in_time_end() {
    let world = World::new().await;
    world
        .execute(&format!(
            "INSERT INTO customer_order (tenant_id, id, user_id, idempotency_key, state, currency, subtotal, discount,
                                         total, vat, created_at, expires_at)
             VALUES ('{0}', '{1}', '{1}', 'k', 'pending', 'TRY', 100, 0, 100, 16, 0, 1),
                    ('{0}', '{2}', '{1}', 'l', 'pending', 'TRY', 100, 0, 100, 16, 0, 9000000000000)",
            tenant().as_uuid(),
            person().as_uuid(),
            tenant().as_uuid(),
        ))
        .await;
    let payments = world.start(env!("CARGO_BIN_EXE_payments")).await;
    let ended = payments.api.invoke(schedule(&json!({})), 30).await.unwrap();
    assert_eq!(ended.response().unwrap(), json!({ "expired": 1, "asked": 0, "refunds": 0, "reconciled": 0 }));
    assert_eq!(
        world.texts("SELECT state FROM customer_order ORDER BY idempotency_key").await,
        ["expired", "pending"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_no_known_kind_is_an_error_and_the_next_one_is_answered() {
    let world = World::new().await;
    let etl = world.start(env!("CARGO_BIN_EXE_etl")).await;
    for event in
        [json!({ "detail-type": "Object Created", "detail": {} }), json!("x"), schedule(&json!({ "dya": 1 }))]
    {
        let outcome = etl.api.invoke(event.clone(), 30).await.unwrap();
        assert!(matches!(outcome, Outcome::Error(_)), "{event}: {outcome:?}");
    }
    let certificates = world.start(env!("CARGO_BIN_EXE_certificates")).await;
    let outcome = certificates.api.invoke(schedule(&json!({})), 30).await.unwrap();
    assert!(matches!(outcome, Outcome::Error(_)), "it has no job: {outcome:?}");
    let day = schedule(&json!({ "day": "2026-01-05" }));
    assert_eq!(etl.api.invoke(day, 30).await.unwrap().response().unwrap()["days"], 1);
}
