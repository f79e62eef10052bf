//! A learner goes on where this device was, or where they were last.

use crate::world::{HEARTBEATS, MADE, World, course, lesson, played};
use akademi_domain::ids::SessionId;
use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};

fn device(number: u8) -> SessionId {
    SessionId::new(MADE, [number; 10])
}

/// A player on a device stands at `position`, and did so `late` seconds ago.
fn stand(world: &World, here: &Router, number: u8, position: u32, late: u32) {
    let mut body = played(number, 0, 0);
    body["position"] = json!(position);
    body["late_seconds"] = json!(late);
    let (status, answer) = world.ask_from(device(number), here, 1, Method::POST, HEARTBEATS, body);
    assert_eq!(status, StatusCode::OK, "{answer}");
}

/// Where the learner was last on this device, and on any.
fn resume(world: &World, here: &Router, number: u8) -> (Value, Value) {
    let path = format!("/api/v1/learning/courses/{}/lessons/{}", course(), lesson());
    let (_, answer) = world.ask_from(device(number), here, 1, Method::GET, &path, Value::Null);
    let standing = &answer["standing"];
    (standing["device_position_seconds"].clone(), standing["position_seconds"].clone())
}

#[test]
fn a_device_goes_on_where_it_was_or_where_another_was_last() {
    let world = World::new();
    let (here, there) = (world.instance(), world.instance());
    stand(&world, &here, 1, 100, 0);
    world.pass(10);
    stand(&world, &there, 2, 400, 0);
    world.pass(10);
    assert_eq!(resume(&world, &here, 1), (json!(100), json!(400)));
    assert_eq!(resume(&world, &there, 2), (json!(400), json!(400)));
    assert_eq!(resume(&world, &there, 3), (Value::Null, json!(400)), "a new device");
    stand(&world, &here, 1, 130, 0);
    assert_eq!(resume(&world, &there, 2), (json!(400), json!(130)));
}

#[test]
fn what_waited_offline_takes_nobody_back() {
    let world = World::new();
    let here = world.instance();
    stand(&world, &here, 1, 100, 0);
    world.pass(600);
    stand(&world, &here, 2, 400, 0);
    // The first device's queue: the newest first, from before the second device.
    stand(&world, &here, 1, 180, 300);
    stand(&world, &here, 1, 150, 400);
    assert_eq!(resume(&world, &here, 1), (json!(180), json!(400)));
    assert_eq!(resume(&world, &here, 2), (json!(400), json!(400)));
}
