//! Invoices in other currencies.

use akademi_invoices::Handled;
use http::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinHandle;

use crate::{
    academy::{Answer, World, learner, order, read, settings, staff},
    reader,
};

fn path(currency: &str, date: &str) -> String {
    format!("/api/v1/commerce/exchange-rates/{currency}/{date}")
}

async fn set(world: &World, currency: &str, date: &str, rate: &str) -> Answer {
    world.call(staff(1), Method::PUT, &path(currency, date), &json!({ "rate": rate })).await
}

/// As person 1 buys for another currency.
async fn buy_in(world: &World, currency: &str, n: u8) {
    world.insert_order(1, n, 1).await;
    let (table, id) = (["customer_order", "payment"], order(n));
    for table in table {
        world.execute(&format!("UPDATE {table} SET currency = '{currency}' WHERE id = '{id}'")).await;
    }
    world.request(1, n).await;
}

async fn waiting(world: &World) -> Vec<Value> {
    world.listed(1, "?state=waiting").await
}

#[tokio::test]
async fn an_invoice_says_the_latest_rate_that_is_not_later_than_its_day() {
    let world = World::set_up().await;
    for (date, rate) in [("2026-09-18", "48.1"), ("2026-09-20", "49.1234"), ("2026-09-22", "50")] {
        set(&world, "EUR", date, rate).await.expect(200);
    }
    set(&world, "USD", "2026-09-21", "42.5").await.expect(200);
    buy_in(&world, "EUR", 1).await;
    assert_eq!(world.run().await.delivered, 1);
    let xml = world.integrator.last().xml;
    for (field, text) in [
        ("SourceCurrencyCode", "EUR"),
        ("TargetCurrencyCode", "TRY"),
        ("CalculationRate", "49.1234"),
        ("Date", "2026-09-20"),
    ] {
        assert_eq!(read(&xml, &format!("PricingExchangeRate/{field}")).as_deref(), Some(text), "{field}");
    }
    assert_eq!(reader::broken(&xml), Vec::<&str>::new(), "{xml}");

    // What is given back is an invoice of its own day.
    world.clock.advance_seconds(24 * 3600);
    world.give_back(1, 1, &[(2, 10_000, 1_667)]).await;
    assert_eq!(world.run().await.delivered, 1);
    let xml = world.integrator.last().xml;
    assert_eq!(read(&xml, "PricingExchangeRate/CalculationRate").unwrap(), "50.0000");
    assert_eq!(reader::broken(&xml), Vec::<&str>::new(), "{xml}");
}

#[tokio::test]
async fn without_a_recent_rate_an_invoice_waits_and_goes_on_when_one_is_set() {
    let world = World::set_up().await;
    set(&world, "EUR", "2026-09-10", "48").await.expect(200);
    buy_in(&world, "EUR", 1).await;
    buy_in(&world, "USD", 2).await;
    assert_eq!(world.run().await.failed, 2);
    let listed = waiting(&world).await;
    let reasons: Vec<&str> = listed.iter().map(|invoice| invoice["reason"].as_str().unwrap()).collect();
    assert!(reasons.contains(&"no exchange rate of EUR is set that is at most 10 days old"), "{reasons:?}");
    assert!(reasons.contains(&"no exchange rate of USD is set that is at most 10 days old"), "{reasons:?}");
    assert_eq!(world.count("invoice_series").await, 0, "no number was taken");
    world.clock.advance_seconds(3600);
    assert_eq!(world.run().await, Handled::default(), "nothing is tried in vain");

    set(&world, "EUR", "2026-09-11", "48.5").await.expect(200);
    assert_eq!(world.run().await.delivered, 1);
    assert_eq!(world.integrator.numbers(), ["EAR2026000000001"]);
    let listed = waiting(&world).await;
    assert_eq!((listed.len(), &listed[0]["order"]), (1, &json!(order(2))), "the other currency's waits on");
    // Too old a rate changes nothing.
    set(&world, "USD", "2026-09-01", "41").await.expect(200);
    assert_eq!(world.run().await.failed, 1);
    set(&world, "USD", "2026-09-22", "42").await.expect(200);
    assert_eq!(world.run().await, Handled::default(), "tomorrow's is not today's");
    world.clock.advance_seconds(24 * 3600);
    assert_eq!(world.run().await.delivered, 1, "of itself");
}

#[tokio::test]
async fn whoever_begins_to_wait_when_tomorrows_rate_is_known_goes_on_tomorrow() {
    let world = World::set_up().await;
    set(&world, "EUR", "2026-09-22", "49").await.expect(200);
    buy_in(&world, "EUR", 1).await;
    buy_in(&world, "EUR", 2).await;
    assert_eq!(world.run().await.failed, 2);
    assert_eq!(world.run().await, Handled::default(), "not before its day");
    world.clock.advance_seconds(24 * 3600);
    assert_eq!(world.run().await.delivered, 2);
}

#[tokio::test]
async fn todays_rate_goes_before_tomorrows() {
    let world = World::set_up().await;
    buy_in(&world, "EUR", 1).await;
    assert_eq!(world.run().await.failed, 1);
    set(&world, "EUR", "2026-09-22", "49").await.expect(200);
    set(&world, "EUR", "2026-09-21", "48").await.expect(200);
    assert_eq!(world.run().await.delivered, 1);
    world.clock.advance_seconds(24 * 3600);
    assert_eq!(world.run().await, Handled::default(), "once");
}

