//! Seconds that do not count are counted and told with their reasons; how fast one may watch is the academy's to say.

use crate::world::{HEARTBEATS, World, course, lesson, played};
use akademi_domain::ids::PlaybackId;
use akademi_edge_store::Statement;
use axum::Router;
use futures::executor::block_on;
use http::{Method, StatusCode};
use serde_json::{Value, json};

fn lesson_page() -> String {
    format!("/api/v1/learning/courses/{}/lessons/{}", course(), lesson())
}

/// What a learner reads: of the lesson, and of the course.
fn pages(world: &World, here: &Router) -> (Value, Value) {
    let (status, page) = world.ask(here, 1, Method::GET, &lesson_page(), Value::Null);
    assert_eq!(status, StatusCode::OK, "{page}");
    let path = format!("/api/v1/progress/courses/{}", course());
    let (status, overview) = world.ask(here, 1, Method::GET, &path, Value::Null);
    assert_eq!(status, StatusCode::OK, "{overview}");
    (page["standing"].clone(), overview["lessons"][0].clone())
}

fn play(world: &World, here: &Router, from: u32, to: u32, rate: f64) -> Value {
    let mut body = played(1, from, to);
    body["rate"] = json!(rate);
    let (status, answer) = world.ask(here, 1, Method::POST, HEARTBEATS, body);
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

fn limit_to(world: &World, percent: i64) {
    let sql = "UPDATE tenant SET watch_rate_percent = ?1";
    block_on(world.edge.database.batch(vec![Statement { sql, params: vec![percent.into()] }])).unwrap();
}

#[test]
fn what_was_watched_too_fast_is_counted_and_told_on_every_page() {
    let world = World::new();
    let here = world.instance();
    play(&world, &here, 0, 0, 1.0);
    world.pass(100);
    let answer = play(&world, &here, 0, 300, 3.0);
    // Twice a hundred seconds, and the slack at that rate.
    assert_eq!(
        (&answer["gained_seconds"], &answer["refused_seconds"], &answer["refusal"]),
        (&json!(230), &json!(70), &json!("too_fast"))
    );
    let answer = play(&world, &here, 500, 510, 1.0);
    assert_eq!(
        (&answer["refused_seconds"], &answer["refusal"]),
        (&json!(10), &json!("time_already_counted"))
    );
    let told = json!({ "too_late": 0, "new_playback": 0, "too_fast": 70, "not_elapsed": 0,
        "time_already_counted": 10, "not_delivered": 0 });
    let (page, overview) = pages(&world, &here);
    assert_eq!(page["refusals"], told);
    for read in [page, overview] {
        assert_eq!((&read["refused_seconds"], &read["watched_seconds"]), (&json!(80), &json!(230)), "{read}");
    }
    // Another instance, which remembers nothing, adds to what was counted.
    let there = world.instance();
    play(&world, &there, 520, 525, 1.0);
    assert_eq!(pages(&world, &there).0["refusals"]["time_already_counted"], 15);
}

#[test]
fn the_academy_says_how_fast_one_may_watch() {
    for (percent, rate, counts) in [(50, 0.5, 50), (100, 1.0, 100), (150, 1.5, 150), (300, 3.0, 300)] {
        let world = World::new();
        limit_to(&world, percent);
        let here = world.instance();
        play(&world, &here, 0, 0, rate);
        world.pass(100);
        let answer = play(&world, &here, 0, counts, rate);
        let told = (&answer["gained_seconds"], &answer["refusal"]);
        assert_eq!(told, (&json!(counts), &Value::Null), "within {percent} %");
        world.pass(100);
        let faster = play(&world, &here, counts, 600, rate + 0.5);
        assert_eq!(
            faster["refusal"],
            if counts < 300 { json!("too_fast") } else { Value::Null },
            "{percent} %"
        );
    }
}

#[test]
fn a_new_limit_is_kept_at_the_next_heartbeat() {
    let world = World::new();
    let here = world.instance();
    play(&world, &here, 0, 0, 2.0);
    world.pass(60);
    assert_eq!(play(&world, &here, 0, 120, 2.0)["refused_seconds"], 0);
    limit_to(&world, 100);
    world.pass(60);
    let answer = play(&world, &here, 120, 240, 2.0);
    assert_eq!((&answer["gained_seconds"], &answer["refusal"]), (&json!(75), &json!("too_fast")));
}

/// A player's claim of a playback that nobody has heard of.
#[test]
fn a_claim_out_of_nothing_is_told_as_such() {
    let world = World::new();
    let here = world.instance();
    let mut body = played(1, 0, 600);
    body["playback"] = json!(PlaybackId::new(world.edge.ports.now(), [9; 10]));
    let (_, answer) = world.ask(&here, 1, Method::POST, HEARTBEATS, body);
    assert_eq!(
        (&answer["gained_seconds"], &answer["refused_seconds"], &answer["refusal"]),
        (&json!(30), &json!(570), &json!("new_playback"))
    );
}

#[test]
fn a_video_that_became_shorter_keeps_what_was_watched_of_it() {
    let mut world = World::new();
    let here = world.instance();
    play(&world, &here, 0, 0, 1.0);
    world.pass(60);
    play(&world, &here, 0, 60, 1.0);
    world.publish(2, 40);
    assert_eq!(play(&world, &here, 0, 10, 1.0)["watched_seconds"], 40);
    assert_eq!(pages(&world, &here).0["watched_seconds"], 40);
}
