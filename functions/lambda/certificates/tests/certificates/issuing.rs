//! Completions that are told twice at the same time.

use akademi_certificates::Completion;
use akademi_domain::ids::EnrolmentId;
use std::time::Duration;

use crate::{
    academy::{World, course, person},
    ports::NOW,
};

/// Two who issue one completion while neither sees what the other did; certificates, and events of them.
async fn issue_twice_at_once(world: &World) -> (String, usize) {
    let enrolment = EnrolmentId::new(NOW, [4; 10]);
    let completion = Completion { person: person(1), course: course(1), enrolment, at: NOW };
    let first = world.issue(completion).await;
    let (second, ()) = tokio::join!(world.issue(completion), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        first.commit().await.unwrap();
    });
    second.commit().await.unwrap();
    (world.text("SELECT count(*)::text FROM certificate").await, world.events().await.len())
}

#[tokio::test]
async fn a_completion_that_is_told_twice_at_once_earns_one_certificate() {
    assert_eq!(issue_twice_at_once(&World::new().await).await, ("1".to_owned(), 1));
}

#[tokio::test]
async fn without_the_constraint_it_would_earn_two() {
    let world = World::new().await;
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::raw_sql("ALTER TABLE certificate DROP CONSTRAINT certificate_enrolment")
        .execute(&mut superuser)
        .await
        .unwrap();
    assert_eq!(issue_twice_at_once(&world).await, ("2".to_owned(), 2));
}
