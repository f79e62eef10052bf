//! Sales and bundles.

use super::*;
use crate::ids::BundleId;

fn product(n: usize, price: i64, rate: u16) -> Product {
    Product {
        course: course(n),
        price: lira(price),
        sale: None,
        vat_rate: basis_points(rate),
        categories: vec!["yazilim".parse().unwrap()],
    }
}

fn bundle(price: i64, courses: Vec<Product>) -> Bundle {
    Bundle { id: BundleId::new(NOW, [1; 10]), price: lira(price), sale: None, courses }
}

fn sale(price: i64) -> Option<Sale> {
    Some(Sale { price: lira(price), starts_at: NOW, ends_at: NOW.plus_seconds(60) })
}

fn prices(lines: &[Line]) -> Vec<i64> {
    lines.iter().map(|line| line.price.amount).collect()
}

#[test]
fn a_sale_holds_from_its_first_moment_until_before_its_end() {
    let on_sale = Product { sale: sale(700), ..product(0, 1_000, 2_000) };
    for (seconds, price) in [(-1, 1_000), (0, 700), (59, 700), (60, 1_000)] {
        assert_eq!(on_sale.line(NOW.plus_seconds(seconds)).price, lira(price), "{seconds}");
    }
    let set = bundle(3_000, vec![product(0, 1_000, 2_000), product(1, 3_000, 1_000)]);
    let on_sale = Bundle { sale: sale(2_000), ..set };
    assert_eq!(prices(&on_sale.lines(&[], NOW).unwrap()), [500, 1_500]);
    assert_eq!(prices(&on_sale.lines(&[], NOW.plus_seconds(60)).unwrap()), [750, 2_250]);
    let euros = Money { amount: 1, currency: Currency::EUR };
    let elsewhere = Sale { price: euros, ..sale(0).unwrap() };
    let line = Product { sale: Some(elsewhere), ..product(0, 1_000, 0) }.line(NOW);
    assert_eq!(line.price, lira(1_000), "a sale in another currency is none");
}

#[test]
fn a_bundle_is_its_courses_each_with_its_price_and_its_own_vat() {
    let set = bundle(10_000, vec![product(0, 5_000, 2_000), product(1, 5_000, 1_000), product(2, 5_000, 0)]);
    let lines = set.lines(&[], NOW).unwrap();
    assert_eq!(prices(&lines), [3_334, 3_333, 3_333]);
    assert!(lines.iter().all(|line| line.bundle == Some(set.id)));
    let quote = quote(&lines, &[]).unwrap();
    let vat: Vec<i64> = quote.lines.iter().map(|line| line.vat.amount).collect();
    assert_eq!((quote.total, vat), (lira(10_000), vec![556, 303, 0]));

    let free = bundle(100, vec![product(0, 0, 0), product(1, 0, 0), product(2, 0, 0)]);
    assert_eq!(prices(&free.lines(&[], NOW).unwrap()), [34, 33, 33], "they share equally");
    let cheap = Product { sale: sale(1), ..product(0, 5_000, 0) };
    let sold = bundle(8_000, vec![cheap, product(1, 5_000, 0)]);
    assert_eq!(prices(&sold.lines(&[], NOW).unwrap()), [4_000, 4_000], "a course's own sale moves nothing");
}

#[test]
fn a_bundle_with_a_course_that_the_person_has_is_refused_with_it() {
    let set = bundle(100, vec![product(0, 100, 0), product(1, 100, 0)]);
    assert_eq!(set.lines(&[course(7), course(1)], NOW), Err(BundleRefusal::AlreadyEnrolled(course(1))));
    assert!(set.lines(&[course(7)], NOW).is_ok());
    let euros = Product { price: Money { amount: 1, currency: Currency::EUR }, ..product(1, 0, 0) };
    for broken in [
        bundle(100, vec![]),
        bundle(-1, vec![product(0, 1, 0)]),
        bundle(MAX_AMOUNT + 1, vec![product(0, 1, 0)]),
        bundle(100, vec![product(0, 100, 0), euros]),
        bundle(100, vec![product(0, -1, 0)]),
    ] {
        assert_eq!(broken.lines(&[], NOW), Err(BundleRefusal::NotForSale));
    }
    let twice = [set.lines(&[], NOW).unwrap(), vec![product(1, 100, 0).line(NOW)]].concat();
    assert_eq!(quote(&twice, &[]), Err(PricingError::Duplicate(2)), "alone and in the bundle");
}

#[test]
fn a_coupon_is_for_categories_or_bundles_and_a_bundle_is_no_course_of_either() {
    let alone = product(0, 1_000, 2_000).line(NOW);
    let other = Line { categories: vec!["muzik".parse().unwrap()], ..line(1, 1_000) };
    let set = bundle(2_000, vec![product(2, 1_000, 0), product(3, 1_000, 0)]);
    let lines = [vec![alone, other], set.lines(&[], NOW).unwrap()].concat();
    for (scope, expected) in [
        (CouponScope::All, [100, 100, 100, 100]),
        (CouponScope::Courses { courses: vec![course(0), course(2)] }, [100, 0, 0, 0]),
        (CouponScope::Categories { categories: vec!["yazilim".parse().unwrap()] }, [100, 0, 0, 0]),
        (CouponScope::Bundles { bundles: vec![set.id] }, [0, 0, 100, 100]),
    ] {
        let tenth = Coupon { scope, ..coupon(percent(1_000)) };
        assert_eq!(discounts(&quote(&lines, &[tenth]).unwrap()), expected);
    }
    let strange = Coupon {
        scope: CouponScope::Bundles { bundles: vec![BundleId::new(NOW, [9; 10])] },
        ..coupon(Discount::Free)
    };
    let quote = quote(&lines, &[strange]).unwrap();
    assert_eq!(quote.coupons, [refused(CouponRefusal::NotForTheseCourses)]);
}
