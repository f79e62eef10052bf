//! Completions that are told twice at the same time.

use akademi_certificates::Completion;
use akademi_domain::{
    academy::{Feature, Features},
    ids::EnrolmentId,
};
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
        // Time for the second to look.
        tokio::time::sleep(Duration::from_millis(1500)).await;
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

#[tokio::test]
async fn an_academy_that_has_switched_certificates_off_gives_none() {
    let world = World::new().await;
    let completion = |n: u8| Completion {
        person: person(n),
        course: course(1),
        enrolment: EnrolmentId::new(NOW, [n; 10]),
        at: NOW,
    };
    let issued = async || world.text("SELECT count(*)::text FROM certificate").await;
    let off = Features::default().with(Feature::Certificates).bits();
    for (n, bits, certificates) in [(1, off, "0"), (1, !off & 0xf, "1"), (2, 0, "2")] {
        let mut superuser = world.database.superuser().await.unwrap();
        let set = sqlx::query("UPDATE tenant SET features_off = $1").bind(bits.cast_signed());
        set.execute(&mut superuser).await.unwrap();
        world.issue(completion(n)).await.commit().await.unwrap();
        assert_eq!(issued().await, certificates);
    }
}
