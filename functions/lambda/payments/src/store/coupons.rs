//! Coupons. Their uses are budgets.

use akademi_domain::{
    ids::{CouponId, OrderId, UserId},
    pricing::{self, CouponCode},
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::unreadable;

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

macro_rules! coupon_with_uses {
    () => {
        "SELECT id, code, terms, ceiling AS use_limit, person_use_limit, held, used, created_at FROM coupon
         JOIN budget ON budget.tenant_id = coupon.tenant_id AND kind = 'coupon' AND subject_id = id"
    };
}

/// A coupon as it is stored, with its uses.
pub struct Coupon {
    pub id: CouponId,
    pub code: CouponCode,
    pub terms: pricing::Coupon,
    pub use_limit: Option<i64>,
    pub person_use_limit: Option<i64>,
    pub held: i64,
    pub used: i64,
    pub created_at: Timestamp,
}

/// Refused (`coupon_code`) for a code that another coupon has. Its budget is to be opened with it.
pub async fn insert_coupon(tx: &mut TenantTransaction, new: &Coupon) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO coupon (tenant_id, id, code, terms, person_use_limit, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(new.id.as_uuid())
    .bind(new.code.as_str())
    .bind(Json(&new.terms))
    .bind(new.person_use_limit)
    .bind(new.created_at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Refused (`coupon_code`) for a code that another coupon has.
pub async fn save_coupon(tx: &mut TenantTransaction, coupon: &Coupon) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE coupon SET code = $3, terms = $4, person_use_limit = $5 WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tx.tenant().as_uuid())
    .bind(coupon.id.as_uuid())
    .bind(coupon.code.as_str())
    .bind(Json(&coupon.terms))
    .bind(coupon.person_use_limit)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Everybody who has used the coupon may use it so often from now on, or as often as they have. Answers for whom that makes
/// a difference, and whether they have a use no longer.
pub async fn set_ceilings_of_people(
    tx: &mut TenantTransaction,
    coupon: CouponId,
    limit: Option<i64>,
) -> Result<Vec<(UserId, bool)>, StoreError> {
    let rows = sqlx::query(
        "WITH before AS (
             SELECT person_id, COALESCE(held + used >= ceiling, false) AS is_spent FROM budget
             WHERE tenant_id = $1 AND kind = 'coupon_of_person' AND subject_id = $2 ORDER BY person_id FOR UPDATE
         ), after AS (
             UPDATE budget SET ceiling = CASE WHEN $3::bigint IS NOT NULL THEN GREATEST($3, held + used) END FROM before
             WHERE tenant_id = $1 AND kind = 'coupon_of_person' AND subject_id = $2 AND budget.person_id = before.person_id
             RETURNING budget.person_id, before.is_spent AS was_spent, COALESCE(held + used >= ceiling, false) AS is_spent
         )
         SELECT person_id, is_spent FROM after WHERE is_spent <> was_spent ORDER BY person_id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(coupon.as_uuid())
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| Ok((UserId::from_uuid(row.try_get("person_id")?), row.try_get("is_spent")?)))
        .collect()
}

/// Whether each of these coupons lets one person use it so often. It stays so while its uses are locked.
pub async fn are_person_use_limits(
    tx: &mut TenantTransaction,
    limits: &[(CouponId, Option<i64>)],
) -> Result<bool, StoreError> {
    let same: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM coupon JOIN UNNEST($2::uuid[], $3::bigint[]) AS known (id, use_limit) USING (id)
         WHERE tenant_id = $1 AND person_use_limit IS NOT DISTINCT FROM use_limit",
    )
    .bind(tx.tenant().as_uuid())
    .bind(limits.iter().map(|(coupon, _)| coupon.as_uuid()).collect::<Vec<_>>())
    .bind(limits.iter().map(|(_, limit)| *limit).collect::<Vec<_>>())
    .fetch_one(tx.connection())
    .await?;
    Ok(usize::try_from(same) == Ok(limits.len()))
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
        coupon_with_uses!(),
        " WHERE coupon.tenant_id = $1 AND (created_at, id) < ($2, $3) AND ($5::uuid IS NULL OR ",
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
    let row = sqlx::query(concat!(coupon_with_uses!(), " WHERE coupon.tenant_id = $1 AND id = $2"))
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
        person_use_limit: row.try_get("person_use_limit")?,
        held: row.try_get("held")?,
        used: row.try_get("used")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

/// Whether the person has bought anything with another order.
pub async fn has_paid_before(
    tx: &mut TenantTransaction,
    order: OrderId,
    user: UserId,
) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM customer_order
             WHERE tenant_id = $1 AND user_id = $2 AND id <> $3 AND paid_at IS NOT NULL)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(user.as_uuid())
    .bind(order.as_uuid())
    .fetch_one(tx.connection())
    .await?;
    Ok(found)
}

/// From here on the transaction can go back to here: [`undo_holds`].
pub async fn begin_holds(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::raw_sql("SAVEPOINT holds").execute(tx.connection()).await?;
    Ok(())
}

/// As if nothing had happened since [`begin_holds`].
pub async fn undo_holds(tx: &mut TenantTransaction) -> Result<(), StoreError> {
    sqlx::raw_sql("ROLLBACK TO SAVEPOINT holds").execute(tx.connection()).await?;
    Ok(())
}
