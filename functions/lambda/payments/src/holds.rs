//! The use of a coupon that an order holds, confirms or releases. The edge hears when the last one goes and when one
//! comes back, so that its quotes are not for nothing.

use akademi_domain::{
    ids::{CouponId, OrderId},
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{feed, postgres::TenantTransaction};

use crate::{PaymentsError, store};

/// Takes one of the uses that are left, before the order of it is stored; whether there was one.
pub async fn take(
    tx: &mut TenantTransaction,
    coupon: CouponId,
    now: Timestamp,
) -> Result<bool, PaymentsError> {
    let Some(was_last) = store::hold_coupon(tx, coupon).await? else { return Ok(false) };
    if was_last {
        announce(tx, coupon, false, now).await?;
    }
    Ok(true)
}

/// The use that was taken is the order's for good.
pub async fn confirm(
    tx: &mut TenantTransaction,
    order: OrderId,
    coupon: CouponId,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    store::confirm_coupon(tx, coupon).await?;
    store::save_coupon_use(tx, order, coupon, "confirmed", now).await?;
    Ok(())
}

/// The use that was taken is free again.
pub async fn release(
    tx: &mut TenantTransaction,
    order: OrderId,
    coupon: CouponId,
    now: Timestamp,
) -> Result<(), PaymentsError> {
    let was_used_up = store::release_coupon(tx, coupon).await?;
    store::save_coupon_use(tx, order, coupon, "released", now).await?;
    if was_used_up {
        announce(tx, coupon, true, now).await?;
    }
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
