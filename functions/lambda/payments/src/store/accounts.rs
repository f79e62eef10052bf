//! Accounts at providers, and who buys.

use akademi_domain::{ids::UserId, time::Timestamp};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};

/// Keeps an account's settings and answers its callback token: a new account's is the given one, an old one's
/// stays, since the provider knows it. A new one takes orders if none does. Refused (`payment_account_of_orders`) if two are
/// the first at once.
pub async fn save_account(
    tx: &mut TenantTransaction,
    provider: &str,
    callback_token: &str,
    sealed_settings: &[u8],
    now: Timestamp,
) -> Result<String, StoreError> {
    let token = sqlx::query_scalar(
        "INSERT INTO payment_account (tenant_id, provider, callback_token, sealed_settings, updated_at, takes_orders)
         VALUES ($1, $2, $3, $4, $5,
                 NOT EXISTS (SELECT FROM payment_account WHERE tenant_id = $1 AND takes_orders))
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

/// An account as it is stored.
pub struct StoredAccount {
    pub provider: String,
    pub callback_token: String,
    pub sealed_settings: Vec<u8>,
    pub takes_orders: bool,
    /// Where callbacks may come from, in CIDR notation; from anywhere if empty.
    pub networks: Vec<String>,
    pub updated_at: Timestamp,
}

/// The academy's account at this provider.
pub async fn find_account(
    tx: &mut TenantTransaction,
    provider: &str,
) -> Result<Option<StoredAccount>, StoreError> {
    let row = sqlx::query(
        "SELECT provider, callback_token, sealed_settings, takes_orders, callback_networks, updated_at
         FROM payment_account WHERE tenant_id = $1 AND provider = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(stored_account).transpose()
}

/// All accounts of the academy, by provider.
pub async fn list_accounts(tx: &mut TenantTransaction) -> Result<Vec<StoredAccount>, StoreError> {
    let rows = sqlx::query(
        "SELECT provider, callback_token, sealed_settings, takes_orders, callback_networks, updated_at
         FROM payment_account WHERE tenant_id = $1 ORDER BY provider",
    )
    .bind(tx.tenant().as_uuid())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(stored_account).collect()
}

fn stored_account(row: &PgRow) -> Result<StoredAccount, StoreError> {
    Ok(StoredAccount {
        provider: row.try_get("provider")?,
        callback_token: row.try_get("callback_token")?,
        sealed_settings: row.try_get("sealed_settings")?,
        takes_orders: row.try_get("takes_orders")?,
        networks: row.try_get("callback_networks")?,
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
    })
}

/// The account that takes the academy's new orders.
pub async fn find_account_of_orders(tx: &mut TenantTransaction) -> Result<Option<StoredAccount>, StoreError> {
    let row = sqlx::query(
        "SELECT provider, callback_token, sealed_settings, takes_orders, callback_networks, updated_at
         FROM payment_account WHERE tenant_id = $1 AND takes_orders",
    )
    .bind(tx.tenant().as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(stored_account).transpose()
}

/// Holds off whoever else would choose among the academy's accounts.
pub async fn lock_accounts(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::query("SELECT FROM payment_account WHERE tenant_id = $1 ORDER BY provider FOR UPDATE")
        .bind(tx.tenant().as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Before [`let_account_take_orders`], since no two may.
pub async fn let_no_account_take_orders(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::query("UPDATE payment_account SET takes_orders = false WHERE tenant_id = $1 AND takes_orders")
        .bind(tx.tenant().as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Stores whether an account takes orders; whether there is such an account.
pub async fn let_account_take_orders(
    tx: &mut TenantTransaction,
    provider: &str,
    takes_orders: bool,
) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE payment_account SET takes_orders = $3 WHERE tenant_id = $1 AND provider = $2")
            .bind(tx.tenant().as_uuid())
            .bind(provider)
            .bind(takes_orders)
            .execute(tx.connection())
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Stores where an account's callbacks may come from; whether there is such an account.
pub async fn save_networks(
    tx: &mut TenantTransaction,
    provider: &str,
    networks: &[String],
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE payment_account SET callback_networks = $3 WHERE tenant_id = $1 AND provider = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(networks)
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A buyer as stored: who it is, and how the academy speaks.
pub struct StoredBuyer {
    pub sealed_profile: Vec<u8>,
    /// The person's key.
    pub wrapped_key: Vec<u8>,
    /// The language that the academy's pages begin in: `tr` or `en`.
    pub locale: Option<String>,
}

/// The person, once profile and key have come from the edge.
pub async fn find_buyer(tx: &mut TenantTransaction, user: UserId) -> Result<Option<StoredBuyer>, StoreError> {
    let row = sqlx::query(
        "SELECT sealed_profile, wrapped, (SELECT locale FROM tenant WHERE tenant.id = $1) AS locale FROM person
         JOIN person_key ON person_key.tenant_id = $1 AND person_key.user_id = person.id
         WHERE person.tenant_id = $1 AND person.id = $2 AND sealed_profile IS NOT NULL",
    )
    .bind(tx.tenant().as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(StoredBuyer {
            sealed_profile: row.try_get("sealed_profile")?,
            wrapped_key: row.try_get("wrapped")?,
            locale: row.try_get("locale")?,
        })
    })
    .transpose()
}
