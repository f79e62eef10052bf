//! Payments whose callback never came.

use akademi_payment_sandbox::{Behaviour, Endpoint, Fault, FaultKind};
use serde_json::Value;

use crate::academy::{Academy, course, learner, person};
use crate::sandbox::{press, start};

/// The buyer pays, and no callback ever arrives.
async fn paid_in_silence(faults: Vec<Fault>) -> (Academy, akademi_payment_sandbox::Handle, String) {
    let silence = Behaviour { before_return: 0, drop_first: 1_000, faults, ..Behaviour::default() };
    let (academy, sandbox) = start(silence).await;
    let order = pay(&academy, 1).await;
    (academy, sandbox, order)
}

async fn pay(academy: &Academy, n: u8) -> String {
    let quote = academy.quote(learner(n), &[(1, 14990)], None);
    let made: Value = academy.order(learner(n), "k", &quote).await.json();
    press(made["checkout"]["page"].as_str().unwrap(), "149,90 TL", "sonuc=ode&taksit=0").await;
    made["id"].as_str().unwrap().to_owned()
}

impl Academy {
    /// The payments of an order are of an account whose settings nobody can read.
    pub async fn break_account_of(&self, order: &str) {
        let mut superuser = self.superuser().await;
        sqlx::query("UPDATE payment SET provider = 'stripe' WHERE order_id = $1::uuid")
            .bind(order)
            .execute(&mut superuser)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO payment_account (tenant_id, provider, callback_token, sealed_settings, updated_at)
             SELECT tenant_id, 'stripe', 'bozuk', '\\x00', 0 FROM payment_account",
        )
        .execute(&mut superuser)
        .await
        .unwrap();
    }

    async fn ask_after(&self, seconds: i64) -> u64 {
        self.clock.advance_seconds(seconds);
        self.payments.expire_orders(self.now()).await.unwrap();
        self.payments.ask_about_attempts(self.now()).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_nobody_told_of_is_found_by_asking() {
    let (academy, _sandbox, order) = paid_in_silence(Vec::new()).await;
    assert_eq!(academy.ask_after(34 * 60).await, 0, "the callback has its time");
    assert_eq!(academy.state(1, &order).await, "expired");
    assert_eq!(academy.ask_after(60).await, 1);
    assert_eq!(academy.state(1, &order).await, "paid");
    assert_eq!(academy.granted(person(1)).await, [course(1)]);
    assert_eq!(academy.ask_after(25 * 60 * 60).await, 0, "it is known");
    assert_eq!(academy.number("SELECT count(*) FROM ledger_transaction").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_cannot_be_asked_about_is_in_nobodys_way() {
    let (academy, _sandbox, broken) = paid_in_silence(Vec::new()).await;
    academy.clock.advance_seconds(1);
    let whole = pay(&academy, 2).await;
    academy.break_account_of(&broken).await;
    academy.clock.advance_seconds(36 * 60);
    academy.payments.expire_orders(academy.now()).await.unwrap();
    academy.payments.ask_about_attempts(academy.now()).await.unwrap_err();
    assert_eq!(
        (academy.state(1, &broken).await, academy.state(2, &whole).await),
        ("expired".into(), "paid".into())
    );
    assert_eq!(academy.ask_after(0).await, 0, "it has its pause too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_answer_is_asked_the_next_day() {
    let faults = vec![Fault { endpoint: Endpoint::Inquiry, kind: FaultKind::ErrorBefore, times: 1 }];
    let (academy, _sandbox, order) = paid_in_silence(faults).await;
    assert_eq!(academy.ask_after(35 * 60).await, 0);
    assert_eq!(academy.ask_after(60 * 60).await, 0, "not every minute");
    assert_eq!(academy.ask_after(24 * 60 * 60).await, 1);
    assert_eq!(academy.state(1, &order).await, "paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_nobody_paid_is_asked_about_four_times_and_no_more() {
    let (academy, _sandbox) = start(Behaviour::default()).await;
    academy.order(learner(1), "k", &academy.quote(learner(1), &[(1, 14990)], None)).await;
    for _ in 0..6 {
        assert_eq!(academy.ask_after(25 * 60 * 60).await, 0);
    }
    assert_eq!(academy.number("SELECT asks::bigint FROM payment").await, 4);
    assert_eq!(academy.texts("SELECT state FROM customer_order").await, ["expired"]);
}
