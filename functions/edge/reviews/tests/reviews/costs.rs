//! How many statements requests read by, how often they commit, and how the engine finds what they ask for.

use http::{Method, Request, header};
use serde_json::json;

use crate::world::{ISIK, UMRANIYE, Who, World, administrator, learner, router, send};
use axum::body::Body;
use futures::executor::block_on;

/// Reading statements and commits of a request that is taken.
fn cost(
    world: &World,
    method: Method,
    path: &str,
    who: Option<Who>,
    body: Option<serde_json::Value>,
) -> (usize, usize) {
    let (edge, watched) = world.store.watched();
    let request = world.request(UMRANIYE, (method, path), who, body.as_ref());
    let answer = block_on(send(&router(&edge, &world.variables), request));
    assert!(answer.status < 300, "{path}: {}", answer.body);
    let (read, commits) = watched.take();
    (read.len(), commits)
}

#[test]
fn requests_cost_a_fixed_number_of_statements() {
    let world = World::new();
    let get = |path: &str, who| cost(&world, Method::GET, path, who, None);
    let mine = format!("{ISIK}/reviews/mine");
    let review = world.review(2, ISIK, 3, "");
    assert_eq!(cost(&world, Method::PUT, &mine, learner(1), Some(json!({ "stars": 5 }))), (2, 2));
    let again = cost(&world, Method::PUT, &mine, learner(1), Some(json!({ "stars": 5 })));
    assert_eq!(again, (3, 2), "as it is already: the refused batch, and a look at it");
    assert_eq!(get(&mine, learner(1)), (2, 0));
    for n in 3..=5 {
        world.review(n, ISIK, n, "Metin");
    }
    assert_eq!(get(&format!("{ISIK}/reviews"), None), (3, 0), "however many entries");
    assert_eq!(get(&format!("{ISIK}/reviews?limit=1"), None), (3, 0));
    assert_eq!(get(ISIK, None), (2, 0), "a course's page as before it had figures");
    assert_eq!(get("/api/v1/catalog/courses", None), (2, 0));
    assert_eq!(cost(&world, Method::DELETE, &mine, learner(1), None), (1, 1));
    let like = format!("{ISIK}/like");
    assert_eq!(cost(&world, Method::PUT, &like, learner(1), None), (1, 1));
    assert_eq!(cost(&world, Method::DELETE, &like, learner(1), None), (1, 1));
    assert_eq!(get("/api/v1/users/me/likes", learner(1)), (2, 0));
    let report = format!("/api/v1/reviews/{review}/reports");
    assert_eq!(cost(&world, Method::POST, &report, learner(1), Some(json!({ "reason": "other" }))), (1, 1));
    assert_eq!(get("/api/v1/reviews", administrator()), (2, 0));
    let state = format!("/api/v1/reviews/{review}/state");
    let hide = json!({ "state": "hidden", "reason": "other", "version": 1 });
    assert_eq!(cost(&world, Method::PUT, &state, administrator(), Some(hide)), (5, 1));
    world.need_approval(true);
    world.review(3, ISIK, 1, "Yeni");
    assert_eq!(get("/api/v1/reviews?state=waiting", administrator()), (2, 0));
    let seen =
        world.ask(Method::GET, "/api/v1/reviews?state=waiting", administrator(), None).body["data"][0].take();
    let seen = json!({ "reviews": [{ "id": seen["id"], "version": seen["version"] }] });
    assert_eq!(cost(&world, Method::POST, "/api/v1/reviews/approvals", administrator(), Some(seen)), (4, 1));
    assert_eq!(get("/api/v1/catalog/courses?sort=rating", None), (2, 0));
    let via = || Some(json!({ "via": "x" }));
    let shares = format!("{ISIK}/shares");
    assert_eq!(cost(&world, Method::POST, &shares, None, via()), (2, 1));
    assert_eq!(cost(&world, Method::POST, &shares, None, via()), (2, 0), "the second one writes nothing");
    assert_eq!(cost(&world, Method::POST, &format!("{ISIK}/visits"), None, via()), (3, 2));
}

#[test]
fn a_kept_list_costs_no_statement_but_the_academys() {
    let world = World::new();
    world.review(1, ISIK, 3, "");
    let (edge, watched) = world.store.watched();
    let router = router(&edge, &world.variables);
    let ask = |path: &str| {
        let request = Request::get(path).header(header::HOST, UMRANIYE.1).body(Body::empty()).unwrap();
        assert_eq!(block_on(send(&router, request)).status, 200);
        watched.take().0.len()
    };
    for path in [&format!("{ISIK}/reviews"), ISIK] {
        assert!(ask(path) > 1);
        assert_eq!(ask(path), 1, "{path}");
    }
    world.store.wait(60);
    assert_eq!(ask(ISIK), 2, "once a minute, for its likes");
}

#[test]
fn lists_are_read_in_the_order_of_an_index() {
    let world = World::new();
    let (edge, watched) = world.store.watched();
    let router = router(&edge, &world.variables);
    let plan = |path: &str, who| {
        let request = world.request(UMRANIYE, (Method::GET, path), who, None);
        assert_eq!(block_on(send(&router, request)).status, 200);
        let (read, _) = watched.take();
        world.store.plan(read.last().unwrap())
    };
    for (query, index) in [
        ("", "review_by_age"),
        ("?sort=highest", "review_by_stars"),
        ("?sort=lowest", "review_by_stars"),
        ("?stars=3", "review_by_stars"),
    ] {
        let found = plan(&format!("{ISIK}/reviews{query}"), None);
        assert!(found.contains(index) && !found.contains("TEMP B-TREE"), "{query}: {found}");
    }
    let found = plan("/api/v1/catalog/courses?sort=rating", None);
    assert!(found.contains("course_figures_by_standing") && !found.contains("TEMP B-TREE"), "{found}");
    for (query, index) in [
        ("?state=hidden", "review_by_state"),
        ("?state=waiting", "review_by_state"),
        ("", "review_report_waiting"),
    ] {
        let found = plan(&format!("/api/v1/reviews{query}"), administrator());
        assert!(found.contains(index), "{query}: {found}");
    }
}
