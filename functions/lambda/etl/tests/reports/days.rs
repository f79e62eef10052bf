//! To which day things belong.

use akademi_domain::time::Day;

use crate::academies::{Academies, DAY, admin, at, tenant};

async fn seconds(academies: &Academies, day: Day) -> i64 {
    academies
        .number(&format!(
            "SELECT COALESCE(sum(seconds), 0)::bigint FROM watched_day WHERE day = DATE '1970-01-01' + {}",
            day.epoch_days()
        ))
        .await
}

#[tokio::test]
async fn a_day_ends_at_midnight_in_istanbul() {
    let academies = Academies::new().await;
    let one = tenant(1);
    let (last, first) = (at(DAY, 86_399), at(DAY.plus(1), 0));
    assert_eq!(last.to_string(), "2026-11-21T20:59:59Z");
    for (learner, moment) in [(1, last), (2, first)] {
        academies.order((one, learner), "paid", "TRY", &[(1, 100)], Some(moment)).await;
        academies.enrol(one, learner, 1, moment).await;
        academies.complete(one, learner, 1, moment).await;
        academies.certify(one, learner, 1, moment).await;
        academies.watch(learner, 1, 10, 0, moment).await;
    }
    for day in [DAY.plus(-1), DAY, DAY.plus(1)] {
        academies.run(1, day).await;
    }
    let shown = academies.dashboard(admin(), "institution").await;
    for (place, expected) in [(0, 0), (1, 1), (2, 1)] {
        let day = &shown["days"][place];
        for fact in ["enrolments", "completions", "certificates", "active_learners"] {
            assert_eq!(day[fact], expected, "{fact} of {day}");
        }
        assert_eq!(day["watched_seconds"], 10 * expected);
        assert_eq!(day["paid"].as_array().unwrap().len(), expected as usize);
    }
}

#[tokio::test]
async fn seconds_of_several_days_that_arrive_as_one_summary_go_to_the_last_of_them() {
    let academies = Academies::new().await;
    academies.watch(1, 1, 100, 0, at(DAY.plus(-2), 100)).await;
    // Sixty more on the next day and twenty on the one after, while `sync` did not run: the edge keeps the newest summary.
    academies.watch(1, 1, 180, 0, at(DAY, 100)).await;
    let days = [seconds(&academies, DAY.plus(-1)).await, seconds(&academies, DAY).await];
    assert_eq!(days, [0, 80]);
    academies.run(1, DAY.plus(-1)).await;
    academies.run(1, DAY).await;
    let shown = academies.dashboard(admin(), "institution").await;
    let active: Vec<_> =
        shown["days"].as_array().unwrap().iter().map(|day| &day["active_learners"]).collect();
    assert_eq!(active, [0, 1, 0], "no summary of the day between has arrived");
}

#[tokio::test]
async fn each_day_gets_what_was_new_on_it() {
    let academies = Academies::new().await;
    academies.watch(1, 1, 100, 3, at(DAY, 100)).await;
    academies.watch(1, 1, 160, 3, at(DAY, 200)).await;
    // The same number again, as a device that repeats itself makes it.
    academies.watch(1, 1, 160, 3, at(DAY, 300)).await;
    academies.watch(1, 1, 175, 9, at(DAY.plus(1), 5)).await;
    assert_eq!((seconds(&academies, DAY).await, seconds(&academies, DAY.plus(1)).await), (160, 15));
    assert_eq!(academies.number("SELECT sum(refused_seconds)::bigint FROM watched_day").await, 9);
    assert_eq!(academies.number("SELECT seconds FROM progress_summary").await, 175);
    // An edge that was restored from a backup has forgotten some: no day loses what it had.
    academies.watch(1, 1, 170, 9, at(DAY.plus(1), 50)).await;
    assert_eq!(seconds(&academies, DAY.plus(1)).await, 15);
}

#[tokio::test]
async fn an_event_that_is_applied_twice_counts_once() {
    let academies = Academies::new().await;
    academies.watch(1, 1, 100, 0, at(DAY, 100)).await;
    // The whole feed again, from its beginning.
    academies.execute("UPDATE feed_cursor SET number = 0").await;
    academies.carry().await;
    assert_eq!(seconds(&academies, DAY).await, 100);
    // The twin: without the summary, nobody knows what had been counted.
    academies.execute("UPDATE feed_cursor SET number = 0; DELETE FROM progress_summary").await;
    academies.carry().await;
    assert_eq!(seconds(&academies, DAY).await, 200);
}

#[tokio::test]
async fn late_progress_goes_to_its_own_day() {
    let academies = Academies::new().await;
    academies.watch(1, 1, 100, 0, at(DAY.plus(-1), 100)).await;
    academies.run(1, DAY.plus(-1)).await;
    academies.run(1, DAY).await;
    // A phone that was offline; the night has passed.
    academies.progress(tenant(1), 2, 1, 1, (40, 0), None, at(DAY.plus(-1), 200)).await;
    let before = academies.dashboard(admin(), "institution").await;
    assert_eq!(
        (&before["days"][0]["watched_seconds"], &before["days"][1]["watched_seconds"]),
        (&100.into(), &0.into())
    );
    // The next night.
    let night = academies.etl.handle(akademi_etl::ScheduleEvent::default()).await.unwrap();
    assert_eq!(night.rows_changed, 2, "the learner's day and the course's");
    let after = academies.dashboard(admin(), "institution").await;
    assert_eq!(
        (&after["days"][0]["watched_seconds"], &after["days"][1]["watched_seconds"]),
        (&140.into(), &0.into())
    );
}
