//! What a cart shows: prices, totals, a quote, what cannot be bought, and what has been.

use akademi_domain::{
    money::{Currency, Money},
    pricing::Sale,
};
use akademi_feed::LambdaEvent;
use http::Method;
use serde_json::{Value, json};

use crate::world::{
    CART, START, World, bundle, bundle_path, bundled, coupon, coupon_path, course, course_path, fifth_off,
    granted, lira, person, price, published, request, tenant,
};

#[tokio::test]
async fn a_persons_cart_shows_prices_totals_and_a_quote_that_an_order_takes() {
    let world = World::new().await;
    let who = world.join(0, 7);
    let sale = Sale { price: lira(9990), starts_at: START, ends_at: START.plus_seconds(3600) };
    world.feed(0, &[price(1, lira(14990), Some(sale)), coupon(1, "BAHAR", fifth_off(), true)]).await;
    for path in [course_path(1), bundle_path(1), coupon_path("Bahar")] {
        world.put(&who, &path).await.expect(204);
        world.wait(1);
    }
    let answer = world.get(&who).await;
    let cart = answer.expect(200);
    assert_eq!(answer.cookie(), None);
    let told = |index: usize, field: &str| cart["items"][index][field].clone();
    assert_eq!((told(0, "kind"), told(0, "id")), (json!("course"), json!(course(1))));
    assert_eq!((told(0, "title"), told(0, "slug")), (json!("Işık 1"), json!("ders-1")));
    assert_eq!(told(0, "price"), json!({ "amount": 14990, "currency": "TRY" }));
    assert_eq!(told(0, "sale")["price"]["amount"], 9990);
    assert_eq!((told(1, "kind"), told(1, "title")), (json!("bundle"), json!("Takım 1")));
    assert_eq!(told(1, "courses"), json!([course(2), course(4)]));
    assert_eq!((told(1, "price")["amount"].clone(), told(1, "refused")), (json!(12000), Value::Null));
    assert_eq!(cart["coupons"], json!([{ "code": "bahar", "outcome": "applied" }]));
    let totals = ["subtotal", "discount", "total"].map(|field| cart["totals"][field]["amount"].clone());
    assert_eq!(totals, [json!(21990), json!(4398), json!(17592)]);
    let vat: i64 =
        cart["lines"].as_array().unwrap().iter().map(|line| line["vat"]["amount"].as_i64().unwrap()).sum();
    assert_eq!(cart["totals"]["vat"]["amount"], vat);
    let terms = world.quotes().verify(cart["quote"].as_str().unwrap(), world.now()).unwrap();
    assert_eq!((terms.tenant, terms.person, terms.total), (tenant(0), person(7), 17592));
    let lines: Vec<_> = terms.lines.iter().map(|line| (line.course, line.bundle)).collect();
    assert_eq!(lines, [(course(1), None), (course(2), Some(bundle(1))), (course(4), Some(bundle(1)))]);
    assert_eq!(terms.coupons.len(), 1);
    assert_eq!(cart["expires_at"], json!(terms.expires_at));
    world.wait(3600);
    let later = world.get(&world.join(0, 8)).await;
    assert_eq!(later.expect(200)["items"], json!([]), "nobody sees another's");
}

#[tokio::test]
async fn a_sale_that_is_over_is_not_shown() {
    let world = World::new().await;
    let sale = Sale { price: lira(9990), starts_at: START, ends_at: START.plus_seconds(10) };
    world.feed(0, &[price(1, lira(14990), Some(sale))]).await;
    let guest = world.guest_with(&[course_path(1)]).await;
    assert_eq!(world.get(&guest).await.expect(200)["totals"]["total"]["amount"], 9990);
    world.wait(10);
    let answer = world.get(&guest).await;
    assert_eq!(answer.body["totals"]["total"]["amount"], 14990);
    assert_eq!(answer.body["items"][0]["sale"], Value::Null);
}

