//! Lists of what costs less: on sale, or with a coupon.

use super::*;

#[test]
fn courses_are_listed_while_their_sale_is_on() {
    let mut academies = Academies::new();
    let money = |amount| Money { amount, currency: Currency::TRY };
    let day = |year: i64| Timestamp::from_millis((year - 1970) * 31_557_600_000);
    for (number, starts, ends) in [(1, 2000, 2100), (2, 2000, 2001), (3, 2099, 2100), (4, 2000, 2090)] {
        academies.apply(1, &published_as(number, &format!("isik-{number}"), "Işık", 1));
        let set = LambdaEvent::PriceSet {
            course: course(number),
            price: money(14_990),
            vat_rate: BasisPoints::new(2_000).unwrap(),
            sale: Some(Sale { price: money(9_990), starts_at: day(starts), ends_at: day(ends) }),
            categories: vec![],
            at: MADE,
        };
        academies.apply(1, &set);
    }
    let ask = |host: &str, path: &str| {
        academies.send(Request::get(path).header(header::HOST, host).body(Body::empty()).unwrap())
    };
    let ids = |page: &Value| -> Vec<Value> {
        page["data"].as_array().unwrap().iter().map(|card| card["id"].clone()).collect()
    };
    let on_sale = "/api/v1/catalog/on-sale";
    let (status, etag, page) = ask("one.localhost", on_sale);
    assert_eq!(status, StatusCode::OK);
    assert_eq!(ids(&page), [serde_json::json!(course(4)), serde_json::json!(course(1))], "which ends first");
    let card = &page["data"][0];
    assert_eq!((&card["price"]["amount"], &card["sale"]["price"]["amount"]), (&14_990.into(), &9_990.into()));
    let (_, _, first) = ask("one.localhost", &format!("{on_sale}?limit=1"));
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, _, second) = ask("one.localhost", &format!("{on_sale}?limit=1&cursor={cursor}"));
    assert_eq!((ids(&first), ids(&second)), (ids(&page)[..1].to_vec(), ids(&page)[1..].to_vec()));
    assert_eq!(second["next_cursor"], Value::Null);
    assert_eq!(ask("two.localhost", on_sale).2["data"], serde_json::json!([]), "another academy has none");
    let again = Request::get(on_sale)
        .header(header::HOST, "one.localhost")
        .header(header::IF_NONE_MATCH, etag)
        .body(Body::empty())
        .unwrap();
    assert_eq!(academies.send(again).0, StatusCode::NOT_MODIFIED);
    academies.apply(1, &LambdaEvent::CourseWithdrawn { course: course(4) });
    let request = Request::get(on_sale).header(header::HOST, "one.localhost").body(Body::empty()).unwrap();
    assert_eq!(ids(&academies.send(request).2), [serde_json::json!(course(1))]);
}

#[test]
fn a_coupon_that_is_good_is_found_behind_many_newer_ones_that_are_not() {
    let mut academies = Academies::new();
    academies.apply(1, &published(1, "Işık", 1));
    let set = LambdaEvent::PriceSet {
        course: course(1),
        price: Money { amount: 10_000, currency: Currency::TRY },
        vat_rate: BasisPoints::new(2_000).unwrap(),
        sale: None,
        categories: vec![],
        at: MADE,
    };
    academies.apply(1, &set);
    // The list is of the minute that has begun.
    let minute = Timestamp::from_millis(MADE.as_millis().div_euclid(60_000) * 60_000);
    let moment = |millis: i64| Timestamp::from_millis(minute.as_millis() + millis);
    let save = |academies: &mut Academies, number: u8, share: i64, on: [Option<Timestamp>; 2]| {
        let [starts_at, ends_at] = on;
        let terms = serde_json::json!({ "discount": { "kind": "percent", "share": share }, "scope": { "kind": "all" },
                                        "public": true, "starts_at": starts_at, "ends_at": ends_at });
        let saved = LambdaEvent::CouponSaved {
            id: CouponId::new(MADE, [number; 10]),
            code: format!("kod{number}").parse().unwrap(),
            terms: serde_json::from_value(terms).unwrap(),
            available: true,
            at: MADE,
        };
        academies.apply(1, &saved);
    };
    save(&mut academies, 1, 1_000, [None, None]);
    for number in 2..=62 {
        save(&mut academies, number, 9_000, [None, Some(moment(-1_000))]);
    }
    for number in 63..=123 {
        save(&mut academies, number, 9_000, [Some(moment(1_000)), None]);
    }
    // Each time a list of its own: one that was made is kept for the minute.
    let best = |academies: &Academies, limit: u8| {
        let path = format!("/api/v1/catalog/with-coupon?limit={limit}");
        let request = Request::get(path).header(header::HOST, "one.localhost");
        let page = academies.send(request.body(Body::empty()).unwrap()).2;
        page["data"][0]["coupon"]["code"].clone()
    };
    assert_eq!(best(&academies, 1), "kod1");
    // With a fraction of a second and without one.
    save(&mut academies, 124, 2_000, [Some(moment(0)), Some(moment(500))]);
    assert_eq!(best(&academies, 2), "kod124");
    save(&mut academies, 125, 3_000, [Some(moment(-500)), Some(moment(60_000))]);
    assert_eq!(best(&academies, 3), "kod125");
    save(&mut academies, 126, 9_000, [None, Some(moment(0))]);
    save(&mut academies, 127, 9_000, [Some(moment(500)), None]);
    assert_eq!(best(&academies, 4), "kod125", "one has ended, the other not begun");
}

