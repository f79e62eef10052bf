//! Links that are shared, and the visits that they bring.

use akademi_api::caller::ClientAddress;
use futures::executor::block_on;
use http::Method;
use serde_json::{Value, json};

use crate::world::{
    Answer, ISIK, KADIKOY, RENK, UMRANIYE, World, administrator, course, instructor, learner, router, send,
};

fn share(world: &World, course: &str, via: &str) -> Answer {
    world.ask(Method::POST, &format!("{course}/shares"), None, Some(&json!({ "via": via })))
}

fn visit(world: &World, course: &str, via: &str) -> u16 {
    world.ask(Method::POST, &format!("{course}/visits"), None, Some(&json!({ "via": via }))).status
}

fn counts(world: &World, query: &str) -> Value {
    let path = format!("/api/v1/shares/courses/{}{query}", course(1));
    let answer = world.ask(Method::GET, &path, administrator(), None);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["data"].clone()
}

#[test]
fn a_link_has_a_mark_of_the_place_and_of_nobody() {
    let world = World::new();
    let answer = share(&world, ISIK, "whatsapp");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["url"], "http://umraniye.localhost/courses/isik?via=whatsapp");
    assert_eq!(
        answer.body["share_url"],
        "https://wa.me/?text=I%C5%9F%C4%B1k%20%26%20G%C3%B6lge%20\
         http%3A%2F%2Fumraniye.localhost%2Fcourses%2Fisik%3Fvia%3Dwhatsapp"
    );
    assert_eq!(share(&world, ISIK, "whatsapp").body, answer.body, "the same for everybody");
    assert_eq!(share(&world, ISIK, "copy").body["share_url"], Value::Null);
    assert_eq!(world.store.count("SELECT count(*) FROM share_link"), 2);
    assert_eq!(share(&world, ISIK, "myspace").status, 422);
    assert_eq!(share(&world, "/api/v1/catalog/courses/yok", "copy").status, 404);
}

#[test]
fn visits_are_counted_by_day_and_mark_and_tell_nothing_of_who_came() {
    let world = World::new();
    share(&world, ISIK, "x");
    share(&world, ISIK, "email");
    for via in ["x", "x", "email"] {
        assert_eq!(visit(&world, ISIK, via), 204);
    }
    // 14:13 in UTC; ten hours later it is the day after in Istanbul.
    world.store.wait(10 * 3600);
    assert_eq!(visit(&world, ISIK, "x"), 204);
    let told = |day: &str, via: &str, visits: i64| json!({ "day": day, "via": via, "visits": visits });
    let all = [told("2026-09-21", "email", 1), told("2026-09-21", "x", 2), told("2026-09-22", "x", 1)];
    assert_eq!(counts(&world, ""), json!(all));
    assert_eq!(counts(&world, "?from=2026-09-22&to=2026-09-22"), json!(all[2..]));
    assert_eq!(counts(&world, "?to=2026-09-20"), json!([]));
    let columns = "SELECT count(*) FROM pragma_table_info('link_visit')";
    assert_eq!(world.store.count(columns), 5, "academy, course, day, mark, count");
}

#[test]
fn a_mark_that_nobody_made_counts_nothing() {
    let world = World::new();
    share(&world, ISIK, "x");
    assert_eq!(visit(&world, ISIK, "facebook"), 204);
    assert_eq!(visit(&world, RENK, "x"), 204, "made for another course");
    assert_eq!(visit(&world, ISIK, "myspace"), 422);
    let elsewhere = json!({ "via": "x" });
    let other = world.ask_of(KADIKOY, Method::POST, &format!("{ISIK}/visits"), None, Some(&elsewhere));
    assert_eq!(other.status, 204, "made in another academy");
    assert_eq!(world.store.count("SELECT count(*) FROM link_visit"), 0);
    assert_eq!(world.store.count("SELECT count(*) FROM throttle"), 0, "and nothing is kept of who asked");
    assert_eq!(visit(&world, "/api/v1/catalog/courses/yok", "x"), 404);
}

#[test]
fn who_tells_of_many_visits_is_counted_no_more_and_writes_no_more() {
    let world = World::new();
    share(&world, ISIK, "x");
    let (edge, watched) = world.store.watched();
    let router = router(&edge, &world.variables);
    let tell = |address: &str| {
        let path = format!("{ISIK}/visits");
        let mut request = world.request(UMRANIYE, (Method::POST, &path), None, Some(&json!({ "via": "x" })));
        request.extensions_mut().insert(ClientAddress(address.into()));
        assert_eq!(block_on(send(&router, request)).status, 204, "whether it was counted is not told");
        watched.take().1
    };
    let commits: usize = (0..200).map(|_| tell("192.0.2.1")).sum();
    let counted = world.store.count("SELECT visits FROM link_visit");
    assert_eq!(counted, 101, "what a whole class may tell, and the one that is told to wait after it");
    assert_eq!(commits, 2 * 101);
    assert_eq!(tell("192.0.2.2"), 2, "others are not held up");
    world.store.execute("UPDATE link_visit SET visits = 10000");
    assert_eq!(tell("192.0.2.3"), 0, "a mark has a bound for a day");
    assert_eq!(world.store.count("SELECT visits FROM link_visit"), 10_000);
}

#[test]
fn counts_are_for_staff_of_the_course() {
    let world = World::new();
    let path = |n: u8, query: &str| format!("/api/v1/shares/courses/{}{query}", course(n));
    let ask = |who, path: String| world.ask(Method::GET, &path, who, None).status;
    assert_eq!(ask(learner(1), path(1, "")), 403);
    assert_eq!(ask(None, path(1, "")), 401);
    assert_eq!((ask(instructor(), path(1, "")), ask(instructor(), path(2, ""))), (200, 404));
    assert_eq!((ask(administrator(), path(2, "")), ask(administrator(), path(9, ""))), (200, 404));
    for query in [
        "?from=2026-09-22&to=2026-09-21",
        "?from=2025-09-01&to=2026-09-21",
        "?from=yesterday",
        "?to=2026-13-01",
        "?day=2026-09-21",
    ] {
        assert_eq!(ask(administrator(), path(1, query)), 422, "{query}");
    }
    assert_eq!(ask(administrator(), path(1, "?from=2025-09-21&to=2026-09-21")), 200);
}
