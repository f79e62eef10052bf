//! One day of one academy, derived.

use akademi_api::{Body, Caller, Ports, Problem, problem::ProblemDocument, signed::CallContext};
use akademi_domain::{
    ids::TenantId,
    time::{Day, Timestamp},
};
use akademi_lambda_store::{
    audit::{Action, Actor, Write},
    error::StoreError,
    postgres::{Postgres, TenantTransaction},
};
use axum::{Extension, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Etl, EtlError, store};

/// How long a day takes at most, usually.
const RETRY_SECONDS: u32 = 5;

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
    responses((status = 200, description = "What the run did", body = Run),
              (status = 409, description = "Another run of the academy goes on: `Retry-After` says when to ask again", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn run(
    State(etl): State<Etl>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(new): Body<NewRun>,
) -> Result<Body<Run>, EtlError> {
    if new.day > etl.ports.now().day_in_istanbul() {
        return Err(Problem::field("day", "must not lie in the future").into());
    }
    let mut tx = etl.postgres.tenant(caller.tenant).await?;
    // Who waits for the night's run would hold a connection for nothing.
    if !store::try_lock_runs(&mut tx).await? {
        return Err(still_running().into());
    }
    let run = derive_locked(&mut tx, &etl.ports, new.day).await?;
    let audited = Write {
        action: Action::ReportRun,
        target: format!("report:{}", run.day),
        before: Value::Null,
        after: json!({ "day": run.day, "rows_changed": run.rows_changed }),
    };
    etl.auditor.record(&mut tx, Actor::new(&caller, &call), audited).await?;
    tx.commit().await?;
    Ok(Body(run))
}

fn still_running() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "run-in-progress",
        "Another run of this academy goes on: try again soon.",
    )
    .retry_after(RETRY_SECONDS)
}

/// Derives the day in one transaction, once no other run of this academy goes on.
pub async fn derive(
    postgres: &Postgres,
    ports: &Ports,
    tenant: TenantId,
    day: Day,
) -> Result<Run, StoreError> {
    let mut tx = postgres.tenant(tenant).await?;
    store::lock_runs(&mut tx).await?;
    let run = derive_locked(&mut tx, ports, day).await?;
    tx.commit().await?;
    Ok(run)
}

async fn derive_locked(tx: &mut TenantTransaction, ports: &Ports, day: Day) -> Result<Run, StoreError> {
    store::take_up_day(tx, day).await?;
    // What learners did, then the sums of it.
    let rows_changed = store::derive_learning(tx, day).await?
        + store::derive_payments(tx, day).await?
        + store::sum_learning(tx, day).await?
        + store::sum_payments(tx, day).await?
        + store::average_scores(tx, day).await?;
    let run = Run { day, rows_changed, finished_at: ports.now() };
    store::save_run(tx, &run).await?;
    Ok(run)
}
