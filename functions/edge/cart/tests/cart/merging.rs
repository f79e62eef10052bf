//! Who was a guest and signs in takes the cart along.

use akademi_edge_store::{Database, Rows, Statement, StoreError};
use akademi_feed::LambdaEvent;
use axum::Router;
use futures::future::{BoxFuture, join, join_all};
use http::Method;
use serde_json::json;
use std::sync::{Arc, Mutex};

use crate::world::{
    CART, From, START, World, bundle, bundle_path, bundled, coupon, coupon_path, course, course_path,
    fifth_off, lira, person, price, published, request, send,
};

#[tokio::test]
async fn the_first_request_with_both_makes_one_cart_of_them_and_drops_the_cookie() {
    let world = World::new().await;
    world.feed(0, &[coupon(1, "bahar", fifth_off(), true)]).await;
    let who = world.join(0, 7);
    world.put(&who, &course_path(1)).await.expect(204);
    world.wait(1);
    let guest =
        world.guest_with(&[course_path(1), course_path(2), bundle_path(1), coupon_path("bahar")]).await;
    let both = guest.signed_in(&who);
    let merged = world.get(&both).await;
    assert_eq!(merged.cookie().unwrap().split("; ").nth(2), Some("Max-Age=0"));
    assert_eq!(merged.expect(200)["coupons"], json!([{ "code": "bahar", "outcome": "applied" }]));
    let expected = [course(1).to_string(), course(2).to_string(), bundle(1).to_string()];
    assert_eq!(world.items(&both).await, expected, "once more: nothing is doubled");
    assert_eq!(world.items(&who).await, expected);
    assert_eq!(world.items(&guest).await, Vec::<String>::new(), "the cookie opens nothing any more");
    assert_eq!(world.get(&who).await.cookie(), None);
    assert_eq!(world.count("SELECT count(*) FROM cart"), 1);
}

#[tokio::test]
async fn writing_merges_too_and_a_cookie_of_nobody_merges_nothing() {
    let world = World::new().await;
    let who = world.join(0, 7);
    let guest = world.guest_with(&[course_path(1)]).await;
    let put = world.put(&guest.signed_in(&who), &course_path(2)).await;
    assert_eq!(put.cookie().unwrap().split("; ").nth(2), Some("Max-Age=0"));
    assert_eq!(world.items(&who).await.len(), 2);
    let stranger = From { cookie: Some(format!("__Host-akademi_cart={}", "0".repeat(32))), ..who.clone() };
    assert_eq!(world.items(&stranger).await.len(), 2);
    // A cookie that names a person's own cart, as the store does.
    let disguised = From { cookie: Some(format!("__Host-akademi_cart={}", person(7))), ..world.join(0, 8) };
    assert_eq!(world.items(&disguised).await, Vec::<String>::new());
    assert_eq!(world.items(&who).await.len(), 2);
}

