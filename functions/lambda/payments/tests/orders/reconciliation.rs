//! PayTR's reports against the books, night by night, through the sandbox.

use akademi_payment_sandbox::{Behaviour, Endpoint, Fault, FaultKind, ForeignSale, Misreport};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tracing::{Event, Metadata, Subscriber, span};

use crate::academy::{course, learner, person};
use crate::nights::{DIFFERENCES, start, start_with};
use crate::sandbox::press;

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_report_agrees_and_fees_and_payouts_are_booked_once() {
    let mut world = start().await;
    let (order, _) = world.pay(1).await;
    world.pay_in(2, "sonuc=ode&taksit=3").await;
    world.refund(&order, 4990).await;
    assert_eq!(world.reconcile().await, 1, "the account is new: what lies before is read at once");
    assert_eq!(world.get(DIFFERENCES).await["data"], json!([]), "today is not over");
    world.run_night().await;
    assert_eq!(world.get(DIFFERENCES).await["data"], json!([]));
    assert_eq!(world.written().await, [3, 0, 5, 0], "two captures, a refund, two fees");
    let fees = world.academy.texts(
        "SELECT account || ' ' || sum(amount) FROM ledger_entry JOIN ledger_transaction ON id = transaction_id
         WHERE kind = 'fee' GROUP BY account ORDER BY account",
    );
    // 2.35 percent of 149.90 and of 154.39, which is 4.49 of interest.
    assert_eq!(fees.await, ["fees 714", "installment_interest -449", "provider:paytr -265"]);
    assert_eq!(world.reconcile().await, 0, "once a day");
    world.run_night().await;
    // All of it was paid out meanwhile.
    assert_eq!(world.written().await, [3, 0, 6, 0]);
    let payouts = world.get("/api/v1/ledger/payouts").await;
    let lira = |amount: i64| json!({ "amount": amount, "currency": "TRY" });
    assert_eq!(
        payouts["providers"],
        json!([{ "provider": "paytr", "captured": lira(29980), "given_back": lira(4990), "fees": lira(265),
                 "paid_out": lira(24725), "owed": lira(0), "tells_payouts": true }])
    );
    assert_eq!(
        payouts["payouts"],
        json!([{ "provider": "paytr", "day": "2026-09-22", "amount": lira(24725) }])
    );
    for _ in 0..3 {
        world.run_night().await;
    }
    assert_eq!(world.written().await, [3, 0, 6, 0], "read again and again");
    let state = world.run_state().await;
    assert_eq!((&state["last_day"], &state["error"]), (&json!("2026-09-25"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_difference_is_listed_with_its_age_and_ends_by_itself() {
    let mut world = start().await;
    world.reconcile().await;
    let mut paid = Vec::new();
    for n in 1..=4 {
        paid.push(world.pay(n).await);
    }
    world.refund(&paid[3].0, 1000).await;
    let oid = |n: usize| paid[n].1.clone();
    let foreign = ForeignSale { amount: 5000, at: world.academy.now().as_millis() };
    let misreport = Misreport {
        without: vec![oid(0)],
        without_refunds: vec![oid(3)],
        without_fee: vec![oid(2)],
        amounts: [(oid(1), 14000)].into(),
        foreign: [("BASKA1".to_owned(), foreign)].into(),
        ..Misreport::default()
    };
    world.misreport(misreport).await;
    let refund = world.academy.texts("SELECT replace(id::text, '-', '') FROM refund").await.remove(0);
    let expected = |age| {
        let mut expected = vec![
            ("payment missing_at_provider".to_owned(), oid(0), age),
            ("payment amount_differs".to_owned(), oid(1), age),
            ("payment fee_unknown".to_owned(), oid(2), age),
            ("refund missing_at_provider".to_owned(), refund.clone(), age),
            ("payment missing_here".to_owned(), "BASKA1".to_owned(), age),
        ];
        expected.sort();
        expected
    };
    world.run_night().await;
    assert_eq!(world.open().await, expected(0));
    let first_seen = world.get(DIFFERENCES).await["data"][0]["first_seen_at"].clone();
    for age in 1..=2 {
        world.run_night().await;
        assert_eq!(world.open().await, expected(age));
    }
    let listed = world.get(&format!("{DIFFERENCES}?provider=paytr&limit=2")).await;
    assert_eq!((listed["data"].as_array().unwrap().len(), listed["next_cursor"].is_string()), (2, true));
    assert_eq!(listed["data"][0]["first_seen_at"], first_seen, "its first date is kept");
    assert_eq!(listed["data"][0]["last_seen_at"], json!("2026-09-24T00:00:00Z"));
    let all = world.get(&format!("{DIFFERENCES}?limit=100")).await;
    let differs = all["data"].as_array().unwrap().iter().find(|entry| entry["kind"] == "amount_differs");
    let differs = differs.unwrap();
    assert_eq!((&differs["ours"]["amount"], &differs["theirs"]["amount"]), (&json!(14990), &json!(14000)));
    assert_eq!(world.get(&format!("{DIFFERENCES}?provider=iyzico")).await["data"], json!([]));
    let alarms = world.academy.texts("SELECT kind || ' ' || subject FROM payment_alarm").await;
    assert_eq!(alarms, ["unknown_money BASKA1"], "a person must look, once");

    world.misreport(Misreport::default()).await;
    world.run_night().await;
    assert_eq!(world.open().await, []);
    let resolved = world.get(&format!("{DIFFERENCES}?state=resolved")).await;
    let resolved = resolved["data"].as_array().unwrap();
    assert_eq!(resolved.len(), 5);
    assert!(
        resolved.iter().all(|entry| entry["resolved_at"] == "2026-09-25T00:00:00Z" && entry["age_days"] == 3)
    );
    assert_eq!(world.academy.number("SELECT count(*) FROM ledger_transaction WHERE kind = 'fee'").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_open_here_is_settled_by_asking() {
    let silence = Behaviour { before_return: 0, drop_first: 1_000, ..Behaviour::default() };
    let mut world = start_with(silence).await;
    let quote = world.academy.quote(learner(1), &[(1, 14990)], None);
    let made = world.academy.order(learner(1), "k", &quote).await.json();
    press(made["checkout"]["page"].as_str().unwrap(), "149,90 TL", "sonuc=ode&taksit=0").await;
    let order = made["id"].as_str().unwrap();
    // As long as the provider does not answer, the report alone settles nothing.
    let silent = Fault { endpoint: Endpoint::Inquiry, kind: FaultKind::ErrorBefore, times: 1 };
    world.steer(|behaviour| behaviour.faults = vec![silent]).await;
    world.run_night().await;
    assert_eq!(world.academy.state(1, order).await, "pending");
    let open = world.open().await;
    assert_eq!((open.len(), open[0].0.as_str()), (1, "payment state_differs"));
    world.steer(|behaviour| behaviour.faults = Vec::new()).await;
    world.run_night().await;
    assert_eq!(world.academy.state(1, order).await, "paid");
    assert_eq!(world.academy.granted(person(1)).await, [course(1)]);
    assert_eq!(world.open().await, [], "the same run found it resolved");
    assert_eq!(world.academy.number("SELECT count(*) FROM ledger_transaction WHERE kind = 'fee'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_paid_and_given_back_on_whatever_day_reconciles_to_no_difference() {
    const FORMS: [&str; 3] = ["sonuc=ode&taksit=0", "sonuc=ode&taksit=3", "sonuc=ode&taksit=12"];
    for seed in 1..=3u64 {
        let mut world = start().await;
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut orders: Vec<(String, i64)> = Vec::new();
        let mut nights = 0;
        while nights < 4 || orders.len() < 8 {
            world.advance(draw(12 * 60 * 60) as i64).await;
            match draw(4) {
                0 | 1 if orders.len() < 8 => {
                    let form = FORMS[draw(3) as usize];
                    let (order, _) = world.pay_in(orders.len() as u8 + 1, form).await;
                    orders.push((order, 14990));
                }
                2 if !orders.is_empty() => {
                    let place = draw(orders.len() as u64) as usize;
                    let (order, left) = &mut orders[place];
                    let amount = (1 + draw(4000) as i64).min(*left);
                    if amount > 0 {
                        *left -= amount;
                        let order = order.clone();
                        world.refund(&order, amount).await;
                    }
                }
                _ => {
                    world.night().await;
                    world.reconcile().await;
                    nights += 1;
                }
            }
        }
        world.night().await;
        world.reconcile().await;
        assert_eq!(world.get(DIFFERENCES).await["data"], json!([]), "seed {seed}");
        // Two nights later all is paid out.
        world.night().await;
        world.reconcile().await;
        world.night().await;
        world.reconcile().await;
        let payouts = world.get("/api/v1/ledger/payouts").await;
        assert_eq!(payouts["providers"][0]["owed"]["amount"], 0, "seed {seed}: {payouts}");
        println!("seed {seed}: {} payments, {nights} nights between them", orders.len());
    }
}

/// Counts what sqlx tells of each statement.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Subscriber for Counter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_night_takes_as_many_statements_whatever_was_paid() {
    let mut counts = Vec::new();
    for payments in [1, 8] {
        let mut world = start().await;
        for n in 1..=payments {
            let (order, _) = world.pay(n).await;
            world.refund(&order, 100 + i64::from(n)).await;
        }
        world.night().await;
        let counter = Counter::default();
        let counting = tracing::subscriber::set_default(counter.clone());
        assert_eq!(world.reconcile().await, 1);
        drop(counting);
        counts.push(counter.0.load(Ordering::SeqCst));
        let fees = world.academy.number("SELECT count(*) FROM ledger_transaction WHERE kind = 'fee'").await;
        assert_eq!(fees, i64::from(payments));
    }
    println!(
        "statements of a first night (8 days): {} with 2 transactions, {} with 16",
        counts[0], counts[1]
    );
    assert!(counts[0] > 0);
    assert_eq!(counts[0], counts[1]);
}
