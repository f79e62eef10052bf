//! For any basket and any coupons. The oracle shares no arithmetic with what it checks: it knows nothing of remainders
//! or sorting, and finds the parts of a discount by trying them all.

use super::*;
use crate::ids::BundleId;
use proptest::prelude::*;

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 0..100_i64, 0..10_000_000_i64, 0..=MAX_AMOUNT / 128]
}

/// Lines 0, 1, …, some of a category and some of a bundle.
fn any_basket(
    amount: impl Strategy<Value = i64>,
    lines: std::ops::Range<usize>,
) -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((amount, 0..=10_000_u16, 0..4_u8), lines).prop_map(|lines| {
        let line = |(n, (price, rate, kind)): (usize, (i64, u16, u8))| Line {
            bundle: (kind == 0).then(|| BundleId::new(NOW, [1; 10])),
            categories: if kind == 1 { vec!["yazilim".parse().unwrap()] } else { vec![] },
            vat_rate: basis_points(rate),
            ..line(n, price)
        };
        lines.into_iter().enumerate().map(line).collect()
    })
}

fn any_coupon(amount: impl Strategy<Value = i64> + Clone + 'static) -> impl Strategy<Value = Coupon> {
    let discount = prop_oneof![
        4 => (0..=10_000_u16, prop::option::of(amount.clone()))
            .prop_map(|(share, cap)| Discount::Percent { share: basis_points(share), cap: cap.map(lira) }),
        4 => amount.clone().prop_map(|amount| Discount::Fixed { amount: lira(amount) }),
        1 => Just(Discount::Free),
    ];
    let scope = prop_oneof![
        Just(CouponScope::All),
        prop::collection::vec(0..8_usize, 0..6)
            .prop_map(|courses| CouponScope::Courses { courses: courses.into_iter().map(course).collect() }),
        Just(CouponScope::Categories { categories: vec!["yazilim".parse().unwrap()] }),
        Just(CouponScope::Bundles { bundles: vec![BundleId::new(NOW, [1; 10])] }),
    ];
    (discount, scope, prop::option::weighted(0.2, amount), any::<bool>()).prop_map(
        |(discount, scope, minimum, stackable)| Coupon {
            scope,
            minimum_total: minimum.map(lira),
            stackable,
            ..coupon(discount)
        },
    )
}

fn any_coupons() -> impl Strategy<Value = Vec<Coupon>> {
    prop::collection::vec(any_coupon(amount().boxed()), 0..=MAX_COUPONS)
}

/// Every way to make `whole` of parts that are no more than their `limits`.
fn ways(whole: i64, limits: &[i64]) -> Vec<Vec<i64>> {
    match limits {
        [] if whole == 0 => vec![vec![]],
        [] => vec![],
        [first, rest @ ..] => (0..=whole.min(*first))
            .flat_map(|part| {
                ways(whole - part, rest).into_iter().map(move |tail| [&[part][..], &tail].concat())
            })
            .collect(),
    }
}

/// The parts of `whole` that lie nearest to exact proportion by the sum of squares; of equals, with the most first.
fn nearest(whole: i64, prices: &[i64]) -> Vec<i64> {
    let sum: i64 = prices.iter().sum();
    let error = |parts: &[i64]| -> i64 {
        parts.iter().zip(prices).map(|(part, price)| (part * sum - price * whole).pow(2)).sum()
    };
    let ways = ways(whole, prices);
    let least = ways.iter().map(|parts| error(parts)).min().unwrap();
    ways.into_iter().filter(|parts| error(parts) == least).max().unwrap()
}

/// What a coupon takes off, as an exact fraction's nearest whole number, found by looking for it.
fn taken(discount: Discount, whole: i64) -> i64 {
    match discount {
        Discount::Free => whole,
        Discount::Fixed { amount } => (0..=whole).take_while(|taken| *taken <= amount.amount).last().unwrap(),
        Discount::Percent { share, cap } => {
            let twice_exact = 2 * whole * i64::from(share.get());
            let distance = |taken: &i64| (taken * 20_000 - twice_exact).abs();
            let nearest = (0..=whole).rev().min_by_key(distance).unwrap();
            cap.map_or(nearest, |cap| nearest.min(cap.amount))
        }
    }
}