#[tokio::test]
async fn putting_twice_changes_nothing_and_taking_out_is_for_good() {
    let world = World::new().await;
    let who = world.join(0, 7);
    for path in [course_path(2), course_path(1), course_path(2)] {
        world.put(&who, &path).await.expect(204);
        world.wait(1);
    }
    assert_eq!(world.items(&who).await, [course(2).to_string(), course(1).to_string()]);
    world.delete(&who, &course_path(2)).await.expect(204);
    assert_eq!(world.delete(&who, &course_path(2)).await.problem(), (404, "not-found"));
    assert_eq!(world.items(&who).await, [course(1).to_string()]);
    world.delete(&who, CART).await.expect(204);
    world.delete(&who, CART).await.expect(204);
    let emptied = world.get(&who).await;
    let nothing =
        json!({ "items": [], "coupons": [], "lines": [], "totals": null, "quote": null, "expires_at": null });
    assert_eq!(emptied.expect(200), &nothing);
    assert_eq!(world.count("SELECT count(*) FROM cart_item"), 0);
}

#[tokio::test]
async fn what_is_unknown_or_not_sold_is_one_error_and_nothing_is_written() {
    let world = World::new().await;
    world
        .feed(0, &[bundled(2, &[1, 2], 100, false), LambdaEvent::CourseWithdrawn { course: course(2) }])
        .await;
    let guest = world.guest();
    for path in [course_path(2), course_path(3), course_path(9), bundle_path(2), bundle_path(9)] {
        let answer = world.put(&guest, &path).await;
        assert_eq!(answer.problem(), (404, "not-for-sale"), "{path}");
        assert_eq!(answer.cookie(), None);
    }
    for path in [format!("{CART}/courses/1"), format!("{CART}/bundles/..%2f")] {
        assert_eq!(world.put(&guest, &path).await.problem(), (404, "not-found"));
    }
    let elsewhere = crate::world::From { academy: 1, ..world.guest() };
    assert_eq!(
        world.put(&elsewhere, &course_path(1)).await.problem(),
        (404, "not-for-sale"),
        "another academy's"
    );
    assert_eq!(world.count("SELECT count(*) FROM cart"), 0);
}

#[tokio::test]
async fn what_cannot_be_bought_says_why_and_is_in_no_total() {
    let world = World::new().await;
    let who = world.join(0, 7);
    let euro = Money { amount: 100, currency: Currency::EUR };
    let more = [
        published(5),
        price(5, euro, None),
        published(6),
        price(6, lira(1), None),
        bundled(2, &[1, 3], 100, true),
        bundled(3, &[1, 2], 100, true),
        granted(4, person(7), START),
    ];
    world.feed(0, &more).await;
    world.wait(60);
    let courses = [1, 6, 4, 5].map(course_path);
    for path in courses.iter().cloned().chain([1, 2, 3].map(bundle_path)) {
        world.put(&who, &path).await.expect(204);
        world.wait(1);
    }
    world.feed(0, &[LambdaEvent::CourseWithdrawn { course: course(6) }]).await;
    let answer = world.get(&who).await;
    let cart = answer.expect(200);
    let items = cart["items"].as_array().unwrap();
    let refused: Vec<_> = items.iter().map(|item| item["refused"].clone()).collect();
    let reason = |reason: &str| json!({ "reason": reason });
    let expected = [
        Value::Null,
        reason("not_for_sale"),
        reason("already_enrolled"),
        reason("other_currency"),
        json!({ "reason": "holds_enrolled", "course": course(4) }),
        reason("not_for_sale"),
        reason("twice"),
    ];
    assert_eq!(refused, expected);
    assert_eq!(
        (&items[1]["title"], &items[1]["price"]),
        (&json!("Işık 6"), &Value::Null),
        "it keeps its name"
    );
    assert_eq!(cart["totals"]["total"]["amount"], 14990);
    assert_eq!(cart["lines"].as_array().unwrap().len(), 1);
    world.delete(&who, &course_path(1)).await.expect(204);
    let cart = world.get(&who).await;
    assert_eq!(
        cart.body["totals"]["total"],
        json!({ "amount": 100, "currency": "EUR" }),
        "now that is the first"
    );
    assert_eq!(cart.body["items"][5]["refused"], reason("other_currency"));
}

