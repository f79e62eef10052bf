//! What is given back has an invoice that says so.

use akademi_invoices::Handled;

use crate::academy::{World, read};

#[tokio::test]
async fn a_refund_refers_to_the_invoice_that_it_gives_back_for() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.run().await;
    world.clock.advance_seconds(24 * 3600);
    world.give_back(1, 1, &[(1, 44_991, 7_499), (2, 5_000, 833)]).await;
    assert_eq!(world.run().await.delivered, 1);
    let xml = world.integrator.last().xml;
    for (path, text) in [
        ("ID", "EAR2026000000002"),
        ("IssueDate", "2026-09-22"),
        ("InvoiceTypeCode", "IADE"),
        ("BillingReference/InvoiceDocumentReference/ID", "EAR2026000000001"),
        ("BillingReference/InvoiceDocumentReference/IssueDate", "2026-09-21"),
        ("LegalMonetaryTotal/PayableAmount", "499.91"),
        ("TaxTotal/TaxAmount", "83.32"),
        ("AccountingCustomerParty/Party/Person/FamilyName", "Çağlayangöl"),
    ] {
        assert_eq!(read(&xml, path).as_deref(), Some(text), "{path}");
    }
    assert_eq!(read(&xml, "PaymentMeans"), None);
}

#[tokio::test]
async fn each_refund_has_one_invoice_and_a_buyer_who_was_erased_since_is_named_as_before() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.run().await;
    world.execute("DELETE FROM person_key; UPDATE person SET sealed_profile = NULL").await;
    for (refund, total, vat) in [(1, 4_000, 667), (1, 4_000, 667), (2, 6_000, 1_000)] {
        world.give_back(1, refund, &[(2, total, vat)]).await;
    }
    assert_eq!(world.run().await.delivered, 2);
    assert_eq!(world.integrator.numbers(), ["EAR2026000000001", "EAR2026000000002", "EAR2026000000003"]);
    let xml = world.integrator.last().xml;
    assert_eq!(read(&xml, "AccountingCustomerParty/Party/Person/FamilyName").unwrap(), "Çağlayangöl");
}

#[tokio::test]
async fn a_refund_waits_until_its_orders_invoice_is_issued() {
    let world = World::set_up().await;
    world.insert_order(1, 1, 1).await;
    world.give_back(1, 1, &[(2, 10_000, 1_667)]).await;
    let put_off = world.run().await;
    assert_eq!(put_off, Handled { put_off: 1, due_in_seconds: Some(5), ..Handled::default() });
    world.request(1, 1).await;
    assert_eq!(world.run().await.delivered, 1);
    world.clock.advance_seconds(5);
    assert_eq!(world.run().await.delivered, 1);
    assert_eq!(world.integrator.numbers(), ["EAR2026000000001", "EAR2026000000002"]);
}

#[tokio::test]
async fn more_than_a_line_cost_or_a_line_of_another_order_is_not_given_back() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.run().await;
    for (refund, line) in [(1, (2, 10_001, 1_667)), (2, (3, 100, 17)), (3, (2, 10_000, 1_000))] {
        world.give_back(1, refund, &[line]).await;
        assert_eq!(world.run().await.failed, 1, "{line:?}");
    }
    assert_eq!(world.integrator.numbers().len(), 1);
}
