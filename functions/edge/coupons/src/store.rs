//! The function's SQL: one function a statement.

use akademi_domain::{
    ids::{BundleId, CouponId, CourseId, UserId},
    money::{Currency, Money},
    pricing::{BasisPoints, Coupon, CouponCode, Product, Sale},
    time::Timestamp,
};
use akademi_edge_store::{Row, StoreError, TenantDatabase, TenantSql};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

use crate::basket::Item;

/// What there is of what somebody wants.
#[derive(Default)]
pub struct Offers {
    /// Those of the courses and of the bundles' courses that were ever published.
    courses: BTreeMap<CourseId, CourseOffer>,
    bundles: BTreeMap<BundleId, BundleOffer>,
}

impl Offers {
    pub fn course(&self, id: CourseId) -> Option<&CourseOffer> {
        self.courses.get(&id)
    }

    pub fn bundle(&self, id: BundleId) -> Option<&BundleOffer> {
        self.bundles.get(&id)
    }
}

pub struct CourseOffer {
    pub slug: String,
    pub title: String,
    /// `None` when it is not for sale: it has no price, was withdrawn, or another shop sells it.
    pub product: Option<Product>,
    pub is_sold_elsewhere: bool,
    /// Whether it has so many seats and none is left.
    pub is_full: bool,
    /// Since when the person has the course.
    pub enrolled_at: Option<Timestamp>,
}

pub struct BundleOffer {
    pub title: String,
    pub price: Money,
    pub sale: Option<Sale>,
    pub courses: Vec<CourseId>,
    /// Whether it is, if its courses are.
    pub for_sale: bool,
}

/// What there is of these.
pub async fn find_offers(
    database: &TenantDatabase<'_>,
    person: Option<UserId>,
    items: &[Item],
) -> Result<Offers, StoreError> {
    // One parameter for all of a kind: a statement takes at most 100.
    const SQL: TenantSql = TenantSql::new(
        "WITH offered AS (SELECT * FROM bundle \
         WHERE tenant_id = ?1 AND id IN (SELECT value FROM json_each(?4))), \
         wanted (id) AS (SELECT value FROM json_each(?3) \
         UNION SELECT part.value FROM offered, json_each(offered.courses) AS part) \
         SELECT amount, currency, sale_amount, sale_starts_at, sale_ends_at, course.id, title, slug, vat_basis_points, \
         categories, (SELECT created_at FROM enrolment WHERE enrolment.tenant_id = ?1 AND person_id = ?2 \
         AND enrolment.course_id = course.id) AS enrolled_at, NULL AS courses, 0 AS for_sale, seats_left, \
         url IS NOT NULL AND withdrawn_at IS NULL AS sold_elsewhere \
         FROM wanted JOIN course ON course.tenant_id = ?1 AND course.id = wanted.id \
         LEFT JOIN sold_elsewhere ON sold_elsewhere.tenant_id = ?1 AND sold_elsewhere.course_id = course.id \
         LEFT JOIN price ON price.tenant_id = ?1 AND price.course_id = course.id AND withdrawn_at IS NULL AND url IS NULL \
         UNION ALL SELECT amount, currency, sale_amount, sale_starts_at, sale_ends_at, id, title, '', 0, '[]', NULL, \
         courses, for_sale, NULL, 0 FROM offered",
    );
    let courses = items.iter().filter_map(|item| if let Item::Course(id) = item { Some(id) } else { None });
    let bundles = items.iter().filter_map(|item| if let Item::Bundle(id) = item { Some(id) } else { None });
    let (courses, bundles) = (courses.collect::<Vec<_>>(), bundles.collect::<Vec<_>>());
    let list = |ids: Result<String, serde_json::Error>| ids.unwrap_or_default();
    let wanted = [
        person.into(),
        list(serde_json::to_string(&courses)).into(),
        list(serde_json::to_string(&bundles)).into(),
    ];
    let mut offers = Offers::default();
    for row in database.rows(SQL.with(wanted)).await? {
        match row.optional_text(11)? {
            None => drop(offers.courses.insert(row.parse(5)?, course_offer(&row)?)),
            Some(_) => drop(offers.bundles.insert(row.parse(5)?, bundle_offer(&row)?)),
        }
    }
    Ok(offers)
}