#[tokio::test]
async fn what_another_shop_sells_is_refused_with_that_reason() {
    let world = World::new().await;
    let who = world.join(0, 7);
    for path in [course_path(1), course_path(2), bundle_path(1)] {
        world.put(&who, &path).await.expect(204);
        world.wait(1);
    }
    let sold = |number: u8, url: &str| LambdaEvent::SoldElsewhereSet {
        course: course(number),
        label: url.to_owned(),
        url: url.to_owned(),
    };
    let shop = "https://shop.example/";
    world.feed(1, &[sold(2, shop)]).await;
    assert_eq!(world.get(&who).await.expect(200)["items"][1]["refused"], Value::Null, "another academy's");
    world.feed(0, &[sold(1, shop), sold(4, shop)]).await;
    let answer = world.get(&who).await;
    let cart = answer.expect(200);
    let of = |index: usize| (&cart["items"][index]["refused"], &cart["items"][index]["price"]);
    assert_eq!(of(0), (&json!({ "reason": "sold_elsewhere" }), &Value::Null));
    assert_eq!(of(1).0, &Value::Null);
    assert_eq!(of(2).0, &json!({ "reason": "holds_sold_elsewhere", "course": course(4) }));
    assert_eq!(cart["totals"]["total"]["amount"], 10000);
    let guest = world.guest();
    let before = world.count("SELECT count(*) FROM cart");
    for path in [course_path(1), course_path(4)] {
        let answer = world.put(&guest, &path).await;
        assert_eq!((answer.problem(), answer.cookie()), ((409, "sold-elsewhere"), None), "{path}");
    }
    assert_eq!(world.count("SELECT count(*) FROM cart"), before, "nothing is written");
    world.feed(0, &[sold(1, "")]).await;
    world.put(&guest, &course_path(1)).await.expect(204);
    assert_eq!(world.get(&who).await.expect(200)["items"][0]["refused"], Value::Null);
}

#[tokio::test]
async fn what_a_person_has_bought_leaves_the_cart_with_its_coupons() {
    let world = World::new().await;
    let (who, other) = (world.join(0, 7), world.join(0, 8));
    world.feed(0, &[coupon(1, "bahar", fifth_off(), true)]).await;
    for path in [course_path(1), bundle_path(1), coupon_path("bahar")] {
        world.put(&who, &path).await.expect(204);
        world.put(&other, &path).await.expect(204);
    }
    world.wait(60);
    let now = world.now();
    world.feed(0, &[granted(1, person(7), now), granted(2, person(7), now)]).await;
    let cart = world.get(&who).await;
    assert_eq!(cart.body["items"].as_array().unwrap().len(), 1, "{}", cart.body);
    let half = json!({ "reason": "holds_enrolled", "course": course(2) });
    assert_eq!(cart.body["items"][0]["refused"], half, "half of a bundle is told");
    assert_eq!(cart.body["coupons"][0]["reason"], "not_for_these_courses");
    assert_eq!(cart.body["quote"], Value::Null);
    world.feed(0, &[granted(4, person(7), now)]).await;
    let read = request(&who, Method::GET, CART);
    assert_eq!(world.cost(read).await, (3, 1), "it is taken out as it is seen");
    assert_eq!(world.get(&who).await.body["coupons"], json!([]));
    assert_eq!(world.count("SELECT count(*) FROM cart"), 1);
    assert_eq!(world.items(&other).await.len(), 2, "another's stays");
}

#[tokio::test]
async fn looking_at_a_cart_takes_three_statements() {
    let world = World::new().await;
    let who = world.join(0, 7);
    assert_eq!(world.cost(request(&who, Method::GET, CART)).await, (1, 0), "an empty one");
    world.put(&who, &course_path(1)).await.expect(204);
    assert_eq!(world.cost(request(&who, Method::GET, CART)).await, (2, 0), "without a coupon");
    world.feed(0, &[coupon(1, "bahar", fifth_off(), true)]).await;
    world.put(&who, &bundle_path(1)).await.expect(204);
    world.put(&who, &coupon_path("bahar")).await.expect(204);
    assert_eq!(world.cost(request(&who, Method::GET, CART)).await, (3, 0));
    assert_eq!(world.cost(request(&who, Method::PUT, &course_path(1))).await, (0, 1));
    assert_eq!(world.cost(request(&world.guest(), Method::GET, CART)).await, (0, 0), "of nobody");
}

