//! What an instance remembers of a learner spares it a statement and decides nothing.

use crate::world::{MADE, World, course, learner};
use akademi_domain::ids::{EnrolmentId, OrderId};
use akademi_feed::LambdaEvent;
use axum::Router;
use http::StatusCode;
use serde_json::Value;

#[test]
fn a_player_that_goes_on_is_not_read_again() {
    let world = World::new();
    let here = world.instance();
    assert_eq!(world.watched(&here, 1, 0, 0), (0, 1));
    for beat in 1..=5 {
        world.pass(10);
        assert_eq!(world.watched(&here, 1, (beat - 1) * 10, beat * 10), (u64::from(beat) * 10, 0));
    }
    world.pass(61);
    assert_eq!(world.watched(&here, 1, 50, 60), (60, 1), "after a minute it is read again");
}

#[test]
fn two_learners_of_one_instance_are_told_apart() {
    let world = World::new();
    let here = world.instance();
    world.watched(&here, 1, 0, 0);
    world.watched(&here, 2, 0, 0);
    world.pass(10);
    assert_eq!(world.watched(&here, 1, 0, 10), (10, 0));
    assert_eq!(world.watched(&here, 2, 20, 25), (5, 0));
    world.pass(10);
    assert_eq!(world.watched(&here, 1, 10, 20), (20, 0));
    assert_eq!(world.watched(&here, 2, 25, 30), (10, 0));
}

/// What a learner is told whose heartbeats go to `instances` in turn, the last of them beyond belief.
fn told_by(world: &World, instances: &[Router]) -> Vec<Value> {
    let beats = [(0, 0), (0, 10), (10, 20), (20, 30), (100, 200), (200, 300)];
    let told = beats.iter().zip(instances.iter().cycle()).map(|(&(from, to), instance)| {
        world.pass(10);
        world.beat(instance, 1, from, to).1
    });
    told.collect()
}

#[test]
fn two_instances_answer_as_one_does() {
    let (one, two) = (World::new(), World::new());
    let told = told_by(&one, &[one.instance()]);
    assert_eq!(told[3]["watched_seconds"], 30);
    assert_ne!(told[5]["refused_seconds"], 0);
    assert_eq!(told_by(&two, &[two.instance(), two.instance()]), told);
}

#[test]
fn without_the_condition_an_instance_forgets_what_came_through_the_other() {
    let world = World::over(true);
    let told = told_by(&world, &[world.instance(), world.instance()]);
    assert!(told[3]["watched_seconds"].as_u64().unwrap() < 30, "{told:?}");
}

#[test]
fn a_new_version_of_the_course_is_seen_at_once() {
    let mut world = World::new();
    let here = world.instance();
    world.watched(&here, 1, 0, 0);
    world.pass(10);
    world.publish(2, 20);
    assert_eq!(world.watched(&here, 1, 0, 10), (10, 1));
    world.pass(10);
    let (status, answer, _) = world.beat(&here, 1, 30, 40);
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "beyond the end that the video has now: {answer}");
    world.publish(3, 600);
    world.watched(&here, 1, 10, 15);
    world.publish(4, 20);
    world.publish(5, 900);
    world.pass(10);
    assert_eq!(world.beat(&here, 1, 890, 891).0, StatusCode::OK, "it is not refused for what was so before");
}

#[test]
fn money_that_went_back_ends_the_course_at_the_next_heartbeat_and_no_other_enrolment() {
    let mut world = World::new();
    let here = world.instance();
    assert_eq!(world.watched(&here, 1, 0, 0), (0, 1));
    let withdrawn = |enrolment: u8| LambdaEvent::EnrolmentWithdrawn {
        person: learner(1),
        course: course(),
        enrolment: EnrolmentId::new(MADE, [enrolment; 10]),
        at: MADE,
    };
    world.apply(&withdrawn(9));
    world.pass(10);
    assert_eq!(world.watched(&here, 1, 0, 10), (10, 0), "another one, which this person never had");
    world.apply(&withdrawn(1));
    world.apply(&withdrawn(1));
    world.pass(10);
    assert_eq!(world.beat(&here, 1, 10, 20).0, StatusCode::NOT_FOUND);
    assert_eq!(world.watched(&here, 2, 0, 0), (0, 1), "the other learner's stays");
    assert_eq!(world.count("SELECT count(*) FROM feed_event WHERE kind = 'unenrolled'"), 1);
    // What was watched is there again for who buys again.
    world.apply(&LambdaEvent::EnrolmentGranted {
        person: learner(1),
        course: course(),
        enrolment: EnrolmentId::new(MADE, [7; 10]),
        order: OrderId::new(MADE, [7; 10]),
        at: MADE,
    });
    assert_eq!(world.watched(&here, 1, 0, 0).0, 10);
}