#[test]
fn courses_are_listed_with_the_public_coupon_that_takes_most_off() {
    let mut academies = Academies::new();
    let path = "/api/v1/catalog/with-coupon";
    let listed = |academies: &Academies, host: &str, path: &str| {
        academies.send(Request::get(path).header(header::HOST, host).body(Body::empty()).unwrap()).2
    };
    let lira = |amount: i64| Money { amount, currency: Currency::TRY };
    for (number, amount, category) in
        [(1, 10_000, "yazilim"), (2, 5_000, "dil"), (3, 0, "dil"), (4, 9_000, "x")]
    {
        academies.apply(1, &published_as(number, &format!("isik-{number}"), "Işık", 1));
        let set = LambdaEvent::PriceSet {
            course: course(number),
            price: lira(amount),
            vat_rate: BasisPoints::new(2_000).unwrap(),
            sale: None,
            categories: vec![category.parse().unwrap()],
            at: MADE,
        };
        academies.apply(1, &set);
    }
    assert_eq!(listed(&academies, "one.localhost", path)["data"], serde_json::json!([]));
    let scope = |kind: &str, value: Value| match kind {
        "courses" => serde_json::json!({ "kind": kind, "courses": value }),
        _ => serde_json::json!({ "kind": kind, "categories": value }),
    };
    let software = scope("categories", serde_json::json!(["yazilim"]));
    let language = scope("categories", serde_json::json!(["dil"]));
    let first = scope("courses", serde_json::json!([course(1)]));
    let coupons = [
        ("onda-bir", 1_000, &software, true, Value::Null),
        ("ucte-bir", 3_000, &first, true, Value::Null),
        ("gizli", 9_000, &first, false, Value::Null),
        ("yuksek", 9_000, &language, true, serde_json::json!(lira(1_000_000))),
        ("bahar", 2_000, &language, true, Value::Null),
    ];
    for (number, (code, share, scope, public, minimum_total)) in (1..).zip(coupons) {
        let discount = serde_json::json!({ "kind": "percent", "share": share });
        let terms = serde_json::json!({ "discount": discount, "scope": scope, "public": public,
                                        "minimum_total": minimum_total });
        let saved = LambdaEvent::CouponSaved {
            id: CouponId::new(MADE, [number; 10]),
            code: code.parse().unwrap(),
            terms: serde_json::from_value(terms).unwrap(),
            available: true,
            at: MADE,
        };
        academies.apply(1, &saved);
        academies.apply(2, &published_as(5, "isik-5", "Işık", 1));
    }
    let shown = |page: &Value| -> Vec<(String, String, i64)> {
        let shown = page["data"].as_array().unwrap().iter().map(|course| {
            let coupon = &course["coupon"];
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&course["slug"]), text(&coupon["code"]), coupon["price"]["amount"].as_i64().unwrap())
        });
        shown.collect()
    };
    let best = [("isik-2".into(), "bahar".into(), 4_000), ("isik-1".into(), "ucte-bir".into(), 7_000)];
    // The empty list is not kept.
    assert_eq!(shown(&listed(&academies, "one.localhost", path)), best);
    let half = listed(&academies, "one.localhost", &format!("{path}?limit=1"));
    let rest = format!("{path}?limit=2&cursor={}", half["next_cursor"].as_str().unwrap());
    let pages = [shown(&half), shown(&listed(&academies, "one.localhost", &rest))].concat();
    assert_eq!(pages, best);
    assert_eq!(listed(&academies, "two.localhost", path)["data"], serde_json::json!([]));
}
