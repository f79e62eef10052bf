//! A certificate that cannot be issued when its course is completed.

use akademi_seal::PersonKey;
use akademi_sync::Carried;

use crate::{World, enrolment, key, person};

/// The completion is applied, nothing else stands still, and the log says so once and names nobody.
async fn is_withheld(world: &World, cause: &str) {
    assert_eq!(world.count("enrolment WHERE completed_at IS NOT NULL").await, 1);
    assert_eq!(world.count("certificate").await, 0);
    let log = world.log();
    assert_eq!(log.len(), 1, "{log:?}");
    let line: serde_json::Value = serde_json::from_str(&log[0]).unwrap();
    assert_eq!((&line["function"], &line["level"]), (&"sync".into(), &"error".into()));
    assert_eq!(line["certificate_withheld_from"], enrolment(1).to_string());
    assert!(line["cause"].as_str().unwrap().contains(cause) && !log[0].contains("Şükrü"), "{line}");
}

#[tokio::test]
async fn a_course_that_is_not_published_here_is_certified_once_it_is() {
    let world = World::new().await;
    world.enrol(1, 1);
    world.complete(1, 1);
    // The publication is not there, as in a database that was restored from before it.
    assert_eq!(world.run().await.unwrap(), Carried { pulled: 3, pushed: 0 });
    is_withheld(&world, "never been published").await;

    world.advance_seconds(61);
    assert_eq!(world.run().await.unwrap(), Carried::default());
    world.publish_course(1).await;
    assert_eq!(world.run().await.unwrap(), Carried::default(), "the next attempt has a pause before it");
    world.advance_seconds(6);
    assert_eq!(world.run().await.unwrap(), Carried { pulled: 0, pushed: 1 });
    assert_eq!((world.count("certificate").await, world.edge.heard().len()), (1, 1));
    assert_eq!(world.count("job WHERE state = 'done'").await, 1);
}

#[tokio::test]
async fn a_name_that_does_not_open_is_certified_once_it_does() {
    let world = World::new().await;
    world.publish_course(1).await;
    world.enrol(1, 1);
    world.save_person(1, 1, &PersonKey::from_bytes([9; 32]));
    world.complete(1, 1);
    world.run().await.unwrap();
    is_withheld(&world, "cannot be read").await;
    world.save_person(1, 1, &key(person(1)));
    world.advance_seconds(61);
    assert_eq!(world.run().await.unwrap(), Carried { pulled: 1, pushed: 1 });
    assert_eq!(world.count("certificate WHERE sealed_holder IS NOT NULL").await, 1);
}

#[tokio::test]
async fn who_has_a_certificate_needs_neither_course_nor_name_when_the_completion_is_told_again() {
    let world = World::new().await;
    world.publish_course(1).await;
    world.enrol(1, 1);
    world.complete(1, 1);
    world.run().await.unwrap();
    world.execute("DELETE FROM course_publication").await;
    world.save_person(1, 1, &PersonKey::from_bytes([9; 32]));
    world.complete(1, 1);
    world.run().await.unwrap();
    assert_eq!((world.count("certificate").await, world.count("job").await, world.log().len()), (1, 0, 0));
}
