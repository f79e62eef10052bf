//! The nightly run.

use akademi_domain::{ids::UploadId, picture::PictureName, time::Day};
use akademi_etl::ScheduleEvent;
use akademi_lambda_store::{
    content_type::ContentType,
    object_key::ObjectKey,
    pictures,
    uploads::{folder, part_key},
};
use futures::StreamExt;
use std::time::Duration;

use crate::academies::{Academies, DAY, NIGHT, Who, admin, at, person, tenant};

const NIGHTLY: ScheduleEvent = ScheduleEvent { day: None };

async fn finished_days(academies: &Academies, n: u8) -> i64 {
    academies.number(&format!("SELECT count(*) FROM etl_run WHERE tenant_id = '{}'", tenant(n))).await
}

async fn watched(academies: &Academies, day: Day) -> i64 {
    let target = format!("/api/v1/reports/institution?from={day}&to={day}");
    let (_, shown) = academies.call(admin(), http::Method::GET, &target, None).await;
    shown["totals"]["watched_seconds"].as_i64().unwrap()
}

#[tokio::test]
async fn a_night_derives_what_was_missed_and_a_second_one_changes_nothing() {
    let academies = Academies::new().await;
    let first = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!((first.academies, first.days, first.rows_changed), (2, 2 * 31, 0));
    assert!(first.failures.is_empty());

    // Nobody ran for 20 nights, and on each of their days somebody watched.
    for later in 1..=20 {
        academies.watch(1, 1, 10 * i64::from(later), 0, at(DAY.plus(later), 60)).await;
    }
    academies.clock.set(at(DAY.plus(21), 3600));
    let second = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!((second.days, second.rows_changed), (2 * 20, 2 * 20));
    for later in 1..=20 {
        assert_eq!(watched(&academies, DAY.plus(later)).await, 10, "{later}");
    }
    let third = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!((third.days, third.rows_changed), (2 * 7, 0), "the last week, for what is late");

    // Somebody derived today at noon: the night after does it again.
    academies.clock.set(at(DAY.plus(21), 43_200));
    academies.run(1, DAY.plus(21)).await;
    academies.watch(1, 1, 300, 0, at(DAY.plus(21), 50_000)).await;
    academies.clock.set(at(DAY.plus(29), 3600));
    academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!(watched(&academies, DAY.plus(21)).await, 100);
}

#[tokio::test]
async fn one_broken_academy_stops_no_other_and_is_taken_up_again() {
    let academies = Academies::new().await;
    for n in 1..=2 {
        academies.progress(tenant(n), 1, 1, 1, (60, 0), None, at(DAY, 60)).await;
    }
    // Academies go by their ids: the broken one is first.
    academies
        .execute(&format!(
            "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a broken row'; END $$;
             CREATE TRIGGER broken BEFORE INSERT ON learning_day FOR EACH ROW
             WHEN (NEW.tenant_id = '{}') EXECUTE FUNCTION break()",
            tenant(1)
        ))
        .await;
    let night = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!((night.academies, night.days, night.rows_changed), (2, 30 + 31, 2));
    assert_eq!(night.failures.len(), 1);
    assert_eq!((night.failures[0].tenant, night.failures[0].day), (Some(tenant(1)), Some(DAY)));
    assert!(night.failures[0].cause.contains("a broken row"), "{night:?}");
    assert_eq!((finished_days(&academies, 1).await, finished_days(&academies, 2).await), (30, 31));

    academies.execute("DROP TRIGGER broken ON learning_day").await;
    let night = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!((night.rows_changed, night.failures.len()), (2, 0));
    assert_eq!(watched(&academies, DAY).await, 60);
}

