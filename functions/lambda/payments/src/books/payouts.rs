//! What providers owe the academy, and what they have paid out.

use akademi_api::{Body, Caller, Problem, QueryParams};
use akademi_domain::{
    money::{Currency, Money},
    time::{Day, Timestamp},
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::{Payments, PaymentsError, store};

/// The most days of a period: a leap year.
const MOST_DAYS: i32 = 366;
/// How many days are shown to whoever names no first one.
const USUAL_DAYS: i32 = 30;
/// The providers that say what they have paid out.
const TELLING: [&str; 1] = ["paytr"];

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PayoutParams {
    /// The first day of the payouts; without it there are 30 days.
    #[serde(default)]
    from: Option<Day>,
    /// The last day, at most 366 with the first one; without it today.
    #[serde(default)]
    to: Option<Day>,
}

/// What a provider owes in one currency, of all that was ever booked.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProviderPosition {
    pub provider: String,
    pub captured: Money,
    pub given_back: Money,
    /// What the provider keeps, less the interest that buyers paid for installments.
    pub fees: Money,
    pub paid_out: Money,
    /// What is left, and to be expected.
    pub owed: Money,
    /// Whether the provider tells its payouts; else `paid_out` is nothing, and `owed` is what was ever to be expected.
    pub tells_payouts: bool,
}

/// Money that came from a provider.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Payout)]
pub struct PayoutAnswer {
    pub provider: String,
    pub day: Day,
    /// Below zero if more went back than was sold.
    pub amount: Money,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct PayoutReport {
    pub as_of: Timestamp,
    pub providers: Vec<ProviderPosition>,
    pub from: Day,
    pub to: Day,
    /// The payouts of the period, the newest first.
    pub payouts: Vec<PayoutAnswer>,
}

/// What providers owe the academy, and have paid out
#[utoipa::path(get, path = "/api/v1/ledger/payouts", tag = "commerce", params(PayoutParams),
    responses((status = 200, description = "What is owed, and the payouts of the period", body = PayoutReport)))]
pub async fn show(
    State(payments): State<Payments>,
    caller: Caller,
    QueryParams(params): QueryParams<PayoutParams>,
) -> Result<Body<PayoutReport>, PaymentsError> {
    let now = payments.ports.now();
    let to = params.to.unwrap_or(now.day_in_istanbul());
    let from = params.from.unwrap_or(to.plus(1 - USUAL_DAYS));
    if from > to {
        return Err(Problem::field("from", format!("must not lie after {to}")).into());
    }
    if to.days_since(from) >= MOST_DAYS {
        return Err(Problem::field("from", format!("must lie within {MOST_DAYS} days up to {to}")).into());
    }
    let mut tx = payments.postgres.tenant(caller.tenant).await?;
    let sums = store::provider_sums(&mut tx, now).await?;
    let booked = store::booked_payouts(&mut tx, None, (from, to)).await?;
    tx.commit().await?;
    let payout = |booked: store::BookedPayout| PayoutAnswer {
        provider: provider_of(&booked.account).to_owned(),
        day: booked.day,
        amount: booked.amount,
    };
    Ok(Body(PayoutReport {
        as_of: now,
        providers: positions(&sums),
        from,
        to,
        payouts: booked.into_iter().map(payout).collect(),
    }))
}

fn provider_of(account: &str) -> &str {
    account.strip_prefix("provider:").unwrap_or(account)
}

/// From what was booked on each provider's account, by kind.
fn positions(sums: &[(String, String, Money)]) -> Vec<ProviderPosition> {
    let mut positions: BTreeMap<(&str, &str), ProviderPosition> = BTreeMap::new();
    for (account, kind, sum) in sums {
        let position = positions
            .entry((provider_of(account), sum.currency.code()))
            .or_insert_with(|| ProviderPosition::new(provider_of(account), sum.currency));
        match kind.as_str() {
            "refund" => position.given_back.amount -= sum.amount,
            "fee" => position.fees.amount -= sum.amount,
            "payout" => position.paid_out.amount -= sum.amount,
            _ => position.captured.amount += sum.amount,
        }
        position.owed.amount += sum.amount;
    }
    positions.into_values().collect()
}

impl ProviderPosition {
    fn new(provider: &str, currency: Currency) -> Self {
        let nothing = Money { amount: 0, currency };
        Self {
            provider: provider.to_owned(),
            captured: nothing,
            given_back: nothing,
            fees: nothing,
            paid_out: nothing,
            owed: nothing,
            tells_payouts: TELLING.contains(&provider),
        }
    }
}
