//! iyzico's reports against the books, through the sandbox. Its clock is the academy's.

use akademi_payment_sandbox::{Behaviour, ForeignSale, Misreport};
use http::Method;
use serde_json::{Value, json};

use crate::academy::staff;
use crate::iyzico::{World, late, start};

const DAY: i64 = 24 * 60 * 60;

impl World {
    async fn misreport(&self, misreport: Misreport) {
        let clock_ms = Some(self.academy.now().as_millis());
        let behaviour = Behaviour { clock_ms, misreport, ..late() };
        self.steer("behaviour", &serde_json::to_value(behaviour).unwrap()).await;
    }

    async fn pay(&self, n: u8, form: &'static str) -> String {
        let open = self.order(n).await;
        self.press(&open, form).await;
        assert_eq!(self.come_back(&open, &open.token).await, "paid");
        open.id
    }

    async fn refund(&self, order: &str, amount: i64) {
        let target = format!("/api/v1/commerce/orders/{order}/refunds");
        let body = json!({ "amount": amount, "reason": "indirim" });
        let answer = self.academy.call(staff(), Method::POST, &target, Some(order), Some(&body)).await;
        assert_eq!((answer.status, &answer.json()["state"]), (201, &json!("done")));
    }

    /// The next three o'clock in the morning, with these reports. PayTR knows nothing of the academy's account there.
    async fn night(&self, misreport: Misreport) {
        self.academy.clock.advance_seconds(DAY - self.academy.now().as_seconds() % DAY);
        self.misreport(misreport).await;
        assert_eq!(self.academy.payments.reconcile(self.academy.now()).await.unwrap(), 1);
    }

    async fn differences(&self) -> Vec<Value> {
        let target = "/api/v1/reconciliation/differences?state=open&provider=iyzico";
        let listed = self.academy.call(staff(), Method::GET, target, None, None).await.json();
        listed["data"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_pages_refunds_and_cancellations_agree_and_fees_are_booked_to_the_nearest_kurus() {
    let world = start(late()).await;
    world.misreport(Misreport::default()).await;
    let refunded = world.pay(1, "sonuc=ode&taksit=1").await;
    let cancelled = world.pay(2, "sonuc=ode&taksit=1").await;
    world.pay(3, "sonuc=ode&taksit=3").await;
    world.refund(&refunded, 4990).await;
    world.refund(&cancelled, 14990).await;
    world.night(Misreport { page_rows: 1, ..Misreport::default() }).await;
    assert_eq!(world.differences().await, Vec::<Value>::new());
    assert_eq!(world.academy.number("SELECT count(*) FROM provider_transaction").await, 5);
    let fees = world.academy.texts(
        "SELECT account || ' ' || sum(amount) FROM ledger_entry JOIN ledger_transaction ON id = transaction_id
         WHERE kind = 'fee' GROUP BY account ORDER BY account",
    );
    // 2.99 percent and 25 kuruş: 4.7320 twice, and 4.8663 of 154.39, which is 4.49 of interest.
    assert_eq!(fees.await, ["fees 1433", "installment_interest -449", "provider:iyzico -984"]);
    let payouts = world.academy.call(staff(), Method::GET, "/api/v1/ledger/payouts", None, None).await.json();
    assert_eq!(payouts["providers"][0]["owed"]["amount"], 3 * 14990 - 14990 - 4990 - 984);
    assert_eq!(payouts["providers"][0]["tells_payouts"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_iyzico_leaves_out_adds_or_changes_is_found() {
    let world = start(late()).await;
    world.misreport(Misreport::default()).await;
    world.academy.payments.reconcile(world.academy.now()).await.unwrap();
    let order = world.pay(1, "sonuc=ode&taksit=1").await;
    world.pay(2, "sonuc=ode&taksit=1").await;
    world.refund(&order, 1000).await;
    let references = "SELECT replace(id::text, '-', '') FROM payment ORDER BY created_at, id";
    let references = world.academy.texts(references).await;
    let foreign = ForeignSale { amount: 777, at: world.academy.now().as_millis() };
    let reports = Misreport {
        without_refunds: vec![references[0].clone()],
        amounts: [(references[1].clone(), 15000)].into(),
        foreign: [("baska-dukkan".to_owned(), foreign)].into(),
        ..Misreport::default()
    };
    world.night(reports).await;
    let mut kinds: Vec<_> = world
        .differences()
        .await
        .iter()
        .map(|found| {
            format!("{} {}", found["subject_kind"].as_str().unwrap(), found["kind"].as_str().unwrap())
        })
        .collect();
    kinds.sort();
    assert_eq!(kinds, ["payment amount_differs", "payment missing_here", "refund missing_at_provider"]);
    world.night(Misreport::default()).await;
    assert_eq!(world.differences().await, Vec::<Value>::new());
}
