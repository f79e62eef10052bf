//! Sales, bundles, and several coupons at once.

use akademi_domain::{
    ids::{BundleId, CouponId, CourseId, EnrolmentId, OrderId},
    pricing::{Coupon, CouponScope, Discount, Sale},
};
use akademi_feed::LambdaEvent;
use serde_json::{Value, json};

use crate::world::{NOW, Setup, coupon, course, fifth_off, person, price, tenant, try_money};

fn bundle(n: u8, courses: &[u8], amount: i64, for_sale: bool) -> LambdaEvent {
    LambdaEvent::BundleSaved {
        id: bundle_id(n),
        title: format!("Set {n}").try_into().unwrap(),
        courses: courses.iter().map(|n| course(*n)).collect(),
        price: try_money(amount),
        sale: None,
        for_sale,
        at: NOW,
    }
}

fn bundle_id(n: u8) -> BundleId {
    BundleId::new(NOW, [n; 10])
}

fn granted(course: CourseId) -> LambdaEvent {
    LambdaEvent::EnrolmentGranted {
        person: person(7),
        course,
        enrolment: EnrolmentId::new(NOW, [1; 10]),
        order: OrderId::new(NOW, [1; 10]),
        at: NOW,
    }
}

fn stackable(discount: Discount) -> Coupon {
    Coupon { stackable: true, discount, ..fifth_off(CouponScope::All) }
}

fn refused(reason: &str) -> Value {
    json!({ "outcome": "refused", "reason": reason })
}

#[test]
fn a_sale_is_quoted_until_it_ends() {
    let setup = Setup::new();
    let LambdaEvent::PriceSet { course: of, price, vat_rate, at, .. } = price(1, 14990) else { panic!() };
    let sale = Sale { price: try_money(9990), starts_at: NOW, ends_at: NOW.plus_seconds(60) };
    let categories = vec!["yazilim".parse().unwrap()];
    let on_sale = LambdaEvent::PriceSet {
        course: of,
        price,
        vat_rate,
        sale: Some(sale),
        categories: categories.clone(),
        at,
    };
    setup.feed(&[on_sale, coupon(1, "yazilim", fifth_off(CouponScope::Categories { categories }), true)]);
    let ask = || setup.quote(&json!({ "courses": [course(1), course(2)], "coupons": ["yazilim"] })).1;
    let answer = ask();
    assert_eq!(answer["lines"][0]["price"]["amount"], 9990, "{answer}");
    assert_eq!(answer["discount"]["amount"], 1998, "only of the category");
    setup.clock.advance_seconds(60);
    assert_eq!(ask()["lines"][0]["price"]["amount"], 14990);
}

#[test]
fn a_bundle_is_quoted_by_its_courses_and_signed_with_them() {
    let setup = Setup::new();
    let of_bundle = Coupon {
        discount: Discount::Fixed { amount: try_money(1000) },
        ..fifth_off(CouponScope::Bundles { bundles: vec![bundle_id(1)] })
    };
    let first = [price(3, 5000), bundle(1, &[2, 3], 12000, true), coupon(1, "set", of_bundle, true)];
    setup.feed(&first);
    let (status, answer) =
        setup.quote(&json!({ "courses": [course(1)], "bundles": [bundle_id(1)], "coupons": ["set"] }));
    assert_eq!(status, 200, "{answer}");
    let lines = answer["lines"].as_array().unwrap();
    let prices: Vec<_> =
        lines.iter().map(|line| (line["bundle"].clone(), line["price"]["amount"].clone())).collect();
    let id = json!(bundle_id(1));
    assert_eq!(
        prices,
        [(Value::Null, json!(14990)), (id.clone(), json!(8000)), (id, json!(4000))],
        "two thirds and one third"
    );
    assert_eq!(answer["total"]["amount"], 14990 + 11000);
    let terms = setup.quotes.verify(answer["quote"].as_str().unwrap(), setup.now()).unwrap();
    assert_eq!((terms.lines[2].course, terms.lines[2].bundle), (course(3), Some(bundle_id(1))));
    assert_eq!(terms.coupons, [CouponId::new(NOW, [1; 10])]);
    let (status, alone) = setup.quote(&json!({ "bundles": [bundle_id(1)] }));
    assert_eq!((status, &alone["total"]["amount"]), (200, &json!(12000)));
}

