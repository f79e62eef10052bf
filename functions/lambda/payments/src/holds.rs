//! The uses of coupons that an order holds, confirms or releases: of the coupon's, of the person's own, and of the person's
//! first purchase. The edge hears when a last one goes and when one comes back, so that its quotes are not for nothing.
//!
//! Coupons are locked in the order of their ids, and the first purchase last: two orders on the same ones wait for each
//! other, and never both.

use akademi_domain::{
    ids::{CouponId, OrderId, UserId},
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{feed, postgres::TenantTransaction};

use crate::{
    PaymentsError,
    store::{self, Order},
};

/// Takes one of the uses that are left of each coupon, for an order that is stored; whether there was one of each. If not,
/// the transaction must not be committed.
pub async fn take(
    tx: &mut TenantTransaction,
    order: &Order,
    coupons: &[CouponId],
    now: Timestamp,
) -> Result<bool, PaymentsError> {
    let mut coupons = coupons.to_vec();
    coupons.sort_unstable();
    let mut first_purchase_only = false;
    for coupon in coupons {
        let Some(held) = store::hold_coupon(tx, coupon).await? else { return Ok(false) };
        if held.was_last {
            announce(tx, coupon, false, now).await?;
        }
        if held.is_limited_per_person {
            match store::hold_coupon_of_person(tx, coupon, order.user).await? {
                None => return Ok(false),
                Some(true) => announce_to_person(tx, coupon, order.user, true, now).await?,
                Some(false) => {}
            }
        }
        first_purchase_only |= held.first_purchase_only;
        store::save_coupon_use(tx, order.id, coupon, "held", now).await?;
    }
    Ok(!first_purchase_only || store::hold_first_purchase(tx, order.id, order.user).await?)
}

/// Takes what the order held before it ended; whether all of it could be had. If not, nothing of it is taken.
pub async fn take_again(
    tx: &mut TenantTransaction,
    order: &Order,
    now: Timestamp,
) -> Result<bool, PaymentsError> {
    let coupons = store::coupons_of_order(tx, order.id).await?;
    if coupons.is_empty() {
        return Ok(true);
    }
    store::begin_holds(tx).await?;
    let all_taken = take(tx, order, &coupons, now).await?;
    if !all_taken {
        store::undo_holds(tx).await?;
    }
    Ok(all_taken)
}

/// The uses that were taken are the order's for good.
pub async fn confirm(
    tx: &mut TenantTransaction,
    order: OrderId,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    for coupon in store::coupons_of_order(tx, order).await? {
        store::confirm_coupon(tx, coupon).await?;
        store::save_coupon_use(tx, order, coupon, "confirmed", now).await?;
    }
    Ok(())
}

/// The uses that were taken are free again.
pub async fn release(tx: &mut TenantTransaction, order: &Order, now: Timestamp) -> Result<(), PaymentsError> {
    for coupon in store::coupons_of_order(tx, order.id).await? {
        if store::release_coupon(tx, coupon).await? {
            announce(tx, coupon, true, now).await?;
        }
        if store::release_coupon_of_person(tx, coupon, order.user).await? == Some(true) {
            announce_to_person(tx, coupon, order.user, false, now).await?;
        }
        store::save_coupon_use(tx, order.id, coupon, "released", now).await?;
    }
    store::release_first_purchase(tx, order.id, order.user).await?;
    Ok(())
}

async fn announce(
    tx: &mut TenantTransaction,
    coupon: CouponId,
    available: bool,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    if let Some(found) = store::find_coupon(tx, coupon).await? {
        let saved = LambdaEvent::CouponSaved {
            id: found.id,
            code: found.code,
            terms: found.terms,
            available,
            at: now,
        };
        feed::append(tx, &saved, now).await?;
    }
    Ok(())
}

async fn announce_to_person(
    tx: &mut TenantTransaction,
    coupon: CouponId,
    person: UserId,
    spent: bool,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    feed::append(tx, &LambdaEvent::CouponSpent { coupon, person, spent, at: now }, now).await?;
    Ok(())
}
