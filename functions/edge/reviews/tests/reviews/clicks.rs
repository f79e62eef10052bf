//! Courses that another shop sells: how visitors get there, and what is counted of it.

use akademi_api::caller::ClientAddress;
use akademi_edge_world::contains;
use akademi_feed::LambdaEvent;
use futures::executor::block_on;
use http::{Method, header};
use serde_json::{Value, json};

use crate::world::{
    Answer, ISIK, KADIKOY, RENK, UMRANIYE, World, administrator, course, instructor, learner, router, send,
};

const SHOP: &str = "https://shop.example/isik?dil=tr#fiyat";

/// Sold by this shop, or here again.
fn sold(n: u8, url: Option<&str>) -> LambdaEvent {
    let label = url.map(|_| "Işık Kitabevi".to_owned()).unwrap_or_default();
    LambdaEvent::SoldElsewhereSet { course: course(n), label, url: url.unwrap_or_default().to_owned() }
}

fn go(world: &World, course: &str) -> Answer {
    world.ask(Method::GET, &format!("{course}/go"), None, None)
}

fn clicks(world: &World, query: &str) -> Value {
    let path = format!("/api/v1/clicks/courses/{}{query}", course(1));
    let answer = world.ask(Method::GET, &path, administrator(), None);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["data"].clone()
}

#[test]
fn the_catalog_names_the_shop_and_a_path_that_leads_there() {
    let world = World::new();
    let shown = |path: &str| world.get(path);
    assert_eq!(shown(ISIK)["sold_elsewhere"], Value::Null);
    assert_eq!(go(&world, ISIK).status, 404);
    world.feed(1, &[sold(1, Some(SHOP))]);
    let shop = json!({ "label": "Işık Kitabevi", "url": format!("{ISIK}/go") });
    assert_eq!(shown(ISIK)["sold_elsewhere"], shop, "at once");
    assert_eq!(shown("/api/v1/catalog/courses")["data"][1]["sold_elsewhere"], shop);
    assert_eq!(shown("/api/v1/catalog/courses?sort=rating")["data"][1]["sold_elsewhere"], shop);
    assert_eq!(shown(RENK)["sold_elsewhere"], Value::Null);

    let answer = world.ask(Method::GET, shop["url"].as_str().unwrap(), None, None);
    let header = |name: header::HeaderName| answer.headers[name].to_str().unwrap();
    assert_eq!((answer.status, header(header::LOCATION)), (303, SHOP));
    assert_eq!((header(header::REFERRER_POLICY), header(header::CACHE_CONTROL)), ("no-referrer", "no-store"));
    for query in ["?url=https://evil.example", "?to=//evil.example"] {
        let answer = world.ask(Method::GET, &format!("{ISIK}/go{query}"), None, None);
        assert_eq!(
            (answer.status, answer.headers[header::LOCATION].to_str().unwrap()),
            (303, SHOP),
            "{query}"
        );
    }
    assert_eq!(go(&world, RENK).status, 404);
    assert_eq!(go(&world, "/api/v1/catalog/courses/yok").status, 404);
    assert_eq!(world.ask_of(KADIKOY, Method::GET, &format!("{ISIK}/go"), None, None).status, 404);
    world.feed(1, &[sold(1, Some("https://other.example/"))]);
    assert_eq!(go(&world, ISIK).headers[header::LOCATION], "https://other.example/");
    for _ in 0..2 {
        world.feed(1, &[sold(1, None)]);
    }
    assert_eq!((go(&world, ISIK).status, &shown(ISIK)["sold_elsewhere"]), (404, &Value::Null));
    world.feed(1, &[sold(1, Some(SHOP)), LambdaEvent::CourseWithdrawn { course: course(1) }]);
    assert_eq!(go(&world, ISIK).status, 404, "the catalog has it no more");
}

#[test]
fn clicks_are_counted_by_day_and_apart_from_visits_and_tell_nothing_of_who_went() {
    let world = World::new();
    world.feed(1, &[sold(1, Some(SHOP))]);
    let via = json!({ "via": "x" });
    for path in ["shares", "visits"] {
        assert!(world.ask(Method::POST, &format!("{ISIK}/{path}"), None, Some(&via)).status < 300);
    }
    let (edge, address) = (router(&world.store.edge, &world.variables), "203.0.113.77");
    let from_there = |method: Method, prefetched: bool| {
        let mut request = world.request(UMRANIYE, (method, &format!("{ISIK}/go")), learner(1), None);
        request.extensions_mut().insert(ClientAddress(address.into()));
        if prefetched {
            request.headers_mut().insert("sec-purpose", "prefetch".parse().unwrap());
        }
        assert_eq!(block_on(send(&edge, request)).status, 303);
    };
    from_there(Method::GET, false);
    from_there(Method::GET, false);
    from_there(Method::GET, true);
    from_there(Method::HEAD, false);
    // Ten hours later it is the day after in Istanbul.
    world.store.wait(10 * 3600);
    assert_eq!(go(&world, ISIK).status, 303);
    let told = |day: &str, clicks: i64| json!({ "day": day, "clicks": clicks });
    assert_eq!(clicks(&world, ""), json!([told("2026-09-21", 2), told("2026-09-22", 1)]));
    assert_eq!(clicks(&world, "?from=2026-09-22&to=2026-09-22"), json!([told("2026-09-22", 1)]));
    assert_eq!(clicks(&world, "?to=2026-09-20"), json!([]));
    let visits = format!("/api/v1/shares/courses/{}", course(1));
    let visits = world.ask(Method::GET, &visits, administrator(), None).body["data"].clone();
    assert_eq!(visits, json!([{ "day": "2026-09-21", "via": "x", "visits": 1 }]), "a click is no visit");
    assert!(!contains(&world.store.kept(), address), "of whoever went, nothing is kept");
}

#[test]
fn who_clicks_very_often_gets_there_and_is_counted_no_more() {
    let world = World::new();
    world.feed(1, &[sold(1, Some(SHOP))]);
    let (edge, watched) = world.store.watched();
    let router = router(&edge, &world.variables);
    let click = |address: &str| {
        let mut request = world.request(UMRANIYE, (Method::GET, &format!("{ISIK}/go")), None, None);
        request.extensions_mut().insert(ClientAddress(address.into()));
        assert_eq!(block_on(send(&router, request)).status, 303);
        watched.take().1
    };
    let commits: usize = (0..200).map(|_| click("192.0.2.1")).sum();
    assert_eq!(world.store.count("SELECT visits FROM link_visit"), 101);
    assert_eq!(commits, 2 * 101);
    assert_eq!(click("192.0.2.2"), 2, "others are not held up");
    world.store.execute("UPDATE link_visit SET visits = 10000");
    assert_eq!(click("192.0.2.3"), 0, "a day has a bound");
}

#[test]
fn clicks_are_told_to_staff_of_the_course() {
    let world = World::new();
    let path = |n: u8, query: &str| format!("/api/v1/clicks/courses/{}{query}", course(n));
    let ask = |who, path: String| world.ask(Method::GET, &path, who, None).status;
    assert_eq!(ask(learner(1), path(1, "")), 403);
    assert_eq!(ask(None, path(1, "")), 401);
    assert_eq!((ask(instructor(), path(1, "")), ask(instructor(), path(2, ""))), (200, 404));
    assert_eq!((ask(administrator(), path(2, "")), ask(administrator(), path(9, ""))), (200, 404));
    for query in ["?from=2026-09-22&to=2026-09-21", "?from=2025-09-01&to=2026-09-21", "?to=x", "?day=1"] {
        assert_eq!(ask(administrator(), path(1, query)), 422, "{query}");
    }
}
