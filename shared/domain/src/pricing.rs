//! What a basket costs: prices with VAT, sales, bundles, coupons, and a quote that is right to the last minor unit.
//!
//! Prices are gross, as Turkish law has them shown to consumers: the VAT is inside. A discount lowers the
//! gross price, and the VAT is what the lowered price holds.

mod coupon;
mod product;
mod spread;
mod stacking;

pub use coupon::{Coupon, CouponCode, CouponRefusal, CouponScope, Discount, InvalidCouponCode};
pub use product::{Bundle, BundleRefusal, Product, Sale};
pub(crate) use spread::spread;

use crate::{
    course::Slug,
    ids::{BundleId, CouponId, CourseId},
    money::{Currency, Money},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The most lines that a basket may have.
pub const MAX_LINES: usize = 100;

/// The most coupons that a basket may come with.
pub const MAX_COUPONS: usize = 5;

/// The largest amount, in minor units, in a price or a sum: 2^53 − 1, the largest integer that JSON readers
/// and every edge store keep exactly.
pub const MAX_AMOUNT: i64 = (1 << 53) - 1;

/// A share in basis points, 0 to 10,000: a VAT rate of 20 % is 2,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "u16", into = "u16")]
#[schema(value_type = u16, maximum = 10000)]
pub struct BasisPoints(u16);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is more than 10,000 basis points")]
pub struct InvalidBasisPoints;

impl BasisPoints {
    pub const fn new(value: u16) -> Result<Self, InvalidBasisPoints> {
        if value > 10_000 { Err(InvalidBasisPoints) } else { Ok(Self(value)) }
    }

    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for BasisPoints {
    type Error = InvalidBasisPoints;

    fn try_from(value: u16) -> Result<Self, InvalidBasisPoints> {
        Self::new(value)
    }
}

impl From<BasisPoints> for u16 {
    fn from(value: BasisPoints) -> u16 {
        value.0
    }
}

/// A course in a basket: of a [`Product`], or one of those of a [`Bundle`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub course: CourseId,
    /// The bundle that it is bought with.
    pub bundle: Option<BundleId>,
    pub categories: Vec<Slug>,
    /// Gross, VAT inside.
    pub price: Money,
    pub vat_rate: BasisPoints,
}

/// What somebody wants to buy.
#[derive(Debug, Clone, Copy)]
pub struct Basket<'a> {
    pub lines: &'a [Line],
    /// The coupons whose codes the buyer gave, each once.
    pub coupons: &'a [(CouponId, Coupon)],
    /// Whether the buyer has bought nothing yet.
    pub is_first_purchase: bool,
}

/// What a basket costs. All amounts are in one currency; the lines are in the basket's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Quote {
    pub lines: Vec<QuotedLine>,
    /// Σ of the lines' prices.
    pub subtotal: Money,
    /// Σ of the lines' discounts.
    pub discount: Money,
    /// What is to be paid: Σ of the lines' totals, subtotal − discount.
    pub total: Money,
    /// The VAT inside the total: Σ of the lines' VAT.
    pub vat: Money,
    /// What became of each coupon, in the order in which they were given.
    pub coupons: Vec<CouponOutcome>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuotedLine {
    pub course: CourseId,
    /// The bundle that it is bought with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<BundleId>,
    pub price: Money,
    pub discount: Money,
    /// price − discount.
    pub total: Money,
    pub vat_rate: BasisPoints,
    /// The VAT inside `total`, rounded half up.
    pub vat: Money,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "reason")]
pub enum CouponOutcome {
    Applied,
    /// The basket costs what it costs without it.
    Refused(CouponRefusal),
}

/// Why a basket has no price. A coupon that does not apply is no error: it stands in the quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    #[error("the basket is empty")]
    Empty,
    #[error("the basket has more than {MAX_LINES} lines")]
    TooManyLines,
    #[error("line {0} names a course that the basket already holds")]
    Duplicate(usize),
    #[error("line {0} is in another currency than the first")]
    Currency(usize),
    #[error("the basket comes with more than {MAX_COUPONS} coupons")]
    TooManyCoupons,
    #[error("coupon {0} was given before")]
    DuplicateCoupon(usize),
    #[error("an amount is negative")]
    Negative,
    #[error("an amount is beyond 2^53 - 1 minor units")]
    Overflow,
}

/// The price of a basket at `now`.
///
/// Which of the coupons lower it is said by `stacking`. What each takes off is spread over the lines that it is for in
/// proportion to what they cost then, by the method of largest remainders (the first line wins a tie), so that the
/// parts sum to the discount exactly.
pub fn quote(basket: &Basket<'_>, now: Timestamp) -> Result<Quote, PricingError> {
    let (currency, subtotal) = check(basket)?;
    let (totals, coupons) = stacking::lower(basket, currency, subtotal, now)?;
    let money = |amount| Money { amount, currency };
    let (mut total_sum, mut vat_sum) = (0, 0);
    let lines = basket.lines.iter().zip(totals).map(|(line, total)| {
        let vat = vat_inside(total, line.vat_rate);
        total_sum += total;
        vat_sum += vat;
        QuotedLine {
            course: line.course,
            bundle: line.bundle,
            price: line.price,
            discount: money(line.price.amount - total),
            total: money(total),
            vat_rate: line.vat_rate,
            vat: money(vat),
        }
    });
    Ok(Quote {
        lines: lines.collect(),
        subtotal: money(subtotal),
        discount: money(subtotal - total_sum),
        total: money(total_sum),
        vat: money(vat_sum),
        coupons,
    })
}

/// The currency of the lines and the sum of their prices, which bounds every other sum of the quote.
fn check(basket: &Basket<'_>) -> Result<(Currency, i64), PricingError> {
    let Basket { lines, coupons, .. } = *basket;
    let first = lines.first().ok_or(PricingError::Empty)?;
    if lines.len() > MAX_LINES {
        return Err(PricingError::TooManyLines);
    }
    if coupons.len() > MAX_COUPONS {
        return Err(PricingError::TooManyCoupons);
    }
    for (index, (id, _)) in coupons.iter().enumerate() {
        if coupons.iter().take(index).any(|(earlier, _)| earlier == id) {
            return Err(PricingError::DuplicateCoupon(index));
        }
    }
    let mut sum = 0_i64;
    for (index, line) in lines.iter().enumerate() {
        if line.price.currency != first.price.currency {
            return Err(PricingError::Currency(index));
        }
        if lines.iter().take(index).any(|earlier| earlier.course == line.course) {
            return Err(PricingError::Duplicate(index));
        }
        if line.price.amount < 0 {
            return Err(PricingError::Negative);
        }
        sum = sum
            .checked_add(line.price.amount)
            .filter(|sum| *sum <= MAX_AMOUNT)
            .ok_or(PricingError::Overflow)?;
    }
    Ok((first.price.currency, sum))
}

/// The VAT that a gross amount (not negative) holds: gross · rate / (1 + rate), rounded half up.
pub(crate) fn vat_inside(gross: i64, rate: BasisPoints) -> i64 {
    let rate = i128::from(rate.0);
    let parts = 10_000 + rate;
    // Never more than the gross amount, so it fits.
    i64::try_from((2 * i128::from(gross) * rate + parts) / (2 * parts)).unwrap_or(gross)
}

#[cfg(test)]
mod tests;