#[tokio::test]
async fn looking_at_a_cart_reads_rows_by_their_keys() {
    let world = World::new().await;
    let who = world.join(0, 7);
    world.feed(0, &[coupon(1, "bahar", fifth_off(), true)]).await;
    for path in [course_path(1), bundle_path(1), coupon_path("bahar")] {
        world.put(&who, &path).await.expect(204);
    }
    for statement in world.read_by(request(&who, Method::GET, CART)).await {
        let plan = world.plan(&statement);
        let scans = plan.lines().filter(|line| line.starts_with("SCAN"));
        let tables = ["cart_item", "course", "price", "bundle", "coupon", "enrolment", "spent_coupon"];
        let scanned: Vec<_> =
            scans.filter(|line| tables.contains(&line.split(' ').nth(1).unwrap())).collect();
        assert!(scanned.is_empty(), "{}\n{plan}", statement.sql);
    }
}

#[tokio::test]
async fn a_cart_has_room_for_fifty_bundles_and_without_its_condition_for_more() {
    let world = World::new().await;
    let who = world.join(0, 7);
    let bundles: Vec<_> = (10..=60).map(|n| bundled(n, &[2, 4], 100, true)).collect();
    world.feed(0, &bundles).await;
    for number in 10..60 {
        world.put(&who, &bundle_path(number)).await.expect(204);
        world.wait(1);
    }
    let refused = world.put(&who, &bundle_path(60)).await;
    assert_eq!(refused.problem(), (409, "cart-full"));
    assert!(refused.body["detail"].as_str().unwrap().contains("50 bundles"), "{}", refused.body);
    world.put(&who, &bundle_path(10)).await.expect(204);
    world.put(&who, &course_path(1)).await.expect(204);
    assert_eq!(world.items(&who).await.len(), 51);
    world.delete(&who, &bundle_path(10)).await.expect(204);
    world.put(&who, &bundle_path(60)).await.expect(204);
    crate::world::send(&world.lax(), request(&who, Method::PUT, &bundle_path(10))).await.expect(204);
    assert_eq!(world.count("SELECT count(*) FROM cart_item"), 52, "the condition was what held");
}

#[tokio::test]
async fn a_cart_has_room_for_a_hundred_things_and_without_its_condition_for_more() {
    let world = World::new().await;
    let who = world.join(0, 7);
    let events: Vec<_> = (10..=112).flat_map(|n| [published(n), price(n, lira(100), None)]).collect();
    for part in events.chunks(60) {
        world.feed(0, part).await;
    }
    for number in 10..110 {
        world.put(&who, &course_path(number)).await.expect(204);
        world.wait(1);
    }
    assert_eq!(world.put(&who, &course_path(110)).await.problem(), (409, "cart-full"));
    assert_eq!(world.put(&who, &bundle_path(1)).await.problem(), (409, "cart-full"));
    assert_eq!(world.put(&who, &course_path(9)).await.problem(), (409, "cart-full"));
    world.put(&who, &course_path(10)).await.expect(204);
    let full = world.get(&who).await;
    assert_eq!(full.body["totals"]["total"]["amount"], 10000);
    world.delete(&who, &course_path(10)).await.expect(204);
    // Of a bundle's two courses one has no room.
    world.put(&who, &bundle_path(1)).await.expect(204);
    let answer = world.get(&who).await;
    assert_eq!(answer.body["items"][99]["refused"]["reason"], "too_many", "{}", answer.body["items"][99]);
    let lax = world.lax();
    crate::world::send(&lax, request(&who, Method::PUT, &course_path(110))).await.expect(204);
    assert_eq!(world.count("SELECT count(*) FROM cart_item"), 101, "the condition was what held");
}