fn course_offer(row: &Row) -> Result<CourseOffer, StoreError> {
    let product = match row.optional_integer(0)? {
        None => None,
        Some(_) => {
            let (price, sale) = price(row)?;
            let rate = u16::try_from(row.integer(8)?).ok().and_then(|rate| BasisPoints::new(rate).ok());
            let vat_rate = rate.ok_or_else(|| StoreError::Engine("a VAT rate that is none".into()))?;
            Some(Product { course: row.parse(5)?, price, sale, vat_rate, categories: json(row, 9)? })
        }
    };
    Ok(CourseOffer {
        slug: row.text(7)?.to_owned(),
        title: row.text(6)?.to_owned(),
        product,
        is_sold_elsewhere: row.boolean(14)?,
        is_full: row.optional_integer(13)? == Some(0),
        enrolled_at: row.optional_timestamp(10)?,
    })
}

fn bundle_offer(row: &Row) -> Result<BundleOffer, StoreError> {
    let (price, sale) = price(row)?;
    Ok(BundleOffer {
        title: row.text(6)?.to_owned(),
        price,
        sale,
        courses: json(row, 11)?,
        for_sale: row.boolean(12)?,
    })
}

/// The price in the first two columns, and the sale in the next three.
fn price(row: &Row) -> Result<(Money, Option<Sale>), StoreError> {
    let currency = Currency::from_code(row.text(1)?)
        .ok_or_else(|| StoreError::Engine("a price in a currency that is none".into()))?;
    let sale = match (row.optional_integer(2)?, row.optional_timestamp(3)?, row.optional_timestamp(4)?) {
        (Some(amount), Some(starts_at), Some(ends_at)) => {
            Some(Sale { price: Money { amount, currency }, starts_at, ends_at })
        }
        _ => None,
    };
    Ok((Money { amount: row.integer(0)?, currency }, sale))
}

/// A coupon whose uses are not gone.
pub struct AvailableCoupon {
    pub id: CouponId,
    pub code: CouponCode,
    pub terms: Coupon,
    /// Whether the person has used it as often as one may.
    pub spent: bool,
    /// Whether an order of the person's was paid: it became an enrolment.
    pub has_bought: bool,
}

/// The coupons of these codes, unless their uses are gone, in no order.
pub async fn find_available_coupons(
    database: &TenantDatabase<'_>,
    person: Option<UserId>,
    codes: &[&CouponCode],
) -> Result<Vec<AvailableCoupon>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, code, terms, EXISTS (SELECT 1 FROM spent_coupon \
         WHERE spent_coupon.tenant_id = ?1 AND person_id = ?2 AND coupon_id = coupon.id) AS spent, \
         EXISTS (SELECT 1 FROM enrolment WHERE enrolment.tenant_id = ?1 AND person_id = ?2 AND source = 'order') AS bought \
         FROM coupon WHERE tenant_id = ?1 AND available = 1 AND code IN (SELECT value FROM json_each(?3))",
    );
    let wanted = serde_json::to_string(codes).unwrap_or_default();
    let rows = database.rows(SQL.with([person.into(), wanted.into()])).await?;
    rows.iter()
        .map(|row| {
            Ok(AvailableCoupon {
                id: row.parse(0)?,
                code: row.parse(1)?,
                terms: json(row, 2)?,
                spent: row.boolean(3)?,
                has_bought: row.boolean(4)?,
            })
        })
        .collect()
}

fn json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T, StoreError> {
    serde_json::from_str(row.text(column)?).map_err(|error| StoreError::Engine(error.to_string()))
}
