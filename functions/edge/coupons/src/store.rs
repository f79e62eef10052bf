//! The function's SQL: one function a statement.

use akademi_domain::{
    ids::{BundleId, CouponId, CourseId, UserId},
    money::{Currency, Money},
    pricing::{BasisPoints, Coupon, CouponCode, Product, Sale},
};
use akademi_edge_store::{Row, StoreError, TenantDatabase, TenantSql};
use serde::de::DeserializeOwned;

/// A course that is for sale.
pub struct Offer {
    pub product: Product,
    /// Whether the person has the course already.
    pub enrolled: bool,
}

/// The published courses among `courses` that have a price, in no order.
pub async fn find_offers(
    database: &TenantDatabase<'_>,
    person: UserId,
    courses: &[CourseId],
) -> Result<Vec<Offer>, StoreError> {
    // One parameter for all of them: a statement takes at most 100.
    const SQL: TenantSql = TenantSql::new(
        "SELECT amount, currency, sale_amount, sale_starts_at, sale_ends_at, course.id, vat_basis_points, categories, \
         EXISTS (SELECT 1 FROM enrolment \
         WHERE enrolment.tenant_id = ?1 AND person_id = ?2 AND enrolment.course_id = course.id) AS enrolled \
         FROM json_each(?3) AS wanted \
         JOIN course ON course.tenant_id = ?1 AND course.id = wanted.value AND withdrawn_at IS NULL \
         JOIN price ON price.tenant_id = ?1 AND price.course_id = course.id",
    );
    let wanted = serde_json::to_string(courses).unwrap_or_default();
    let rows = database.rows(SQL.with([person.into(), wanted.into()])).await?;
    rows.iter()
        .map(|row| {
            let (price, sale) = price(row)?;
            let rate = u16::try_from(row.integer(6)?).ok().and_then(|rate| BasisPoints::new(rate).ok());
            let product = Product {
                course: row.parse(5)?,
                price,
                sale,
                vat_rate: rate.ok_or_else(|| StoreError::Engine("a VAT rate that is none".into()))?,
                categories: json(row, 7)?,
            };
            Ok(Offer { product, enrolled: row.boolean(8)? })
        })
        .collect()
}

/// A bundle that is for sale, if its courses are.
pub struct BundleOffer {
    pub id: BundleId,
    pub price: Money,
    pub sale: Option<Sale>,
    pub courses: Vec<CourseId>,
}

/// Those of the bundles that are for sale, in no order.
pub async fn find_bundles(
    database: &TenantDatabase<'_>,
    bundles: &[BundleId],
) -> Result<Vec<BundleOffer>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT amount, currency, sale_amount, sale_starts_at, sale_ends_at, id, courses FROM bundle \
         WHERE tenant_id = ?1 AND for_sale = 1 AND id IN (SELECT value FROM json_each(?2))",
    );
    let wanted = serde_json::to_string(bundles).unwrap_or_default();
    let rows = database.rows(SQL.with([wanted.into()])).await?;
    rows.iter()
        .map(|row| {
            let (price, sale) = price(row)?;
            Ok(BundleOffer { id: row.parse(5)?, price, sale, courses: json(row, 6)? })
        })
        .collect()
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
}

/// The coupons of these codes, unless their uses are gone, in no order.
pub async fn find_available_coupons(
    database: &TenantDatabase<'_>,
    person: UserId,
    codes: &[&CouponCode],
) -> Result<Vec<AvailableCoupon>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT id, code, terms, EXISTS (SELECT 1 FROM spent_coupon \
         WHERE spent_coupon.tenant_id = ?1 AND person_id = ?2 AND coupon_id = coupon.id) AS spent \
         FROM coupon WHERE tenant_id = ?1 AND available = 1 AND code IN (SELECT value FROM json_each(?3))",
    );
    let wanted = serde_json::to_string(codes).unwrap_or_default();
    let rows = database.rows(SQL.with([person.into(), wanted.into()])).await?;
    rows.iter()
        .map(|row| {
            let (id, code) = (row.parse(0)?, row.parse(1)?);
            Ok(AvailableCoupon { id, code, terms: json(row, 2)?, spent: row.boolean(3)? })
        })
        .collect()
}

/// Whether an order of the person's was paid: it became an enrolment.
pub async fn has_bought(database: &TenantDatabase<'_>, person: UserId) -> Result<bool, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT 1 FROM enrolment WHERE tenant_id = ?1 AND person_id = ?2 AND source = 'order' LIMIT 1",
    );
    Ok(database.row(SQL.with([person.into()])).await?.is_some())
}

fn json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T, StoreError> {
    serde_json::from_str(row.text(column)?).map_err(|error| StoreError::Engine(error.to_string()))
}
