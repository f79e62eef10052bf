//! What currencies are worth in TRY, by day.

use akademi_domain::{
    exchange_rate::{ExchangeRate, MAX_AGE_DAYS},
    money::Currency,
    time::{Day, Timestamp},
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use akademi_ubl::PricingExchangeRate;
use sqlx::{Row, postgres::PgRow};

use super::unreadable;

/// A rate, and since when it is so.
pub struct SetRate {
    pub rate: PricingExchangeRate,
    pub updated_at: Timestamp,
}

/// The latest rate that is not later than `day`, unless it is too old for an invoice of that day.
pub async fn find_rate_for(
    tx: &mut TenantTransaction,
    currency: Currency,
    day: Day,
) -> Result<Option<SetRate>, StoreError> {
    let row = sqlx::query(
        "SELECT day - DATE '1970-01-01' AS day, ten_thousandths, updated_at FROM exchange_rate
         WHERE tenant_id = $1 AND currency = $2 AND day BETWEEN DATE '1970-01-01' + $3 AND DATE '1970-01-01' + $4
         ORDER BY day DESC LIMIT 1",
    )
    .bind(tx.tenant().as_uuid())
    .bind(currency.code())
    .bind(day.plus(-MAX_AGE_DAYS).epoch_days())
    .bind(day.epoch_days())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(set_rate).transpose()
}

/// The rate of this very day, which stays so until the transaction ends.
pub async fn lock_rate_of(
    tx: &mut TenantTransaction,
    currency: Currency,
    day: Day,
) -> Result<Option<SetRate>, StoreError> {
    let row = sqlx::query(
        "SELECT day - DATE '1970-01-01' AS day, ten_thousandths, updated_at FROM exchange_rate
         WHERE tenant_id = $1 AND currency = $2 AND day = DATE '1970-01-01' + $3 FOR UPDATE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(currency.code())
    .bind(day.epoch_days())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(set_rate).transpose()
}

pub async fn save_rate(
    tx: &mut TenantTransaction,
    currency: Currency,
    rate: PricingExchangeRate,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO exchange_rate (tenant_id, currency, day, ten_thousandths, updated_at)
         VALUES ($1, $2, DATE '1970-01-01' + $3, $4, $5)
         ON CONFLICT (tenant_id, currency, day) DO UPDATE
         SET ten_thousandths = excluded.ten_thousandths, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(currency.code())
    .bind(rate.on.epoch_days())
    .bind(rate.rate.ten_thousandths())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

fn set_rate(row: &PgRow) -> Result<SetRate, StoreError> {
    let rate = ExchangeRate::from_ten_thousandths(row.try_get("ten_thousandths")?);
    let rate = rate.map_err(|error| unreadable("ten_thousandths", error))?;
    let on = Day::from_epoch_days(row.try_get("day")?);
    let updated_at = Timestamp::from_millis(row.try_get("updated_at")?);
    Ok(SetRate { rate: PricingExchangeRate { rate, on }, updated_at })
}
