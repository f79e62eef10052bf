//! How far an account's reports are read, and what they told.

use akademi_domain::time::{Day, Timestamp};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};

use super::unreadable;
use crate::provider::{Reported, ReportedKind};

/// How far the reports of an account are read.
#[derive(Debug, Clone)]
pub struct Reconciliation {
    /// The first and the last of the days that were read; none before the first.
    pub days: Option<(Day, Day)>,
    /// Up to here all was read, compared and booked.
    pub done_day: Option<Day>,
    pub done_at: Option<Timestamp>,
    pub tried_at: Timestamp,
    pub error: Option<String>,
}

/// Takes an account whose reports are not read up to `day`, so that nobody else does for a while; whether it was.
pub async fn claim_reconciliation(
    tx: &mut TenantTransaction,
    provider: &str,
    day: Day,
    tried_before: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let claimed = sqlx::query(
        "INSERT INTO reconciliation AS known (tenant_id, provider, tried_at) VALUES ($1, $2, $5)
         ON CONFLICT (tenant_id, provider) DO UPDATE SET tried_at = excluded.tried_at
         WHERE (known.done_day IS NULL OR known.done_day < 'epoch'::date + $3) AND known.tried_at <= $4",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(day.epoch_days())
    .bind(tried_before.as_millis())
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// The same for somebody who asks for a day, whoever else is at it.
pub async fn begin_reconciliation(
    tx: &mut TenantTransaction,
    provider: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO reconciliation (tenant_id, provider, tried_at) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id, provider) DO UPDATE SET tried_at = excluded.tried_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The columns of [`Reconciliation`].
macro_rules! state {
    () => {
        "first_day - 'epoch'::date AS first_day, last_day - 'epoch'::date AS last_day,
         done_day - 'epoch'::date AS done_day, done_at, tried_at, error"
    };
}

/// Where an account stands, locked: whoever else would compare it waits for this transaction.
pub async fn lock_reconciliation(
    tx: &mut TenantTransaction,
    provider: &str,
) -> Result<Option<Reconciliation>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        state!(),
        " FROM reconciliation WHERE tenant_id = $1 AND provider = $2 FOR UPDATE"
    ))
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(reconciliation).transpose()
}

/// Where each account of the academy stands, by provider; none before its first run.
pub async fn list_reconciliations(
    tx: &mut TenantTransaction,
) -> Result<Vec<(String, Option<Reconciliation>)>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT provider, ",
        state!(),
        " FROM payment_account LEFT JOIN reconciliation USING (tenant_id, provider)
         WHERE payment_account.tenant_id = $1 ORDER BY provider"
    ))
    .bind(tx.tenant().as_uuid())
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let began = row.try_get::<Option<i64>, _>("tried_at")?.is_some();
            Ok((row.try_get("provider")?, began.then(|| reconciliation(row)).transpose()?))
        })
        .collect()
}

fn reconciliation(row: &PgRow) -> Result<Reconciliation, StoreError> {
    let day = |column| Ok::<_, StoreError>(row.try_get::<Option<i32>, _>(column)?.map(Day::from_epoch_days));
    Ok(Reconciliation {
        days: day("first_day")?.zip(day("last_day")?),
        done_day: day("done_day")?,
        done_at: row.try_get::<Option<i64>, _>("done_at")?.map(Timestamp::from_millis),
        tried_at: Timestamp::from_millis(row.try_get("tried_at")?),
        error: row.try_get("error")?,
    })
}

/// Keeps that the days from `first` to `last` are read.
pub async fn save_days_read(
    tx: &mut TenantTransaction,
    provider: &str,
    (first, last): (Day, Day),
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE reconciliation SET first_day = 'epoch'::date + $3, last_day = 'epoch'::date + $4
         WHERE tenant_id = $1 AND provider = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(first.epoch_days())
    .bind(last.epoch_days())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Ends a run: all is done up to `done_day`, unless it was done for later days before; or it broke off. `error` tells what it
/// could not do.
pub async fn end_reconciliation(
    tx: &mut TenantTransaction,
    provider: &str,
    done_day: Option<Day>,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE reconciliation SET error = $4, done_day = GREATEST(done_day, 'epoch'::date + $3::int),
             done_at = CASE WHEN $3::int IS NOT NULL OR $4::text IS NULL THEN $5 ELSE done_at END
         WHERE tenant_id = $1 AND provider = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(done_day.map(Day::epoch_days))
    .bind(error)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Before [`insert_report`]: a day's report takes the place of the one that was read before.
pub async fn delete_report(tx: &mut TenantTransaction, provider: &str, day: Day) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM provider_transaction WHERE tenant_id = $1 AND provider = $2 AND day = 'epoch'::date + $3",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(day.epoch_days())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// All of a day's report at once.
pub async fn insert_report(
    tx: &mut TenantTransaction,
    provider: &str,
    day: Day,
    report: &[Reported],
) -> Result<(), StoreError> {
    let column = |text: fn(&Reported) -> &str| report.iter().map(text).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO provider_transaction
             (tenant_id, provider, day, place, kind, attempt, reference, amount, currency, fee)
         SELECT $1, $2, 'epoch'::date + $3, place, kind, attempt, reference, amount, currency, fee
         FROM UNNEST($4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::bigint[])
             WITH ORDINALITY AS told (kind, attempt, reference, amount, currency, fee, place)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(day.epoch_days())
    .bind(column(|row| row.kind.name()))
    .bind(column(|row| &row.attempt))
    .bind(report.iter().map(|row| row.reference.as_deref()).collect::<Vec<_>>())
    .bind(report.iter().map(|row| row.amount).collect::<Vec<_>>())
    .bind(column(|row| &row.currency))
    .bind(report.iter().map(|row| row.fee).collect::<Vec<_>>())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// All that this provider has reported of these attempts, by day and place.
pub async fn reported_of(
    tx: &mut TenantTransaction,
    provider: &str,
    attempts: &[String],
) -> Result<Vec<Reported>, StoreError> {
    let rows = sqlx::query(
        "SELECT kind, attempt, reference, amount, currency, fee FROM provider_transaction
         WHERE tenant_id = $1 AND provider = $2 AND attempt = ANY ($3) ORDER BY day, place",
    )
    .bind(tx.tenant().as_uuid())
    .bind(provider)
    .bind(attempts)
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let kind = ReportedKind::from_name(row.try_get("kind")?);
            Ok(Reported {
                kind: kind.ok_or_else(|| unreadable("kind", "is no kind of a transaction"))?,
                attempt: row.try_get("attempt")?,
                reference: row.try_get("reference")?,
                amount: row.try_get("amount")?,
                currency: row.try_get("currency")?,
                fee: row.try_get("fee")?,
            })
        })
        .collect()
}
