//! Revoking, and what the edge hears of it.

use akademi_feed::LambdaEvent;
use futures::future::join_all;
use http::Method;
use serde_json::json;

use crate::academy::{World, learner, person, staff};

fn revocations(events: &[LambdaEvent]) -> Vec<&LambdaEvent> {
    events.iter().filter(|event| matches!(event, LambdaEvent::CertificateRevoked { .. })).collect()
}

#[tokio::test]
async fn a_revoked_certificate_keeps_its_first_date_and_the_edge_is_told_once() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    world.clock.advance_seconds(60);
    let revoked = world.revoke(staff(1), &serial, "  Kopya  ").await.expect(200);
    assert_eq!(revoked["serial"], serial);
    assert_eq!(revoked["revoked_at"], "2026-09-21T14:14:20Z");
    assert_eq!(revoked["revocation_reason"], "Kopya");
    assert_eq!(world.wakes(), 1);

    world.clock.advance_seconds(60);
    assert_eq!(world.revoke(staff(1), &serial, "Başka").await.expect(200), revoked);
    assert_eq!(world.wakes(), 1);
    let events = world.events().await;
    let [LambdaEvent::CertificateRevoked { serial: told, at }] = revocations(&events)[..] else {
        panic!("{events:?}");
    };
    assert_eq!((told.to_string(), at.to_string()), (serial, "2026-09-21T14:14:20Z".to_owned()));
    let by = world.text("SELECT revoked_by::text FROM certificate").await;
    assert_eq!(by, staff(1).user.to_string());
}

#[tokio::test]
async fn the_reason_is_sealed_with_the_holders_key_and_goes_with_it() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    world.revoke(staff(1), &serial, "Kopya").await.expect(200);
    let stored = "SELECT COALESCE(encode(sealed_revocation_reason, 'escape'), 'none') FROM certificate";
    let sealed = world.text(stored).await;
    assert!(sealed != "none" && !sealed.contains("Kopya"), "{sealed}");
    let shown = async || {
        let page = world.get(staff(1), "/api/v1/certificates").await.expect(200);
        (page["data"][0]["revocation_reason"].clone(), page["data"][0]["revoked_at"].clone())
    };
    assert_eq!(shown().await, (json!("Kopya"), json!("2026-09-21T14:13:20Z")));
    // The name's bytes in the reason's place: each opens as what it is, and as nothing else.
    world.text("UPDATE certificate SET sealed_revocation_reason = sealed_holder RETURNING 'x'").await;
    assert_eq!(shown().await.0, json!(null));
    world.erase(1, person(1)).await;
    assert_eq!(shown().await, (json!(null), json!("2026-09-21T14:13:20Z")));
    // Of somebody who was erased before, no reason is kept.
    world.text("UPDATE certificate SET revoked_at = NULL, revoked_by = NULL, sealed_revocation_reason = NULL RETURNING 'x'").await;
    world.revoke(staff(1), &serial, "Kopya").await.expect(200);
    assert_eq!(world.text(stored).await, "none");
}

#[tokio::test]
async fn revoked_by_many_at_once_it_is_revoked_once() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    let reasons: Vec<String> = (0..8).map(|n| format!("reason {n}")).collect();
    let answers = join_all(reasons.iter().map(|reason| world.revoke(staff(1), &serial, reason))).await;
    let answers: Vec<_> = answers.iter().map(|answer| answer.expect(200)).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert_eq!(revocations(&world.events().await).len(), 1);
}

/// The same race when who revokes looks first, in a statement of its own.
#[tokio::test]
async fn without_the_condition_in_the_statement_it_would_be_revoked_twice() {
    let world = World::new().await;
    world.complete(1, 1, 1).await;
    let mut transactions = Vec::new();
    for _ in 0..2 {
        let mut tx = world.database.postgres().tenant(staff(1).tenant).await.unwrap();
        let revoked: Option<i64> = sqlx::query_scalar("SELECT revoked_at FROM certificate")
            .fetch_one(tx.connection())
            .await
            .unwrap();
        assert_eq!(revoked, None, "nobody has revoked it yet");
        transactions.push(tx);
    }
    let mut revocations = 0;
    for (at, mut tx) in (1i64..).zip(transactions) {
        let revoke = "UPDATE certificate SET revoked_at = $1, revoked_by = user_id";
        revocations += sqlx::query(revoke).bind(at).execute(tx.connection()).await.unwrap().rows_affected();
        tx.commit().await.unwrap();
    }
    assert_eq!(revocations, 2);
    assert_eq!(world.text("SELECT revoked_at::text FROM certificate").await, "2", "the first date is lost");
}

#[tokio::test]
async fn what_is_not_there_or_not_theirs_nobody_revokes() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    assert_eq!(world.revoke(staff(2), &serial, "x").await.problem(), (404, "not-found".into()));
    assert_eq!(world.revoke(staff(1), &"0".repeat(32), "x").await.problem(), (404, "not-found".into()));
    assert_eq!(world.revoke(staff(1), "serial", "x").await.problem(), (404, "not-found".into()));
    assert_eq!(world.revoke(learner(1), &serial, "x").await.problem(), (403, "forbidden".into()));
    for body in [
        json!({}),
        json!({ "reason": "" }),
        json!({ "reason": " \t" }),
        json!({ "reason": "a\u{0}b" }),
        json!({ "reason": "ş".repeat(501) }),
        json!({ "reason": 1 }),
        json!({ "reason": "x", "at": "2026-01-01T00:00:00Z" }),
    ] {
        let target = format!("/api/v1/certificates/{serial}/revocation");
        let answer = world.call(staff(1), Method::POST, &target, Some(body.clone())).await;
        assert_eq!(answer.problem(), (422, "invalid-request".into()), "{body}");
    }
    assert_eq!(world.wakes(), 0);
    assert_eq!(revocations(&world.events().await).len(), 0);
    world.revoke(staff(1), &serial, &"ş".repeat(500)).await.expect(200);
}

#[tokio::test]
async fn an_event_that_fails_takes_the_revocation_back() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::raw_sql("REVOKE INSERT (kind) ON feed_event FROM akademi_app")
        .execute(&mut superuser)
        .await
        .unwrap();
    assert_eq!(world.revoke(staff(1), &serial, "Kopya").await.problem(), (500, "internal".into()));
    assert_eq!(world.text("SELECT count(revoked_at)::text FROM certificate").await, "0");
    assert_eq!(world.wakes(), 0);
}
