//! What staff see and do.

use http::Method;
use serde_json::{Value, json};

use crate::academy::{World, learner, settings, staff};

const SETTINGS: &str = "/api/v1/commerce/invoice-settings";

#[tokio::test]
async fn settings_are_kept_sealed_and_shown_to_staff() {
    let world = World::new().await;
    world.get(staff(1), SETTINGS).await.expect(404);
    world.call(staff(1), Method::PUT, SETTINGS, &settings()).await.expect(200);
    let shown = world.get(staff(1), SETTINGS).await.expect(200);
    assert_eq!(shown["settings"]["seller"]["tax_number"], "1234567890");
    assert_eq!(shown["settings"]["scenario"], "commercial");
    let readable = "invoice_settings WHERE position('1234567890'::bytea IN sealed_settings) > 0";
    assert_eq!(world.count(readable).await, 0);
    assert_eq!(world.count("audit_entry WHERE action = 'invoice_settings.saved'").await, 1);
    assert_eq!(world.count("audit_entry WHERE change::text LIKE '%1234567890%'").await, 0);
    assert_eq!(world.get(learner(1), SETTINGS).await.status, 403);
    assert_eq!(world.get(staff(2), SETTINGS).await.status, 404, "another academy's");
}

#[tokio::test]
async fn settings_that_no_invoice_could_be_made_with_are_refused() {
    let world = World::new().await;
    for (pointer, value, field) in [
        ("/seller/tax_number", json!("1234567891"), "seller.tax_number"),
        ("/seller/tax_number", Value::Null, "seller.tax_number"),
        ("/seller/tax_number", json!("11111111111"), "seller.tax_number"),
        ("/seller/tax_office", Value::Null, "seller.tax_office"),
        ("/seller/name", json!(" "), "seller.name"),
        ("/seller/city", json!(""), "seller.city"),
        ("/archive_series", json!("ear"), "archive_series"),
        ("/invoice_series", json!("İFT"), "invoice_series"),
        ("/invoice_series", json!("EAR"), "invoice_series"),
        ("/scenario", json!({ "code": 351, "reason": "Diğer" }), "scenario"),
    ] {
        let mut wrong = settings();
        *wrong.pointer_mut(pointer).unwrap() = value;
        let answer = world.call(staff(1), Method::PUT, SETTINGS, &wrong).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, field), "{}", answer.text());
    }
    let mut wrong = settings();
    wrong["exemption"] = json!({ "code": 351, "reason": "Diğer" });
    let answer = world.call(staff(1), Method::PUT, SETTINGS, &wrong).await;
    assert_eq!((answer.status, answer.problem().as_str()), (422, "exemption"));
}

#[tokio::test]
async fn what_an_exempt_academy_sells_without_vat_says_why() {
    let world = World::new().await;
    let mut exempt = settings();
    exempt["exemption"] = json!({ "code": 213, "reason": "17/2-b Eğitim" });
    world.call(staff(1), Method::PUT, SETTINGS, &exempt).await.expect(200);
    world.insert_order(1, 1, 1).await;
    world
        .execute("UPDATE order_line SET vat_basis_points = 0, vat = 0; UPDATE customer_order SET vat = 0")
        .await;
    world.request(1, 1).await;
    assert_eq!(world.run().await.delivered, 1);
    let xml = world.integrator.last().xml;
    assert_eq!(crate::academy::read(&xml, "InvoiceTypeCode").unwrap(), "ISTISNA");
    let reason = "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReason";
    assert_eq!(crate::academy::read(&xml, reason).unwrap(), "17/2-b Eğitim");
}

#[tokio::test]
async fn invoices_are_listed_newest_first_shown_and_downloaded() {
    let world = World::set_up().await;
    for n in 1..=3 {
        world.buy(1, n).await;
        world.run().await;
        world.clock.advance_seconds(1);
    }
    let first = world.get(staff(1), "/api/v1/invoices?limit=2").await.expect(200);
    let numbers = |page: &Value| {
        let data = page["data"].as_array().unwrap();
        data.iter().map(|invoice| invoice["number"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&first), ["EAR2026000000003", "EAR2026000000002"]);
    let rest = format!("/api/v1/invoices?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
    let rest = world.get(staff(1), &rest).await.expect(200);
    assert_eq!((numbers(&rest), &rest["next_cursor"]), (vec!["EAR2026000000001".into()], &Value::Null));
    let id = rest["data"][0]["id"].as_str().unwrap();
    let shown = world.get(staff(1), &format!("/api/v1/invoices/{id}")).await.expect(200);
    assert_eq!(shown["total"], json!({ "amount": 54_991, "currency": "TRY" }));
    assert_eq!(shown["vat"]["amount"], 9_166);
    let xml = world.get(staff(1), &format!("/api/v1/invoices/{id}/xml")).await;
    assert_eq!(xml.headers["content-type"], "application/xml");
    assert_eq!(xml.headers["cache-control"], "private, no-store");
    assert_eq!(xml.headers["content-disposition"], "attachment; filename=\"EAR2026000000001.xml\"");
    for path in ["", &format!("/{id}"), &format!("/{id}/xml")] {
        let path = format!("/api/v1/invoices{path}");
        assert_eq!(world.get(learner(1), &path).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn what_failed_is_tried_again_by_staff_and_the_log_tells() {
    let world = World::set_up().await;
    world.buy(1, 1).await;
    // It says of itself what its lines do not.
    world.execute("UPDATE customer_order SET vat = vat + 9").await;
    world.run().await;
    let id = world.listed(1, "?state=failed").await[0]["id"].clone();
    let path = format!("/api/v1/invoices/{}/xml", id.as_str().unwrap());
    let early = world.get(staff(1), &path).await;
    assert_eq!((early.status, early.problem().as_str()), (409, "not-issued"));
    world.execute("UPDATE customer_order SET vat = vat - 9").await;
    assert_eq!(world.retry(learner(1), &id).await.status, 403);
    assert_eq!(world.retry(staff(2), &id).await.status, 404, "another academy's");
    assert_eq!(world.retry(staff(1), &id).await.expect(202)["state"], "queued");
    assert_eq!(world.run().await.delivered, 1);
    let again = world.retry(staff(1), &id).await;
    assert_eq!((again.status, again.problem().as_str()), (409, "not-failed"));
    assert_eq!(world.count("audit_entry WHERE action = 'invoice.retried'").await, 1);
}
