mod bundles;
mod properties;
mod several;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn lira(amount: i64) -> Money {
    Money { amount, currency: Currency::TRY }
}

fn course(n: usize) -> CourseId {
    CourseId::new(NOW, [n as u8; 10])
}

fn basis_points(value: u16) -> BasisPoints {
    BasisPoints::new(value).unwrap()
}

fn line(n: usize, price: i64) -> Line {
    Line {
        course: course(n),
        bundle: None,
        categories: Vec::new(),
        price: lira(price),
        vat_rate: basis_points(2000),
    }
}

/// Courses 0, 1, … at these prices, with 20 % VAT.
fn basket(prices: &[i64]) -> Vec<Line> {
    prices.iter().enumerate().map(|(n, price)| line(n, *price)).collect()
}

fn coupon(discount: Discount) -> Coupon {
    Coupon {
        discount,
        scope: CouponScope::All,
        minimum_total: None,
        first_purchase_only: false,
        stackable: false,
        starts_at: None,
        ends_at: None,
        public: false,
    }
}

/// The quote for a first purchase, with coupons of the ids 0, 1, …
fn quote(lines: &[Line], coupons: &[Coupon]) -> Result<Quote, PricingError> {
    let id = |n: usize| CouponId::new(NOW, [n as u8; 10]);
    let coupons: Vec<_> = coupons.iter().enumerate().map(|(n, coupon)| (id(n), coupon.clone())).collect();
    super::quote(&Basket { lines, coupons: &coupons, is_first_purchase: true }, NOW)
}

const APPLIED: CouponOutcome = CouponOutcome::Applied;

const fn refused(refusal: CouponRefusal) -> CouponOutcome {
    CouponOutcome::Refused(refusal)
}

fn percent(share: u16) -> Discount {
    Discount::Percent { share: basis_points(share), cap: None }
}

fn discounts(quote: &Quote) -> Vec<i64> {
    quote.lines.iter().map(|line| line.discount.amount).collect()
}

#[test]
fn vat_is_inside_the_price() {
    let quote = quote(&basket(&[14_990, 12_000]), &[]).unwrap();
    assert_eq!((quote.total, quote.vat), (lira(26_990), lira(2_498 + 2_000)));
    assert_eq!((quote.discount, &*quote.coupons), (lira(0), &[][..]));
    for (gross, rate, vat) in
        [(1, 2000, 0), (3, 2000, 1), (11, 1000, 1), (100, 0, 0), (101, 100, 1), (2, 10_000, 1)]
    {
        assert_eq!(vat_inside(gross, basis_points(rate)), vat, "{gross} at {rate}");
    }
}

#[test]
fn a_discount_is_spread_to_the_last_kurus() {
    let thirds = quote(&basket(&[100, 100, 100]), &[coupon(Discount::Fixed { amount: lira(100) })]).unwrap();
    assert_eq!(discounts(&thirds), [34, 33, 33]);
    let uneven = quote(&basket(&[9_999, 1, 5_000]), &[coupon(percent(1_500))]).unwrap();
    assert_eq!((discounts(&uneven), uneven.discount), (vec![1_500, 0, 750], lira(2_250)));
    assert_eq!(uneven.coupons, [APPLIED]);
}

#[test]
fn a_discount_ends_at_its_cap_and_at_nothing_to_pay() {
    let capped = Discount::Percent { share: basis_points(5_000), cap: Some(lira(1_000)) };
    assert_eq!(quote(&basket(&[10_000]), &[coupon(capped)]).unwrap().total, lira(9_000));
    for free in [percent(10_000), Discount::Free] {
        let free = quote(&basket(&[10_000, 5]), &[coupon(free)]).unwrap();
        assert_eq!((free.total, free.vat), (lira(0), lira(0)));
    }
    let large = coupon(Discount::Fixed { amount: lira(MAX_AMOUNT) });
    assert_eq!(quote(&basket(&[10_000, 5]), std::slice::from_ref(&large)).unwrap().total, lira(0));
    assert_eq!(quote(&basket(&[0]), std::slice::from_ref(&large)).unwrap().total, lira(0));
}

#[test]
fn a_coupon_lowers_only_the_courses_it_is_for() {
    let scope = CouponScope::Courses { courses: vec![course(1), course(9)] };
    let some = Coupon { scope, ..coupon(percent(2_500)) };
    let quote = quote(&basket(&[1_000, 1_000, 1_000]), &[some]).unwrap();
    assert_eq!((discounts(&quote), quote.total), (vec![0, 250, 0], lira(2_750)));
}

