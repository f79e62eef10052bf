//! Handing over: again until it is done, and never under another number.

use akademi_invoices::{FileDrop, Handled};
use akademi_lambda_store::objects::Objects;
use std::{sync::Arc, time::Duration};

use crate::{
    academy::{NAME, World, settings, staff, tenant},
    integrator::{Mood, TestIntegrator},
};

#[tokio::test]
async fn an_integrator_who_is_busy_is_asked_again_after_growing_pauses() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.integrator.moods.lock().unwrap().extend([Mood::Busy; 3]);
    for seconds in [5, 10, 20] {
        let put_off = world.run().await;
        assert_eq!(put_off, Handled { put_off: 1, due_in_seconds: Some(seconds), ..Handled::default() });
        world.clock.advance_seconds(seconds.cast_signed() - 1);
        assert_eq!(world.run().await, Handled::default(), "not before its time");
        world.clock.advance_seconds(1);
    }
    let listed = &world.listed(1, "").await[0];
    assert_eq!((&listed["state"], &listed["attempts"]), (&"queued".into(), &3.into()));
    assert_eq!(listed["reason"], "the integrator is busy");
    assert_eq!(listed["number"], "EAR2026000000001", "it is issued and keeps its number");
    assert_eq!(world.run().await.delivered, 1);
    assert_eq!(world.integrator.numbers(), ["EAR2026000000001"]);
    assert_eq!(world.listed(1, "?state=delivered").await[0]["reason"], serde_json::Value::Null);
}

#[tokio::test]
async fn what_the_integrator_refuses_waits_for_staff_and_keeps_its_number() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.buy(1, 2).await;
    world.integrator.moods.lock().unwrap().push_back(Mood::Refuses);
    let handled = world.run().await;
    assert_eq!((handled.delivered, handled.failed), (1, 1));
    let failed = world.listed(1, "?state=failed").await;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["reason"], "the integrator refused it: 1150");
    let log = world.log.0.lock().unwrap().join("\n");
    assert!(log.contains("1150") && !log.contains("ogrenci1@") && !log.contains(NAME), "{log}");
    world.retry(staff(1), &failed[0]["id"]).await.expect(202);
    assert_eq!(world.run().await.delivered, 1);
    assert_eq!(world.integrator.last().number.to_string(), failed[0]["number"].as_str().unwrap());
    let mut numbers = world.integrator.numbers();
    numbers.sort();
    assert_eq!(numbers, ["EAR2026000000001", "EAR2026000000002"]);
}

#[tokio::test]
async fn after_three_days_it_is_given_up_for_staff() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.integrator.moods.lock().unwrap().extend([Mood::Busy; 2]);
    world.run().await;
    world.clock.advance_seconds(3 * 24 * 3600);
    assert_eq!(world.run().await.failed, 1);
    assert_eq!(world.listed(1, "").await[0]["reason"], "given up: the integrator is busy");
}

#[tokio::test]
async fn whoever_ends_after_handing_over_does_it_again_under_the_same_number() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.integrator.moods.lock().unwrap().push_back(Mood::Hangs);
    let handed_over = async {
        while world.integrator.taken.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        run = world.run() => panic!("it ends: {run:?}"),
        () = handed_over => {}
    }
    assert_eq!(world.run().await, Handled::default(), "its lease still holds");
    world.clock.advance_seconds(151);
    assert_eq!(world.run().await.delivered, 1);
    let taken = world.integrator.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 2);
    assert_eq!((taken[0].id, taken[0].number, &taken[0].xml), (taken[1].id, taken[1].number, &taken[1].xml));
}

#[tokio::test]
async fn without_an_integrator_documents_lie_in_the_academys_folder() {
    let folder = tempfile::tempdir().unwrap();
    let objects = Objects::local(folder.path()).unwrap();
    let world = World::with(Arc::new(TestIntegrator::default()), Arc::new(FileDrop(objects))).await;
    world
        .call(staff(1), http::Method::PUT, "/api/v1/commerce/invoice-settings", &settings())
        .await
        .expect(200);
    world.buy(1, 1).await;
    assert_eq!(world.run().await.delivered, 1);
    let file = format!("tenants/{}/invoices/2026/EAR2026000000001.xml", tenant(1));
    let xml = std::fs::read_to_string(folder.path().join(file)).unwrap();
    let id = world.listed(1, "").await[0]["id"].as_str().unwrap().to_owned();
    let shown = world.get(staff(1), &format!("/api/v1/invoices/{id}/xml")).await;
    assert_eq!(shown.text(), xml);
}

#[tokio::test]
async fn storage_that_is_away_is_a_passing_failure() {
    let folder = tempfile::tempdir().unwrap();
    let objects = Objects::local(folder.path()).unwrap();
    // A file where the folder has to be.
    std::fs::write(folder.path().join("tenants"), "").unwrap();
    let world = World::with(Arc::new(TestIntegrator::default()), Arc::new(FileDrop(objects))).await;
    world
        .call(staff(1), http::Method::PUT, "/api/v1/commerce/invoice-settings", &settings())
        .await
        .expect(200);
    world.buy(1, 1).await;
    assert_eq!(world.run().await.put_off, 1);
    assert_eq!(world.listed(1, "").await[0]["reason"], "storage is not reachable");
}
