//! Courses that people like.

use akademi_feed::LambdaEvent;
use http::{Method, header};
use serde_json::Value;

use crate::world::{ISIK, RENK, World, course, learner};

const LIKES: &str = "/api/v1/users/me/likes";

fn like(world: &World, method: Method, course: &str, n: u8) -> u16 {
    world.ask(method, &format!("{course}/like"), learner(n), None).status
}

fn slugs(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|liked| liked["slug"].as_str().unwrap()).collect()
}

#[test]
fn a_course_is_liked_once_by_each_and_counted_so() {
    let world = World::new();
    for n in [1, 1, 2] {
        assert_eq!(like(&world, Method::PUT, ISIK, n), 204);
    }
    let first = world.ask(Method::GET, ISIK, None, None);
    assert_eq!(first.body["likes"], 2);
    for _ in 0..2 {
        assert_eq!(like(&world, Method::DELETE, ISIK, 1), 204);
    }
    assert_eq!(world.get(ISIK)["likes"], 2, "for the minute that it is kept");
    world.store.wait(60);
    let later = world.ask(Method::GET, ISIK, None, None);
    assert_eq!(later.body["likes"], 1);
    assert_ne!(later.headers[header::ETAG], first.headers[header::ETAG]);
    assert_eq!(like(&world, Method::PUT, ISIK, 6), 204, "who is not enrolled may like it, too");
    assert_eq!(world.store.count("SELECT likes FROM course_figures"), 2);
}

#[test]
fn ones_likes_are_listed_by_pages_without_what_the_catalog_has_no_more() {
    let world = World::new();
    for course in [ISIK, RENK] {
        world.store.wait(1);
        assert_eq!(like(&world, Method::PUT, course, 1), 204);
    }
    let ask = |query: &str| world.ask(Method::GET, &format!("{LIKES}{query}"), learner(1), None).body;
    assert_eq!(slugs(&ask("")), ["renk", "isik"]);
    let first = ask("?limit=1");
    let second = ask(&format!("?limit=1&cursor={}", first["next_cursor"].as_str().unwrap()));
    assert_eq!((slugs(&first), slugs(&second)), (vec!["renk"], vec!["isik"]));
    assert_eq!(second["next_cursor"], Value::Null);
    assert_eq!(slugs(&world.ask(Method::GET, LIKES, learner(2), None).body), [""; 0], "somebody else's");
    world.feed(1, &[LambdaEvent::CourseWithdrawn { course: course(2) }]);
    assert_eq!(slugs(&ask("")), ["isik"]);
    assert_eq!(like(&world, Method::PUT, RENK, 2), 404);
    assert_eq!(like(&world, Method::DELETE, RENK, 1), 204);
}

#[test]
fn what_is_no_course_is_not_liked() {
    let world = World::new();
    for method in [Method::PUT, Method::DELETE] {
        assert_eq!(like(&world, method, "/api/v1/catalog/courses/yok", 1), 404);
    }
    assert_eq!(world.ask(Method::PUT, &format!("{ISIK}/like"), None, None).status, 401);
    assert_eq!(world.ask(Method::GET, LIKES, None, None).status, 401);
    world.store.execute("UPDATE person SET state = 'suspended'");
    assert_eq!(like(&world, Method::PUT, ISIK, 1), 404);
    assert_eq!(world.store.count("SELECT count(*) FROM course_like"), 0);
    assert_eq!(world.store.count("SELECT count(*) FROM course_figures WHERE likes > 0"), 0);
}