#[tokio::test]
async fn a_broken_day_is_named_and_stops_no_later_one() {
    let academies = Academies::new().await;
    let first = DAY.plus(-30);
    for ago in [30, 3, 0] {
        academies.watch(1, 1, 60 * (31 - i64::from(ago)), 0, at(DAY.plus(-ago), 60)).await;
    }
    academies
        .execute(&format!(
            "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a broken row'; END $$;
             CREATE TRIGGER broken BEFORE INSERT ON learning_day FOR EACH ROW
             WHEN (NEW.day = '{first}') EXECUTE FUNCTION break()"
        ))
        .await;
    let night = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!(night.failures.len(), 1, "{night:?}");
    assert_eq!((night.failures[0].tenant, night.failures[0].day), (Some(tenant(1)), Some(first)));
    assert_eq!((night.days, night.rows_changed), (30 + 31, 4));
    assert_eq!((watched(&academies, first).await, watched(&academies, DAY).await), (0, 180));
    academies.execute("DROP TRIGGER broken ON learning_day").await;
    academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!(watched(&academies, first).await, 60);
}

#[tokio::test]
async fn facts_of_a_finished_day_are_taken_up_whatever_its_age() {
    let academies = Academies::new().await;
    academies.etl.handle(NIGHTLY).await.unwrap();
    let (late, later) = (DAY.plus(-20), DAY.plus(-400));
    academies.watch(1, 1, 60, 0, at(late, 60)).await;
    academies.watch(2, 1, 80, 0, at(later, 60)).await;
    academies.enrol(tenant(1), 1, 1, at(DAY.plus(-40), 60)).await;
    academies.told_complete(1, 1, at(DAY.plus(-41), 60)).await;
    // What is of today is not due before it is over.
    academies.watch(3, 1, 10, 0, NIGHT).await;
    let night = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!(night.days, (7 + 4) + 7, "{night:?}");
    assert_eq!((watched(&academies, late).await, watched(&academies, later).await), (60, 80));
    let days = "SELECT count(*) FROM course_day WHERE enrolments + completions = 1";
    assert_eq!(academies.number(days).await, 2);
    // Taken up once.
    let night = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!((night.days, night.rows_changed), (7 + 7, 0));
    // The twin: who loses the note of it never shows it.
    academies.watch(1, 1, 90, 0, at(late, 90)).await;
    academies.execute("DELETE FROM due_day").await;
    academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!(watched(&academies, late).await, 60);
}

#[tokio::test]
async fn a_fact_that_arrives_while_its_day_is_derived_is_due_again() {
    let academies = Academies::new().await;
    let late = DAY.plus(-20);
    academies.etl.handle(NIGHTLY).await.unwrap();
    // `sync` has written the fact and its note, and not committed them while the run reads.
    let mut tx = academies.database.postgres().tenant(tenant(1)).await.unwrap();
    for statement in [
        format!("INSERT INTO due_day VALUES ('{}', '{late}')", tenant(1)),
        format!("INSERT INTO watched_day VALUES ('{0}', '{late}', '{0}', '{0}', 60, 0)", tenant(1)),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(tx.connection()).await.unwrap();
    }
    academies.etl.handle(ScheduleEvent { day: Some(late) }).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(watched(&academies, late).await, 0);
    academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!(watched(&academies, late).await, 60);
}

#[tokio::test]
async fn a_day_may_be_asked_for() {
    let academies = Academies::new().await;
    academies.watch(1, 1, 60, 0, at(DAY.plus(-100), 60)).await;
    let night = academies.etl.handle(ScheduleEvent { day: Some(DAY.plus(-100)) }).await.unwrap();
    assert_eq!((night.days, night.rows_changed), (2, 2));
    let event: ScheduleEvent = serde_json::from_value(serde_json::json!({ "day": DAY })).unwrap();
    assert_eq!(event.day, Some(DAY));
    assert_eq!(serde_json::from_str::<ScheduleEvent>("{}").unwrap(), NIGHTLY);
}

