//! What an order holds of what ends, confirms or releases: the uses of its coupons, the person's own of them and their first
//! purchase, and seats of its courses. The edge hears when the last of something goes and when one comes back, so that its
//! quotes are not for nothing.

use akademi_domain::{
    ids::{CouponId, CourseId, UserId},
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{feed, postgres::TenantTransaction};
use uuid::Uuid;

use crate::{
    PaymentsError,
    store::{self, Budget, BudgetKind, Coupon, Hold, Moved, Order},
};

/// One of each that an order of this person needs: with these coupons, and of courses whose seats are
/// counted.
pub fn needed(user: UserId, coupons: &[Coupon], seats: &[CourseId]) -> Vec<Hold> {
    let one =
        |kind, subject, person, ceiling| Hold { of: Budget { kind, subject, person }, amount: 1, ceiling };
    let user = user.as_uuid();
    let mut holds = Vec::new();
    for coupon in coupons {
        let id = coupon.id.as_uuid();
        holds.push(Hold { of: uses_of(coupon.id), amount: 1, ceiling: coupon.use_limit });
        if let Some(limit) = coupon.person_use_limit {
            holds.push(one(BudgetKind::CouponOfPerson, id, user, Some(limit)));
        }
    }
    if coupons.iter().any(|coupon| coupon.terms.first_purchase_only) {
        holds.push(one(BudgetKind::FirstPurchase, user, user, Some(1)));
    }
    holds.extend(seats.iter().map(|course| Hold { of: seats_of(*course), amount: 1, ceiling: None }));
    holds
}

/// The uses of a coupon.
pub const fn uses_of(coupon: CouponId) -> Budget {
    Budget { kind: BudgetKind::Coupon, subject: coupon.as_uuid(), person: Uuid::nil() }
}

/// The seats of a course.
pub const fn seats_of(course: CourseId) -> Budget {
    Budget { kind: BudgetKind::Seat, subject: course.as_uuid(), person: Uuid::nil() }
}

/// What could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Use,
    Seat,
}

/// Takes all of these for an order that is stored; `None` if there were. If not, the transaction must not be committed.
pub async fn take(
    tx: &mut TenantTransaction,
    order: &Order,
    holds: &[Hold],
    now: Timestamp,
) -> Result<Option<Missing>, PaymentsError> {
    if holds.is_empty() {
        return Ok(None);
    }
    let taken = store::hold(tx, order.id.as_uuid(), holds, now).await?;
    if let Some(missing) = holds.iter().find(|hold| taken.iter().all(|taken| taken.of != hold.of)) {
        let is_seat = missing.of.kind == BudgetKind::Seat;
        return Ok(Some(if is_seat { Missing::Seat } else { Missing::Use }));
    }
    let is_first = holds.iter().any(|hold| hold.of.kind == BudgetKind::FirstPurchase);
    if is_first && store::has_paid_before(tx, order.id, order.user).await? {
        return Ok(Some(Missing::Use));
    }
    announce(tx, &taken, false, now).await?;
    Ok(None)
}

/// Whether the coupons among what was just taken still let a person use them so often: what was known of them was read before
/// their uses were locked, and somebody's first use keeps it.
pub async fn are_current(tx: &mut TenantTransaction, holds: &[Hold]) -> Result<bool, PaymentsError> {
    let limits = holds.iter().filter(|hold| hold.of.kind == BudgetKind::CouponOfPerson);
    let limits: Vec<_> = limits.map(|hold| (CouponId::from_uuid(hold.of.subject), hold.ceiling)).collect();
    Ok(limits.is_empty() || store::are_person_use_limits(tx, &limits).await?)
}

/// Takes what the order held before it ended; whether all of it could be had. If not, nothing of it is taken.
pub async fn take_again(
    tx: &mut TenantTransaction,
    order: &Order,
    now: Timestamp,
) -> Result<bool, PaymentsError> {
    let holds = store::list_released(tx, order.id.as_uuid()).await?;
    if holds.is_empty() {
        return Ok(true);
    }
    store::begin_holds(tx).await?;
    let all_taken = take(tx, order, &holds, now).await?.is_none();
    if !all_taken {
        store::undo_holds(tx).await?;
    }
    Ok(all_taken)
}

/// What was taken is free again.
pub async fn release(tx: &mut TenantTransaction, order: &Order, now: Timestamp) -> Result<(), PaymentsError> {
    let released = store::release(tx, order.id.as_uuid(), now).await?;
    announce(tx, &released, true, now).await
}

/// The seat of a paid course is free again.
pub async fn give_seat_back(
    tx: &mut TenantTransaction,
    order: &Order,
    course: CourseId,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    let freed = store::give_back(tx, order.id.as_uuid(), seats_of(course), now).await?;
    announce(tx, freed.as_slice(), true, now).await
}

/// Tells the edge of each budget whose last part went, or came back.
async fn announce(
    tx: &mut TenantTransaction,
    moved: &[Moved],
    available: bool,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    for moved in moved.iter().filter(|moved| moved.at_ceiling) {
        let Budget { kind, subject, person } = moved.of;
        let told = match kind {
            BudgetKind::Coupon => store::find_coupon(tx, CouponId::from_uuid(subject)).await?.map(|found| {
                LambdaEvent::CouponSaved {
                    id: found.id,
                    code: found.code,
                    terms: found.terms,
                    available,
                    at: now,
                }
            }),
            BudgetKind::CouponOfPerson => Some(LambdaEvent::CouponSpent {
                coupon: CouponId::from_uuid(subject),
                person: UserId::from_uuid(person),
                spent: !available,
                at: now,
            }),
            BudgetKind::Seat => Some(LambdaEvent::SeatsSet {
                course: CourseId::from_uuid(subject),
                limited: true,
                available,
                at: now,
            }),
            BudgetKind::Refund | BudgetKind::FirstPurchase => None,
        };
        if let Some(told) = told {
            feed::append(tx, &told, now).await?;
        }
    }
    Ok(())
}
