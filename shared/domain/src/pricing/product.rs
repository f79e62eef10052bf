//! What the shop sells: courses, and bundles of them, at a sale price for a time.

use super::{BasisPoints, Line, MAX_AMOUNT, spread::spread};
use crate::{
    course::Slug,
    ids::{BundleId, CourseId},
    money::Money,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Another price for a time, in the regular price's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sale {
    /// Gross, VAT inside.
    pub price: Money,
    /// The first moment of it.
    pub starts_at: Timestamp,
    /// The first moment after it.
    pub ends_at: Timestamp,
}

impl Sale {
    /// What is paid at `now` for what otherwise costs `regular`.
    fn price_at(sale: Option<Self>, regular: Money, now: Timestamp) -> Money {
        let is_on = |sale: &Self| {
            sale.price.currency == regular.currency && (sale.starts_at..sale.ends_at).contains(&now)
        };
        sale.filter(is_on).map_or(regular, |sale| sale.price)
    }
}

/// A course that is for sale on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    pub course: CourseId,
    /// The regular price, VAT inside.
    pub price: Money,
    pub sale: Option<Sale>,
    pub vat_rate: BasisPoints,
    pub categories: Vec<Slug>,
}

impl Product {
    pub fn line(&self, now: Timestamp) -> Line {
        Line {
            course: self.course,
            bundle: None,
            categories: self.categories.clone(),
            price: Sale::price_at(self.sale, self.price, now),
            vat_rate: self.vat_rate,
        }
    }
}

/// Courses that are sold together at one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    pub id: BundleId,
    /// The regular price of all of it, VAT inside.
    pub price: Money,
    pub sale: Option<Sale>,
    pub courses: Vec<Product>,
}

/// Why a bundle cannot be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BundleRefusal {
    /// It has no courses, or its price and theirs do not go together.
    NotForSale,
    /// The buyer has this of its courses already.
    AlreadyEnrolled(CourseId),
}

impl Bundle {
    /// Its courses, each at its part of the bundle's price and with its own VAT, for who has the courses `owned`.
    ///
    /// The parts are proportional to the courses' regular prices, so that a sale of one course moves no VAT between
    /// rates; courses that all cost nothing share equally.
    ///
    /// # Errors
    /// [`BundleRefusal`]
    pub fn lines(&self, owned: &[CourseId], now: Timestamp) -> Result<Vec<Line>, BundleRefusal> {
        if let Some(course) = self.courses.iter().find(|course| owned.contains(&course.course)) {
            return Err(BundleRefusal::AlreadyEnrolled(course.course));
        }
        let price = Sale::price_at(self.sale, self.price, now);
        let goes_with =
            |money: Money| money.currency == price.currency && (0..=MAX_AMOUNT).contains(&money.amount);
        let go_together = goes_with(price) && self.courses.iter().all(|course| goes_with(course.price));
        if self.courses.is_empty() || !go_together {
            return Err(BundleRefusal::NotForSale);
        }
        let weights: Vec<i64> = self.courses.iter().map(|course| course.price.amount).collect();
        let parts = spread(price.amount, &weights);
        let line = |(course, amount): (&Product, i64)| Line {
            bundle: Some(self.id),
            price: Money { amount, ..price },
            ..course.line(now)
        };
        Ok(self.courses.iter().zip(parts).map(line).collect())
    }
}
