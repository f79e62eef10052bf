//! Prices and coupons as staff set them.

use akademi_domain::{
    money::Money,
    permission::{Permission, Permissions},
};
use akademi_feed::LambdaEvent;
use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::academy::{Academy, Who, course, learner, lira, person, staff, tenant};

const COUPONS: &str = "/api/v1/commerce/coupons";

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_set_and_told_to_the_edge() {
    let academy = Academy::new().await;
    let path = format!("/api/v1/commerce/courses/{}/price", course(1));
    assert_eq!(academy.set_price(1, 19990).await.json()["price"], json!(lira(19990)));
    let shown = academy.call(staff(), Method::GET, &path, None, None).await.json();
    assert_eq!((&shown["price"], &shown["vat_basis_points"]), (&json!(lira(19990)), &json!(2000)));
    let last = academy.events().await.pop().unwrap();
    let LambdaEvent::PriceSet { course: told, price, .. } = last else { panic!("{last:?}") };
    assert_eq!((told, price), (course(1), Money { amount: 19990, ..lira(0) }));

    assert_eq!(academy.set_price(9, 1).await.status, 404, "no such course");
    let other = Who { tenant: tenant(2), ..staff() };
    let body = json!({ "amount": 1, "currency": "TRY", "vat_basis_points": 0 });
    assert_eq!(academy.call(other, Method::PUT, &path, None, Some(&body)).await.status, 404);
    assert_eq!(academy.call(other, Method::GET, &path, None, None).await.status, 404);
    assert_eq!(academy.number("SELECT amount FROM price WHERE amount > 15000").await, 19990);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coupon_is_made_once_per_code_and_told_to_the_edge() {
    let academy = Academy::new().await;
    let (id, terms) = academy.coupon("İNDİRİM", Some(3)).await;
    let last = academy.events().await.pop().unwrap();
    let LambdaEvent::CouponSaved { id: told, code, terms: told_terms, available, .. } = last else {
        panic!("{last:?}")
    };
    assert_eq!((told, code.as_str(), told_terms, available), (id, "indirim", terms, true));
    let again = json!({ "code": "indirim", "discount": { "kind": "percent", "share": 1 }, "scope": { "kind": "all" } });
    let refused = academy.call(staff(), Method::POST, COUPONS, None, Some(&again)).await;
    assert_eq!(refused.problem(), (409, "coupon-code-taken".into()));

    for n in 0..4 {
        academy.coupon(&format!("kupon-{n}"), None).await;
    }
    let (mut codes, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = academy
            .call(staff(), Method::GET, &format!("{COUPONS}?limit=2{cursor}"), None, None)
            .await
            .json();
        let data = page["data"].as_array().unwrap();
        codes.extend(data.iter().map(|coupon| coupon["code"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    codes.sort();
    assert_eq!(codes, ["indirim", "kupon-0", "kupon-1", "kupon-2", "kupon-3"]);
    let other = Who { tenant: tenant(2), ..staff() };
    let foreign = academy.call(other, Method::GET, COUPONS, None, None).await.json();
    assert_eq!(foreign["data"], json!([]), "another academy sees none");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_by_field_and_nothing_is_written() {
    let academy = Academy::new().await;
    let before = academy.number("SELECT count(*) FROM feed_event").await;
    let price = format!("/api/v1/commerce/courses/{}/price", course(1));
    let good =
        json!({ "code": "abc", "discount": { "kind": "percent", "share": 100 }, "scope": { "kind": "all" } });
    let coupon = |changes: Value| {
        let mut body = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let money = |amount: i64| json!({ "amount": amount, "currency": "TRY" });
    for (method, target, body, status, field) in [
        (
            Method::PUT,
            price.as_str(),
            json!({ "amount": -1, "currency": "TRY", "vat_basis_points": 0 }),
            422,
            "amount",
        ),
        (
            Method::PUT,
            &price,
            json!({ "amount": 1.5, "currency": "TRY", "vat_basis_points": 0 }),
            422,
            "amount",
        ),
        (
            Method::PUT,
            &price,
            json!({ "amount": 1_i64 << 53, "currency": "TRY", "vat_basis_points": 0 }),
            422,
            "amount",
        ),
        (
            Method::PUT,
            &price,
            json!({ "amount": 1, "currency": "GBP", "vat_basis_points": 0 }),
            422,
            "currency",
        ),
        (
            Method::PUT,
            &price,
            json!({ "amount": 1, "currency": "TRY", "vat_basis_points": 10001 }),
            422,
            "vat_basis_points",
        ),
        (Method::PUT, &price, json!({ "amount": 1, "currency": "TRY" }), 422, "vat_basis_points"),
        (
            Method::PUT,
            &price,
            json!({ "amount": 1, "currency": "TRY", "vat_basis_points": 0, "x": 1 }),
            422,
            "x",
        ),
        (Method::PUT, "/api/v1/commerce/courses/x/price", json!({}), 404, ""),
        (Method::POST, COUPONS, coupon(json!({ "code": "a" })), 422, "code"),
        (Method::POST, COUPONS, coupon(json!({ "code": "a b c" })), 422, "code"),
        (
            Method::POST,
            COUPONS,
            coupon(json!({ "discount": { "kind": "percent", "share": 0 } })),
            422,
            "discount.share",
        ),
        (
            Method::POST,
            COUPONS,
            coupon(json!({ "discount": { "kind": "fixed", "amount": money(0) } })),
            422,
            "discount.amount.amount",
        ),
        (
            Method::POST,
            COUPONS,
            coupon(json!({ "scope": { "kind": "courses", "courses": [] } })),
            422,
            "scope.courses",
        ),
        (Method::POST, COUPONS, coupon(json!({ "minimum_total": money(-1) })), 422, "minimum_total.amount"),
        (Method::POST, COUPONS, coupon(json!({ "use_limit": 0 })), 422, "use_limit"),
        (Method::POST, COUPONS, coupon(json!({ "person_use_limit": 0 })), 422, "person_use_limit"),
        (
            Method::POST,
            COUPONS,
            coupon(json!({ "scope": { "kind": "categories", "categories": ["Yazılım"] } })),
            422,
            "scope",
        ),
        (
            Method::POST,
            COUPONS,
            coupon(json!({ "scope": { "kind": "bundles", "bundles": [] } })),
            422,
            "scope.bundles",
        ),
        (
            Method::POST,
            COUPONS,
            coupon(json!({ "starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-02T00:00:00Z" })),
            422,
            "ends_at",
        ),
        (Method::POST, COUPONS, coupon(json!({ "starts_at": "dün" })), 422, "starts_at"),
        (Method::POST, COUPONS, coupon(json!({ "x": 1 })), 422, "x"),
    ] {
        let answer = academy.call(staff(), method, target, None, Some(&body)).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.json());
        assert_eq!(answer.json()["errors"][0]["field"].as_str().unwrap_or_default(), field, "{body}");
    }
    let forbidden = academy.call(learner(1), Method::POST, COUPONS, None, Some(&good)).await;
    assert_eq!(forbidden.problem(), (403, "forbidden".into()));
    let nobody = Who { permissions: Permissions::NONE, ..staff() };
    assert_eq!(academy.call(nobody, Method::GET, &price, None, None).await.status, 403);
    let unsigned = Request::post(COUPONS)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(good.to_string()))
        .unwrap();
    assert_eq!(academy.send(unsigned).await.status, 401);
    assert_eq!(academy.number("SELECT count(*) FROM feed_event").await, before);
    assert_eq!(academy.number("SELECT count(*) FROM coupon").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn instructors_make_and_see_coupons_for_their_own_courses_only() {
    let academy = Academy::new().await;
    let everybodys = Permissions::NONE.with(Permission::CommerceWrite);
    // Whose courses these are; somebody else's academy has none of them.
    let owner = Who { permissions: everybodys, ..staff() };
    let other = Who { user: person(201), ..owner };
    let make = async |who: Who, code: &str, scope: Value| {
        let body = json!({ "code": code, "discount": { "kind": "percent", "share": 1000 }, "scope": scope });
        academy.call(who, Method::POST, COUPONS, None, Some(&body)).await.status
    };
    let courses = |courses: &[u8]| {
        let courses: Vec<_> = courses.iter().map(|n| course(*n)).collect();
        json!({ "kind": "courses", "courses": courses })
    };
    assert_eq!(make(owner, "all", json!({ "kind": "all" })).await, 422);
    assert_eq!(make(owner, "own", courses(&[1, 2])).await, 201);
    assert_eq!(make(owner, "none", courses(&[1, 9])).await, 422, "a course that there is not");
    assert_eq!(make(other, "others", courses(&[1])).await, 422);
    assert_eq!(make(staff(), "staff-all", json!({ "kind": "all" })).await, 201);
    assert_eq!(make(staff(), "staff-one", courses(&[1])).await, 201);
    let set = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<BTreeSet<_>>();
    let seen = async |who: Who| {
        let page = academy.call(who, Method::GET, COUPONS, None, None).await.json();
        let codes = page["data"].as_array().unwrap().iter();
        // They are of one millisecond: in no order.
        codes.map(|coupon| coupon["code"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(seen(owner).await, set(&["staff-one", "own"]));
    assert_eq!(seen(other).await, set(&[]));
    assert_eq!(seen(staff()).await, set(&["staff-one", "staff-all", "own"]));
}
