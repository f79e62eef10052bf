//! The function's SQL: one function a statement, by what it is about.

mod buyers;
mod exchange_rates;
mod issuing;
mod listing;
mod settings;

pub use buyers::*;
pub use exchange_rates::*;
pub use issuing::*;
pub use listing::*;
pub use settings::*;

use akademi_domain::money::{Currency, Money};
use akademi_lambda_store::error::StoreError;
use sqlx::{Row, postgres::PgRow};
use std::error::Error;

/// A column that does not hold what was written into it.
fn unreadable(column: &str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: cause.into() }.into()
}

fn currency(row: &PgRow) -> Result<Currency, StoreError> {
    let currency = Currency::from_code(row.try_get("currency")?);
    currency.ok_or_else(|| unreadable("currency", "is none that academies sell in"))
}

/// The amount in this column, in the row's currency.
fn money(row: &PgRow, column: &str) -> Result<Option<Money>, StoreError> {
    let currency = currency(row)?;
    let amount: Option<i64> = row.try_get(column)?;
    Ok(amount.map(|amount| Money { amount, currency }))
}