/// While academy 1's lock is held: what academy `n` is answered that asks for a run, and whether the night ends.
async fn beside_another_run(academies: &Academies, n: u8) -> (u16, bool) {
    let mut held = academies.database.postgres().tenant(tenant(1)).await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(x'65746c'::int, hashtext($1))")
        .bind(tenant(1).to_string())
        .execute(held.connection())
        .await
        .unwrap();
    let who = Who { tenant: tenant(n), ..admin() };
    let body = serde_json::json!({ "day": DAY });
    let (asked, answer) = academies.call(who, http::Method::POST, "/api/v1/reports/runs", Some(body)).await;
    if asked == 409 {
        assert_eq!(answer["type"], "/problems/run-in-progress");
    }
    let night = academies.etl.handle(ScheduleEvent { day: Some(DAY) });
    let ended = tokio::time::timeout(Duration::from_millis(500), night).await.is_ok();
    held.rollback().await.unwrap();
    (asked, ended)
}

#[tokio::test]
async fn two_runs_of_an_academy_never_interleave() {
    let academies = Academies::new().await;
    assert_eq!(beside_another_run(&academies, 1).await, (409, false), "the night waits, who asks does not");
    assert_eq!(beside_another_run(&academies, 2).await, (200, false), "another academy's goes on");
    // Many at once, each of them whole: all that was to be written is written once.
    academies.watch(1, 1, 60, 0, at(DAY, 60)).await;
    let nights = (0..8).map(|_| academies.etl.handle(ScheduleEvent { day: Some(DAY) }));
    let nights = futures::future::join_all(nights).await;
    assert_eq!(nights.iter().map(|night| night.as_ref().unwrap().rows_changed).sum::<i64>(), 2, "{nights:?}");
}

#[tokio::test]
async fn the_files_of_an_academy_that_is_deleted_for_good_go_and_no_others() {
    let academies = Academies::new().await;
    let put = async |n: u8, parts: &[&str]| {
        let key = ObjectKey::new(tenant(n), parts.iter().copied()).unwrap();
        let bytes = bytes::Bytes::from_static(b"x");
        academies.objects.put(&key, &ContentType::unknown(), bytes).await.unwrap();
    };
    for n in 1..=2 {
        put(n, &["media", "a", "1", "film.mp4"]).await;
        put(n, &["imports", "b", "archive.zip"]).await;
        put(n, &["images", "c.png"]).await;
    }
    let left = async |n: u8| {
        let mut left = 0;
        for folder in ["media", "imports", "images"] {
            left += academies.objects.list(&ObjectKey::new(tenant(n), [folder]).unwrap()).count().await;
        }
        left
    };
    assert_eq!(academies.etl.handle(NIGHTLY).await.unwrap().files_deleted, 0);
    academies.execute(&format!("UPDATE tenant SET state = 'deleted' WHERE id = '{}'", tenant(1))).await;
    let night = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!((night.files_deleted, night.failures), (3, vec![]));
    assert_eq!((left(1).await, left(2).await), (0, 3));
    // What was on its way into storage goes the night after.
    put(1, &["media", "late.mp4"]).await;
    assert_eq!(academies.etl.handle(NIGHTLY).await.unwrap().files_deleted, 1);
    assert_eq!(academies.etl.handle(NIGHTLY).await.unwrap().files_deleted, 0);
}

