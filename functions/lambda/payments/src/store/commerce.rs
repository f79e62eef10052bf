//! Prices and coupons.

use akademi_domain::{
    ids::{CouponId, CourseId, OrderId, UserId},
    money::Money,
    pricing::{self, BasisPoints, CouponCode, Line},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{money, unreadable, vat_rate};
use crate::prices::CoursePrice;

/// Refused (`price_course`) for a course that the academy does not have.
pub async fn set_price(
    tx: &mut TenantTransaction,
    course: CourseId,
    price: Money,
    vat_rate: BasisPoints,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO price (tenant_id, course_id, amount, currency, vat_basis_points, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, course_id) DO UPDATE SET amount = excluded.amount, currency = excluded.currency,
         vat_basis_points = excluded.vat_basis_points, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(price.amount)
    .bind(price.currency.code())
    .bind(i32::from(vat_rate.get()))
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn find_price(
    tx: &mut TenantTransaction,
    course: CourseId,
) -> Result<Option<CoursePrice>, StoreError> {
    let row = sqlx::query(
        "SELECT amount, currency, vat_basis_points, updated_at FROM price WHERE tenant_id = $1 AND course_id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(CoursePrice {
            course,
            price: money(&row, "amount")?,
            vat_basis_points: vat_rate(&row)?,
            updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
        })
    })
    .transpose()
}

/// Whether the course is there and `owner`'s or anybody's.
pub async fn may_price(
    tx: &mut TenantTransaction,
    course: CourseId,
    owner: Option<UserId>,
) -> Result<bool, StoreError> {
    let found: Option<i32> = sqlx::query_scalar(
        "SELECT 1 FROM course_draft WHERE tenant_id = $1 AND id = $2 AND ($3::uuid IS NULL OR owner_id = $3)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_optional(tx.connection())
    .await?;
    Ok(found.is_some())
}

/// A course that is for sale.
pub struct Offer {
    pub line: Line,
    pub title: String,
}

/// The published courses among `courses` that have a price, in their order. Their prices stay until the transaction ends.
pub async fn lock_offers(tx: &mut TenantTransaction, courses: &[CourseId]) -> Result<Vec<Offer>, StoreError> {
    let ids: Vec<Uuid> = courses.iter().map(CourseId::as_uuid).collect();
    let rows = sqlx::query(
        "SELECT price.course_id, title, amount, currency, vat_basis_points
         FROM UNNEST($2::uuid[]) WITH ORDINALITY AS wanted (course_id, place)
         JOIN price ON price.tenant_id = $1 AND price.course_id = wanted.course_id
         JOIN course_draft ON course_draft.tenant_id = $1 AND course_draft.id = wanted.course_id
              AND published_version > 0
         ORDER BY place FOR SHARE OF price",
    )
    .bind(tx.tenant().as_uuid())
    .bind(&ids)
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let course = CourseId::from_uuid(row.try_get("course_id")?);
            let line = Line { course, price: money(row, "amount")?, vat_rate: vat_rate(row)? };
            Ok(Offer { line, title: row.try_get("title")? })
        })
        .collect()
}

/// Whether the person is known to have one of the courses already.
pub async fn has_one_of(
    tx: &mut TenantTransaction,
    user: UserId,
    courses: &[CourseId],
) -> Result<bool, StoreError> {
    let ids: Vec<Uuid> = courses.iter().map(CourseId::as_uuid).collect();
    let found = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM enrolment WHERE tenant_id = $1 AND user_id = $2 AND course_id = ANY ($3))",
    )
    .bind(tx.tenant().as_uuid())
    .bind(user.as_uuid())
    .bind(&ids)
    .fetch_one(tx.connection())
    .await?;
    Ok(found)
}

/// Whether `$scope` names courses, and all of them are of `$owner` in the academy `$1`.
macro_rules! scope_of {
    ($scope:literal, $owner:literal) => {
        concat!(
            "(CASE WHEN jsonb_typeof(",
            $scope,
            " -> 'courses') = 'array' THEN NOT EXISTS (SELECT FROM \
             jsonb_array_elements_text(",
            $scope,
            " -> 'courses') AS named (id) WHERE NOT EXISTS (SELECT FROM course_draft \
             WHERE course_draft.tenant_id = $1 AND course_draft.id = named.id::uuid AND owner_id = ",
            $owner,
            ")) \
             ELSE false END)"
        )
    };
}

