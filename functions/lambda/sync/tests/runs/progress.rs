//! What learners did comes in one statement for each academy of a batch.

use akademi_domain::{ids::LessonId, time::Timestamp};
use akademi_feed::EdgeEvent;

use crate::{NOW, World, course, person, tenant};

const DAY_SECONDS: i64 = 24 * 3600;

fn lesson(n: u8) -> LessonId {
    LessonId::new(NOW, [n; 10])
}

fn watched(learner: u8, of: u8, seconds: i64, updated_at: Timestamp) -> EdgeEvent {
    EdgeEvent::ProgressSaved {
        person: person(learner),
        course: course(),
        lesson: lesson(of),
        seconds,
        coverage_permille: 10,
        refused_seconds: seconds / 10,
        score: None,
        completed_at: None,
        updated_at,
    }
}

/// Counts the statements that write summaries.
const COUNTED: &str = "CREATE TABLE written (at int);
    CREATE FUNCTION written() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN INSERT INTO public.written VALUES (1); RETURN NULL; END $$;
    CREATE TRIGGER written AFTER INSERT ON progress_summary FOR EACH STATEMENT EXECUTE FUNCTION written()";

#[tokio::test]
async fn the_progress_of_a_batch_is_one_statement_for_each_academy() {
    let world = World::new().await;
    world.execute(COUNTED).await;
    for learner in 1..=20 {
        for of in [1, 2] {
            world.edge.tell(tenant(of), &watched(learner, 1, 100, NOW));
            world.edge.tell(tenant(of), &watched(learner, 2, 50, NOW.plus_seconds(DAY_SECONDS)));
        }
    }
    world.run().await.unwrap();
    assert_eq!(world.count("written").await, 2);
    let first_day = "watched_day WHERE seconds = 100 AND refused_seconds = 10 AND day = '2026-09-21'";
    let second_day = "watched_day WHERE seconds = 50 AND refused_seconds = 5 AND day = '2026-09-22'";
    for table in [first_day, second_day, "progress_summary WHERE seconds = 100"] {
        assert_eq!(world.count(table).await, 40, "{table}");
    }
    assert_eq!(world.count("due_day").await, 4);
}

#[tokio::test]
async fn a_lesson_that_goes_on_adds_what_is_new_and_the_same_feed_again_adds_nothing() {
    let world = World::new().await;
    world.edge.tell(tenant(1), &watched(1, 1, 100, NOW));
    world.edge.tell(tenant(1), &watched(1, 2, 40, NOW));
    world.run().await.unwrap();
    world.edge.tell(tenant(1), &watched(1, 1, 160, NOW));
    world.run().await.unwrap();
    let kept = async || {
        let day = "watched_day WHERE seconds = 200 AND refused_seconds = 20";
        (world.count(day).await, world.count("progress_summary WHERE seconds IN (160, 40)").await)
    };
    assert_eq!(kept().await, (1, 2));
    world.edge.tell(tenant(1), &watched(1, 1, 160, NOW));
    world.run().await.unwrap();
    assert_eq!(kept().await, (1, 2));
}

#[tokio::test]
async fn two_events_of_one_lesson_in_a_batch_are_taken_in_their_order() {
    let world = World::new().await;
    world.edge.tell(tenant(1), &watched(1, 1, 100, NOW));
    world.edge.tell(tenant(1), &watched(1, 1, 160, NOW.plus_seconds(DAY_SECONDS)));
    world.run().await.unwrap();
    assert_eq!(world.count("progress_summary WHERE seconds = 160").await, 1);
    assert_eq!(world.count("watched_day WHERE seconds = 100").await, 1);
    assert_eq!(world.count("watched_day WHERE seconds = 60").await, 1);
}

#[tokio::test]
async fn a_refused_one_takes_nothing_from_the_others_of_its_batch() {
    let world = World::new().await;
    for learner in 1..=9 {
        let seconds = if learner == 5 { -1 } else { 30 };
        world.edge.tell(tenant(1), &watched(learner, 1, seconds, NOW));
    }
    world.run().await.unwrap();
    assert_eq!((world.count("progress_summary").await, world.count("feed_quarantine").await), (8, 1));
    assert_eq!((world.count("watched_day WHERE seconds = 30").await, world.log().len()), (8, 1));
}
