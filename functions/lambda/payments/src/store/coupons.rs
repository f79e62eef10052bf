//! Coupons, and their uses.

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

/// A coupon as it is stored.
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

/// Refused (`coupon_code`) for a code that another coupon has.
pub async fn insert_coupon(tx: &mut TenantTransaction, new: &Coupon) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO coupon (tenant_id, id, code, terms, use_limit, person_use_limit, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(new.id.as_uuid())
    .bind(new.code.as_str())
    .bind(Json(&new.terms))
    .bind(new.use_limit)
    .bind(new.person_use_limit)
    .bind(new.created_at.as_millis())
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
        "SELECT id, code, terms, use_limit, person_use_limit, held, used, created_at FROM coupon
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
        "SELECT id, code, terms, use_limit, person_use_limit, held, used, created_at FROM coupon
         WHERE tenant_id = $1 AND id = $2",
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
        person_use_limit: row.try_get("person_use_limit")?,
        held: row.try_get("held")?,
        used: row.try_get("used")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}

/// A use of a coupon that was just held.
pub struct HeldUse {
    /// Whether none is left.
    pub was_last: bool,
    /// Whether each person has a limit of their own.
    pub is_limited_per_person: bool,
    pub first_purchase_only: bool,
}

/// Holds one of the uses that are left, and locks the coupon: whoever else wants one waits and then sees what is left.
/// `None` if none is.
pub async fn hold_coupon(tx: &mut TenantTransaction, id: CouponId) -> Result<Option<HeldUse>, StoreError> {
    let row = sqlx::query(
        "UPDATE coupon SET held = held + 1
         WHERE tenant_id = $1 AND id = $2 AND (use_limit IS NULL OR held + used < use_limit)
         RETURNING COALESCE(held + used = use_limit, false) AS was_last, person_use_limit IS NOT NULL AS is_limited_per_person,
                   COALESCE((terms ->> 'first_purchase_only')::boolean, false) AS first_purchase_only",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| {
        Ok(HeldUse {
            was_last: row.try_get("was_last")?,
            is_limited_per_person: row.try_get("is_limited_per_person")?,
            first_purchase_only: row.try_get("first_purchase_only")?,
        })
    })
    .transpose()
}

/// Holds one of the uses that somebody has left of a coupon with a limit per person. `None` if none is; else whether it
/// was the last.
pub async fn hold_coupon_of_person(
    tx: &mut TenantTransaction,
    id: CouponId,
    user: UserId,
) -> Result<Option<bool>, StoreError> {
    let was_last = sqlx::query_scalar(
        "INSERT INTO coupon_person (tenant_id, coupon_id, user_id, uses, use_limit)
         SELECT $1, $2, $3, 1, person_use_limit FROM coupon WHERE tenant_id = $1 AND id = $2
         ON CONFLICT (tenant_id, coupon_id, user_id) DO UPDATE SET uses = coupon_person.uses + 1
         WHERE coupon_person.uses < coupon_person.use_limit
         RETURNING uses = use_limit",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(was_last)
}

/// Makes the order the person's first purchase, unless they have bought something or another order is to be the first;
/// whether it is.
pub async fn hold_first_purchase(
    tx: &mut TenantTransaction,
    order: OrderId,
    user: UserId,
) -> Result<bool, StoreError> {
    let held = sqlx::query(
        "INSERT INTO first_purchase (tenant_id, user_id, order_id)
         SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM customer_order
             WHERE tenant_id = $1 AND user_id = $2 AND id <> $3 AND paid_at IS NOT NULL)
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET order_id = excluded.order_id
         WHERE first_purchase.order_id = excluded.order_id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(user.as_uuid())
    .bind(order.as_uuid())
    .execute(tx.connection())
    .await?;
    Ok(held.rows_affected() == 1)
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

/// A use that somebody held is free again for them; whether none was left before. `None` where there is no limit.
pub async fn release_coupon_of_person(
    tx: &mut TenantTransaction,
    id: CouponId,
    user: UserId,
) -> Result<Option<bool>, StoreError> {
    let was_spent = sqlx::query_scalar(
        "UPDATE coupon_person SET uses = uses - 1 WHERE tenant_id = $1 AND coupon_id = $2 AND user_id = $3
         RETURNING uses + 1 = use_limit",
    )
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.connection())
    .await?;
    Ok(was_spent)
}

/// The order is not to be the person's first purchase any longer, if it was.
pub async fn release_first_purchase(
    tx: &mut TenantTransaction,
    order: OrderId,
    user: UserId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM first_purchase WHERE tenant_id = $1 AND user_id = $2 AND order_id = $3")
        .bind(tx.tenant().as_uuid())
        .bind(user.as_uuid())
        .bind(order.as_uuid())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The coupons that an order uses or would use, in the order in which they are locked.
pub async fn coupons_of_order(
    tx: &mut TenantTransaction,
    order: OrderId,
) -> Result<Vec<CouponId>, StoreError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT coupon_id FROM coupon_use WHERE tenant_id = $1 AND order_id = $2 ORDER BY coupon_id",
    )
    .bind(tx.tenant().as_uuid())
    .bind(order.as_uuid())
    .fetch_all(tx.connection())
    .await?;
    Ok(ids.into_iter().map(CouponId::from_uuid).collect())
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
         ON CONFLICT (tenant_id, order_id, coupon_id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at",
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