/// A coupon as it is stored.
pub struct Coupon {
    pub id: CouponId,
    pub code: CouponCode,
    pub terms: pricing::Coupon,
    pub use_limit: Option<i64>,
    pub held: i64,
    pub used: i64,
    pub created_at: Timestamp,
}

/// Refused (`coupon_code`) for a code that another coupon has.
pub async fn insert_coupon(
    tx: &mut TenantTransaction,
    id: CouponId,
    code: &CouponCode,
    terms: &pricing::Coupon,
    use_limit: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO coupon (tenant_id, id, code, terms, use_limit, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(code.as_str())
    .bind(Json(terms))
    .bind(use_limit)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Whether a coupon of this scope is for courses of `owner` and no others.
pub async fn is_scope_of(
    tx: &mut TenantTransaction,
    scope: &pricing::CouponScope,
    owner: UserId,
) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar(concat!("SELECT ", scope_of!("$2", "$3"), " AND $1::uuid IS NOT NULL"))
        .bind(tx.tenant().as_uuid())
        .bind(Json(scope))
        .bind(owner.as_uuid())
        .fetch_one(tx.connection())
        .await?;
    Ok(found)
}

/// Coupons after this one, newest first: all, or those for courses of `owner` and no others.
pub async fn list_coupons(
    tx: &mut TenantTransaction,
    owner: Option<UserId>,
    after: Option<(Timestamp, CouponId)>,
    limit: i64,
) -> Result<Vec<Coupon>, StoreError> {
    let (created_at, id) =
        after.unwrap_or((Timestamp::from_millis(i64::MAX), CouponId::from_uuid(Uuid::max())));
    let rows = sqlx::query(concat!(
        "SELECT id, code, terms, use_limit, held, used, created_at FROM coupon
         WHERE tenant_id = $1 AND (created_at, id) < ($2, $3) AND ($5::uuid IS NULL OR ",
        scope_of!("terms -> 'scope'", "$5"),
        ") ORDER BY created_at DESC, id DESC LIMIT $4",
    ))
    .bind(tx.tenant().as_uuid())
    .bind(created_at.as_millis())
    .bind(id.as_uuid())
    .bind(limit)
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(coupon).collect()
}

pub async fn find_coupon(tx: &mut TenantTransaction, id: CouponId) -> Result<Option<Coupon>, StoreError> {
    let row = sqlx::query(
        "SELECT id, code, terms, use_limit, held, used, created_at FROM coupon WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(coupon).transpose()
}

fn coupon(row: &PgRow) -> Result<Coupon, StoreError> {
    let Json(terms) = row.try_get("terms")?;
    let code: &str = row.try_get("code")?;
    Ok(Coupon {
        id: CouponId::from_uuid(row.try_get("id")?),
        code: code.parse().map_err(|error: pricing::InvalidCouponCode| unreadable("code", error))?,
        terms,
        use_limit: row.try_get("use_limit")?,
        held: row.try_get("held")?,
        used: row.try_get("used")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

/// Holds one of the uses that are left, and locks the coupon: whoever else wants one waits and then sees what is left.
/// `None` if none is; else whether it was the last.
pub async fn hold_coupon(tx: &mut TenantTransaction, id: CouponId) -> Result<Option<bool>, StoreError> {
    let was_last = sqlx::query_scalar(
        "UPDATE coupon SET held = held + 1
         WHERE tenant_id = $1 AND id = $2 AND (use_limit IS NULL OR held + used < use_limit)
         RETURNING COALESCE(held + used = use_limit, false)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(was_last)
}

/// A held use becomes one for good.
pub async fn confirm_coupon(tx: &mut TenantTransaction, id: CouponId) -> Result<(), StoreError> {
    sqlx::query("UPDATE coupon SET held = held - 1, used = used + 1 WHERE tenant_id = $1 AND id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(id.as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// A held use is free again; whether none was left before.
pub async fn release_coupon(tx: &mut TenantTransaction, id: CouponId) -> Result<bool, StoreError> {
    let was_used_up = sqlx::query_scalar(
        "UPDATE coupon SET held = held - 1 WHERE tenant_id = $1 AND id = $2
         RETURNING COALESCE(held + 1 + used = use_limit, false)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_one(tx.connection())
    .await?;
    Ok(was_used_up)
}

/// Notes where the order's use of a coupon stands: `held`, `confirmed` or `released`.
pub async fn save_coupon_use(
    tx: &mut TenantTransaction,
    order: OrderId,
    coupon: CouponId,
    state: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO coupon_use (tenant_id, order_id, coupon_id, state, updated_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, order_id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .bind(coupon.as_uuid())
    .bind(state)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}
