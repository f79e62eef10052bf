//! Mail on a wake.

use akademi_domain::{
    ids::{JobId, MailId},
    time::Timestamp,
};
use akademi_lambda_store::mail::enqueue_delivery;
use akademi_runtime_api::queue::Sent;
use akademi_seal::{PersonKey, Vault};
use serde_json::json;

use crate::{
    events::batch,
    world::{World, person, tenant},
};

const WAKE: &str = r#"{"wake":"mail"}"#;

/// A mail that waits, to somebody whose key is here.
async fn queue_mail(world: &World) {
    let (vault, key) =
        (Vault::from_config(&world.variables["lambda_master_key"]).unwrap(), PersonKey::from_bytes([5; 32]));
    let now = Timestamp::from_millis(1_790_000_000_000);
    let recipient = json!({ "name": "Ali", "email": "ali@example.com" }).to_string();
    let mut tx = world.database.postgres().tenant(tenant()).await.unwrap();
    sqlx::query(
        "WITH known AS (INSERT INTO person_key (tenant_id, user_id, wrapped) VALUES ($1, $2, $3))
         INSERT INTO mail (tenant_id, id, kind, person_id, sealed_recipient, host, locale, state, created_at, queued_at)
         VALUES ($1, $4, 'password_changed', $2, $5, 'akademi.example', 'tr', 'queued', $6, $6)",
    )
    .bind(tenant().as_uuid())
    .bind(person().as_uuid())
    .bind(vault.wrap_key(tenant(), person(), &key, [7; 24]))
    .bind(MailId::new(now, [1; 10]).as_uuid())
    .bind(key.seal(person(), "mail", recipient.as_bytes(), [6; 24]))
    .bind(world.ports.now().as_millis())
    .execute(tx.connection())
    .await
    .unwrap();
    enqueue_delivery(&mut tx, MailId::new(now, [1; 10]), JobId::new(now, [2; 10]), now).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_off_has_the_queue_call_again_when_it_is_due() {
    let world = World::new().await;
    queue_mail(&world).await;
    let mail = world.start(env!("CARGO_BIN_EXE_mail")).await;
    let woken = mail.api.invoke(batch(&[("a", WAKE)]), 60).await.unwrap();
    assert_eq!(woken.response().unwrap(), json!({ "batchItemFailures": [] }));
    assert_eq!(world.queues.take(), [Sent { queue: "mails".into(), body: WAKE.into(), delay_seconds: 5 }]);
    let reason = world.texts("SELECT reason FROM mail WHERE state = 'queued'").await;
    assert_eq!(reason, ["the mail server cannot be reached, or broke off"], "nobody listens there");
}
