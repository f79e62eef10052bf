//! Which days have been derived, and when.

use akademi_domain::time::{Day, Timestamp};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::Row;

use crate::runs::Run;

/// The class of the runs' advisory locks: "etl" in ASCII.
const RUN_LOCKS: i32 = 0x65_746c;

/// Waits until no other run of this academy goes on, and keeps others waiting to the end of the transaction. Academies
/// whose ids have one hash wait for each other, and lose nothing but time.
pub async fn lock_runs(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1, hashtext($2))")
        .bind(RUN_LOCKS)
        .bind(tx.tenant().to_string())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// As [`lock_runs`] without waiting; whether no other run of this academy goes on.
pub async fn try_lock_runs(tx: &mut TenantTransaction) -> Result<bool, StoreError> {
    let locked = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1, hashtext($2))")
        .bind(RUN_LOCKS)
        .bind(tx.tenant().to_string())
        .fetch_one(tx.connection())
        .await?;
    Ok(locked)
}

/// Takes the day up before its facts are read: what arrives from now on is due again.
pub async fn take_up_day(tx: &mut TenantTransaction, day: Day) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM due_day WHERE tenant_id = $1 AND day = DATE '1970-01-01' + $2")
        .bind(tx.tenant().as_uuid())
        .bind(day.epoch_days())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Days up to `last` of which facts have come since they were last derived.
pub async fn days_with_new_facts(tx: &mut TenantTransaction, last: Day) -> Result<Vec<Day>, StoreError> {
    let days: Vec<i32> = sqlx::query_scalar(
        "SELECT day - DATE '1970-01-01' FROM due_day WHERE tenant_id = $1 AND day <= DATE '1970-01-01' + $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(last.epoch_days())
    .fetch_all(tx.connection())
    .await?;
    Ok(days.into_iter().map(Day::from_epoch_days).collect())
}

pub async fn save_run(tx: &mut TenantTransaction, run: &Run) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO etl_run (tenant_id, day, finished_at, rows_changed)
         VALUES ($1, DATE '1970-01-01' + $2, $3, $4)
         ON CONFLICT (tenant_id, day) DO UPDATE
         SET finished_at = excluded.finished_at, rows_changed = excluded.rows_changed",
    )
    .bind(tx.tenant().as_uuid())
    .bind(run.day.epoch_days())
    .bind(run.finished_at.as_millis())
    .bind(run.rows_changed)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// When the last run of each day from `since` on finished.
pub async fn finished_runs(
    tx: &mut TenantTransaction,
    since: Day,
) -> Result<Vec<(Day, Timestamp)>, StoreError> {
    let rows = sqlx::query(
        "SELECT day - DATE '1970-01-01' AS day, finished_at FROM etl_run
         WHERE tenant_id = $1 AND day >= DATE '1970-01-01' + $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(since.epoch_days())
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let day = Day::from_epoch_days(row.try_get("day")?);
            Ok((day, Timestamp::from_millis(row.try_get("finished_at")?)))
        })
        .collect()
}

/// When a run of this academy last finished.
pub async fn last_run(tx: &mut TenantTransaction) -> Result<Option<Timestamp>, StoreError> {
    let finished_at: Option<i64> =
        sqlx::query_scalar("SELECT max(finished_at) FROM etl_run WHERE tenant_id = $1")
            .bind(tx.tenant().as_uuid())
            .fetch_one(tx.connection())
            .await?;
    Ok(finished_at.map(Timestamp::from_millis))
}
