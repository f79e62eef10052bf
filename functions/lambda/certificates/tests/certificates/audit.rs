//! What a revocation leaves in the audit log.

use http::Method;
use serde_json::{Value, json};

use crate::academy::{World, course, learner, person, staff};

#[tokio::test]
async fn a_revocation_leaves_one_entry_without_its_reason_or_the_serial_and_a_second_one_none() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    assert_eq!(world.revoke(learner(1), &serial, "Kopya").await.status, 403);
    assert_eq!(world.revoke(staff(1), &"0".repeat(32), "Kopya").await.status, 404);
    assert_eq!(world.revoke(staff(2), &serial, "Kopya").await.status, 404);
    assert_eq!(world.text("SELECT count(*)::text FROM audit_entry").await, "0");

    world.revoke(staff(1), &serial, "Kopya").await.expect(200);
    world.revoke(staff(1), &serial, "Kopya").await.expect(200);
    let target = world.text("SELECT target FROM audit_entry WHERE action = 'certificate.revoked'").await;
    assert_eq!(target, format!("certificate:{}…", &serial[..8]));
    let change: Value =
        serde_json::from_str(&world.text("SELECT change::text FROM audit_entry").await).unwrap();
    let after = json!({ "revoked_at": "2026-09-21T14:13:20Z", "person": person(1), "course": course(1) });
    assert_eq!(change, json!({ "before": { "revoked_at": null }, "after": after }));
    let row = world.text("SELECT audit_entry::text FROM audit_entry").await;
    assert!(
        row.contains(&staff(1).user.to_string()) && !row.contains("Kopya") && !row.contains(&serial),
        "{row}"
    );
}

#[tokio::test]
async fn reading_leaves_no_entry() {
    let world = World::new().await;
    world.complete(1, 1, 1).await;
    world.call(staff(1), Method::GET, "/api/v1/certificates", None).await.expect(200);
    assert_eq!(world.text("SELECT count(*)::text FROM audit_entry").await, "0");
}
