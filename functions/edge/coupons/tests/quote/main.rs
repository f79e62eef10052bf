//! Quotes through the router, on a SQLite file that the feed filled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod shop;
mod world;

use akademi_domain::{
    ids::{CouponId, EnrolmentId, OrderId},
    pricing::{Coupon, CouponScope},
};
use akademi_feed::LambdaEvent;
use serde_json::{Value, json};

use world::{NOW, Setup, coupon, course, fifth_off, person, tenant, try_money};

#[test]
fn a_quote_is_priced_with_vat_and_signed_for_the_person() {
    let setup = Setup::new();
    setup.feed(&[coupon(1, "BAHAR", fifth_off(CouponScope::All), true)]);
    let (status, answer) = setup.quote(&json!({ "courses": [course(2), course(1)], "coupons": ["Bahar"] }));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["subtotal"], json!({ "amount": 24990, "currency": "TRY" }));
    assert_eq!(answer["discount"]["amount"], 4998);
    assert_eq!(answer["total"]["amount"], 19992);
    assert_eq!(answer["vat"]["amount"], 1333 + 1999, "each line's VAT of 20 %, rounded");
    assert_eq!(answer["coupons"], json!([{ "outcome": "applied" }]));
    assert_eq!(answer["lines"][0]["course"], json!(course(2)), "in the basket's order");

    let terms = setup.quotes.verify(answer["quote"].as_str().unwrap(), setup.now()).unwrap();
    assert_eq!((terms.tenant, terms.person, terms.total), (tenant(1), person(7), 19992));
    assert_eq!(terms.coupons, [CouponId::new(NOW, [1; 10])]);
    assert_eq!(terms.lines[1].course, course(1));
    assert_eq!(terms.expires_at, NOW.plus_seconds(15 * 60));
    assert_eq!(answer["expires_at"], json!(terms.expires_at));
}

#[test]
fn an_unknown_code_and_a_used_up_one_look_alike_and_other_refusals_say_why() {
    let setup = Setup::new();
    let late = Coupon { ends_at: Some(NOW), ..fifth_off(CouponScope::All) };
    let early = Coupon { starts_at: Some(NOW.plus_seconds(1)), ..fifth_off(CouponScope::All) };
    let large = Coupon { minimum_total: Some(try_money(20000)), ..fifth_off(CouponScope::All) };
    let other = fifth_off(CouponScope::Courses { courses: vec![course(2)] });
    setup.feed(&[
        coupon(1, "bitti", fifth_off(CouponScope::All), false),
        coupon(2, "gecti", late, true),
        coupon(3, "erken", early, true),
        coupon(4, "buyuk", large, true),
        coupon(5, "baska", other, true),
    ]);
    let ask = |code: &str| {
        let (status, mut answer) = setup.quote(&json!({ "courses": [course(1)], "coupons": [code] }));
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["total"]["amount"], 14990, "the basket costs what it costs");
        let terms = setup.quotes.verify(answer["quote"].as_str().unwrap(), NOW).unwrap();
        assert_eq!(terms.coupons, []);
        answer["coupons"][0].take()
    };
    let refused = |reason: &str| json!({ "outcome": "refused", "reason": reason });
    for code in ["bitti", "yok", "!", &"x".repeat(200)] {
        assert_eq!(ask(code), refused("not_available"), "{code}");
    }
    assert_eq!(ask("gecti"), refused("expired"));
    assert_eq!(ask("erken"), refused("not_started"));
    assert_eq!(ask("buyuk"), refused("below_minimum"));
    assert_eq!(ask("baska"), refused("not_for_these_courses"));
    setup.feed(&[coupon(1, "bitti", fifth_off(CouponScope::All), true)]);
    let (_, answer) = setup.quote(&json!({ "courses": [course(1)], "coupons": ["BİTTİ"] }));
    assert_eq!(answer["coupons"][0]["outcome"], "applied", "a use came back");
}

#[test]
fn what_is_not_for_sale_here_is_told_by_its_field() {
    let setup = Setup::new();
    let grant = LambdaEvent::EnrolmentGranted {
        person: person(7),
        course: course(2),
        enrolment: EnrolmentId::new(NOW, [1; 10]),
        order: OrderId::new(NOW, [1; 10]),
        at: NOW,
    };
    setup.feed(&[grant, LambdaEvent::CourseWithdrawn { course: course(3) }]);
    let field = |body: Value, status: u16| {
        let (got, answer) = setup.quote(&body);
        assert_eq!(got, status, "{body}: {answer}");
        answer["errors"][0]["field"].as_str().unwrap_or_default().to_owned()
    };
    for (courses, at) in [
        (json!([course(1), course(3)]), "courses[1]"),
        (json!([course(9)]), "courses[0]"),
        (json!([course(2)]), "courses[0]"),
        (json!([course(1), course(1)]), "courses[1]"),
        (json!([]), "courses"),
        (json!(vec![course(1); 101]), "courses"),
        (json!(["x"]), "courses[0]"),
        (json!(7), "courses"),
    ] {
        assert_eq!(field(json!({ "courses": courses }), 422), at);
    }
    assert_eq!(field(json!({ "courses": [course(1)], "price": 1 }), 422), "price");
    let coupons = |codes: Value| field(json!({ "courses": [course(1)], "coupons": codes }), 422);
    assert_eq!(coupons(json!(["abc", "def", "ABC"])), "coupons[2]");
    assert_eq!(coupons(json!(["a1x", "b1x", "c1x", "d1x", "e1x", "f1x"])), "coupons");
    let (status, _) = setup.quote_at("kadikoy.localhost", tenant(2), &json!({ "courses": [course(1)] }));
    assert_eq!(status, 422, "another academy's course is not for sale here");
    let (status, _) = setup.quote_at("kadikoy.localhost", tenant(1), &json!({ "courses": [course(1)] }));
    assert_eq!(status, 401, "a token of another academy");
}

#[test]
fn a_grant_applied_twice_is_one_enrolment_and_one_event() {
    let setup = Setup::new();
    let before = setup.count("SELECT count(*) AS n FROM feed_event");
    let grant = |enrolment: u8| LambdaEvent::EnrolmentGranted {
        person: person(7),
        course: course(1),
        enrolment: EnrolmentId::new(NOW, [enrolment; 10]),
        order: OrderId::new(NOW, [1; 10]),
        at: NOW,
    };
    setup.feed(&[grant(1)]);
    setup.feed(&[grant(1), grant(2)]);
    assert_eq!(setup.count("SELECT count(*) AS n FROM enrolment"), 1);
    assert_eq!(setup.count("SELECT count(*) AS n FROM enrolment WHERE source = 'order'"), 1);
    assert_eq!(setup.count("SELECT count(*) AS n FROM feed_event WHERE kind = 'enrolled'"), 1);
    let after = setup.count("SELECT number AS n FROM feed_head");
    assert_eq!(after, before + 1, "numbers have no gap");
}