#[test]
fn a_bundle_that_cannot_be_bought_says_why() {
    let setup = Setup::new();
    setup.feed(&[
        price(3, 5000),
        bundle(1, &[2, 3], 12000, true),
        bundle(2, &[1, 2], 12000, false),
        bundle(3, &[1, 9], 12000, true),
        granted(course(3)),
    ]);
    let error = |body: Value| {
        let (status, answer) = setup.quote(&body);
        assert_eq!(status, 422, "{answer}");
        let error = &answer["errors"][0];
        (error["field"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
    };
    let (field, message) = error(json!({ "courses": [course(1)], "bundles": [bundle_id(1)] }));
    assert_eq!(field, "bundles[0]");
    assert_eq!(message, format!("holds a course that you have already: {}", course(3)));
    for n in [2, 3, 9] {
        let (field, message) = error(json!({ "bundles": [bundle_id(n)] }));
        assert_eq!((&*field, &*message), ("bundles[0]", "is not for sale here"), "{n}");
    }
    setup.feed(&[bundle(2, &[1, 2], 12000, true)]);
    let twice = error(json!({ "courses": [course(2)], "bundles": [bundle_id(2)] }));
    assert_eq!((&*twice.0, &*twice.1), ("bundles[0]", "stands in the basket twice"));
    let (status, _) = setup.quote_at("kadikoy.localhost", tenant(2), &json!({ "bundles": [bundle_id(2)] }));
    assert_eq!(status, 422, "another academy's bundle is not for sale here");
}

#[test]
fn several_codes_each_have_their_outcome_in_order() {
    let setup = Setup::new();
    let fixed = |amount| Discount::Fixed { amount: try_money(amount) };
    let late = Coupon { ends_at: Some(NOW), ..stackable(fixed(1)) };
    setup.feed(&[
        coupon(1, "sabit", stackable(fixed(1000)), true),
        coupon(2, "oran", stackable(fifth_off(CouponScope::All).discount), true),
        coupon(3, "tek-basina", Coupon { discount: fixed(500), ..fifth_off(CouponScope::All) }, true),
        coupon(4, "gecti", late, true),
    ]);
    let codes = json!(["sabit", "yok", "ORAN", "tek-basina", "gecti"]);
    let (status, answer) = setup.quote(&json!({ "courses": [course(2)], "coupons": codes }));
    assert_eq!(status, 200, "{answer}");
    let applied = json!({ "outcome": "applied" });
    assert_eq!(
        answer["coupons"],
        json!([applied, refused("not_available"), applied, refused("not_combined"), refused("expired")])
    );
    assert_eq!(answer["total"]["amount"], 7000, "a fifth of 100.00, and then 10.00");
    let terms = setup.quotes.verify(answer["quote"].as_str().unwrap(), NOW).unwrap();
    assert_eq!(terms.coupons, [CouponId::new(NOW, [1; 10]), CouponId::new(NOW, [2; 10])]);
    let (_, free) = setup.quote(&json!({ "courses": [course(2)] }));
    assert_eq!(free["coupons"], json!([]));
}

#[test]
fn what_a_person_has_used_up_or_bought_before_is_told_to_them() {
    let setup = Setup::new();
    let welcome = Coupon { first_purchase_only: true, ..fifth_off(CouponScope::All) };
    setup.feed(&[
        coupon(1, "hosgeldin", welcome, true),
        coupon(2, "bahar", fifth_off(CouponScope::All), true),
    ]);
    let ask = |code: &str| {
        let (status, mut answer) = setup.quote(&json!({ "courses": [course(1)], "coupons": [code] }));
        assert_eq!(status, 200, "{answer}");
        answer["coupons"][0].take()
    };
    let applied = json!({ "outcome": "applied" });
    assert_eq!((ask("hosgeldin"), ask("bahar")), (applied.clone(), applied.clone()));
    let spent = |n: u8, spent: bool| LambdaEvent::CouponSpent {
        coupon: CouponId::new(NOW, [2; 10]),
        person: person(n),
        spent,
        at: NOW,
    };
    setup.feed(&[spent(7, true), spent(7, true), granted(course(2))]);
    assert_eq!((ask("hosgeldin"), ask("bahar")), (refused("not_first_purchase"), refused("already_used")));
    setup.feed(&[spent(7, false), spent(8, true)]);
    assert_eq!(ask("bahar"), applied, "it came back, and another's use is another's");
    setup.feed(&[LambdaEvent::PersonErased { person: person(8), at: NOW }, spent(8, true)]);
    assert_eq!(setup.count("SELECT count(*) FROM spent_coupon"), 0, "nothing is kept of somebody erased");
}

#[test]
fn what_somebody_of_another_academy_with_the_same_id_has_done_is_not_told_to_this_one() {
    let setup = Setup::new();
    let welcome = Coupon { first_purchase_only: true, ..fifth_off(CouponScope::All) };
    setup.feed(&[
        coupon(1, "hosgeldin", welcome, true),
        coupon(2, "bahar", fifth_off(CouponScope::All), true),
    ]);
    let ask = |code: &str| {
        let (_, mut answer) = setup.quote(&json!({ "courses": [course(1)], "coupons": [code] }));
        answer["coupons"][0].take()
    };
    let spent = LambdaEvent::CouponSpent {
        coupon: CouponId::new(NOW, [2; 10]),
        person: person(7),
        spent: true,
        at: NOW,
    };
    let erased = LambdaEvent::PersonErased { person: person(7), at: NOW };
    setup.feed_to(tenant(2), &[granted(course(2)), spent.clone()]);
    let applied = json!({ "outcome": "applied" });
    assert_eq!((ask("hosgeldin"), ask("bahar")), (applied.clone(), applied));
    setup.feed(std::slice::from_ref(&spent));
    setup.feed_to(tenant(2), &[erased]);
    assert_eq!(ask("bahar"), refused("already_used"), "who was erased there has used it here");
    let given_back = LambdaEvent::CouponSpent {
        coupon: CouponId::new(NOW, [2; 10]),
        person: person(7),
        spent: false,
        at: NOW,
    };
    setup.feed(&[given_back, spent]);
    assert_eq!(ask("bahar"), refused("already_used"), "nobody was buried here");
}

#[test]
fn a_course_that_another_shop_sells_is_not_quoted_until_it_is_sold_here_again() {
    let setup = Setup::new();
    let sold = |n: u8, url: &str| LambdaEvent::SoldElsewhereSet {
        course: course(n),
        label: url.to_owned(),
        url: url.to_owned(),
    };
    let shop = "https://shop.example/";
    let ask = |basket: Value| {
        let (status, answer) = setup.quote(&basket);
        let error = &answer["errors"][0];
        (
            status,
            [&error["field"], &error["message"]].map(|text| text.as_str().unwrap_or_default().to_owned()),
        )
    };
    let refused = |field: &str, message: &str| (422, [field.to_owned(), message.to_owned()]);
    let (alone, bundled) = (json!({ "courses": [course(1)] }), json!({ "bundles": [bundle_id(1)] }));
    setup.feed(&[bundle(1, &[1, 2], 20000, true)]);
    setup.feed_to(tenant(2), &[sold(1, shop)]);
    assert_eq!(
        (ask(alone.clone()).0, ask(bundled.clone()).0),
        (200, 200),
        "another academy's of the same id"
    );
    setup.feed(&[sold(1, shop), sold(3, shop)]);
    assert_eq!(ask(alone.clone()), refused("courses[0]", "is sold by another shop"));
    let message = format!("holds a course that another shop sells: {}", course(1));
    assert_eq!(ask(bundled.clone()), refused("bundles[0]", &message));
    let without_price = json!({ "courses": [course(2), course(3)] });
    assert_eq!(ask(without_price), refused("courses[1]", "is sold by another shop"));
    setup.feed(&[price(1, 14990)]);
    assert_eq!(ask(alone.clone()).0, 422, "another price changes nothing");
    setup.feed(&[LambdaEvent::CourseWithdrawn { course: course(3) }, sold(1, "")]);
    assert_eq!(ask(json!({ "courses": [course(3)] })), refused("courses[0]", "is not for sale here"));
    assert_eq!((ask(alone).0, ask(bundled).0), (200, 200));
}

#[test]
fn a_course_without_a_seat_is_not_quoted_until_one_is_free() {
    let setup = Setup::new();
    let seats = |limited: bool, available: bool| LambdaEvent::SeatsSet {
        course: course(1),
        limited,
        available,
        at: NOW,
    };
    let ask = |basket: Value| {
        let (status, answer) = setup.quote(&basket);
        (status, answer["errors"][0]["message"].as_str().unwrap_or_default().to_owned())
    };
    let (alone, bundled) = (json!({ "courses": [course(1)] }), json!({ "bundles": [bundle_id(1)] }));
    setup.feed(&[bundle(1, &[1, 2], 20000, true), seats(true, true)]);
    assert_eq!((ask(alone.clone()).0, ask(bundled.clone()).0), (200, 200));
    setup.feed_to(tenant(2), &[price(1, 14990), seats(true, false)]);
    assert_eq!(ask(alone.clone()).0, 200, "another academy's course of the same id is full");
    setup.feed(&[seats(true, false)]);
    assert_eq!(ask(alone.clone()), (422, "has no seat left".into()));
    assert_eq!(ask(bundled), (422, format!("holds a course that has no seat left: {}", course(1))));
    assert_eq!(ask(json!({ "courses": [course(2)] })).0, 200);
    setup.feed(&[price(1, 14990)]);
    assert_eq!(ask(alone.clone()).0, 422, "another price is no seat");
    setup.feed(&[seats(false, true)]);
    assert_eq!(ask(alone).0, 200);
}