#[tokio::test]
async fn a_merged_cart_has_no_more_than_its_owner_may_and_their_own_come_first() {
    let world = World::new().await;
    let events: Vec<_> = (10..=120).flat_map(|n| [published(n), price(n, lira(100), None)]).collect();
    for part in events.chunks(60) {
        world.feed(0, part).await;
    }
    let coupons: Vec<_> = (1..=8).map(|n| coupon(n, &format!("kod{n}"), fifth_off(), true)).collect();
    world.feed(0, &coupons).await;
    let who = world.join(0, 7);
    let own: Vec<_> =
        (10..80).map(course_path).chain((1..=3).map(|n| coupon_path(&format!("kod{n}")))).collect();
    for path in &own {
        world.put(&who, path).await.expect(204);
        world.wait(1);
    }
    let theirs: Vec<_> =
        (70..=120).map(course_path).chain((2..=6).map(|n| coupon_path(&format!("kod{n}")))).collect();
    let guest = world.guest_with(&theirs).await;
    let merged = world.get(&guest.signed_in(&who)).await;
    let items: Vec<_> =
        merged.expect(200)["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    let expected: Vec<_> = (10..110).map(|n| json!(course(n))).collect();
    assert_eq!(items, expected, "theirs in the order in which they were put there, as far as there is room");
    let codes: Vec<_> =
        merged.body["coupons"].as_array().unwrap().iter().map(|coupon| coupon["code"].clone()).collect();
    assert_eq!(codes, (1..=5).map(|n| json!(format!("kod{n}"))).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_merged_cart_has_no_more_bundles_than_its_owner_may_and_those_take_no_room_of_courses() {
    let world = World::new().await;
    let bundles: Vec<_> = (10..90).map(|n| bundled(n, &[2, 4], 100, true)).collect();
    for part in bundles.chunks(40) {
        world.feed(0, part).await;
    }
    let courses: Vec<_> = (100..160).flat_map(|n| [published(n), price(n, lira(100), None)]).collect();
    for part in courses.chunks(60) {
        world.feed(0, part).await;
    }
    let who = world.join(0, 7);
    for number in 10..50 {
        world.put(&who, &bundle_path(number)).await.expect(204);
        world.wait(1);
    }
    let theirs: Vec<_> = (45..85).map(bundle_path).chain((100..160).map(course_path)).collect();
    let guest = world.guest_with(&theirs).await;
    let merged = world.items(&guest.signed_in(&who)).await;
    let bundles = (10..60).map(|n| bundle(n).to_string());
    let expected: Vec<_> = bundles.chain((100..150).map(|n| course(n).to_string())).collect();
    assert_eq!(merged, expected);
}

#[tokio::test]
async fn carts_of_two_academies_do_not_merge() {
    let world = World::new().await;
    world.feed(1, &[published(1), price(1, lira(100), None)]).await;
    let elsewhere = From { academy: 1, ..world.guest() };
    let put = world.put(&elsewhere, &course_path(1)).await;
    let who = world.join(0, 7);
    let both = From { academy: 0, ..elsewhere.keeping(&put) }.signed_in(&who);
    assert_eq!(world.items(&both).await, Vec::<String>::new());
    assert_eq!(world.items(&elsewhere.keeping(&put)).await.len(), 1, "it stays where it is");
}

#[tokio::test]
async fn what_somebody_of_the_same_id_has_in_another_academy_takes_no_room() {
    let world = World::new().await;
    let events: Vec<_> = (10..110).flat_map(|n| [published(n), price(n, lira(100), None)]).collect();
    let coupons: Vec<_> = (1..=5).map(|n| coupon(n, &format!("kod{n}"), fifth_off(), true)).collect();
    for part in events.chunks(50).chain([&*coupons]) {
        world.feed(1, part).await;
    }
    world.feed(0, &coupons).await;
    let (who, namesake) = (world.join(0, 7), world.join(1, 7));
    for path in (10..110).map(course_path).chain((1..=5).map(|n| coupon_path(&format!("kod{n}")))) {
        world.put(&namesake, &path).await.expect(204);
    }
    for path in [course_path(1), bundle_path(1), coupon_path("kod1")] {
        world.put(&who, &path).await.expect(204);
    }
    let guest = world.guest_with(&[course_path(2), coupon_path("kod2")]).await;
    assert_eq!(world.items(&guest.signed_in(&who)).await.len(), 3);
    assert_eq!(world.count("SELECT count(*) FROM cart_item"), 105 + 5);
    world.delete(&who, CART).await.expect(204);
    assert_eq!(world.items(&namesake).await.len(), 100);
}

#[tokio::test]
async fn nothing_is_kept_of_somebody_who_was_erased() {
    let world = World::new().await;
    let who = world.join(0, 7);
    world.put(&who, &course_path(1)).await.expect(204);
    let guest = world.guest_with(&[course_path(2)]).await;
    world.feed(0, &[LambdaEvent::PersonErased { person: person(7), at: START }]).await;
    assert_eq!(
        world
            .count("SELECT count(*) FROM cart_item JOIN cart ON cart.id = cart_id AND person_id IS NOT NULL"),
        0
    );
    // Their token holds for some minutes.
    assert_eq!(world.put(&who, &course_path(1)).await.problem(), (401, "session-ended"));
    assert_eq!(world.get(&guest.signed_in(&who)).await.problem(), (401, "session-ended"));
    assert_eq!(world.items(&guest).await.len(), 1, "the guest's stays the guest's");
}

/// An engine on which something else happens while carts are merged; torn, it does each statement of that by itself.
struct Meanwhile {
    engine: Arc<dyn Database>,
    is_torn: bool,
    other: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Meanwhile {
    fn other(&self) -> BoxFuture<'static, ()> {
        self.other.lock().unwrap().take().unwrap_or_else(|| Box::pin(std::future::ready(())))
    }
}

impl Database for Meanwhile {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        self.engine.query(statement)
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        let merges = statements.iter().any(|statement| statement.sql.contains("row_number"));
        if !merges {
            return self.engine.batch(statements);
        }
        let other = self.other();
        Box::pin(async move {
            if !self.is_torn {
                return join(self.engine.batch(statements), tokio::spawn(other)).await.0;
            }
            let mut rows = Vec::new();
            let mut other = Some(other);
            for statement in statements {
                if statement.sql.starts_with("DELETE")
                    && let Some(other) = other.take()
                {
                    other.await;
                }
                rows.extend(self.engine.batch(vec![statement]).await?);
            }
            Ok(rows)
        })
    }
}

/// How many things somebody has in the end who signs in in one tab while another puts something into the guest's cart.
async fn merged_while_something_is_added(is_torn: bool) -> usize {
    let world = World::new().await;
    let who = world.join(0, 7);
    let guest = world.guest_with(&[course_path(1)]).await;
    let adding: Router = world.behind(world.edge.database.clone());
    let added = request(&guest, Method::PUT, &course_path(2));
    let other: BoxFuture<'static, ()> = Box::pin(async move {
        send(&adding, added).await.expect(204);
    });
    let engine = Meanwhile { engine: world.edge.database.clone(), is_torn, other: Mutex::new(Some(other)) };
    let merging = world.behind(Arc::new(engine));
    let both = guest.signed_in(&who);
    send(&merging, request(&both, Method::GET, CART)).await.expect(200);
    // What came too late for that is still the guest's.
    tokio::time::timeout(std::time::Duration::from_secs(10), async {
        loop {
            let found = world.items(&both).await.len();
            if found == 2 || is_torn {
                return found;
            }
        }
    })
    .await
    .unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_while_carts_are_merged_is_not_lost() {
    for _ in 0..10 {
        assert_eq!(merged_while_something_is_added(false).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn were_it_not_one_step_it_would_be_lost() {
    assert_eq!(merged_while_something_is_added(true).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_races_itself_loses_nothing_and_doubles_nothing() {
    let world = World::new().await;
    let who = world.join(0, 7);
    world.put(&who, &course_path(4)).await.expect(204);
    let guest = world.guest_with(&[course_path(1), bundle_path(1)]).await;
    let both = guest.signed_in(&who);
    let router = world.behind(world.edge.database.clone());
    let asked = (0..8).map(|n| {
        let (router, both, guest) = (router.clone(), both.clone(), guest.clone());
        let path = course_path(2);
        tokio::spawn(async move {
            let asked = match n {
                3 => request(&guest, Method::PUT, &path),
                _ => request(&both, Method::GET, CART),
            };
            assert!(send(&router, asked).await.status < 300);
        })
    });
    for asked in join_all(asked.collect::<Vec<_>>()).await {
        asked.unwrap();
    }
    let mut items = world.items(&both).await;
    items.sort_unstable();
    let mut expected =
        vec![course(1).to_string(), course(2).to_string(), course(4).to_string(), bundle(1).to_string()];
    expected.sort_unstable();
    assert_eq!(items, expected);
    assert_eq!(world.count("SELECT count(*) FROM cart_item"), 4);
}
