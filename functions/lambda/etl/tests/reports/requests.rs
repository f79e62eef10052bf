//! Requests that are refused, and what nobody asked for.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::academies::{Academies, DAY, NIGHT, admin, instructor, learner};

const RUNS: &str = "/api/v1/reports/runs";

#[tokio::test]
async fn bad_input_is_refused_by_field_and_nothing_is_written() {
    let academies = Academies::new().await;
    let today = NIGHT.day_in_istanbul();
    for (body, field) in [
        (json!({ "day": today.plus(1) }), "day"),
        (json!({ "day": "21.11.2026" }), "day"),
        (json!({ "day": "2026-11-31" }), "day"),
        (json!({ "day": 5 }), "day"),
        (json!({}), "day"),
        (json!({ "day": DAY, "x": 1 }), "x"),
    ] {
        let (status, answer) = academies.call(admin(), Method::POST, RUNS, Some(body.clone())).await;
        assert_eq!((status, &answer["errors"][0]["field"]), (422, &json!(field)), "{body}: {answer}");
    }
    for name in ["institution", "instructor", "learner"] {
        let who = match name {
            "institution" => admin(),
            "instructor" => instructor(100),
            _ => learner(1),
        };
        for (query, field) in [
            ("from=x", "from"),
            ("to=2026-13-01", "to"),
            ("from=2026-11-22&to=2026-11-21", "from"),
            ("from=2025-11-20&to=2026-11-21", "from"),
            ("days=3", "days"),
        ] {
            let target = format!("/api/v1/reports/{name}?{query}");
            let (status, answer) = academies.call(who, Method::GET, &target, None).await;
            assert_eq!(status, 422, "{target}: {answer}");
            let named = answer["errors"][0].to_string();
            assert!(named.contains(field), "{target}: {answer}");
        }
    }
    assert_eq!(academies.number("SELECT count(*) FROM etl_run").await, 0);
}

#[tokio::test]
async fn each_dashboard_is_for_those_who_may_see_it() {
    let academies = Academies::new().await;
    let day = Some(json!({ "day": DAY }));
    for who in [learner(1), instructor(100)] {
        let (status, _) = academies.call(who, Method::POST, RUNS, day.clone()).await;
        assert_eq!(status, 403);
        let (status, _) = academies.call(who, Method::GET, "/api/v1/reports/institution", None).await;
        assert_eq!(status, 403);
    }
    let (status, _) = academies.call(learner(1), Method::GET, "/api/v1/reports/instructor", None).await;
    assert_eq!(status, 403);
    let unsigned = Request::get("/api/v1/reports/learner").body(Body::empty()).unwrap();
    assert_eq!(academies.send(unsigned).await.0, 401);
}

#[tokio::test]
async fn today_may_be_derived_and_is_shown_by_default() {
    let academies = Academies::new().await;
    let today = NIGHT.day_in_istanbul();
    academies.watch(1, 1, 60, 0, NIGHT).await;
    academies.run(1, today).await;
    for (who, name) in [(admin(), "institution"), (instructor(100), "instructor"), (learner(1), "learner")] {
        let (_, shown) = academies.call(who, Method::GET, &format!("/api/v1/reports/{name}"), None).await;
        assert_eq!((&shown["from"], &shown["to"]), (&json!(today.plus(-29)), &json!(today)));
        assert_eq!(shown["totals"]["watched_seconds"], 60);
        assert_ne!(shown["as_of"], Value::Null);
    }
}