/// What the lines cost with these coupons one after another.
fn lowered(lines: &[Line], coupons: &[&Coupon]) -> Vec<i64> {
    let mut totals: Vec<i64> = lines.iter().map(|line| line.price.amount).collect();
    for coupon in coupons {
        let is_for = |line: &Line| match &coupon.scope {
            CouponScope::All => true,
            CouponScope::Courses { courses } => line.bundle.is_none() && courses.contains(&line.course),
            CouponScope::Categories { .. } => line.bundle.is_none() && !line.categories.is_empty(),
            CouponScope::Bundles { .. } => line.bundle.is_some(),
        };
        let held: Vec<i64> =
            lines.iter().zip(&totals).map(|(line, total)| if is_for(line) { *total } else { 0 }).collect();
        let parts = nearest(taken(coupon.discount, held.iter().sum()), &held);
        totals.iter_mut().zip(parts).for_each(|(total, part)| *total -= part);
    }
    totals
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn for_any_basket_the_lines_sum_to_the_total(lines in any_basket(amount(), 1..30), coupons in any_coupons()) {
        let quote = quote(&lines, &coupons).unwrap();
        let sum = |part: fn(&QuotedLine) -> Money| quote.lines.iter().map(|line| part(line).amount).sum::<i64>();
        prop_assert_eq!(sum(|line| line.price), quote.subtotal.amount);
        prop_assert_eq!(sum(|line| line.discount), quote.discount.amount);
        prop_assert_eq!(sum(|line| line.total), quote.total.amount);
        prop_assert_eq!(sum(|line| line.vat), quote.vat.amount);
        prop_assert_eq!(quote.subtotal.amount - quote.discount.amount, quote.total.amount);
        prop_assert_eq!(quote.coupons.len(), coupons.len());
        prop_assert_eq!(quote.coupons.contains(&APPLIED), quote.discount.amount > 0);
        for (line, asked) in quote.lines.iter().zip(&lines) {
            prop_assert_eq!((line.course, line.bundle, line.price), (asked.course, asked.bundle, asked.price));
            prop_assert_eq!(line.price.amount - line.discount.amount, line.total.amount);
            prop_assert!(line.discount.amount >= 0 && line.total.amount >= 0);
            // The VAT is the whole number nearest to total · rate / (1 + rate).
            let parts = 10_000 + i128::from(line.vat_rate.get());
            let off = i128::from(line.vat.amount) * parts
                - i128::from(line.total.amount) * i128::from(line.vat_rate.get());
            prop_assert!(-parts < 2 * off && 2 * off <= parts, "{off}");
        }
    }

    #[test]
    fn each_line_gets_its_proportion_of_a_coupon(lines in any_basket(amount(), 1..30), coupon in any_coupon(amount().boxed())) {
        let quote = quote(&lines, std::slice::from_ref(&coupon)).unwrap();
        let held = |line: &Line| if coupon.scope.holds(line) { i128::from(line.price.amount) } else { 0 };
        let eligible: i128 = lines.iter().map(held).sum();
        for (quoted, line) in quote.lines.iter().zip(&lines) {
            let exact = held(line) * i128::from(quote.discount.amount);
            let part = i128::from(quoted.discount.amount) * eligible;
            prop_assert!((part - exact).abs() < eligible.max(1), "{part} {exact}");
        }
    }

    #[test]
    fn no_coupon_alone_takes_more_off(lines in any_basket(amount(), 1..10), coupons in any_coupons()) {
        let together = quote(&lines, &coupons).unwrap();
        for (alone, outcome) in coupons.iter().zip(&together.coupons) {
            let alone = quote(&lines, std::slice::from_ref(alone)).unwrap();
            prop_assert!(alone.discount.amount <= together.discount.amount);
            // A refusal of its own is the same whatever came with it.
            if let CouponOutcome::Refused(CouponRefusal::NotCombined) = outcome {
                prop_assert_eq!(&alone.coupons[..], &[APPLIED]);
            } else if *outcome != refused(CouponRefusal::NothingToTakeOff) {
                prop_assert_eq!(&alone.coupons[..], &[*outcome]);
            }
        }
    }

    #[test]
    fn the_coupons_that_applied_give_the_same_quote_again(lines in any_basket(amount(), 1..10), coupons in any_coupons()) {
        let id = |n: usize| CouponId::new(NOW, [n as u8; 10]);
        let given: Vec<_> = coupons.into_iter().enumerate().map(|(n, coupon)| (id(n), coupon)).collect();
        let quote = |coupons: &[_]| super::super::quote(&Basket { lines: &lines, coupons, is_first_purchase: true }, NOW).unwrap();
        let first = quote(&given);
        let applied = given.into_iter().zip(&first.coupons).filter(|(_, outcome)| **outcome == APPLIED);
        let mut applied: Vec<_> = applied.map(|(coupon, _)| coupon).collect();
        applied.reverse();
        let again = quote(&applied);
        prop_assert_eq!(again.lines, first.lines);
        prop_assert_eq!(again.coupons, vec![APPLIED; applied.len()]);
    }

    #[test]
    fn a_bundle_is_spread_to_its_last_unit(price in amount(), courses in prop::collection::vec((amount(), 0..=10_000_u16), 1..20)) {
        let product = |(n, (price, rate)): (usize, (i64, u16))| Product {
            course: course(n), price: lira(price), sale: None, vat_rate: basis_points(rate), categories: vec![],
        };
        let courses: Vec<Product> = courses.into_iter().enumerate().map(product).collect();
        let weights: i128 = courses.iter().map(|course| i128::from(course.price.amount)).sum();
        let lines = Bundle { id: BundleId::new(NOW, [1; 10]), price: lira(price), sale: None, courses: courses.clone() }
            .lines(&[], NOW)
            .unwrap();
        prop_assert_eq!(lines.iter().map(|line| line.price.amount).sum::<i64>(), price);
        for (line, course) in lines.iter().zip(&courses) {
            let off = i128::from(line.price.amount) * weights - i128::from(course.price.amount) * i128::from(price);
            prop_assert!(weights == 0 || off.abs() < weights);
            prop_assert_eq!(line.vat_rate, course.vat_rate);
        }
    }

    #[test]
    fn any_amounts_are_a_quote_or_an_error(prices in prop::collection::vec(any::<i64>(), 0..4), fixed: i64) {
        let coupon = coupon(Discount::Fixed { amount: lira(fixed) });
        if let Ok(quote) = quote(&basket(&prices), &[coupon]) {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Small baskets, where every way to spread every discount is tried.
    #[test]
    fn the_oracle_finds_the_same_lines(
        lines in any_basket((0..40_i64).boxed(), 1..4),
        coupons in prop::collection::vec(any_coupon((0..60_i64).boxed()), 0..=3),
    ) {
        let priced = quote(&lines, &coupons).unwrap();
        let subtotal: i64 = lines.iter().map(|line| line.price.amount).sum();
        let usable: Vec<&Coupon> = coupons
            .iter()
            .filter(|coupon| coupon.minimum_total.is_none_or(|least| least.amount <= subtotal))
            .collect();
        let mut stack: Vec<&Coupon> = usable.iter().copied().filter(|coupon| coupon.stackable).collect();
        stack.sort_by_key(|coupon| match coupon.discount {
            Discount::Free => 'a',
            Discount::Percent { .. } => 'b',
            Discount::Fixed { .. } => 'c',
        });
        let alone = usable.iter().copied().filter(|coupon| !coupon.stackable).map(|coupon| vec![coupon]);
        let cheapest =
            alone.chain([stack]).map(|choice| lowered(&lines, &choice)).min_by_key(|totals| totals.iter().sum::<i64>());
        let totals: Vec<i64> = priced.lines.iter().map(|line| line.total.amount).collect();
        prop_assert_eq!(totals, cheapest.unwrap());
    }
}