#[tokio::test]
async fn uploads_that_nobody_completes_go_with_their_parts_and_what_they_reserved() {
    let academies = Academies::new().await;
    let day = 24 * 60 * 60;
    let make = async |n: u8, academy: u8, state: &str, seconds_ago: i64| {
        let upload = UploadId::new(NIGHT, [n; 10]);
        let content_type = if state == "complete" { "'image/png'" } else { "NULL" };
        academies
            .execute(&format!(
                "INSERT INTO upload (tenant_id, id, user_id, file_name, kind, bytes, part_bytes, state, content_type,
                                     completed_at, created_at)
                 VALUES ('{}', '{upload}', '{}', 'a.png', 'image', 10, 5, '{state}', {content_type},
                         length({content_type}), {});
                 INSERT INTO upload_part SELECT tenant_id, id, 1, sha256('x') FROM upload WHERE id = '{upload}'",
                tenant(academy),
                person(n),
                NIGHT.plus_seconds(-seconds_ago).as_millis(),
            ))
            .await;
        let key = part_key(&folder(tenant(academy), upload).unwrap(), 1).unwrap();
        academies
            .objects
            .put(&key, &ContentType::unknown(), bytes::Bytes::from_static(b"12345"))
            .await
            .unwrap();
        key
    };
    academies.clock.set(NIGHT);
    let old = make(1, 1, "open", day).await;
    let given_up = make(2, 1, "given_up", day + 1).await;
    let young = make(3, 1, "open", day - 1).await;
    let complete = make(4, 1, "complete", 9 * day).await;
    let others = make(5, 2, "open", 2 * day).await;
    let reserved = async |n: u8| {
        let sql = format!("SELECT uploads FROM storage_use WHERE tenant_id = '{}'", tenant(n));
        academies.number(&sql).await
    };
    assert_eq!((reserved(1).await, reserved(2).await), (30, 10));
    let night = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!((night.rows_deleted, night.failures), (3, vec![]));
    assert_eq!((reserved(1).await, reserved(2).await), (20, 0));
    let is_there = async |key: &ObjectKey| academies.objects.head(key).await.is_ok();
    for gone in [&old, &given_up, &others] {
        assert!(!is_there(gone).await, "{gone}");
    }
    assert!(is_there(&young).await && is_there(&complete).await);
    assert_eq!(academies.number("SELECT count(*) FROM upload").await, 2);
    assert_eq!(academies.number("SELECT count(*) FROM upload_part").await, 2);
    assert_eq!(academies.etl.handle(NIGHTLY).await.unwrap().rows_deleted, 0);
}

#[tokio::test]
async fn images_that_nobody_finishes_go_and_files_that_no_image_shows() {
    let academies = Academies::new().await;
    academies.clock.set(NIGHT);
    let day = 24 * 60 * 60;
    // An image of one file, which is stored.
    let make = async |n: u8, ready: bool, seconds_ago: i64| {
        let image = UploadId::new(NIGHT, [n; 10]);
        let name: PictureName = format!("{n:064x}.webp").parse().unwrap();
        academies
            .execute(&format!(
                "INSERT INTO image (tenant_id, id, user_id, upload_id, preset, crop, created_at, ready_at)
                 VALUES ('{0}', '{image}', '{image}', '{image}', 'banner', '{{}}', {1}, CASE WHEN {ready} THEN {1} END);
                 INSERT INTO picture (tenant_id, name, bytes) VALUES ('{0}', '{name}', 5);
                 INSERT INTO image_file (tenant_id, image_id, name, width, height) VALUES ('{0}', '{image}', '{name}', 1, 1)",
                tenant(1),
                NIGHT.plus_seconds(-seconds_ago).as_millis(),
            ))
            .await;
        let key = pictures::key(tenant(1), &name).unwrap();
        let bytes = bytes::Bytes::from_static(b"12345");
        academies.objects.put(&key, &ContentType::unknown(), bytes).await.unwrap();
        key
    };
    let ready = make(1, true, 9 * day).await;
    let young = make(2, false, day - 1).await;
    let old = make(3, false, day).await;
    let left_behind = make(4, true, day).await;
    academies.execute("DELETE FROM image_file WHERE name LIKE '%4.webp'").await;
    let night = academies.etl.handle(NIGHTLY).await.unwrap();
    assert_eq!((night.rows_deleted, night.failures), (3, vec![]), "an image and two files");
    let is_there = async |key: &ObjectKey| academies.objects.head(key).await.is_ok();
    assert!(is_there(&ready).await && is_there(&young).await);
    assert!(!is_there(&old).await && !is_there(&left_behind).await);
    assert_eq!(academies.number("SELECT pictures FROM storage_use").await, 10);
    assert_eq!(academies.etl.handle(NIGHTLY).await.unwrap().rows_deleted, 0);
}
