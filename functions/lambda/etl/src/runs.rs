//! One day of one academy, derived.

use akademi_api::{Body, Caller, Ports, Problem};
use akademi_domain::{
    ids::TenantId,
    time::{Day, Timestamp},
};
use akademi_lambda_store::{error::StoreError, postgres::Postgres};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::{Etl, EtlError, store};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// The day to derive: today or an earlier one.
    day: Day,
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Run {
    pub day: Day,
    /// How many rows of reports it changed: none, if nothing happened since the one before.
    pub rows_changed: i64,
    pub finished_at: Timestamp,
}

/// Derive a day's reports now
///
/// Every night derives the day before, so this is for today, and for facts of an earlier day that came late.
#[utoipa::path(post, path = "/api/v1/reports/runs", tag = "reports", request_body = NewRun,
    responses((status = 200, description = "What the run did", body = Run)))]
pub async fn run(
    State(etl): State<Etl>,
    caller: Caller,
    Body(new): Body<NewRun>,
) -> Result<Body<Run>, EtlError> {
    if new.day > etl.ports.now().day_in_istanbul() {
        return Err(Problem::field("day", "must not lie in the future").into());
    }
    Ok(Body(derive(&etl.postgres, &etl.ports, caller.tenant, new.day).await?))
}

/// Derives the day in one transaction; two at once for one academy run one after the other.
pub async fn derive(
    postgres: &Postgres,
    ports: &Ports,
    tenant: TenantId,
    day: Day,
) -> Result<Run, StoreError> {
    let mut tx = postgres.tenant(tenant).await?;
    store::lock_runs(&mut tx).await?;
    // What learners did, then the sums of it.
    let rows_changed = store::derive_learning(&mut tx, day).await?
        + store::derive_payments(&mut tx, day).await?
        + store::sum_learning(&mut tx, day).await?
        + store::sum_payments(&mut tx, day).await?
        + store::average_scores(&mut tx, day).await?;
    let run = Run { day, rows_changed, finished_at: ports.now() };
    store::save_run(&mut tx, &run).await?;
    tx.commit().await?;
    Ok(run)
}