#[test]
fn a_coupon_that_does_not_apply_says_why_and_changes_nothing() {
    let plain = coupon(percent(1_000));
    let euros = Money { amount: 1, currency: Currency::EUR };
    let (before, after) = (NOW.plus_seconds(-1), NOW.plus_seconds(1));
    for (refusal, coupon) in [
        (CouponRefusal::NotStarted, Coupon { starts_at: Some(after), ..plain.clone() }),
        (CouponRefusal::Expired, Coupon { starts_at: Some(before), ends_at: Some(NOW), ..plain.clone() }),
        (CouponRefusal::OtherCurrency, coupon(Discount::Fixed { amount: euros })),
        (CouponRefusal::OtherCurrency, Coupon { minimum_total: Some(euros), ..plain.clone() }),
        (
            CouponRefusal::NotForTheseCourses,
            Coupon { scope: CouponScope::Courses { courses: vec![course(7)] }, ..plain.clone() },
        ),
        (CouponRefusal::BelowMinimum, Coupon { minimum_total: Some(lira(3_001)), ..plain.clone() }),
    ] {
        let quote = quote(&basket(&[1_000, 2_000]), &[coupon]).unwrap();
        assert_eq!(quote.coupons, [refused(refusal)]);
        assert_eq!((quote.total, quote.discount), (lira(3_000), lira(0)));
    }
    let just =
        Coupon { minimum_total: Some(lira(3_000)), starts_at: Some(NOW), ends_at: Some(after), ..plain };
    assert_eq!(quote(&basket(&[1_000, 2_000]), &[just]).unwrap().coupons, [APPLIED]);
}

#[test]
fn a_basket_without_a_price_has_its_own_error() {
    let euros = Money { amount: 1, currency: Currency::EUR };
    let mixed = [basket(&[1]), vec![Line { price: euros, ..line(5, 0) }]].concat();
    for (lines, error) in [
        (vec![], PricingError::Empty),
        (basket(&[1; MAX_LINES + 1]), PricingError::TooManyLines),
        ([basket(&[1, 2]), basket(&[3])].concat(), PricingError::Duplicate(2)),
        (mixed, PricingError::Currency(1)),
        (basket(&[1, -1]), PricingError::Negative),
        (basket(&[MAX_AMOUNT, 1]), PricingError::Overflow),
        (basket(&[i64::MAX, i64::MAX]), PricingError::Overflow),
    ] {
        assert_eq!(quote(&lines, &[]), Err(error));
    }
    for (amount, error) in [(-1, PricingError::Negative), (MAX_AMOUNT + 1, PricingError::Overflow)] {
        let fixed = coupon(Discount::Fixed { amount: lira(amount) });
        assert_eq!(quote(&basket(&[1]), &[fixed]), Err(error));
    }
}

#[test]
fn a_code_is_the_same_whatever_keyboard_typed_it() {
    let code: CouponCode = "İNDİRİM".parse().unwrap();
    for same in ["indirim", "INDIRIM", "İndirim", " ındırım ", "I\u{307}NDI\u{307}RI\u{307}M"] {
        assert_eq!(same.parse(), Ok(code.clone()), "{same}");
    }
    assert_eq!(code.as_str(), "indirim");
    assert_eq!("KIŞ-2026_Ğ".parse::<CouponCode>().unwrap().as_str(), "kis-2026_g");
    for (text, error) in [
        ("", InvalidCouponCode::Length),
        ("ab", InvalidCouponCode::Length),
        (&*"ş".repeat(33), InvalidCouponCode::Length),
        (&*"x".repeat(100_000), InvalidCouponCode::Length),
        ("a b c", InvalidCouponCode::Character),
        ("abc'", InvalidCouponCode::Character),
        ("кот1", InvalidCouponCode::Character),
        ("ab\u{0}c", InvalidCouponCode::Character),
    ] {
        assert_eq!(text.parse::<CouponCode>(), Err(error), "{text}");
    }
    assert_eq!("Ş".repeat(32).parse::<CouponCode>().unwrap().as_str().len(), 32);
}

#[test]
fn a_coupon_reads_as_json_and_refuses_what_it_does_not_know() {
    let json = r#"{"discount":{"kind":"percent","share":1500,"cap":{"amount":5000,"currency":"TRY"}},
        "scope":{"kind":"all"},"ends_at":"2026-12-31T21:00:00Z"}"#;
    let coupon: Coupon = serde_json::from_str(json).unwrap();
    assert_eq!(coupon.discount, Discount::Percent { share: basis_points(1_500), cap: Some(lira(5_000)) });
    assert_eq!(serde_json::from_str::<Coupon>(&serde_json::to_string(&coupon).unwrap()).unwrap(), coupon);
    assert!(serde_json::from_str::<Coupon>(&json.replace("1500", "10001")).is_err());
    assert!(serde_json::from_str::<Coupon>(&json.replace("ends_at", "end_at")).is_err());
    let refused = serde_json::to_string(&refused(CouponRefusal::BelowMinimum)).unwrap();
    assert_eq!(refused, r#"{"outcome":"refused","reason":"below_minimum"}"#);
}
