//! Coupons: what their codes look like, whom they are for, what they take off.

use super::{BasisPoints, Basket, Line, MAX_AMOUNT, PricingError};
use crate::{
    course::Slug,
    ids::{BundleId, CourseId},
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
    /// Whether it is only for who has bought nothing yet.
    #[serde(default)]
    pub first_purchase_only: bool,
    /// Whether it applies together with others that say so too; else it applies alone.
    #[serde(default)]
    pub stackable: bool,
    /// The first moment at which it applies.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// The first moment at which it no longer applies.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// Whether everybody is told of it. Left out where it is not, for readers that do not know of it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
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
    /// All of it.
    Free,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum CouponScope {
    /// Everything.
    All,
    /// These courses, where they are not bought with a bundle: that has its own price.
    Courses { courses: Vec<CourseId> },
    /// The courses of these categories, where they are not bought with a bundle.
    Categories { categories: Vec<Slug> },
    /// These bundles.
    Bundles { bundles: Vec<BundleId> },
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
    NotFirstPurchase,
    /// What it is for costs nothing, or others have taken everything off.
    NothingToTakeOff,
    /// It does not apply together with the others, and they take off as much or more.
    NotCombined,
}

impl Coupon {
    /// Why it does not apply, whatever other coupons there are. The lines are in `currency`, not negative, and sum to
    /// `subtotal`.
    ///
    /// # Errors
    /// [`PricingError::Negative`] or [`PricingError::Overflow`] if the coupon's own amounts are.
    pub(super) fn refusal(
        &self,
        basket: &Basket<'_>,
        currency: Currency,
        subtotal: i64,
        now: Timestamp,
    ) -> Result<Option<CouponRefusal>, PricingError> {
        let own = match self.discount {
            Discount::Percent { cap, .. } => cap,
            Discount::Fixed { amount } => Some(amount),
            Discount::Free => None,
        };
        for money in [own, self.minimum_total].into_iter().flatten() {
            match money.amount {
                ..0 => return Err(PricingError::Negative),
                0..=MAX_AMOUNT => {}
                _ => return Err(PricingError::Overflow),
            }
        }
        let is_other = |money: Money| money.currency != currency;
        let refusals = [
            (self.starts_at.is_some_and(|starts| now < starts), CouponRefusal::NotStarted),
            (self.ends_at.is_some_and(|ends| now >= ends), CouponRefusal::Expired),
            ([own, self.minimum_total].into_iter().flatten().any(is_other), CouponRefusal::OtherCurrency),
            (!basket.lines.iter().any(|line| self.scope.holds(line)), CouponRefusal::NotForTheseCourses),
            (
                self.minimum_total.is_some_and(|minimum| subtotal < minimum.amount),
                CouponRefusal::BelowMinimum,
            ),
            (self.first_purchase_only && !basket.is_first_purchase, CouponRefusal::NotFirstPurchase),
        ];
        Ok(refusals.into_iter().find_map(|(is_so, refusal)| is_so.then_some(refusal)))
    }
}

impl CouponScope {
    pub(super) fn holds(&self, line: &Line) -> bool {
        match self {
            Self::All => true,
            Self::Courses { courses } => line.bundle.is_none() && courses.contains(&line.course),
            Self::Categories { categories } => {
                line.bundle.is_none() && line.categories.iter().any(|category| categories.contains(category))
            }
            Self::Bundles { bundles } => line.bundle.is_some_and(|bundle| bundles.contains(&bundle)),
        }
    }
}

impl Discount {
    /// What it takes off an amount, between zero and the amount.
    pub(super) fn of(self, amount: i64) -> i64 {
        match self {
            Self::Free => amount,
            Self::Fixed { amount: fixed } => fixed.amount.min(amount),
            Self::Percent { share, cap } => {
                let exact = (i128::from(amount) * i128::from(share.get()) + 5_000) / 10_000;
                let rounded = i64::try_from(exact).unwrap_or(amount).min(amount);
                cap.map_or(rounded, |cap| rounded.min(cap.amount))
            }
        }
    }
}
