//! Several coupons at once.

use super::*;

fn stackable(discount: Discount) -> Coupon {
    Coupon { stackable: true, ..coupon(discount) }
}

fn fixed(amount: i64) -> Discount {
    Discount::Fixed { amount: lira(amount) }
}

fn of_course(n: usize, coupon: Coupon) -> Coupon {
    Coupon { scope: CouponScope::Courses { courses: vec![course(n)] }, ..coupon }
}

#[test]
fn a_share_is_taken_before_a_fixed_amount_however_the_codes_are_typed() {
    let (share, amount) = (stackable(percent(1_000)), stackable(fixed(2_000)));
    for coupons in [[share.clone(), amount.clone()], [amount, share]] {
        let quote = quote(&basket(&[10_000]), &coupons).unwrap();
        assert_eq!((quote.total, quote.coupons), (lira(7_000), vec![APPLIED; 2]), "10 % of 100, then 20");
    }
    let shares = [stackable(percent(5_000)), stackable(percent(5_000))];
    assert_eq!(quote(&basket(&[10_000]), &shares).unwrap().total, lira(2_500), "of what is left");
}

#[test]
fn what_is_free_uses_up_no_other_coupon() {
    let free = of_course(0, stackable(Discount::Free));
    let amount = of_course(0, stackable(fixed(100)));
    let tenth = stackable(percent(1_000));
    let quote = quote(&basket(&[10_000, 1_000]), &[amount, tenth, free]).unwrap();
    assert_eq!((quote.total, discounts(&quote)), (lira(900), vec![10_000, 100]));
    assert_eq!(quote.coupons, [refused(CouponRefusal::NothingToTakeOff), APPLIED, APPLIED]);
}

#[test]
fn a_coupon_on_what_costs_nothing_is_not_used_up() {
    for discount in [percent(10_000), fixed(5), Discount::Free] {
        let quote = quote(&basket(&[0]), &[coupon(discount)]).unwrap();
        assert_eq!(quote.coupons, [refused(CouponRefusal::NothingToTakeOff)]);
    }
}

#[test]
fn of_coupons_that_do_not_stack_the_best_is_taken() {
    let lines = basket(&[10_000, 5_000]);
    let [large, small] = [coupon(fixed(3_000)), coupon(percent(1_000))];
    let not_combined = refused(CouponRefusal::NotCombined);
    let two = quote(&lines, &[small.clone(), large.clone()]).unwrap();
    assert_eq!((two.discount, two.coupons), (lira(3_000), vec![not_combined, APPLIED]));

    let stack = [stackable(fixed(2_000)), stackable(fixed(1_500))];
    let with_stack = [&stack[..], &[large.clone(), small]].concat();
    let quote_of_four = quote(&lines, &with_stack).unwrap();
    assert_eq!(quote_of_four.discount, lira(3_500), "the stack is better than either alone");
    assert_eq!(quote_of_four.coupons, [APPLIED, APPLIED, not_combined, not_combined]);

    let weaker = [&stack[1..], &[large]].concat();
    let quote_of_two = quote(&lines, &weaker).unwrap();
    assert_eq!((quote_of_two.discount, quote_of_two.coupons), (lira(3_000), vec![not_combined, APPLIED]));
    let equal = quote(&lines, &[coupon(fixed(500)), coupon(fixed(500)), stackable(fixed(500))]).unwrap();
    assert_eq!(equal.coupons, [APPLIED, not_combined, not_combined], "of equals the first");
}

#[test]
fn the_minimum_is_of_the_basket_before_any_discount() {
    let half = stackable(percent(5_000));
    let large = Coupon { minimum_total: Some(lira(10_000)), ..stackable(fixed(1_000)) };
    let quote = quote(&basket(&[10_000]), &[half, large]).unwrap();
    assert_eq!((quote.total, quote.coupons), (lira(4_000), vec![APPLIED; 2]));
}

#[test]
fn a_first_purchase_is_told_from_a_later_one() {
    let welcome = Coupon { first_purchase_only: true, ..coupon(percent(1_000)) };
    assert_eq!(quote(&basket(&[100]), std::slice::from_ref(&welcome)).unwrap().coupons, [APPLIED]);
    let coupons = [(CouponId::new(NOW, [0; 10]), welcome)];
    let lines = basket(&[100]);
    let later = Basket { lines: &lines, coupons: &coupons, is_first_purchase: false };
    let quote = super::super::quote(&later, NOW).unwrap();
    assert_eq!((quote.coupons, quote.total), (vec![refused(CouponRefusal::NotFirstPurchase)], lira(100)));
}

#[test]
fn more_coupons_than_five_or_one_twice_have_their_own_error() {
    let tenth = stackable(percent(1_000));
    assert!(quote(&basket(&[100]), &vec![tenth.clone(); 5]).is_ok());
    assert_eq!(quote(&basket(&[100]), &vec![tenth.clone(); 6]), Err(PricingError::TooManyCoupons));
    let id = CouponId::new(NOW, [0; 10]);
    let twice = [(id, tenth.clone()), (id, tenth)];
    let lines = basket(&[100]);
    let basket = Basket { lines: &lines, coupons: &twice, is_first_purchase: true };
    assert_eq!(super::super::quote(&basket, NOW), Err(PricingError::DuplicateCoupon(1)));
}
