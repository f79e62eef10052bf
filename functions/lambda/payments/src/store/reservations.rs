//! Reservations: parts of what ends are held, then confirmed or released, all that one holder has at once. The ceilings are
//! the database's.
//!
//! Every statement locks budgets in the order of their keys: two holders on the same ones wait for each other, and never
//! both.

use akademi_domain::time::Timestamp;
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::unreadable;

/// What ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub kind: BudgetKind,
    /// The payment, coupon, person or course.
    pub subject: Uuid,
    /// Whose own share it is; nil for everybody's.
    pub person: Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetKind {
    /// A payment's money that may go back, in minor units.
    Refund,
    /// A coupon's uses.
    Coupon,
    /// One person's uses of a coupon.
    CouponOfPerson,
    /// The one first purchase of a person.
    FirstPurchase,
    /// A course's seats.
    Seat,
}

impl BudgetKind {
    const ALL: [Self; 5] =
        [Self::Refund, Self::Coupon, Self::CouponOfPerson, Self::FirstPurchase, Self::Seat];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Coupon => "coupon",
            Self::CouponOfPerson => "coupon_of_person",
            Self::FirstPurchase => "first_purchase",
            Self::Seat => "seat",
        }
    }
}

/// A part that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    pub of: Budget,
    pub amount: i64,
    /// Of the budget, should this be the first hold of it; `None` is without end.
    pub ceiling: Option<i64>,
}

/// A budget of which something was taken or given back.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    pub of: Budget,
    /// What is used for good, without what is held.
    pub used: i64,
    /// Nothing is left since something was held, or was left until something was released.
    pub at_ceiling: bool,
}

/// Makes a budget that is seen before anything is held of it.
pub async fn open_budget(
    tx: &mut TenantTransaction,
    of: Budget,
    ceiling: Option<i64>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO budget (tenant_id, kind, subject_id, person_id, ceiling) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(tx.tenant().as_uuid())
    .bind(of.kind.name())
    .bind(of.subject)
    .bind(of.person)
    .bind(ceiling)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Refused (`budget_within_ceiling`) if more is held and used.
pub async fn set_ceiling(
    tx: &mut TenantTransaction,
    of: Budget,
    ceiling: Option<i64>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE budget SET ceiling = $4 WHERE tenant_id = $1 AND kind = $2 AND subject_id = $3 AND person_id = $5",
    )
    .bind(tx.tenant().as_uuid())
    .bind(of.kind.name())
    .bind(of.subject)
    .bind(ceiling)
    .bind(of.person)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Holds all of these for the holder. An answer with fewer of them: so much was not left, and the transaction must go back.
pub async fn hold(
    tx: &mut TenantTransaction,
    holder: Uuid,
    holds: &[Hold],
    now: Timestamp,
) -> Result<Vec<Moved>, StoreError> {
    let column = |value: fn(&Hold) -> i64| holds.iter().map(value).collect::<Vec<i64>>();
    let rows = sqlx::query(
        "WITH wanted AS (
             SELECT * FROM UNNEST($2::text[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[])
                 AS wanted (kind, subject_id, person_id, amount, ceiling)
         ), taken AS (
             INSERT INTO budget (tenant_id, kind, subject_id, person_id, ceiling, held)
             SELECT $1, kind, subject_id, person_id, ceiling, amount FROM wanted
             WHERE ceiling IS NULL OR amount <= ceiling ORDER BY kind, subject_id, person_id
             ON CONFLICT (tenant_id, kind, subject_id, person_id) DO UPDATE SET held = budget.held + excluded.held
             WHERE budget.ceiling IS NULL OR budget.held + budget.used + excluded.held <= budget.ceiling
             RETURNING kind, subject_id, person_id, used, COALESCE(held + used = ceiling, false) AS at_ceiling
         ), noted AS (
             INSERT INTO reservation (tenant_id, kind, subject_id, person_id, holder_id, amount, state, updated_at)
             SELECT $1, kind, subject_id, person_id, $7, amount, 'held', $8
             FROM taken JOIN wanted USING (kind, subject_id, person_id)
             ON CONFLICT (tenant_id, kind, subject_id, person_id, holder_id) DO UPDATE
             SET amount = excluded.amount, state = excluded.state, updated_at = excluded.updated_at
             WHERE reservation.state = 'released'
             RETURNING kind, subject_id, person_id
         )
         SELECT taken.* FROM taken JOIN noted USING (kind, subject_id, person_id)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(holds.iter().map(|hold| hold.of.kind.name()).collect::<Vec<_>>())
    .bind(holds.iter().map(|hold| hold.of.subject).collect::<Vec<_>>())
    .bind(holds.iter().map(|hold| hold.of.person).collect::<Vec<_>>())
    .bind(column(|hold| hold.amount))
    .bind(holds.iter().map(|hold| hold.ceiling).collect::<Vec<_>>())
    .bind(holder)
    .bind(now.as_millis())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(moved).collect()
}

/// What the holder held and gave back, as it would be held again.
pub async fn list_released(tx: &mut TenantTransaction, holder: Uuid) -> Result<Vec<Hold>, StoreError> {
    let rows = sqlx::query(
        "SELECT kind, subject_id, person_id, amount, ceiling
         FROM reservation JOIN budget USING (tenant_id, kind, subject_id, person_id)
         WHERE tenant_id = $1 AND holder_id = $2 AND state = 'released'",
    )
    .bind(tx.tenant().as_uuid())
    .bind(holder)
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Hold { of: budget(row)?, amount: row.try_get("amount")?, ceiling: row.try_get("ceiling")? })
        })
        .collect()
}

