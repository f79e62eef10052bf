use super::*;
use proptest::prelude::*;

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

/// A basket of courses 0, 1, … at these prices, with 20 % VAT.
fn basket(prices: &[i64]) -> Vec<Line> {
    let line = |(n, price): (usize, &i64)| Line {
        course: course(n),
        price: lira(*price),
        vat_rate: basis_points(2000),
    };
    prices.iter().enumerate().map(line).collect()
}

fn coupon(discount: Discount) -> Coupon {
    Coupon { discount, scope: CouponScope::All, minimum_total: None, starts_at: None, ends_at: None }
}

fn percent(share: u16) -> Discount {
    Discount::Percent { share: basis_points(share), cap: None }
}

fn discounts(quote: &Quote) -> Vec<i64> {
    quote.lines.iter().map(|line| line.discount.amount).collect()
}

#[test]
fn vat_is_inside_the_price() {
    let quote = quote(&basket(&[14_990, 12_000]), None, NOW).unwrap();
    assert_eq!((quote.total, quote.vat), (lira(26_990), lira(2_498 + 2_000)));
    assert_eq!((quote.discount, quote.coupon), (lira(0), None));
    for (gross, rate, vat) in
        [(1, 2000, 0), (3, 2000, 1), (11, 1000, 1), (100, 0, 0), (101, 100, 1), (2, 10_000, 1)]
    {
        assert_eq!(vat_inside(gross, basis_points(rate)), vat, "{gross} at {rate}");
    }
}

#[test]
fn a_discount_is_spread_to_the_last_kurus() {
    let thirds =
        quote(&basket(&[100, 100, 100]), Some(&coupon(Discount::Fixed { amount: lira(100) })), NOW).unwrap();
    assert_eq!(discounts(&thirds), [34, 33, 33]);
    let uneven = quote(&basket(&[9_999, 1, 5_000]), Some(&coupon(percent(1_500))), NOW).unwrap();
    assert_eq!((discounts(&uneven), uneven.discount), (vec![1_500, 0, 750], lira(2_250)));
    assert_eq!(uneven.coupon, Some(CouponOutcome::Applied));
}

#[test]
fn a_discount_ends_at_its_cap_and_at_nothing_to_pay() {
    let capped = Discount::Percent { share: basis_points(5_000), cap: Some(lira(1_000)) };
    assert_eq!(quote(&basket(&[10_000]), Some(&coupon(capped)), NOW).unwrap().total, lira(9_000));
    let free = quote(&basket(&[10_000, 5]), Some(&coupon(percent(10_000))), NOW).unwrap();
    assert_eq!((free.total, free.vat), (lira(0), lira(0)));
    let large = coupon(Discount::Fixed { amount: lira(MAX_AMOUNT) });
    assert_eq!(quote(&basket(&[10_000, 5]), Some(&large), NOW).unwrap().total, lira(0));
    assert_eq!(quote(&basket(&[0]), Some(&large), NOW).unwrap().total, lira(0));
}

#[test]
fn a_coupon_lowers_only_the_courses_it_is_for() {
    let scope = CouponScope::Courses { courses: vec![course(1), course(9)] };
    let some = Coupon { scope, ..coupon(percent(2_500)) };
    let quote = quote(&basket(&[1_000, 1_000, 1_000]), Some(&some), NOW).unwrap();
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
        let quote = quote(&basket(&[1_000, 2_000]), Some(&coupon), NOW).unwrap();
        assert_eq!(quote.coupon, Some(CouponOutcome::Refused(refusal)));
        assert_eq!((quote.total, quote.discount), (lira(3_000), lira(0)));
    }
    let just =
        Coupon { minimum_total: Some(lira(3_000)), starts_at: Some(NOW), ends_at: Some(after), ..plain };
    assert_eq!(
        quote(&basket(&[1_000, 2_000]), Some(&just), NOW).unwrap().coupon,
        Some(CouponOutcome::Applied)
    );
}

#[test]
fn a_basket_without_a_price_has_its_own_error() {
    let euros = Money { amount: 1, currency: Currency::EUR };
    let mixed =
        [basket(&[1]), vec![Line { course: course(5), price: euros, vat_rate: basis_points(0) }]].concat();
    for (lines, error) in [
        (vec![], PricingError::Empty),
        (basket(&[1; MAX_LINES + 1]), PricingError::TooManyLines),
        ([basket(&[1, 2]), basket(&[3])].concat(), PricingError::Duplicate(2)),
        (mixed, PricingError::Currency(1)),
        (basket(&[1, -1]), PricingError::Negative),
        (basket(&[MAX_AMOUNT, 1]), PricingError::Overflow),
        (basket(&[i64::MAX, i64::MAX]), PricingError::Overflow),
    ] {
        assert_eq!(quote(&lines, None, NOW), Err(error));
    }
    for (amount, error) in [(-1, PricingError::Negative), (MAX_AMOUNT + 1, PricingError::Overflow)] {
        let fixed = coupon(Discount::Fixed { amount: lira(amount) });
        assert_eq!(quote(&basket(&[1]), Some(&fixed), NOW), Err(error));
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
    let refused = serde_json::to_string(&CouponOutcome::Refused(CouponRefusal::BelowMinimum)).unwrap();
    assert_eq!(refused, r#"{"outcome":"refused","reason":"below_minimum"}"#);
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 0..100_i64, 0..10_000_000_i64, 0..=MAX_AMOUNT / 128]
}

fn any_basket() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((amount(), 0..=10_000_u16), 1..30).prop_map(|lines| {
        let line =
            |(n, (price, rate))| Line { course: course(n), price: lira(price), vat_rate: basis_points(rate) };
        lines.into_iter().enumerate().map(line).collect()
    })
}

