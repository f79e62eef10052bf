//! Whom an invoice names, and for how long that can be read.

use akademi_domain::ids::InvoiceId;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

use crate::academy::{NAME, World, company, learner, order, read, staff};

const BUYER: &str = "AccountingCustomerParty/Party";

#[tokio::test]
async fn a_registered_company_gets_an_e_invoice_in_the_academys_scenario() {
    let world = World::set_up().await;
    world.insert_order(1, 1, 1).await;
    world.name_company(1).await.expect(204);
    world.integrator.registered.lock().unwrap().push("4840847211".into());
    world.request(1, 1).await;
    world.run().await;
    let xml = world.integrator.last().xml;
    assert_eq!(read(&xml, "ID").unwrap(), "EFT2026000000001");
    assert_eq!(read(&xml, "ProfileID").unwrap(), "TICARIFATURA");
    assert_eq!(read(&xml, &format!("{BUYER}/PartyName/Name")).unwrap(), "Örnek Yazılım Ltd. Şti.");
    assert_eq!(read(&xml, &format!("{BUYER}/PartyTaxScheme/TaxScheme/Name")).unwrap(), "Beşiktaş");

    // Given back, it is basic: nobody answers it.
    world.give_back(1, 1, &[(2, 10_000, 1_667)]).await;
    world.run().await;
    let xml = world.integrator.last().xml;
    assert_eq!(read(&xml, "ID").unwrap(), "EFT2026000000002");
    assert_eq!(read(&xml, "ProfileID").unwrap(), "TEMELFATURA");
    assert_eq!(read(&xml, &format!("{BUYER}/PartyName/Name")).unwrap(), "Örnek Yazılım Ltd. Şti.");
}

#[tokio::test]
async fn a_company_that_is_not_registered_gets_an_archive_invoice() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.name_company(1).await.expect(204);
    world.run().await;
    let xml = world.integrator.last().xml;
    assert_eq!(read(&xml, "ProfileID").unwrap(), "EARSIVFATURA");
    assert_eq!(read(&xml, &format!("{BUYER}/PartyIdentification/ID")).unwrap(), "4840847211");
}

#[tokio::test]
async fn what_a_buyer_asked_to_be_named_goes_with_the_invoice_and_cannot_be_changed_then() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.name_company(1).await.expect(204);
    assert_eq!(world.count("invoice_details").await, 1);
    world.run().await;
    assert_eq!(world.count("invoice_details").await, 0);
    let late = world.name_company(1).await;
    assert_eq!((late.status, late.problem().as_str()), (409, "invoice-issued"));
}

#[tokio::test]
async fn whom_a_buyer_names_while_the_invoice_is_made_is_named() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.name_company(1).await.expect(204);
    world.integrator.thinks.store(true, Ordering::SeqCst);
    let invoices = world.invoices.clone();
    let run = tokio::spawn(async move { invoices.run_due(|| true).await.unwrap() });
    world.integrator.asked.notified().await;
    let mut person = company();
    person["name"] = "Işıl Öz".into();
    person["tax_number"] = "10000000146".into();
    let path = format!("/api/v1/orders/{}/invoice-details", order(1));
    world.call(learner(1), http::Method::PUT, &path, &person).await.expect(204);
    world.integrator.answers.notify_one();
    assert_eq!(run.await.unwrap().put_off, 1);
    world.clock.advance_seconds(5);
    assert_eq!(world.run().await.delivered, 1);
    let xml = world.integrator.last().xml;
    assert_eq!(read(&xml, &format!("{BUYER}/Person/FamilyName")).unwrap(), "Öz");
    assert_eq!(read(&xml, "ID").unwrap(), "EAR2026000000001");
}

#[tokio::test]
async fn details_are_of_ones_own_order_and_hold() {
    let world = World::set_up().await;
    world.insert_order(1, 1, 2).await;
    assert_eq!(world.name_company(1).await.status, 404, "another person's order");
    let path = format!("/api/v1/orders/{}/invoice-details", order(1));
    for (field, value) in [
        ("tax_number", json!("4840847212")),
        ("tax_number", json!("1")),
        ("tax_office", Value::Null),
        ("city", json!(" ")),
        ("email", json!("\u{1}")),
    ] {
        let mut wrong = company();
        wrong[field] = value;
        let answer = world.call(learner(2), http::Method::PUT, &path, &wrong).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, field));
    }
}

/// The document as staff read it.
async fn xml(world: &World) -> (u16, String) {
    let id = InvoiceId::from_uuid(world.id_of("id").await);
    let answer = world.get(staff(1), &format!("/api/v1/invoices/{id}/xml")).await;
    (answer.status, answer.text())
}

#[tokio::test]
async fn an_invoice_outlives_an_erasure_and_ends_with_the_key_of_its_year() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.run().await;
    world.execute("DELETE FROM person_key; UPDATE person SET sealed_profile = NULL").await;
    let (status, kept) = xml(&world).await;
    assert_eq!((status, kept == world.integrator.last().xml), (200, true));
    let words = NAME.split(' ').next().unwrap();
    assert!(kept.contains(words));
    assert_eq!(
        world.count(&format!("invoice WHERE position('{words}'::bytea IN sealed_document) > 0")).await,
        0
    );
    world.execute("DELETE FROM invoice_key").await;
    assert_eq!(xml(&world).await.0, 410);
}

#[tokio::test]
async fn a_buyer_who_was_erased_before_is_the_final_consumer() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    world.name_company(1).await.expect(204);
    world.execute("DELETE FROM person_key; UPDATE person SET sealed_profile = NULL").await;
    world.run().await;
    let xml = world.integrator.last().xml;
    assert_eq!(read(&xml, &format!("{BUYER}/Person/FirstName")).unwrap(), "Nihai");
    assert_eq!(read(&xml, &format!("{BUYER}/Contact")), None);
}
