//! The ledger as staff reads it: balances, entries, and what providers owe and have paid out.

pub mod entries;
pub mod export;
pub mod payouts;

use akademi_api::{Body, Caller, QueryParams};
use akademi_domain::{money::Money, time::Timestamp};
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::{Payments, PaymentsError, store};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BalanceParams {
    /// What was booked until this moment; without it all.
    #[serde(default)]
    at: Option<Timestamp>,
}

/// What an account holds in one currency.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AccountBalance {
    /// `provider:<name>`, `bank`, `sales`, `vat`, `refunds_due`, `fees` or `installment_interest`.
    pub account: String,
    /// A debit above zero, a credit below.
    pub balance: Money,
}

/// All accounts; the balances of a currency sum to zero.
#[derive(Serialize, utoipa::ToSchema)]
pub struct LedgerBalances {
    pub at: Timestamp,
    pub data: Vec<AccountBalance>,
}

/// The balances of the academy's ledger
#[utoipa::path(get, path = "/api/v1/ledger/balances", tag = "commerce", params(BalanceParams),
    responses((status = 200, description = "Each account in each currency", body = LedgerBalances)))]
pub async fn balances(
    State(payments): State<Payments>,
    caller: Caller,
    QueryParams(params): QueryParams<BalanceParams>,
) -> Result<Body<LedgerBalances>, PaymentsError> {
    let at = params.at.unwrap_or(payments.ports.now());
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let balances = store::balances(&mut tx, at).await?;
    tx.commit().await?;
    let data = balances.into_iter().map(|(account, balance)| AccountBalance { account, balance }).collect();
    Ok(Body(LedgerBalances { at, data }))
}