#[tokio::test]
async fn staff_set_rates_by_day_and_the_log_tells() {
    let world = World::new().await;
    let saved = set(&world, "EUR", "2026-09-21", "49.1").await.expect(200);
    assert_eq!((&saved["currency"], &saved["rate"]), (&json!("EUR"), &json!("49.1000")));
    set(&world, "EUR", "2026-09-21", "49.2").await.expect(200);
    set(&world, "EUR", "2026-09-21", "49.2000").await.expect(200);
    let shown = world.get(staff(1), &path("EUR", "2026-10-01")).await.expect(200);
    assert_eq!((&shown["date"], &shown["rate"]), (&json!("2026-09-21"), &json!("49.2000")));
    for late in [path("EUR", "2026-10-02"), path("EUR", "2026-09-20"), path("USD", "2026-09-21")] {
        world.get(staff(1), &late).await.expect(404);
    }
    assert_eq!(world.get(staff(2), &path("EUR", "2026-09-21")).await.status, 404, "another academy's");
    assert_eq!(world.get(learner(1), &path("EUR", "2026-09-21")).await.status, 403);
    let told = "audit_entry WHERE action = 'exchange_rate.set' AND target = 'exchange_rate:EUR/2026-09-21'";
    assert_eq!(world.count(told).await, 2, "what changes nothing is not told");

    for (currency, date, rate, status, problem) in [
        ("TRY", "2026-09-21", json!("1"), 404, "not-found"),
        ("GBP", "2026-09-21", json!("50"), 404, "not-found"),
        ("EUR", "2026-02-29", json!("50"), 404, "not-found"),
        ("EUR", "2026-09-23", json!("50"), 422, "date"),
        ("EUR", "2026-09-21", json!("0"), 422, "rate"),
        ("EUR", "2026-09-21", json!("49,1"), 422, "rate"),
        ("EUR", "2026-09-21", json!("49.12345"), 422, "rate"),
        ("EUR", "2026-09-21", json!(49.1), 422, "rate"),
    ] {
        let wrong = json!({ "rate": rate });
        let answer = world.call(staff(1), Method::PUT, &path(currency, date), &wrong).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{currency} {date} {rate}");
    }
    assert_eq!(world.count("exchange_rate").await, 1);
}

/// How many of a database's connections wait for a lock.
async fn wait_for_waiters(superuser: &mut PgConnection, waiters: i64) {
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&mut *superuser)
        .await
        .unwrap();
        if waiting == waiters {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// A run that has found no rate, and is held where it would write so.
async fn held_run(world: &World, holder: &mut PgConnection) -> JoinHandle<Handled> {
    world.insert_order(1, 1, 1).await;
    world.execute("UPDATE customer_order SET currency = 'EUR'").await;
    world.request(1, 1).await;
    world.name_company(1).await.expect(204);
    world.integrator.thinks.store(true, std::sync::atomic::Ordering::SeqCst);
    let invoices = world.invoices.clone();
    let run = tokio::spawn(async move { invoices.run_due(|| true).await.unwrap() });
    world.integrator.asked.notified().await;
    sqlx::raw_sql("BEGIN; SELECT FROM job FOR UPDATE").execute(&mut *holder).await.unwrap();
    world.integrator.answers.notify_one();
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_is_set_while_an_invoice_begins_to_wait_is_not_missed() {
    let world = World::set_up().await;
    let mut holder = world.database.superuser().await.unwrap();
    let mut watcher = world.database.superuser().await.unwrap();
    let run = held_run(&world, &mut holder).await;
    wait_for_waiters(&mut watcher, 1).await;
    let setting = async {
        // It waits for the run, and the run for the holder.
        let release = async {
            wait_for_waiters(&mut watcher, 2).await;
            sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
        };
        tokio::join!(set(&world, "EUR", "2026-09-21", "49.1"), release).0
    };
    setting.await.expect(200);
    let (first, next) = (run.await.unwrap(), world.run().await);
    assert_eq!((first.failed, first.delivered + next.delivered), (1, 1));
    holder.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_of_those_that_wait_it_would_be() {
    let world = World::set_up().await;
    world
        .execute(
            "CREATE OR REPLACE FUNCTION lock_waiting_invoices(tenant uuid) RETURNS void LANGUAGE sql AS
                 $$ SELECT FROM tenant WHERE false $$",
        )
        .await;
    let mut holder = world.database.superuser().await.unwrap();
    let mut watcher = world.database.superuser().await.unwrap();
    let run = held_run(&world, &mut holder).await;
    wait_for_waiters(&mut watcher, 1).await;
    set(&world, "EUR", "2026-09-21", "49.1").await.expect(200);
    sqlx::raw_sql("COMMIT").execute(&mut holder).await.unwrap();
    assert_eq!(run.await.unwrap().failed, 1);
    world.clock.advance_seconds(24 * 3600);
    assert_eq!(world.run().await, Handled::default());
    assert_eq!(waiting(&world).await.len(), 1, "nobody tries it any more");
}

#[tokio::test]
async fn settings_have_those_tried_again_that_waited_for_them() {
    let world = World::new().await;
    world.buy(1, 1).await;
    assert_eq!(world.run().await.failed, 1);
    let path = "/api/v1/commerce/invoice-settings";
    world.call(staff(1), Method::PUT, path, &settings()).await.expect(200);
    assert_eq!(world.run().await.delivered, 1);
}
