//! How far each account's reports are read, and reading a day of them again.

use akademi_api::{Body, Caller, Problem, signed::CallContext};
use akademi_domain::time::{Day, Timestamp};
use akademi_lambda_store::audit::{Action, Actor, Write};
use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Broken, REPORTING, days::last_complete_day, told};
use crate::{Payments, PaymentsError, inquiry, store};

/// How far the reports of an account are read.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ReconciliationState)]
pub struct RunState {
    pub provider: String,
    /// Whether the provider reports its transactions.
    pub has_report: bool,
    /// The last day of which all was read, compared and booked; null before the first.
    pub last_day: Option<Day>,
    /// When the newest run came to its end.
    pub done_at: Option<Timestamp>,
    /// When the newest run began.
    pub tried_at: Option<Timestamp>,
    /// What the newest run could not do, and why.
    pub error: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ReconciliationStates)]
pub struct RunStates {
    data: Vec<RunState>,
}

/// How far the reports of the academy's accounts are read
#[utoipa::path(get, path = "/api/v1/reconciliation/runs", tag = "commerce",
    responses((status = 200, description = "Each account", body = RunStates)))]
pub async fn list(
    State(payments): State<Payments>,
    caller: Caller,
) -> Result<Body<RunStates>, PaymentsError> {
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let accounts = store::list_reconciliations(&mut tx).await?;
    tx.commit().await?;
    let state = |(provider, state): (String, Option<store::Reconciliation>)| RunState {
        has_report: REPORTING.contains(&provider.as_str()),
        provider,
        last_day: state.as_ref().and_then(|state| state.done_day),
        done_at: state.as_ref().and_then(|state| state.done_at),
        tried_at: state.as_ref().map(|state| state.tried_at),
        error: state.and_then(|state| state.error),
    };
    Ok(Body(RunStates { data: accounts.into_iter().map(state).collect() }))
}

/// A day to be read again.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReconciliationRun)]
pub struct NewRun {
    /// `paytr` or `iyzico`.
    provider: String,
    /// A day whose report is complete: three hours after its end.
    day: Day,
}

/// What a run did.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ReconciliationRun)]
pub struct RunAnswer {
    pub provider: String,
    pub day: Day,
    /// How many transactions the provider reports of the day.
    pub transactions: i64,
    /// The account's differences that are open now.
    pub open_differences: i64,
    /// Why payouts could not be read.
    pub error: Option<String>,
}

/// Read a day's report now
///
/// Every night reads the days before it, so this is for what was booked late, or after a provider was out of reach. The same day
/// may be read as often as one likes.
#[utoipa::path(post, path = "/api/v1/reconciliation/runs", tag = "commerce", request_body = NewRun,
    responses((status = 200, description = "What the run did", body = RunAnswer)))]
pub async fn run(
    State(payments): State<Payments>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    Body(NewRun { provider, day }): Body<NewRun>,
) -> Result<Body<RunAnswer>, PaymentsError> {
    let now = payments.ports.now();
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let has_account = store::find_account(&mut tx, &provider).await?.is_some();
    if !has_account || !REPORTING.contains(&provider.as_str()) {
        return Err(
            Problem::field("provider", "must be one with a report at which there is an account").into()
        );
    }
    if day > last_complete_day(now) {
        return Err(Problem::field("day", "must have ended three hours ago").into());
    }
    store::begin_reconciliation(&mut tx, &provider, now).await?;
    let read = store::lock_reconciliation(&mut tx, &provider).await?.and_then(|state| state.days);
    if read.is_some_and(|(_, last)| day > last.plus(1)) {
        return Err(Problem::field("day", "must not lie beyond the first that no night has read").into());
    }
    tx.commit().await?;
    let outcome = payments.read_and_compare(caller.tenant, &provider, (day, day), now).await;
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let ran = match outcome {
        Ok(ran) => ran,
        Err(Broken::Ours(error)) => return Err(error),
        Err(broken @ Broken::Provider(_)) => {
            store::end_reconciliation(&mut tx, &provider, None, Some(&told(&broken)), now).await?;
            tx.commit().await?;
            let Broken::Provider(error) = broken else { return Err(Problem::unavailable().into()) };
            return Err(inquiry::unanswered(&error).into());
        }
    };
    store::end_reconciliation(&mut tx, &provider, None, ran.payouts_error.as_deref(), now).await?;
    let answer = RunAnswer {
        open_differences: store::count_open_differences(&mut tx, &provider).await?,
        transactions: i64::try_from(ran.transactions).map_err(Problem::broken)?,
        error: ran.payouts_error,
        provider,
        day,
    };
    let write = Write {
        action: Action::ReconciliationRun,
        target: format!("payment_account:{}", answer.provider),
        before: Value::Null,
        after: json!({ "day": day, "transactions": answer.transactions, "open_differences": answer.open_differences }),
    };
    payments.auditor.record(&mut tx, Actor::new(&caller, &call), write).await?;
    tx.commit().await?;
    Ok(Body(answer))
}
