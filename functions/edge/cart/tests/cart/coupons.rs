//! Coupons of a cart, and those who guess them.

use akademi_domain::pricing::Coupon;
use akademi_feed::LambdaEvent;
use http::Method;
use serde_json::{Value, json};

use crate::world::{From, START, World, coupon, coupon_path, course_path, fifth_off, person, request, send};

#[tokio::test]
async fn a_code_is_one_whatever_keyboard_typed_it() {
    let world = World::new().await;
    world.feed(0, &[coupon(1, "indirim", fifth_off(), true)]).await;
    let guest = world.guest_with(&[course_path(1), coupon_path("İNDİRİM"), coupon_path("ındırım")]).await;
    let answer = world.get(&guest).await;
    assert_eq!(answer.body["coupons"], json!([{ "code": "indirim", "outcome": "applied" }]));
    world.delete(&guest, &coupon_path("INDIRIM")).await.expect(204);
    assert_eq!(world.get(&guest).await.body["coupons"], json!([]));
    assert_eq!(world.delete(&guest, &coupon_path("indirim")).await.problem(), (404, "not-found"));
}

#[tokio::test]
async fn an_unknown_code_and_a_used_up_one_look_alike() {
    let world = World::new().await;
    world.feed(0, &[coupon(1, "bitti", fifth_off(), false)]).await;
    world.feed(1, &[coupon(2, "komsu", fifth_off(), true)]).await;
    let guest = world.guest();
    let mut told = Vec::new();
    for code in ["bitti", "yok", "komsu", "!", "a", &"x".repeat(200)] {
        let answer = world.put(&guest, &coupon_path(code)).await;
        assert_eq!(answer.problem(), (404, "unknown-coupon"), "{code}");
        assert_eq!(answer.cookie(), None);
        told.push((answer.body["title"].clone(), answer.body["detail"].clone(), answer.headers.len()));
    }
    assert!(told.iter().all(|answer| *answer == told[0]), "{told:?}");
    assert_eq!(world.count("SELECT count(*) FROM cart"), 0);
    world.feed(0, &[coupon(1, "bitti", fifth_off(), true)]).await;
    world.put(&guest, &coupon_path("bitti")).await.expect(204);
}

#[tokio::test]
async fn a_coupon_that_does_not_apply_yet_stays_and_says_why() {
    let world = World::new().await;
    let who = world.join(0, 7);
    let early = Coupon { starts_at: Some(START.plus_seconds(60)), ..fifth_off() };
    world.feed(0, &[coupon(1, "erken", early, true), coupon(2, "bahar", fifth_off(), true)]).await;
    for path in [course_path(1), coupon_path("erken"), coupon_path("bahar")] {
        world.put(&who, &path).await.expect(204);
        world.wait(1);
    }
    let outcomes = || async { world.get(&who).await.body["coupons"].clone() };
    let applied = |code: &str| json!({ "code": code, "outcome": "applied" });
    let refused = |code: &str, reason: &str| json!({ "code": code, "outcome": "refused", "reason": reason });
    assert_eq!(outcomes().await, json!([refused("erken", "not_started"), applied("bahar")]));
    world.wait(60);
    assert_eq!(outcomes().await, json!([applied("erken"), applied("bahar")]));
    let spent = LambdaEvent::CouponSpent {
        coupon: akademi_domain::ids::CouponId::new(START, [2; 10]),
        person: person(7),
        spent: true,
        at: START,
    };
    world.feed(0, &[spent, coupon(1, "erken", fifth_off(), false)]).await;
    assert_eq!(
        outcomes().await,
        json!([refused("erken", "not_available"), refused("bahar", "already_used")])
    );
    world.delete(&who, &course_path(1)).await.expect(204);
    world.feed(0, &[coupon(1, "erken", fifth_off(), true)]).await;
    let alone = world.get(&who).await;
    assert_eq!(alone.body["coupons"][0], refused("erken", "not_for_these_courses"));
    assert_eq!((&alone.body["totals"], &alone.body["quote"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_cart_takes_five_coupons_and_without_its_condition_more() {
    let world = World::new().await;
    let who = world.join(0, 7);
    let events: Vec<_> = (1..=6).map(|n| coupon(n, &format!("kod{n}"), fifth_off(), true)).collect();
    world.feed(0, &events).await;
    for n in 1..=5 {
        world.put(&who, &coupon_path(&format!("kod{n}"))).await.expect(204);
    }
    for _ in 0..20 {
        assert_eq!(
            world.put(&who, &coupon_path("kod6")).await.problem(),
            (409, "cart-full"),
            "no guess, no wait"
        );
    }
    world.put(&who, &coupon_path("kod5")).await.expect(204);
    send(&world.lax(), request(&who, Method::PUT, &coupon_path("kod6"))).await.expect(204);
    assert_eq!(world.count("SELECT count(*) FROM cart_item"), 6, "the condition was what held");
}

#[tokio::test]
async fn whoever_guesses_codes_waits_longer_each_time() {
    let world = World::new().await;
    world.feed(0, &[coupon(1, "bahar", fifth_off(), true)]).await;
    let guest = world.guest_with(&[course_path(1)]).await;
    let person = From { address: guest.address.clone(), ..world.join(0, 7) };
    for who in [&guest, &person] {
        for n in 0..5 {
            assert_eq!(world.put(who, &coupon_path(&format!("tahmin{n}"))).await.status, 404);
            world.put(who, &coupon_path("bahar")).await.expect(204);
        }
        let mut waits = Vec::new();
        for n in 0..4 {
            let put = world.put(who, &coupon_path(&format!("yine{n}"))).await;
            assert_eq!(put.status, 404);
            let refused = world.put(who, &coupon_path("bahar")).await;
            assert_eq!(refused.problem(), (429, "too-many-requests"), "whatever the code");
            let wait: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
            waits.push(wait - 1);
            world.wait(wait);
        }
        assert_eq!(waits, [5, 10, 20, 40]);
        world.put(who, &coupon_path("bahar")).await.expect(204);
    }
}

#[tokio::test]
async fn who_throws_the_cookie_away_guesses_from_the_same_address() {
    let world = World::new().await;
    world.feed(0, &[coupon(1, "bahar", fifth_off(), true)]).await;
    for n in 0..101 {
        assert_eq!(world.put(&world.guest(), &coupon_path(&format!("tahmin{n}"))).await.status, 404);
    }
    assert_eq!(world.put(&world.guest(), &coupon_path("bahar")).await.status, 429);
    let elsewhere = From { address: "203.0.113.7".into(), ..world.guest() };
    world.put(&elsewhere, &coupon_path("bahar")).await.expect(204);
}
