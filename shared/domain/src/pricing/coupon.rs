//! Coupons: what their codes look like, whom they are for, what they take off.

use super::{BasisPoints, Line, MAX_AMOUNT, PricingError};
use crate::{
    ids::CourseId,
    money::{Currency, Money},
    text,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A coupon's code: 3 to 32 of `a`–`z`, `0`–`9`, `-`, `_`, folded as search folds text, so that `İNDİRİM`,
/// `indirim`, `INDIRIM` and `ındırım` are one code whatever keyboard typed it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 3, max_length = 32)]
pub struct CouponCode(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCouponCode {
    #[error("is not between 3 and 32 characters long")]
    Length,
    #[error("holds something other than letters, digits, hyphens and underscores")]
    Character,
}

impl CouponCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CouponCode {
    type Err = InvalidCouponCode;

    fn from_str(text: &str) -> Result<Self, InvalidCouponCode> {
        // A letter with its marks apart takes up to four bytes; anything far beyond that is not worth folding.
        if text.len() > 32 * 8 {
            return Err(InvalidCouponCode::Length);
        }
        let code = text::fold(text);
        if !code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return Err(InvalidCouponCode::Character);
        }
        if !(3..=32).contains(&code.len()) {
            return Err(InvalidCouponCode::Length);
        }
        Ok(Self(code))
    }
}

impl TryFrom<String> for CouponCode {
    type Error = InvalidCouponCode;

    fn try_from(text: String) -> Result<Self, InvalidCouponCode> {
        text.parse()
    }
}

impl From<CouponCode> for String {
    fn from(code: CouponCode) -> String {
        code.0
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The terms of a coupon. How often it may be used is counted where orders are made, not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Coupon {
    pub discount: Discount,
    pub scope: CouponScope,
    /// The least that the whole basket must cost before any discount.
    #[serde(default)]
    pub minimum_total: Option<Money>,
    /// The first moment at which it applies.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// The first moment at which it no longer applies.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Discount {
    /// This share of the lines it is for, rounded half up, and at most `cap`.
    Percent {
        share: BasisPoints,
        #[serde(default)]
        cap: Option<Money>,
    },
    /// This amount, and at most what the lines it is for cost.
    Fixed { amount: Money },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum CouponScope {
    /// Every course.
    All,
    /// These courses only.
    Courses { courses: Vec<CourseId> },
}

/// Why a coupon does not apply, in the order in which the first that fits is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CouponRefusal {
    NotStarted,
    Expired,
    /// It names an amount in another currency than the basket's.
    OtherCurrency,
    /// Nothing in the basket is what it is for.
    NotForTheseCourses,
    BelowMinimum,
}

impl Coupon {
    /// What each line is lowered by, in minor units and in the lines' order, each between zero and its price;
    /// or why nothing is. `lines` are in `currency`, not negative, and sum to `subtotal`.
    ///
    /// # Errors
    /// [`PricingError::Negative`] or [`PricingError::Overflow`] if the coupon's own amounts are.
    pub(super) fn discount_for(
        &self,
        lines: &[Line],
        currency: Currency,
        subtotal: i64,
        now: Timestamp,
    ) -> Result<Result<Vec<i64>, CouponRefusal>, PricingError> {
        let own = match self.discount {
            Discount::Percent { cap, .. } => cap,
            Discount::Fixed { amount } => Some(amount),
        };
        for money in [own, self.minimum_total].into_iter().flatten() {
            match money.amount {
                ..0 => return Err(PricingError::Negative),
                0..=MAX_AMOUNT => {}
                _ => return Err(PricingError::Overflow),
            }
        }
        if self.starts_at.is_some_and(|starts| now < starts) {
            return Ok(Err(CouponRefusal::NotStarted));
        }
        if self.ends_at.is_some_and(|ends| now >= ends) {
            return Ok(Err(CouponRefusal::Expired));
        }
        if [own, self.minimum_total].into_iter().flatten().any(|money| money.currency != currency) {
            return Ok(Err(CouponRefusal::OtherCurrency));
        }
        let prices = lines.iter().map(|line| self.scope.holds(line.course).then_some(line.price.amount));
        let prices: Vec<Option<i64>> = prices.collect();
        if prices.iter().all(Option::is_none) {
            return Ok(Err(CouponRefusal::NotForTheseCourses));
        }
        if self.minimum_total.is_some_and(|minimum| subtotal < minimum.amount) {
            return Ok(Err(CouponRefusal::BelowMinimum));
        }
        let prices: Vec<i64> = prices.into_iter().map(|price| price.unwrap_or(0)).collect();
        let eligible = prices.iter().sum();
        Ok(Ok(spread(self.discount.of(eligible), &prices, eligible)))
    }
}

impl CouponScope {
    fn holds(&self, course: CourseId) -> bool {
        match self {
            Self::All => true,
            Self::Courses { courses } => courses.contains(&course),
        }
    }
}

impl Discount {
    /// What it takes off an amount, between zero and the amount.
    fn of(self, amount: i64) -> i64 {
        match self {
            Self::Fixed { amount: fixed } => fixed.amount.min(amount),
            Self::Percent { share, cap } => {
                let exact = (i128::from(amount) * i128::from(share.get()) + 5_000) / 10_000;
                let rounded = i64::try_from(exact).unwrap_or(amount).min(amount);
                cap.map_or(rounded, |cap| rounded.min(cap.amount))
            }
        }
    }
}

/// `discount` in parts proportional to `prices`, which sum to `sum ≥ discount`, by largest remainders. No part
/// exceeds its price: only a part that was rounded down gets one more.
pub(crate) fn spread(discount: i64, prices: &[i64], sum: i64) -> Vec<i64> {
    if sum == 0 {
        return vec![0; prices.len()];
    }
    let exact = |price: i64| i128::from(price) * i128::from(discount);
    let mut parts: Vec<i64> =
        prices.iter().map(|price| i64::try_from(exact(*price) / i128::from(sum)).unwrap_or(0)).collect();
    let missing = discount - parts.iter().sum::<i64>();
    let mut order: Vec<(i128, &mut i64)> =
        prices.iter().map(|price| exact(*price) % i128::from(sum)).zip(&mut parts).collect();
    // A stable sort: the first line wins a tie.
    order.sort_by_key(|(remainder, _)| std::cmp::Reverse(*remainder));
    for (_, part) in order.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        *part += 1;
    }
    parts
}