/// What the holder holds is used for good. The answer is empty if it holds nothing.
pub async fn confirm(
    tx: &mut TenantTransaction,
    holder: Uuid,
    now: Timestamp,
) -> Result<Vec<Moved>, StoreError> {
    end(tx, holder, "confirmed", now).await
}

/// What the holder holds is free again. The answer is empty if it holds nothing.
pub async fn release(
    tx: &mut TenantTransaction,
    holder: Uuid,
    now: Timestamp,
) -> Result<Vec<Moved>, StoreError> {
    end(tx, holder, "released", now).await
}

/// Whoever calls it has locked the holder, so that its reservations stay as they are.
async fn end(
    tx: &mut TenantTransaction,
    holder: Uuid,
    state: &str,
    now: Timestamp,
) -> Result<Vec<Moved>, StoreError> {
    let rows = sqlx::query(
        "WITH mine AS (
             SELECT kind, subject_id, person_id, amount
             FROM reservation JOIN budget USING (tenant_id, kind, subject_id, person_id)
             WHERE tenant_id = $1 AND holder_id = $2 AND state = 'held'
             ORDER BY kind, subject_id, person_id FOR UPDATE OF budget
         ), ended AS (
             UPDATE reservation SET state = $3, updated_at = $4 FROM mine
             WHERE tenant_id = $1 AND holder_id = $2 AND reservation.kind = mine.kind
               AND reservation.subject_id = mine.subject_id AND reservation.person_id = mine.person_id
         )
         UPDATE budget SET held = held - amount, used = used + CASE $3 WHEN 'confirmed' THEN amount ELSE 0 END
         FROM mine
         WHERE tenant_id = $1 AND budget.kind = mine.kind AND budget.subject_id = mine.subject_id
           AND budget.person_id = mine.person_id
         RETURNING budget.kind, budget.subject_id, budget.person_id, used,
                   COALESCE(held + used + CASE $3 WHEN 'confirmed' THEN 0 ELSE amount END = ceiling, false) AS at_ceiling",
    )
    .bind(tx.tenant().as_uuid())
    .bind(holder)
    .bind(state)
    .bind(now.as_millis())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(moved).collect()
}

/// What the holder used of this for good is free again; `None` if it has used nothing.
pub async fn give_back(
    tx: &mut TenantTransaction,
    holder: Uuid,
    of: Budget,
    now: Timestamp,
) -> Result<Option<Moved>, StoreError> {
    let row = sqlx::query(
        "WITH ended AS (
             UPDATE reservation SET state = 'released', updated_at = $6
             WHERE tenant_id = $1 AND holder_id = $2 AND kind = $3 AND subject_id = $4 AND person_id = $5
               AND state = 'confirmed'
             RETURNING amount
         )
         UPDATE budget SET used = used - amount FROM ended
         WHERE tenant_id = $1 AND kind = $3 AND subject_id = $4 AND person_id = $5
         RETURNING kind, subject_id, person_id, used, COALESCE(held + used + amount = ceiling, false) AS at_ceiling",
    )
    .bind(tx.tenant().as_uuid())
    .bind(holder)
    .bind(of.kind.name())
    .bind(of.subject)
    .bind(of.person)
    .bind(now.as_millis())
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(moved).transpose()
}

fn budget(row: &PgRow) -> Result<Budget, StoreError> {
    let kind: &str = row.try_get("kind")?;
    let kind = BudgetKind::ALL.into_iter().find(|known| known.name() == kind);
    Ok(Budget {
        kind: kind.ok_or_else(|| unreadable("kind", "is no kind of a budget"))?,
        subject: row.try_get("subject_id")?,
        person: row.try_get("person_id")?,
    })
}

fn moved(row: &PgRow) -> Result<Moved, StoreError> {
    Ok(Moved { of: budget(row)?, used: row.try_get("used")?, at_ceiling: row.try_get("at_ceiling")? })
}
