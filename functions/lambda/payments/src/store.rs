//! The function's SQL: one function a statement, by what it is about.

mod accounts;
mod books;
mod bundles;
mod callbacks;
mod comparison;
mod coupons;
mod ledger;
mod orders;
mod payments;
mod products;
mod purchases;
mod reconciliation;
mod refunds;
mod reservations;
mod seats;
mod sold_elsewhere;

pub use accounts::*;
pub use books::*;
pub use bundles::*;
pub use callbacks::*;
pub use comparison::*;
pub use coupons::*;
pub use ledger::*;
pub use orders::*;
pub use payments::*;
pub use products::*;
pub use purchases::*;
pub use reconciliation::*;
pub use refunds::*;
pub use reservations::*;
pub use seats::*;
pub use sold_elsewhere::*;

use akademi_domain::{
    money::{Currency, Money},
    pricing::{BasisPoints, Sale},
    time::Timestamp,
};
use akademi_lambda_store::error::StoreError;
use sqlx::{Row, postgres::PgRow};
use std::error::Error;

/// A column that does not hold what was written into it.
fn unreadable(column: &str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: cause.into() }.into()
}

/// The amount in this column, in the row's currency.
fn money(row: &PgRow, column: &str) -> Result<Money, StoreError> {
    let currency = Currency::from_code(row.try_get("currency")?);
    let currency = currency.ok_or_else(|| unreadable("currency", "is none that academies sell in"))?;
    Ok(Money { amount: row.try_get(column)?, currency })
}

fn vat_rate(row: &PgRow) -> Result<BasisPoints, StoreError> {
    let rate = u16::try_from(row.try_get::<i32, _>("vat_basis_points")?);
    let rate = rate.map_err(|error| unreadable("vat_basis_points", error))?;
    BasisPoints::new(rate).map_err(|error| unreadable("vat_basis_points", error))
}

/// The sale of a row with a price, if there is one.
fn sale(row: &PgRow) -> Result<Option<Sale>, StoreError> {
    let moment =
        |column| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis));
    let (Some(starts_at), Some(ends_at)) = (moment("sale_starts_at")?, moment("sale_ends_at")?) else {
        return Ok(None);
    };
    Ok(Some(Sale { price: money(row, "sale_amount")?, starts_at, ends_at }))
}