fn any_coupon() -> impl Strategy<Value = Coupon> {
    let discount = prop_oneof![
        (0..=10_000_u16, prop::option::of(amount()))
            .prop_map(|(share, cap)| Discount::Percent { share: basis_points(share), cap: cap.map(lira) }),
        amount().prop_map(|amount| Discount::Fixed { amount: lira(amount) }),
    ];
    let scope = prop_oneof![
        Just(CouponScope::All),
        prop::collection::vec(0..40_usize, 0..20)
            .prop_map(|courses| CouponScope::Courses { courses: courses.into_iter().map(course).collect() }),
    ];
    (discount, scope, prop::option::of(amount())).prop_map(|(discount, scope, minimum)| Coupon {
        discount,
        scope,
        minimum_total: minimum.map(lira),
        starts_at: None,
        ends_at: None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn for_any_basket_the_lines_sum_to_the_total(lines in any_basket(), coupon in any_coupon()) {
        let quote = quote(&lines, Some(&coupon), NOW).unwrap();
        let sum = |part: fn(&QuotedLine) -> Money| quote.lines.iter().map(|line| part(line).amount).sum::<i64>();
        prop_assert_eq!(sum(|line| line.price), quote.subtotal.amount);
        prop_assert_eq!(sum(|line| line.discount), quote.discount.amount);
        prop_assert_eq!(sum(|line| line.total), quote.total.amount);
        prop_assert_eq!(sum(|line| line.vat), quote.vat.amount);
        prop_assert_eq!(quote.subtotal.amount - quote.discount.amount, quote.total.amount);
        for (line, asked) in quote.lines.iter().zip(&lines) {
            prop_assert_eq!((line.course, line.price), (asked.course, asked.price));
            prop_assert_eq!(line.price.amount - line.discount.amount, line.total.amount);
            prop_assert!(line.discount.amount >= 0 && line.total.amount >= 0);
            prop_assert!((0..=line.total.amount).contains(&line.vat.amount));
            let net = (line.total.amount - line.vat.amount) as f64;
            let again = net * (1.0 + f64::from(line.vat_rate.get()) / 10_000.0);
            prop_assert!((again - line.total.amount as f64).abs() <= 1.0 + line.total.amount as f64 * 1e-12);
        }
    }

    #[test]
    fn each_line_gets_its_proportion_of_exactly_the_right_discount(lines in any_basket(), coupon in any_coupon()) {
        let quote = quote(&lines, Some(&coupon), NOW).unwrap();
        let is_for = |course| match &coupon.scope {
            CouponScope::All => true,
            CouponScope::Courses { courses } => courses.contains(&course),
        };
        let eligible: i128 =
            lines.iter().filter(|line| is_for(line.course)).map(|line| i128::from(line.price.amount)).sum();
        let whole = match (quote.coupon, coupon.discount) {
            (Some(CouponOutcome::Applied), Discount::Fixed { amount }) => i128::from(amount.amount).min(eligible),
            (Some(CouponOutcome::Applied), Discount::Percent { share, cap }) => {
                let twice = eligible * i128::from(share.get()) * 2 / 10_000;
                ((twice + 1) / 2).min(cap.map_or(i128::MAX, |cap| i128::from(cap.amount)))
            }
            _ => 0,
        };
        prop_assert_eq!(i128::from(quote.discount.amount), whole);
        for line in &quote.lines {
            let part = i128::from(line.discount.amount) * eligible;
            let exact = if is_for(line.course) { i128::from(line.price.amount) * whole } else { 0 };
            prop_assert!((part - exact).abs() < eligible.max(1), "{part} {exact}");
        }
    }

    #[test]
    fn any_amounts_are_a_quote_or_an_error(prices in prop::collection::vec(any::<i64>(), 0..4), fixed: i64) {
        let coupon = coupon(Discount::Fixed { amount: lira(fixed) });
        if let Ok(quote) = quote(&basket(&prices), Some(&coupon), NOW) {
            prop_assert!((0..=MAX_AMOUNT).contains(&quote.total.amount));
        }
    }

    #[test]
    fn a_code_is_read_back_as_itself(text in "\\PC{0,40}") {
        if let Ok(code) = text.parse::<CouponCode>() {
            prop_assert_eq!(code.to_string().parse(), Ok(code));
        }
    }
}
