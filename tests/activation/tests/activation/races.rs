//! Many at once: a code gives as many uses as it has, and not one more.

use akademi_edge_store::PlatformSql;
use http::Method;
use serde_json::json;

use crate::world::{Answer, BATCHES, Person, REDEMPTIONS, World, at_once, batch, batch_with, request};

const MANY: usize = 64;

/// What 64 people are told who redeem at once a code of ten uses, and who of them may learn afterwards.
async fn redeemed_at_once(world: &World, is_lax: bool) -> (Vec<u16>, Vec<bool>) {
    let staff = world.staff();
    let (_, codes) = world.make(&staff, batch_with(json!({ "uses_per_code": 10 }))).await;
    let people: Vec<Person> = (0..MANY).map(|_| world.learner()).collect();
    let body = json!({ "code": codes[3] });
    let asked = people.iter().map(|person| request(person, Method::POST, REDEMPTIONS, None, &body));
    let answers = at_once(&world.racing(MANY, is_lax), asked.collect()).await;
    let mut may_learn = Vec::new();
    for person in &people {
        let both = (world.has_course(person, 1).await, world.has_course(person, 2).await);
        assert_eq!(both.0, both.1, "all courses or none");
        may_learn.push(both.0);
    }
    (answers.into_iter().map(|answer| answer.status).collect(), may_learn)
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_as_many_of_64_at_once_redeem_a_code_as_it_has_uses() {
    let world = World::new();
    let (statuses, may_learn) = redeemed_at_once(&world, false).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 10, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), MANY - 10, "{statuses:?}");
    for (status, may_learn) in statuses.iter().zip(may_learn) {
        assert_eq!(*status == 200, may_learn, "who is told so has the courses, and nobody else");
    }
    assert_eq!(world.count("SELECT count(*) AS n FROM activation_use"), 10);
    assert_eq!(world.count("SELECT uses FROM activation_code"), 10);
    assert_eq!(world.count("SELECT uses FROM activation_batch"), 10);
    assert_eq!(world.count("SELECT count(*) AS n FROM enrolment"), 20);
    assert_eq!(world.count("SELECT count(*) AS n FROM feed_event WHERE kind = 'enrolled'"), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_condition_the_same_code_is_redeemed_too_often() {
    let world = World::new();
    let (statuses, _) = redeemed_at_once(&world, true).await;
    assert!(statuses.iter().filter(|status| **status == 200).count() > 10, "{statuses:?}");
    assert!(world.count("SELECT uses FROM activation_code") > 10);
}

/// What one person is told who redeems a code four times at once.
async fn redeemed_by_one(world: &World, is_lax: bool) -> Vec<Answer> {
    let staff = world.staff();
    let (_, codes) = world.make(&staff, batch_with(json!({ "uses_per_code": 10 }))).await;
    let learner = world.learner();
    let body = json!({ "code": codes[0] });
    let asked = (0..4).map(|_| request(&learner, Method::POST, REDEMPTIONS, None, &body)).collect();
    at_once(&world.racing(4, is_lax), asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_who_redeems_at_once_uses_a_code_once() {
    let world = World::new();
    let answers = redeemed_by_one(&world, false).await;
    let first = answers[0].expect(200);
    assert!(answers.iter().all(|answer| answer.expect(200) == first));
    assert_eq!(world.count("SELECT uses FROM activation_code"), 1);
    assert_eq!(world.count("SELECT count(*) AS n FROM feed_event WHERE kind = 'enrolled'"), 2);
    let answers = redeemed_by_one(&World::new(), true).await;
    assert!(
        answers.iter().any(|answer| answer.status == 500),
        "without its condition a batch meets what is there"
    );
}

/// What is answered to eight requests for a batch under one key.
async fn made_at_once(world: &World) -> Vec<Answer> {
    let staff = world.staff();
    let asked = (0..8).map(|_| request(&staff, Method::POST, BATCHES, Some("one"), &batch())).collect();
    at_once(&world.racing(8, false), asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_asked_for_at_once_under_one_key_is_made_once() {
    let world = World::new();
    let answers = made_at_once(&world).await;
    let first = answers[0].expect(201);
    assert!(answers.iter().all(|answer| answer.expect(201) == first));
    let replayed = answers.iter().filter(|answer| answer.headers.contains_key("idempotent-replayed"));
    assert_eq!(replayed.count(), 7);
    assert_eq!(world.count("SELECT count(*) AS n FROM activation_batch"), 1);
    assert_eq!(world.count("SELECT count(*) AS n FROM feed_event WHERE kind = 'audited'"), 1);

    let world = World::new();
    const UNIQUE_NO_MORE: PlatformSql =
        PlatformSql::new("ALTER TABLE idempotency RENAME TO strict_idempotency");
    const ANY: PlatformSql = PlatformSql::new("CREATE TABLE idempotency AS SELECT * FROM strict_idempotency");
    world.run(vec![UNIQUE_NO_MORE.with([]), ANY.with([])]);
    made_at_once(&world).await;
    let made = world.count("SELECT count(*) AS n FROM activation_batch");
    assert!(made > 1, "without the key's uniqueness: {made}");
}
