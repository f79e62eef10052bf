//! From the request to a numbered document.

use akademi_invoices::Handled;
use akademi_lambda_store::invoices;
use std::collections::BTreeSet;
use tokio::task::JoinSet;

use crate::academy::{World, order, read, tenant};

const DELIVERED: Handled =
    Handled { delivered: 1, put_off: 0, failed: 0, due_in_seconds: None, has_more: false };

#[tokio::test]
async fn a_paid_order_gets_its_invoice() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    assert_eq!(world.run().await, DELIVERED);
    let document = world.integrator.last();
    assert_eq!(document.number.to_string(), "EAR2026000000001");
    for (path, text) in [
        ("ProfileID", "EARSIVFATURA"),
        ("ID", "EAR2026000000001"),
        ("UUID", &document.id.to_string()),
        ("IssueDate", "2026-09-21"),
        ("IssueTime", "17:13:20"),
        ("InvoiceTypeCode", "SATIS"),
        ("OrderReference/ID", &order(1).to_string()),
        ("AccountingSupplierParty/Party/PartyName/Name", "Ümraniye Akademi A.Ş."),
        ("AccountingCustomerParty/Party/PartyIdentification/ID", "11111111111"),
        ("AccountingCustomerParty/Party/Person/FirstName", "Şükrü Iğdır"),
        ("AccountingCustomerParty/Party/Person/FamilyName", "Çağlayangöl"),
        ("AccountingCustomerParty/Party/Contact/ElectronicMail", "ogrenci1@example.com"),
        ("PaymentMeans/InstructionNote", "paytr"),
        ("TaxTotal/TaxAmount", "91.66"),
        ("LegalMonetaryTotal/PayableAmount", "549.91"),
        ("InvoiceLine/AllowanceCharge/Amount", "41.66"),
        ("InvoiceLine/Item/Name", "Ders 1: İklim & Işık"),
    ] {
        assert_eq!(read(&document.xml, path).as_deref(), Some(text), "{path}");
    }
    assert_eq!(world.run().await, Handled::default(), "there is nothing more to do");
}

#[tokio::test]
async fn however_often_it_is_asked_for_an_order_has_one_invoice() {
    let world = World::set_up().await;
    world.insert_order(1, 1, 1).await;
    let mut requests = JoinSet::new();
    for _ in 0..8 {
        let (postgres, ports) = (world.database.postgres().clone(), world.ports.clone());
        requests.spawn(async move {
            let mut tx = postgres.tenant(tenant(1)).await.unwrap();
            invoices::request(&mut tx, &ports, order(1)).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    requests.join_all().await;
    assert_eq!(world.count("invoice").await, 1);
    assert_eq!(world.count("job WHERE kind = 'invoice'").await, 1);
    assert_eq!(world.run().await, DELIVERED);
    world.request(1, 1).await;
    assert_eq!(world.run().await, Handled::default());
    assert_eq!(world.integrator.numbers().len(), 1);
}

#[tokio::test]
async fn without_its_key_an_order_would_have_many() {
    let world = World::set_up().await;
    world.insert_order(1, 1, 1).await;
    world
        .execute(
            "ALTER TABLE invoice DROP CONSTRAINT invoice_once;
             ALTER TABLE invoice ADD CONSTRAINT invoice_once UNIQUE (tenant_id, id)",
        )
        .await;
    world.request(1, 1).await;
    world.request(1, 1).await;
    world.run().await;
    assert_eq!(world.integrator.numbers(), ["EAR2026000000001", "EAR2026000000002"]);
}

#[tokio::test]
async fn a_capture_that_is_rolled_back_asks_for_nothing_and_neither_does_a_free_order() {
    let world = World::set_up().await;
    world.insert_order(1, 1, 1).await;
    let mut tx = world.database.postgres().tenant(tenant(1)).await.unwrap();
    invoices::request(&mut tx, &world.ports, order(1)).await.unwrap();
    tx.rollback().await.unwrap();
    world.execute("UPDATE customer_order SET subtotal = 0, discount = 0, total = 0, vat = 0").await;
    world.request(1, 1).await;
    assert_eq!((world.count("invoice").await, world.count("job").await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_at_once_issue_each_invoice_once_and_leave_no_gap_for_those_that_fail() {
    let world = World::set_up().await;
    for n in 1..=24 {
        world.buy(1, n).await;
    }
    // Every fourth says of itself what its lines do not: its number is rolled back.
    world.execute("UPDATE customer_order SET vat = vat + 9 WHERE idempotency_key::int % 4 = 0").await;
    let mut workers = JoinSet::new();
    for _ in 0..6 {
        let invoices = world.invoices.clone();
        workers.spawn(async move { invoices.run_due(|| true).await.unwrap() });
    }
    let handled = workers.join_all().await;
    assert_eq!(handled.iter().map(|it| it.delivered).sum::<usize>(), 18);
    assert_eq!(handled.iter().map(|it| it.failed).sum::<usize>(), 6);
    let numbers: BTreeSet<String> = world.integrator.numbers().into_iter().collect();
    let expected = (1..=18).map(|n| format!("EAR2026{n:09}"));
    assert!(numbers.iter().cloned().eq(expected), "{numbers:?}");
    assert_eq!(world.mails().await.len(), 18, "each buyer is told once");
}

#[tokio::test]
async fn what_has_no_invoice_says_why_and_takes_no_number() {
    let world = World::set_up().await;
    for (n, break_it, reason) in [
        (1, "UPDATE customer_order SET total = 54990, discount = 5000", "the lines' totals do not sum"),
        (2, "UPDATE order_line SET title = E'\\x01'", "holds a character that no XML document can"),
    ] {
        world.buy(1, n).await;
        world
            .execute(&format!("{break_it} WHERE {} = '{}'", if n == 2 { "order_id" } else { "id" }, order(n)))
            .await;
        assert_eq!(world.run().await.failed, 1, "{reason}");
        let failed = &world.listed(1, "?state=failed&limit=1").await[0];
        assert!(failed["reason"].as_str().unwrap().contains(reason), "{failed}");
        assert_eq!(failed["number"], serde_json::Value::Null);
        // The list is by moment.
        world.clock.advance_seconds(1);
    }
    assert_eq!(world.count("invoice_series").await, 0, "no number was taken");
}

#[tokio::test]
async fn an_invoice_waits_for_its_academys_settings() {
    let world = World::new().await;
    world.buy(1, 1).await;
    assert_eq!(world.run().await.failed, 1);
    let waiting = world.listed(1, "?state=waiting").await;
    assert_eq!(waiting.len(), 1);
    world.clock.advance_seconds(24 * 3600);
    assert_eq!(world.run().await, Handled::default(), "it is not tried again by itself");
}
