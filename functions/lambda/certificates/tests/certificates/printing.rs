//! The page that a holder downloads.

use crate::{
    academy::{HOST, NAME, TITLE, Who, World, learner, person, staff, tenant},
    pdf::{Pdf, qr_codes},
};

#[tokio::test]
async fn the_holder_gets_a_page_with_the_name_and_a_code_that_leads_to_its_check() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    let answer = world.pdf(learner(1), &serial).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    for (header, value) in [
        ("content-type", "application/pdf"),
        ("content-disposition", &format!("inline; filename=\"certificate-{serial}.pdf\"")),
        ("cache-control", "private, no-store"),
    ] {
        assert_eq!(answer.headers[header], value);
    }
    let pdf = Pdf::from_bytes(&answer.body);
    let text = pdf.text();
    let lines: Vec<&str> = text.lines().collect();
    for line in [NAME, TITLE, "Ümraniye Belediyesi Akademisi", "21 Eylül 2026", &serial] {
        assert!(lines.contains(&line), "{line:?} is not a line of {lines:#?}");
    }
    assert_eq!(qr_codes(&pdf), [format!("http://{HOST}/verify/{serial}")]);
    assert_eq!(world.pdf(learner(1), &serial).await.body, answer.body, "the same bytes again");
}

#[tokio::test]
async fn the_page_is_in_the_academys_language_and_its_date_is_the_day_in_istanbul() {
    let world = World::new().await;
    // 21:13 UTC is 00:13 of the next day there.
    world.clock.advance_seconds(7 * 3600);
    let serial = world.complete(2, 1, 1).await;
    let holder = Who { tenant: tenant(2), ..learner(1) };
    let text = Pdf::from_bytes(&world.pdf(holder, &serial).await.body).text();
    assert!(text.contains("Certificate of Completion") && text.contains("22 September 2026"), "{text}");
}

#[tokio::test]
async fn nobody_gets_it_but_its_holder_and_staff_of_its_academy() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    assert_eq!(world.pdf(staff(1), &serial).await.status, 200);
    let namesake = Who { tenant: tenant(2), ..learner(1) };
    for who in [learner(2), namesake, staff(2)] {
        assert_eq!(world.pdf(who, &serial).await.problem(), (404, "not-found".into()));
    }
    let unknown = "0".repeat(32);
    for wrong in [unknown.as_str(), "x", &serial.to_uppercase(), &serial[1..]] {
        assert_eq!(world.pdf(staff(1), wrong).await.problem(), (404, "not-found".into()), "{wrong}");
    }
}

#[tokio::test]
async fn there_is_no_page_without_a_name_and_none_of_a_revoked_certificate() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    world.erase(1, person(1)).await;
    assert_eq!(world.pdf(learner(1), &serial).await.problem(), (410, "certificate-holder-erased".into()));
    // Erased before the completion arrived.
    let serial = world.complete(1, 1, 1).await;
    assert_eq!(world.pdf(staff(1), &serial).await.problem(), (410, "certificate-holder-erased".into()));

    let serial = world.complete(1, 2, 1).await;
    world.revoke(staff(1), &serial, "Kopya").await.expect(200);
    let answer = world.pdf(learner(2), &serial).await;
    assert_eq!(answer.problem(), (410, "certificate-revoked".into()));
    let told = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(told.contains("2026-09-21") && !told.contains("Kopya"), "{told}");
}

#[tokio::test]
async fn the_log_names_nobody() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    world.get(staff(1), "/api/v1/certificates").await.expect(200);
    assert_eq!(world.pdf(learner(1), &serial).await.status, 200);
    world.revoke(staff(1), &serial, "Kopya çekti").await.expect(200);
    world.pdf(learner(1), &serial).await.expect(410);
    // A name that does not open is a defect, and told as one.
    world.text("UPDATE certificate SET sealed_holder = '\\x00' RETURNING 'x'").await;
    world.get(staff(1), "/api/v1/certificates").await.expect(200);
    let log = world.log.0.lock().unwrap().join("\n");
    assert_eq!(log.lines().count(), 6, "{log}");
    for secret in ["Şükrü", "Iğdır", "Çağlayangöl", "Kopya", "İklim", &serial] {
        assert!(!log.contains(secret), "{secret} stands in {log}");
    }
}
