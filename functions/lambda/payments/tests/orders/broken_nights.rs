//! Reconciliation that breaks off, is repeated, and is asked for.

use akademi_api::ports::HttpClient as _;
use akademi_payment_sandbox::{Endpoint, Fault, FaultKind, Misreport};
use akademi_payments::paytr::{PayTrConfig, Secret};
use bytes::Bytes;
use http::{Method, Request, header};
use serde_json::{Value, json};

use crate::academy::{Who, learner, staff, tenant};
use crate::nights::{DIFFERENCES, RUNS, start};
use crate::sandbox::Network;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_goes_on_where_it_was() {
    let mut world = start().await;
    world.pay(1).await;
    for endpoint in [Endpoint::Report, Endpoint::Payouts] {
        let hang = Fault { endpoint, kind: FaultKind::HangBefore, times: 1 };
        world.steer(|behaviour| behaviour.faults = vec![hang]).await;
        world.night().await;
        let (payments, now) = (world.academy.payments.clone(), world.academy.now());
        let run = tokio::spawn(async move { payments.reconcile(now).await });
        world.faults_are_used_up().await;
        run.abort();
        assert!(run.await.unwrap_err().is_cancelled(), "{endpoint:?}");
        assert_eq!(world.run_state().await["done_at"], Value::Null);
        world.steer(|behaviour| behaviour.faults = Vec::new()).await;
        assert_eq!(world.reconcile().await, 0, "whoever had it may still be at it");
    }
    world.advance(60 * 60).await;
    assert_eq!(world.reconcile().await, 1);
    assert_eq!(world.written().await, [1, 0, 3, 0], "a capture, its fee, its payout");
    assert_eq!(world.open().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_breaks_off_leaves_nothing_and_is_done_again() {
    let mut world = start().await;
    world.reconcile().await;
    let (_, lost) = world.pay(1).await;
    world.pay(2).await;
    world.misreport(Misreport { without: vec![lost], ..Misreport::default() }).await;
    let mut superuser = world.academy.superuser().await;
    for (statement, is_broken) in [
        ("REVOKE INSERT ON ledger_entry FROM akademi_app", true),
        ("GRANT INSERT ON ledger_entry TO akademi_app", false),
    ] {
        sqlx::query(statement).execute(&mut superuser).await.unwrap();
        if is_broken {
            world.night().await;
            world.academy.payments.reconcile(world.academy.now()).await.unwrap_err();
            assert_eq!(world.written().await, [1, 0, 2, 0], "what was reported is kept, and no more");
            assert!(world.run_state().await["error"].as_str().unwrap().starts_with("Something"));
            world.advance(60 * 60).await;
        } else {
            assert_eq!(world.reconcile().await, 1);
            assert_eq!(world.written().await, [1, 1, 3, 0]);
            assert_eq!(world.run_state().await["error"], Value::Null);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_were_read_and_not_compared_are_compared_by_the_next_run() {
    let mut world = start().await;
    world.pay(1).await;
    for _ in 0..6 {
        world.night().await;
    }
    let mut superuser = world.academy.superuser().await;
    sqlx::query("REVOKE INSERT ON ledger_entry FROM akademi_app").execute(&mut superuser).await.unwrap();
    world.academy.payments.reconcile(world.academy.now()).await.unwrap_err();
    assert_eq!(world.written().await, [1, 0, 1, 0], "the report of the first day is read");
    sqlx::query("GRANT INSERT ON ledger_entry TO akademi_app").execute(&mut superuser).await.unwrap();
    world.run_night().await;
    assert_eq!(world.written().await, [1, 0, 3, 0], "its fee and its payout");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_breaks_holds_up_no_other_and_no_report_reaches_another_academy() {
    let mut world = start().await;
    world.pay(1).await;
    world.misreport(Misreport { without_fee: vec![], ..Misreport::default() }).await;
    let account = |merchant_id: &str| PayTrConfig {
        merchant_id: merchant_id.to_owned(),
        merchant_key: Secret::new("baska"),
        merchant_salt: Secret::new("tuz"),
        base_url: format!("http://{}", world.sandbox).parse().unwrap(),
        test_mode: true,
        page_minutes: 30,
        private_buyer_address: None,
    };
    for n in [0, 2, 3] {
        world.academy.payments.configure(tenant(n), account("300400")).await.unwrap();
    }
    let merchant = json!({ "merchant_id": "300400", "merchant_key": "baska", "merchant_salt": "tuz",
                           "callback_url": "http://platform.localhost:1/" });
    let request = Request::post(format!("http://{}/sandbox/merchants", world.sandbox))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(merchant.to_string()))
        .unwrap();
    assert_eq!(Network::new().send(request).await.unwrap().status(), 204);
    // Its settings open no more; the next one's are of nobody.
    let break_account = format!(
        "UPDATE payment_account SET sealed_settings = '\\x00' WHERE tenant_id = '{}'",
        tenant(0).as_uuid()
    );
    sqlx::query(sqlx::AssertSqlSafe(break_account))
        .execute(&mut world.academy.superuser().await)
        .await
        .unwrap();
    world.academy.payments.configure(tenant(3), account("999")).await.unwrap();
    world.night().await;
    world.academy.payments.reconcile(world.academy.now()).await.unwrap_err();
    let state = "SELECT (done_day IS NOT NULL)::text || ' ' || COALESCE(error, '') FROM reconciliation ORDER BY tenant_id";
    let states = world.academy.texts(state).await;
    assert_eq!(states[0], "false Something went wrong here: the run is tried again.");
    assert_eq!((states[1].as_str(), states[2].as_str()), ("true ", "true "));
    assert!(states[3].starts_with("false refused") && states[3].contains("paytr_token"), "{}", states[3]);
    let of = |n: u8| {
        format!("SELECT count(*) FROM provider_transaction WHERE tenant_id = '{}'", tenant(n).as_uuid())
    };
    assert_eq!((world.academy.number(&of(1)).await, world.academy.number(&of(2)).await), (1, 0));
    assert_eq!(world.academy.number("SELECT count(*) FROM reconciliation_difference").await, 0);
    let other = Who { tenant: tenant(2), ..staff() };
    for target in [DIFFERENCES, "/api/v1/ledger/entries", "/api/v1/ledger/balances"] {
        let seen = world.academy.call(other, Method::GET, target, None, None).await.json();
        assert_eq!(seen["data"], json!([]), "{target}");
    }
    // It is tried again after an hour, and not before.
    world.academy.payments.reconcile(world.academy.now()).await.unwrap();
    world.advance(60 * 60).await;
    world.academy.payments.reconcile(world.academy.now()).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_is_tried_again_and_catches_up() {
    let mut world = start().await;
    world.reconcile().await;
    world.pay(1).await;
    let down = Fault { endpoint: Endpoint::Report, kind: FaultKind::ErrorBefore, times: 1000 };
    world.steer(|behaviour| behaviour.faults = vec![down]).await;
    for _ in 0..10 {
        world.night().await;
        assert_eq!(world.reconcile().await, 0);
    }
    assert!(world.run_state().await["error"].as_str().unwrap().contains("500"));
    world.steer(|behaviour| behaviour.faults = Vec::new()).await;
    world.advance(60 * 60).await;
    assert_eq!(world.reconcile().await, 1);
    assert_eq!(world.written().await, [1, 0, 3, 0]);
    assert_eq!(world.run_state().await["last_day"], "2026-09-30");
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_reads_a_day_again_by_hand() {
    let mut world = start().await;
    world.reconcile().await;
    world.pay(1).await;
    world.night().await;
    let body = |provider: &str, day: &str| json!({ "provider": provider, "day": day });
    for (body, field) in [
        (body("stripe", "2026-09-21"), "provider"),
        (body("iyzico", "2026-09-21"), "provider"),
        (body("paytr", "2026-09-22"), "day"),
    ] {
        let refused = world.run_by_hand(staff(), &body).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["field"]), (422, &json!(field)));
    }
    let today = body("paytr", "2026-09-21");
    assert_eq!(world.run_by_hand(learner(1), &today).await.status, 403);
    assert_eq!(world.academy.call(learner(1), Method::GET, RUNS, None, None).await.status, 403);
    for _ in 0..2 {
        let ran = world.run_by_hand(staff(), &today).await;
        assert_eq!(
            (ran.status, ran.json()),
            (
                200,
                json!({ "provider": "paytr", "day": "2026-09-21", "transactions": 1, "open_differences": 0,
                          "error": null })
            )
        );
    }
    assert_eq!(world.written().await, [1, 0, 2, 0]);
    let audited = "SELECT target FROM audit_entry WHERE action = 'reconciliation.run'";
    assert_eq!(world.academy.texts(audited).await, ["payment_account:paytr"; 2]);
    let down = Fault { endpoint: Endpoint::Report, kind: FaultKind::ErrorBefore, times: 1 };
    world.steer(|behaviour| behaviour.faults = vec![down]).await;
    assert_eq!(world.run_by_hand(staff(), &today).await.status, 503);
    world.night().await;
    world.night().await;
    let beyond = world.run_by_hand(staff(), &body("paytr", "2026-09-23")).await;
    assert_eq!(beyond.status, 422, "the day before it comes first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_and_a_payout_are_booked_once_whoever_books_them_and_without_the_indexes_twice() {
    let mut world = start().await;
    let (_, oid) = world.pay(1).await;
    world.run_night().await;
    world.run_night().await;
    let academy = &world.academy;
    // As a run that had read the books before the other wrote.
    let again = async |kind: &str| {
        let mut tx = academy.database.postgres().tenant(tenant(1)).await.unwrap();
        let inserted = sqlx::query(
            "WITH again AS (
                 INSERT INTO ledger_transaction (tenant_id, id, kind, at, payment_id, payout_reference, payout_day)
                 SELECT tenant_id, gen_random_uuid(), kind, at, payment_id, payout_reference, payout_day
                 FROM ledger_transaction WHERE kind = $1 LIMIT 1 RETURNING tenant_id, id)
             INSERT INTO ledger_entry (tenant_id, transaction_id, account, amount, currency)
             SELECT tenant_id, id, account, amount, 'TRY' FROM again, (VALUES ('bank', 1), ('sales', -1)) AS e (account, amount)",
        )
        .bind(kind)
        .execute(tx.connection())
        .await;
        match inserted {
            Ok(_) => tx.commit().await.map_err(|error| error.constraint().unwrap().to_owned()),
            Err(error) => Err(error.as_database_error().unwrap().constraint().unwrap().to_owned()),
        }
    };
    assert_eq!(again("fee").await, Err("ledger_fee_once".to_owned()), "{oid}");
    assert_eq!(again("payout").await, Err("ledger_payout_once".to_owned()));
    let mut superuser = academy.superuser().await;
    sqlx::raw_sql("DROP INDEX ledger_fee_once; DROP INDEX ledger_payout_once")
        .execute(&mut superuser)
        .await
        .unwrap();
    assert_eq!((again("fee").await, again("payout").await), (Ok(()), Ok(())));
    assert_eq!(academy.number("SELECT count(*) FROM ledger_transaction").await, 5);
}
