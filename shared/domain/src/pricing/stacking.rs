//! Several coupons at once.
//!
//! Those that stack apply one after another, each to what the ones before it left: first what is free, then shares,
//! then fixed amounts, and of one kind the older coupon first. So the result does not depend on the order in which codes
//! are typed, a share is taken of the price and not of what a fixed amount left of it (which is the better for the
//! buyer), and none is used up on what another makes free.
//!
//! One that does not stack applies alone. Of the stack and each of those, what takes off most is taken; of equals, one
//! coupon rather than the stack, and the one that was given first.

use super::{Basket, Coupon, CouponOutcome, CouponRefusal, Discount, Line, PricingError, spread::spread};
use crate::{money::Currency, time::Timestamp};

/// Coupons that apply together, by their places in the basket, and what they leave.
struct Together {
    /// Of each line, in minor units.
    totals: Vec<i64>,
    /// What each coupon takes off.
    taken: Vec<(usize, i64)>,
}

/// What each line costs with the coupons, in minor units and between zero and its price; and what became of each coupon.
/// The lines are in `currency`, not negative, and sum to `subtotal`.
///
/// # Errors
/// [`PricingError::Negative`] or [`PricingError::Overflow`] if an amount of a coupon is.
pub(super) fn lower(
    basket: &Basket<'_>,
    currency: Currency,
    subtotal: i64,
    now: Timestamp,
) -> Result<(Vec<i64>, Vec<CouponOutcome>), PricingError> {
    let mut outcomes = Vec::with_capacity(basket.coupons.len());
    let (mut stack, mut choices) = (Vec::new(), Vec::new());
    for (place, (id, coupon)) in basket.coupons.iter().enumerate() {
        let refusal = coupon.refusal(basket, currency, subtotal, now)?;
        outcomes.push(CouponOutcome::Refused(refusal.unwrap_or(CouponRefusal::NothingToTakeOff)));
        match refusal {
            Some(_) => {}
            None if coupon.stackable => stack.push((rank(coupon), id, place, coupon)),
            None => choices.push(Together::of(basket.lines, [(place, coupon)])),
        }
    }
    stack.sort_by_key(|(rank, id, ..)| (*rank, **id));
    choices.push(Together::of(basket.lines, stack.into_iter().map(|(_, _, place, coupon)| (place, coupon))));

    let most = choices.iter().map(Together::discount).max();
    let best = choices.iter().position(|choice| Some(choice.discount()) == most);
    let mut totals: Vec<i64> = basket.lines.iter().map(|line| line.price.amount).collect();
    for (index, choice) in choices.into_iter().enumerate() {
        let outcome = if Some(index) == best {
            totals = choice.totals;
            CouponOutcome::Applied
        } else {
            CouponOutcome::Refused(CouponRefusal::NotCombined)
        };
        for (place, _) in choice.taken.into_iter().filter(|(_, taken)| *taken > 0) {
            if let Some(slot) = outcomes.get_mut(place) {
                *slot = outcome;
            }
        }
    }
    Ok((totals, outcomes))
}

const fn rank(coupon: &Coupon) -> u8 {
    match coupon.discount {
        Discount::Free => 0,
        Discount::Percent { .. } => 1,
        Discount::Fixed { .. } => 2,
    }
}

impl Together {
    fn of<'a>(lines: &[Line], coupons: impl IntoIterator<Item = (usize, &'a Coupon)>) -> Self {
        let mut totals: Vec<i64> = lines.iter().map(|line| line.price.amount).collect();
        let mut taken = Vec::new();
        for (place, coupon) in coupons {
            let held = |(line, total): (&Line, &i64)| if coupon.scope.holds(line) { *total } else { 0 };
            let held: Vec<i64> = lines.iter().zip(&totals).map(held).collect();
            let discount = coupon.discount.of(held.iter().sum());
            for (total, part) in totals.iter_mut().zip(spread(discount, &held)) {
                *total -= part;
            }
            taken.push((place, discount));
        }
        Self { totals, taken }
    }

    fn discount(&self) -> i64 {
        self.taken.iter().map(|(_, discount)| discount).sum()
    }
}
