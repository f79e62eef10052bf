//! Lessons whose seconds count only where they were handed to the session.

use crate::world::{HEARTBEATS, MADE, World, course, lesson, played};
use akademi_domain::{
    course::VideoSource,
    ids::{AssetId, SessionId},
};
use akademi_feed::LambdaEvent;
use axum::Router;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, StatusCode};
use miniz_oxide::deflate::compress_to_vec;
use serde_json::{Value, json};

const FOLDER: &str = "tenants/t/media/film/1";

/// A film of a minute in ten segments, which plays.
fn world(delivery_bound: bool) -> World {
    let mut world = World::new();
    let film = AssetId::new(MADE, [1; 10]);
    world.publish_video(2, 60, VideoSource::Asset { asset: film }, delivery_bound);
    let segments: String =
        (0..10).map(|number| format!("#EXTINF:6.000000,\nsegment-{number:05}.m4s\n")).collect();
    let playlist = format!("#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n{segments}#EXT-X-ENDLIST\n");
    for path in ["720p/index.m3u8", "audio/index.m3u8"] {
        let deflated = STANDARD.encode(compress_to_vec(playlist.as_bytes(), 6));
        let (folder, path) = (FOLDER.to_owned(), path.to_owned());
        world.apply(&LambdaEvent::PlaylistMade { asset: film, folder, path, deflated });
    }
    world.apply(&LambdaEvent::VideoReady {
        asset: film,
        course: course(),
        folder: FOLDER.into(),
        duration_ms: 60_000,
        poster: None,
    });
    world
}

/// A learner's device fetches a segment.
fn fetch(world: &World, player: &Router, device: u8, path: &str) {
    let address = format!("/api/v1/learning/courses/{}/lessons/{}/playback/{path}", course(), lesson());
    let session = SessionId::new(MADE, [device; 10]);
    let (status, answer) = world.ask_from(session, player, 1, Method::GET, &address, Value::Null);
    assert_eq!(status, StatusCode::FOUND, "{answer}");
}

/// What a heartbeat from a device gains, what is refused, and why.
fn beat(world: &World, here: &Router, device: u8, from: u32, to: u32) -> (u64, u64, Value) {
    let session = SessionId::new(MADE, [device; 10]);
    let (status, answer) = world.ask_from(session, here, 1, Method::POST, HEARTBEATS, played(1, from, to));
    assert_eq!(status, StatusCode::OK, "{answer}");
    let number = |field: &str| answer[field].as_u64().unwrap();
    (number("gained_seconds"), number("refused_seconds"), answer["refusal"].clone())
}

#[test]
fn seconds_count_only_where_they_were_handed_to_the_session() {
    let world = world(true);
    let (here, player) = (world.instance(), world.playback());
    beat(&world, &here, 1, 0, 0);
    world.pass(30);
    assert_eq!(beat(&world, &here, 1, 0, 12), (0, 12, json!("not_delivered")), "nothing was fetched");
    fetch(&world, &player, 1, "720p/segments/0");
    fetch(&world, &player, 1, "audio/segments/1");
    assert_eq!(beat(&world, &here, 1, 0, 12), (6, 6, json!("not_delivered")), "sound alone is no picture");
    assert_eq!(
        beat(&world, &here, 2, 0, 12),
        (0, 6, json!("not_delivered")),
        "another device fetched nothing"
    );
    fetch(&world, &player, 1, "720p/segments/1");
    assert_eq!(beat(&world, &here, 1, 0, 12), (6, 0, Value::Null));
    // What is counted stays, on every device.
    assert_eq!(beat(&world, &here, 2, 0, 12), (0, 0, Value::Null));
    let page = format!("/api/v1/learning/courses/{}/lessons/{}", course(), lesson());
    let (_, page) = world.ask(&here, 1, Method::GET, &page, Value::Null);
    assert_eq!(
        (&page["standing"]["watched_seconds"], &page["standing"]["refusals"]["not_delivered"]),
        (&json!(12), &json!(24))
    );
}

#[test]
fn what_was_handed_out_still_counts_no_faster_than_the_clock() {
    let world = world(true);
    let (here, player) = (world.instance(), world.playback());
    for number in 0..10 {
        fetch(&world, &player, 1, &format!("720p/segments/{number}"));
    }
    beat(&world, &here, 1, 0, 0);
    world.pass(5);
    let (gained, refused, reason) = beat(&world, &here, 1, 0, 60);
    assert!(gained < 60 && gained + refused == 60, "{gained} {refused}");
    assert_eq!(reason, "not_elapsed");
}

/// The twin: a lesson that does not ask for it.
#[test]
fn elsewhere_nothing_has_to_be_handed_out() {
    let world = world(false);
    let here = world.instance();
    beat(&world, &here, 1, 0, 0);
    world.pass(30);
    assert_eq!(beat(&world, &here, 1, 0, 12), (12, 0, Value::Null));
}
