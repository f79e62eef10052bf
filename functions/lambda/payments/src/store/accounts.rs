//! Accounts at providers, and who buys.

use akademi_domain::{ids::UserId, time::Timestamp};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row;

/// Keeps an account's settings and answers its callback token: a new account's is the given one, an old one's
/// stays, since the provider knows it.
pub async fn save_account(
    tx: &mut TenantTransaction,
    provider: &str,
    callback_token: &str,
    sealed_settings: &[u8],
    now: Timestamp,
) -> Result<String, StoreError> {
    let token = sqlx::query_scalar(
        "INSERT INTO payment_account (tenant_id, provider, callback_token, sealed_settings, updated_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, provider) DO UPDATE
         SET sealed_settings = excluded.sealed_settings, updated_at = excluded.updated_at
         RETURNING callback_token",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(callback_token)
    .bind(sealed_settings)
    .bind(now.as_millis())
    .fetch_one(tx.connection())
    .await?;
    Ok(token)
}

/// The sealed settings of the academy's account at this provider.
pub async fn find_account(tx: &mut TenantTransaction, provider: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let settings = sqlx::query_scalar(
        "SELECT sealed_settings FROM payment_account WHERE tenant_id = $1 AND provider = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .fetch_optional(tx.connection())
    .await?;
    Ok(settings)
}

/// A person's sealed profile and wrapped key, once both have come from the edge.
pub async fn find_profile(
    tx: &mut TenantTransaction,
    user: UserId,
) -> Result<Option<(Vec<u8>, Vec<u8>)>, StoreError> {
    let row = sqlx::query(
        "SELECT sealed_profile, wrapped FROM person
         JOIN person_key ON person_key.tenant_id = $1 AND person_key.user_id = person.id
         WHERE person.tenant_id = $1 AND person.id = $2 AND sealed_profile IS NOT NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| Ok((row.try_get("sealed_profile")?, row.try_get("wrapped")?))).transpose()
}

/// The language that the academy's pages begin in: `tr` or `en`.
pub async fn find_locale(tx: &mut TenantTransaction) -> Result<Option<String>, StoreError> {
    let locale = sqlx::query_scalar("SELECT locale FROM tenant WHERE id = $1")
        .bind(tx.tenant().as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    Ok(locale)
}
