//! Events that cannot be applied.

use akademi_domain::{ids::LessonId, time::Timestamp};
use akademi_feed::EdgeEvent;
use akademi_lambda_store::error::StoreError;
use akademi_sync::{Carried, SyncError};

use crate::{NOW, World, course, granted, person, tenant};

fn academy_named(of: u8, id: u8, name: &str) -> EdgeEvent {
    EdgeEvent::AcademySaved {
        id: tenant(id),
        slug: format!("akademi-{of}"),
        name: name.into(),
        locale: "tr".into(),
        brand_colour: "#0b6e4f".into(),
        state: "active".into(),
        domains: vec![],
        storage_limit: None,
        features_off: None,
    }
}

fn watched(n: u8, seconds: i64, updated_at: Timestamp) -> EdgeEvent {
    EdgeEvent::ProgressSaved {
        person: person(n),
        course: course(),
        lesson: LessonId::new(NOW, [7; 10]),
        seconds,
        coverage_permille: 0,
        refused_seconds: 0,
        score: None,
        completed_at: None,
        updated_at,
    }
}

#[tokio::test]
async fn an_academy_goes_on_while_anothers_event_has_no_shape() {
    let world = World::new().await;
    let payload = r#"{"person":"Şükrü"}"#;
    world.edge.tell_raw(tenant(1), "enrolled", payload);
    world.publish_course(2).await;
    world.enrol(2, 2);
    world.complete(2, 2);
    assert_eq!(world.run().await.unwrap(), Carried { pulled: 4, pushed: 1 });
    assert_eq!(world.count(&format!("certificate WHERE tenant_id = '{}'", tenant(2))).await, 1);

    let kept = format!(
        "feed_quarantine WHERE tenant_id = '{}' AND source = 'edge:1' AND number = 1 AND kind = 'enrolled'
         AND version = 1 AND convert_from(payload, 'UTF8') = '{payload}' AND at = {}",
        tenant(1),
        NOW.as_millis()
    );
    assert_eq!((world.count(&kept).await, world.count("feed_quarantine").await), (1, 1));
    let log = world.log();
    assert_eq!(log.len(), 1, "{log:?}");
    let line: serde_json::Value = serde_json::from_str(&log[0]).unwrap();
    assert_eq!((&line["quarantined"], &line["level"]), (&1.into(), &"error".into()));
    assert!(!log[0].contains("Şükrü"), "{line}");
}

#[tokio::test]
async fn what_the_schema_refuses_is_kept_and_the_rest_of_its_batch_is_applied_exactly_once() {
    let world = World::new().await;
    world.enrol(1, 1);
    let refused = [
        // Below 0, a moment beyond all days, another academy's face, a NUL, an index entry beyond a page.
        watched(1, -1, NOW),
        watched(1, 70, Timestamp::from_millis(200_000_000_000_000_000)),
        academy_named(1, 2, "Kadıköy"),
        academy_named(1, 1, "a\0b"),
        EdgeEvent::PersonSaved { person: person(3), profile: "x".into(), state: "active".into(), at: NOW },
    ];
    for event in &refused {
        world.edge.tell(tenant(1), event);
    }
    world.edge.tell(tenant(1), &watched(1, 90, NOW));
    world.enrol(2, 2);
    let applied = async || {
        let seconds = "watched_day WHERE seconds = 90";
        (world.count("enrolment").await, world.count("person").await, world.count(seconds).await)
    };
    assert_eq!(world.run().await.unwrap().pulled, 10);
    assert_eq!(applied().await, (2, 2, 1));
    assert_eq!(world.count("feed_quarantine").await, refused.len() as i64);
    assert_eq!(world.log().len(), refused.len());
    assert_eq!(world.count("tenant").await, 0);
    assert_eq!(world.run().await.unwrap(), Carried::default());
    // The whole feed again.
    world.forget_cursor().await;
    world.run().await.unwrap();
    assert_eq!(applied().await, (2, 2, 1));
    assert_eq!(world.count("feed_quarantine").await, refused.len() as i64);
}

#[tokio::test]
async fn what_may_pass_breaks_the_batch_off_and_takes_nothing_from_the_other_direction() {
    let world = World::new().await;
    world.append(1, &granted()).await;
    world.enrol(2, 2);
    world
        .execute(
            "CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE 'in the way' USING ERRCODE = '40001'; END $$;
             CREATE TRIGGER conflict BEFORE INSERT ON enrolment FOR EACH ROW EXECUTE FUNCTION conflict()",
        )
        .await;
    let broken_off = world.run().await;
    assert!(matches!(broken_off, Err(SyncError::Store(StoreError::Conflict(_)))), "{broken_off:?}");
    assert_eq!(world.edge.heard(), [(tenant(1), granted())], "pushed all the same");
    for nothing in ["feed_quarantine", "feed_cursor", "person", "enrolment"] {
        assert_eq!(world.count(nothing).await, 0, "{nothing}");
    }
    world.execute("DROP TRIGGER conflict ON enrolment").await;
    world.run().await.unwrap();
    assert_eq!((world.count("enrolment").await, world.count("feed_quarantine").await), (2, 0));
}

#[tokio::test]
async fn a_kept_event_is_applied_once_its_cause_is_mended() {
    let world = World::new().await;
    world.execute("ALTER TABLE enrolment ADD CONSTRAINT only_codes CHECK (source = 'code')").await;
    world.enrol(1, 1);
    world.run().await.unwrap();
    assert_eq!((world.count("enrolment").await, world.count("feed_quarantine").await), (0, 1));
    let event = world.edge.told(2);
    assert!(world.sync.replay(&event).await.is_err());
    world.execute("ALTER TABLE enrolment DROP CONSTRAINT only_codes").await;
    world.sync.replay(&event).await.unwrap();
    world.sync.replay(&event).await.unwrap();
    assert_eq!(world.count("enrolment").await, 1);
}
