//! The function's SQL: one function a statement.

use akademi_domain::{
    ids::{CouponId, CourseId, UserId},
    money::{Currency, Money},
    pricing::{BasisPoints, Coupon, CouponCode, Line},
};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql};

/// A course that is for sale.
pub struct Offer {
    pub line: Line,
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
        "SELECT course.id, amount, currency, vat_basis_points, EXISTS (SELECT 1 FROM enrolment \
         WHERE enrolment.tenant_id = ?1 AND person_id = ?2 AND enrolment.course_id = course.id) AS enrolled \
         FROM json_each(?3) AS wanted \
         JOIN course ON course.tenant_id = ?1 AND course.id = wanted.value AND withdrawn_at IS NULL \
         JOIN price ON price.tenant_id = ?1 AND price.course_id = course.id",
    );
    let wanted = serde_json::to_string(courses).unwrap_or_default();
    let rows = database.rows(SQL.with([person.into(), wanted.into()])).await?;
    rows.iter()
        .map(|row| {
            let unreadable = || StoreError::Engine("a price that cannot be read".into());
            let currency = Currency::from_code(row.text(2)?).ok_or_else(unreadable)?;
            let rate = u16::try_from(row.integer(3)?).ok().and_then(|rate| BasisPoints::new(rate).ok());
            let price = Money { amount: row.integer(1)?, currency };
            let line = Line { course: row.parse(0)?, price, vat_rate: rate.ok_or_else(unreadable)? };
            Ok(Offer { line, enrolled: row.boolean(4)? })
        })
        .collect()
}

/// The coupon of this code, unless its uses are gone.
pub async fn find_available_coupon(
    database: &TenantDatabase<'_>,
    code: &CouponCode,
) -> Result<Option<(CouponId, Coupon)>, StoreError> {
    const SQL: TenantSql =
        TenantSql::new("SELECT id, terms FROM coupon WHERE tenant_id = ?1 AND code = ?2 AND available = 1");
    let row = database.row(SQL.with([code.as_str().into()])).await?;
    row.map(|row| {
        let terms = serde_json::from_str(row.text(1)?);
        Ok((row.parse(0)?, terms.map_err(|error| StoreError::Engine(error.to_string()))?))
    })
    .transpose()
}
