//! Nights and staff that hold the same reports against the books at once.

use akademi_payment_sandbox::{ForeignSale, Misreport};
use futures::future::{join, join_all};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Barrier;

use crate::academy::{staff, tenant};
use crate::nights::{World, start};

/// Two sales, a day on which they are paid out, and one of which nobody here knows.
async fn two_days() -> World {
    let mut world = start().await;
    world.pay(1).await;
    world.pay_in(2, "sonuc=ode&taksit=3").await;
    let foreign = ForeignSale { amount: 5000, at: world.academy.now().as_millis() };
    let misreport = Misreport { foreign: [("BASKA1".to_owned(), foreign)].into(), ..Misreport::default() };
    world.misreport(misreport).await;
    world.night().await;
    world.night().await;
    world
}

async fn without_the_indexes(world: &World) {
    sqlx::raw_sql("DROP INDEX ledger_fee_once; DROP INDEX ledger_payout_once")
        .execute(&mut world.academy.superuser().await)
        .await
        .unwrap();
}

/// Eight of the staff have a day's report read again at once.
async fn read_by_8(world: &World, day: &str) {
    let body = json!({ "provider": "paytr", "day": day });
    let answers = join_all((0..8).map(|_| world.run_by_hand(staff(), &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{day}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_runs_at_once_one_books_each_fee_and_each_payout() {
    // The account's lock alone is enough: the indexes are the schema's word on it.
    for has_indexes in [true, false] {
        let mut world = two_days().await;
        if !has_indexes {
            without_the_indexes(&world).await;
        }
        // The fees, and then what was paid out on the day after.
        read_by_8(&world, "2026-09-21").await;
        world.advance(60 * 60).await;
        let nights = join_all((0..4).map(|_| world.reconcile()));
        let (nights, ()) = join(nights, read_by_8(&world, "2026-09-22")).await;
        assert!(nights.iter().sum::<u64>() <= 1, "{nights:?}");
        assert_eq!(world.written().await, [3, 1, 5, 1], "two captures, two fees, a payout; a difference");
        let whole = "SELECT count(*) FROM ledger_entry JOIN ledger_transaction ON id = transaction_id
                     WHERE kind = 'payout' AND account = 'bank' AND amount = 24725 + 4990";
        assert_eq!(world.academy.number(whole).await, 1);
    }
}

/// The same with a look and a step apart, and without the schema's word.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_lock_two_runs_book_the_same_fee_and_the_same_payout() {
    let world = two_days().await;
    without_the_indexes(&world).await;
    let both_have_looked = Arc::new(Barrier::new(2));
    let runs = (0..2).map(|_| {
        let both_have_looked = both_have_looked.clone();
        let postgres = world.academy.database.postgres().clone();
        async move {
            let mut tx = postgres.tenant(tenant(1)).await.unwrap();
            let booked: i64 =
                sqlx::query_scalar("SELECT count(*) FROM ledger_transaction WHERE kind IN ('fee', 'payout')")
                    .fetch_one(tx.connection())
                    .await
                    .unwrap();
            both_have_looked.wait().await;
            if booked == 0 {
                sqlx::query(
                    "WITH booked AS (
                         INSERT INTO ledger_transaction (tenant_id, id, kind, at, payment_id, payout_reference, payout_day)
                         SELECT tenant_id, gen_random_uuid(), 'fee', 0, id, NULL, NULL FROM payment
                         UNION ALL
                         SELECT $1, gen_random_uuid(), 'payout', 0, NULL, 'paytr:2026-09-22:TRY', '2026-09-22'::date
                         RETURNING tenant_id, id)
                     INSERT INTO ledger_entry (tenant_id, transaction_id, account, amount, currency)
                     SELECT tenant_id, id, account, amount, 'TRY' FROM booked,
                         (VALUES ('fees', 99), ('provider:paytr', -99)) AS entry (account, amount)",
                )
                .bind(tenant(1).as_uuid())
                .execute(tx.connection())
                .await
                .unwrap();
            }
            tx.commit().await.unwrap();
        }
    });
    join_all(runs.map(tokio::spawn)).await.into_iter().for_each(|run| run.unwrap());
    let booked = |kind: &str| format!("SELECT count(*) FROM ledger_transaction WHERE kind = '{kind}'");
    let fees = world.academy.number(&booked("fee")).await;
    let payouts = world.academy.number(&booked("payout")).await;
    assert_eq!((fees, payouts), (4, 2), "of two fees and a payout");
}
