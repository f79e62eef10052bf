//! Carts of browsers that nobody has signed in with.

use akademi_domain::pricing::Coupon;
use akademi_edge_world::contains;
use akademi_feed::LambdaEvent;
use http::{HeaderValue, Method, header};
use serde_json::{Value, json};

use crate::world::{
    CART, From, World, bundle_path, coupon, coupon_path, course, course_path, fifth_off, lira, price,
    published, request,
};

const DAY: i64 = 24 * 3600;

#[tokio::test]
async fn a_guest_is_given_a_cookie_that_nobody_can_guess_and_the_store_does_not_tell() {
    let world = World::new().await;
    let (guest, other) = (world.guest(), world.guest());
    let first = world.put(&guest, &course_path(1)).await;
    first.expect(204);
    let cookie = first.cookie().unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax");
    let (name, token) = pair.split_once('=').unwrap();
    assert_eq!((name, token.len()), ("__Host-akademi_cart", 32), "128 bits in hexadecimal");
    assert!(token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(!contains(&world.kept(), token), "the store and the log know a hash only");
    let second = world.put(&other, &course_path(2)).await;
    assert_ne!(second.cookie(), Some(cookie));
    let (guest, other) = (guest.keeping(&first), other.keeping(&second));
    assert_eq!(world.items(&guest).await, [course(1).to_string()]);
    assert_eq!(world.items(&other).await, [course(2).to_string()]);
    assert_eq!(world.get(&world.guest()).await.expect(200)["items"], json!([]), "without a cookie");
    let again = world.put(&guest, &bundle_path(1)).await;
    assert_eq!(again.cookie(), Some(cookie), "the same, for as long again");
    assert_eq!(world.get(&guest).await.cookie(), None, "looking keeps it no longer");
    let emptied = world.delete(&guest, CART).await;
    assert_eq!(emptied.cookie().unwrap().split("; ").nth(2), Some("Max-Age=0"));
    assert_eq!(world.count("SELECT count(*) FROM cart"), 1);
}

#[tokio::test]
async fn an_address_that_has_begun_a_hundred_carts_waits_and_whoever_has_one_does_not() {
    let world = World::new().await;
    world.feed(0, &[coupon(1, "bahar", fifth_off(), true)]).await;
    world.feed(1, &[published(1), price(1, lira(100), None)]).await;
    let known = world.guest_with(&[course_path(1)]).await;
    let made_up = |n: u32| From { cookie: Some(format!("__Host-akademi_cart={n:032x}")), ..world.guest() };
    for n in 0..50 {
        world.put(&world.guest(), &course_path(9)).await.expect(404);
        world.put(&world.guest(), &course_path(1)).await.expect(204);
        world.put(&made_up(n), &course_path(1)).await.expect(204);
    }
    let other = From { academy: 1, ..world.guest() };
    let put = world.put(&other, &course_path(1)).await;
    put.expect(204);
    let of_another = From { academy: 0, ..other.keeping(&put) };
    let carts = world.count("SELECT count(*) FROM cart");
    for (who, path) in [
        (world.guest(), course_path(1)),
        (world.guest(), bundle_path(1)),
        (world.guest(), coupon_path("bahar")),
        (made_up(99), course_path(1)),
        (of_another, course_path(1)),
    ] {
        let refused = world.put(&who, &path).await;
        assert_eq!(refused.problem(), (429, "too-many-requests"), "{path}");
        assert_eq!((refused.headers["retry-after"].to_str().unwrap(), refused.cookie()), ("3", None));
    }
    assert_eq!(world.count("SELECT count(*) FROM cart"), carts, "nothing is written");
    for path in [course_path(2), bundle_path(1), coupon_path("bahar")] {
        world.put(&known, &path).await.expect(204);
    }
    world.put(&made_up(7), &course_path(2)).await.expect(204);
    let person = From { address: world.guest().address, ..world.join(0, 7) };
    world.put(&person, &course_path(1)).await.expect(204);
    let elsewhere = From { address: "203.0.113.7".into(), ..world.guest() };
    world.put(&elsewhere, &course_path(1)).await.expect(204);
    world.wait(3);
    world.put(&world.guest(), &course_path(1)).await.expect(204);
}

#[tokio::test]
async fn a_guests_cart_is_priced_without_a_persons_rules_and_not_signed() {
    let world = World::new().await;
    let welcome = Coupon { first_purchase_only: true, ..fifth_off() };
    world.feed(0, &[coupon(1, "hosgeldin", welcome, true)]).await;
    let guest = world.guest_with(&[course_path(1), coupon_path("HOŞGELDİN")]).await;
    let answer = world.get(&guest).await;
    let cart = answer.expect(200);
    assert_eq!(cart["coupons"], json!([{ "code": "hosgeldin", "outcome": "applied" }]));
    assert_eq!(cart["totals"]["total"]["amount"], 11992);
    assert_eq!((&cart["quote"], &cart["expires_at"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_cookie_opens_nothing_in_another_academy_and_one_that_is_none_nothing_here() {
    let world = World::new().await;
    let guest = world.guest_with(&[course_path(1)]).await;
    let elsewhere = From { academy: 1, ..guest.clone() };
    assert_eq!(world.items(&elsewhere).await, Vec::<String>::new());
    world.delete(&elsewhere, CART).await.expect(204);
    assert_eq!(world.delete(&elsewhere, &course_path(1)).await.problem(), (404, "not-found"));
    assert_eq!(world.items(&guest).await.len(), 1, "it stays as it was");
    let shown = guest.cookie.clone().unwrap();
    for cookie in ["", "x", "zz", &"0".repeat(32), &shown[..shown.len() - 1]] {
        let other = From { cookie: Some(format!("__Host-akademi_cart={cookie}")), ..world.guest() };
        assert_eq!(world.items(&other).await, Vec::<String>::new(), "{cookie}");
    }
    let twice = From { cookie: Some(format!("{shown}; {shown}")), ..world.guest() };
    assert_eq!(world.get(&twice).await.problem(), (401, "token-invalid"));
}

#[tokio::test]
async fn another_sites_page_changes_no_guests_cart() {
    let world = World::new().await;
    let guest = world.guest_with(&[course_path(1)]).await;
    for (method, path) in
        [(Method::PUT, course_path(2)), (Method::DELETE, CART.into()), (Method::DELETE, course_path(1))]
    {
        for site in ["cross-site", "same-site", "none"] {
            let mut asked = request(&guest, method.clone(), &path);
            asked.headers_mut().insert("sec-fetch-site", HeaderValue::from_static(site));
            assert_eq!(
                world.ask(asked).await.problem(),
                (403, "cross-site-request"),
                "{method} {path} {site}"
            );
        }
        let mut asked = request(&guest, method.clone(), &path);
        asked.headers_mut().remove("sec-fetch-site");
        asked.headers_mut().insert(header::ORIGIN, HeaderValue::from_static("https://evil.example"));
        assert_eq!(world.ask(asked).await.problem(), (403, "cross-site-request"));
    }
    assert_eq!(world.items(&guest).await, [course(1).to_string()]);
}

#[tokio::test]
async fn a_token_that_does_not_hold_makes_nobody_a_guest() {
    let world = World::new().await;
    let who = world.join(0, 7);
    let forged = From { token: Some("abc".into()), ..world.guest() };
    assert_eq!(world.get(&forged).await.problem(), (401, "token-invalid"));
    let elsewhere = From { academy: 1, ..who.clone() };
    assert_eq!(world.put(&elsewhere, &course_path(1)).await.problem(), (401, "token-invalid"));
    world.wait(3600);
    assert_eq!(world.put(&who, &course_path(1)).await.problem(), (401, "token-expired"));
    assert_eq!(world.count("SELECT count(*) FROM cart"), 0);
}

#[tokio::test]
async fn a_guests_cart_goes_thirty_days_after_its_last_change_and_a_persons_stays() {
    let world = World::new().await;
    let guest = world.guest_with(&[course_path(1), course_path(2)]).await;
    let who = world.join(0, 7);
    world.put(&who, &course_path(1)).await.expect(204);
    let night = || async { world.feed(0, &[LambdaEvent::RetentionDue { at: world.now() }]).await };
    world.wait(29 * DAY);
    world.delete(&guest, &course_path(2)).await.expect(204);
    world.wait(29 * DAY);
    night().await;
    assert_eq!(world.items(&guest).await.len(), 1, "it was changed since");
    world.wait(DAY);
    night().await;
    assert_eq!(world.items(&guest).await, Vec::<String>::new());
    assert_eq!(world.count("SELECT count(*) FROM cart WHERE person_id IS NOT NULL"), 1);
    assert_eq!(world.count("SELECT count(*) FROM cart_item"), 1, "what was in it has gone with it");
}

#[tokio::test]
async fn an_academy_that_sells_nothing_has_no_carts() {
    let world = World::new().await;
    world.execute("UPDATE tenant SET features_off = 2");
    assert_eq!(world.get(&world.guest()).await.problem(), (404, "feature-off"));
    assert_eq!(world.put(&world.guest(), &course_path(1)).await.problem(), (404, "feature-off"));
}
