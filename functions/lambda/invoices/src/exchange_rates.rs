//! What currencies are worth in TRY, which invoices in them have to say.

use akademi_api::{Body, Caller, PathParam, Problem, signed::CallContext};
use akademi_domain::{
    exchange_rate::ExchangeRate,
    money::Currency,
    time::{Day, Timestamp},
};
use akademi_lambda_store::audit::{Action, Actor, Write};
use akademi_ubl::PricingExchangeRate;
use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Invoices, InvoicesError, store};

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExchangeRate {
    /// TRY for one unit of the currency.
    rate: ExchangeRate,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct DailyExchangeRate {
    currency: Currency,
    /// Of whose list it is.
    date: Day,
    /// TRY for one unit of the currency.
    rate: ExchangeRate,
    updated_at: Timestamp,
}

/// Set a currency's exchange rate of a day
///
/// TRY for one unit, as the central bank lists it. An invoice in the currency takes the latest rate that is not later than its
/// own day and at most ten days older; those that waited for one are issued, once its day has begun. What is issued keeps its rate.
#[utoipa::path(put, path = "/api/v1/commerce/exchange-rates/{currency}/{date}", tag = "invoices",
    params(("currency" = Currency, Path, description = "Any but TRY"),
           ("date" = Day, Path, description = "At latest tomorrow, in Istanbul")),
    request_body = NewExchangeRate,
    responses((status = 200, description = "The rate", body = DailyExchangeRate)))]
pub async fn save(
    State(invoices): State<Invoices>,
    caller: Caller,
    Extension(call): Extension<CallContext>,
    PathParam((currency, date)): PathParam<(Currency, Day)>,
    Body(new): Body<NewExchangeRate>,
) -> Result<Body<DailyExchangeRate>, InvoicesError> {
    let currency = foreign(currency)?;
    let now = invoices.ports.now();
    // The list of a day comes out in the afternoon before.
    if date > now.day_in_istanbul().plus(1) {
        return Err(Problem::field("date", "lies after tomorrow").into());
    }
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    store::lock_waiting(&mut tx).await?;
    let before = store::lock_rate_of(&mut tx, currency, date).await?;
    store::save_rate(&mut tx, currency, PricingExchangeRate { rate: new.rate, on: date }, now).await?;
    invoices.try_waiting(&mut tx, Some(currency), now.max(date.start_in_istanbul())).await?;
    let saved = Write {
        action: Action::ExchangeRateSet,
        target: format!("exchange_rate:{}/{date}", currency.code()),
        before: before.map_or(Value::Null, |before| json!({ "rate": before.rate.rate })),
        after: json!({ "rate": new.rate }),
    };
    invoices.auditor.record(&mut tx, Actor::new(&caller, &call), saved).await?;
    tx.commit().await?;
    Ok(Body(DailyExchangeRate { currency, date, rate: new.rate, updated_at: now }))
}

/// The exchange rate that an invoice of a day takes
///
/// The latest that is not later and at most ten days older; its own `date` stands in it.
#[utoipa::path(get, path = "/api/v1/commerce/exchange-rates/{currency}/{date}", tag = "invoices",
    params(("currency" = Currency, Path, description = "Any but TRY"), ("date" = Day, Path, description = "The invoice's day")),
    responses((status = 200, description = "The rate", body = DailyExchangeRate)))]
pub async fn show(
    State(invoices): State<Invoices>,
    caller: Caller,
    PathParam((currency, date)): PathParam<(Currency, Day)>,
) -> Result<Body<DailyExchangeRate>, InvoicesError> {
    let currency = foreign(currency)?;
    let mut tx = invoices.postgres.tenant(caller.tenant).await?;
    let found = store::find_rate_for(&mut tx, currency, date).await?;
    tx.commit().await?;
    let store::SetRate { rate: PricingExchangeRate { rate, on }, updated_at } =
        found.ok_or_else(Problem::not_found)?;
    Ok(Body(DailyExchangeRate { currency, date: on, rate, updated_at }))
}

/// The lira has no rate of itself.
fn foreign(currency: Currency) -> Result<Currency, Problem> {
    if currency == Currency::TRY { Err(Problem::not_found()) } else { Ok(currency) }
}
