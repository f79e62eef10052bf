//! Who guesses waits, longer each time.

use akademi_domain::activation_code::ActivationCode;
use serde_json::json;

use crate::world::{World, batch_with};

/// A code that nobody made, with the check symbol that it needs.
fn guess(number: u128) -> String {
    ActivationCode::new(&"".parse().unwrap(), number).to_string()
}

#[tokio::test]
async fn one_person_who_guesses_waits_longer_each_time_wherever_they_are() {
    let world = World::new();
    let (staff, thief) = (world.staff(), world.learner());
    let (_, codes) = world.make(&staff, batch_with(json!({}))).await;
    for n in 0..6 {
        world.redeem(&thief.at(&format!("203.0.113.{n}")), &guess(n)).await.expect(404);
    }
    let refused = world.redeem(&thief.at("203.0.113.99"), &codes[0]).await;
    assert_eq!((refused.status, refused.retry_after()), (429, 6));
    world.redeem(&world.learner(), &codes[0]).await.expect(200);
    world.wait(6);
    world.redeem(&thief, &guess(7)).await.expect(404);
    assert_eq!(world.redeem(&thief, &codes[1]).await.retry_after(), 11);
    world.wait(11);
    world.redeem(&thief, &codes[1]).await.expect(200);
}

#[tokio::test]
async fn many_people_who_guess_from_one_address_wait_too() {
    let world = World::new();
    let staff = world.staff();
    let (_, codes) = world.make(&staff, batch_with(json!({}))).await;
    let thieves: Vec<_> = (0..34).map(|_| world.learner().at("203.0.113.9")).collect();
    let mut looked_at = 0;
    for n in 0..3 {
        for thief in &thieves {
            looked_at += usize::from(world.redeem(thief, &guess(n)).await.status == 404);
        }
    }
    assert_eq!(looked_at, 101, "100 cost nothing, and one more has the next wait");
    world.redeem(&world.learner().at("203.0.113.9"), &codes[0]).await.expect(429);
    world.redeem(&world.learner().at("203.0.113.10"), &codes[0]).await.expect(200);
}

#[tokio::test]
async fn a_class_that_redeems_from_one_address_never_waits() {
    let world = World::new();
    let staff = world.staff();
    let (_, codes) = world.make(&staff, batch_with(json!({ "count": 200 }))).await;
    for code in &codes {
        let learner = world.learner().at("198.51.100.1");
        world.redeem(&learner, code).await.expect(200);
        world.redeem(&learner, code).await.expect(200);
    }
    assert_eq!(world.count("SELECT sum(failures) AS n FROM throttle"), 0);
}
