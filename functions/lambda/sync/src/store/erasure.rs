//! Somebody was erased, or a whole academy.

use akademi_domain::{ids::UserId, time::Timestamp};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};

/// From now on nothing brings them back: the first date stays.
pub async fn bury(tx: &mut TenantTransaction, person: UserId, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO tombstone (tenant_id, person_id, erased_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What was sealed for them opens no more.
pub async fn destroy_key(tx: &mut TenantTransaction, person: UserId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM person_key WHERE tenant_id = $1 AND user_id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(person.as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Orders, payments and certificates go on to name the id, which names nobody.
pub async fn empty_person(
    tx: &mut TenantTransaction,
    person: UserId,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE person SET email_lookup = NULL, sealed_profile = NULL, state = 'erased', updated_at = $3
         WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Nobody reads what would still be sent to them.
pub async fn drop_waiting_mail(tx: &mut TenantTransaction, person: UserId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE mail SET state = 'failed', reason = 'recipient erased'
         WHERE tenant_id = $1 AND person_id = $2 AND state = 'queued'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(person.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What their requests were answered.
pub async fn forget_answers(tx: &mut TenantTransaction, person: UserId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM idempotency WHERE tenant_id = $1 AND user_id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(person.as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The academy is a number without a name from now on, and what is left of it goes in the night.
pub async fn bury_academy(tx: &mut TenantTransaction, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE tenant SET slug = id::text, name = '', brand = '{}', domains = '{}', state = 'deleted', updated_at = $2
         WHERE id = $1",
    )
    .bind(tx.tenant().as_uuid())
    .bind(at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}
