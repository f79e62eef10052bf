//! Workers that vanish, that come back, and storage that does not answer: one course, and no file too many.

use serde_json::{Value, json};
use std::{pin::pin, time::Duration};

use crate::{
    academy::{COURSES, World, instructor},
    import_world::{job, real_file, small_course, started, stored},
};

/// Polls a worker until its job has stored some of the files, and no further.
async fn until_files_are_stored(world: &World, id: &Value, worker: impl Future<Output = ()>) {
    let mut worker = pin!(worker);
    loop {
        tokio::select! {
            () = worker.as_mut() => panic!("it ended"),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
        let running = job(world, instructor(1), id).await;
        if running["message"].as_str().unwrap().starts_with("storing file ") {
            assert!((300..950).contains(&running["progress_permille"].as_i64().unwrap()), "{running}");
            return;
        }
    }
}

async fn courses(world: &World) -> usize {
    world.get(instructor(1), COURSES).await.expect(200)["data"].as_array().unwrap().len()
}

/// The attempts whose files are in storage.
fn attempts(world: &World) -> Vec<String> {
    let mut attempts: Vec<String> = stored(world, instructor(1).tenant)
        .iter()
        .filter(|path| path.starts_with("/tenants/"))
        .map(|path| path.split('/').nth(5).unwrap().to_owned())
        .collect();
    attempts.dedup();
    attempts
}

#[tokio::test]
async fn a_worker_that_vanishes_is_replaced_and_there_is_one_course() {
    let world = World::new().await;
    let id = started(&world, instructor(1), "k", &real_file("openedx-demo-course.tar.gz")).await;
    // Dropped in the middle, as a killed process is.
    until_files_are_stored(&world, &id, async {
        world.authoring.run_next_import().await.unwrap();
    })
    .await;
    assert_eq!(attempts(&world), ["1", "archive"]);
    assert_eq!(courses(&world).await, 0);
    assert!(!world.authoring.run_next_import().await.unwrap(), "the lease holds");

    world.pass_seconds(121);
    assert!(world.authoring.run_next_import().await.unwrap());
    let done = job(&world, instructor(1), &id).await;
    assert_eq!(done["state"], "done", "{}", done["message"]);
    assert_eq!(courses(&world).await, 1);
    assert_eq!(attempts(&world), ["2"], "the first attempt's files are gone");
    let assets = done["result"]["made"]["assets"].as_u64().unwrap();
    assert_eq!(stored(&world, instructor(1).tenant).len() as u64, assets);
}

#[tokio::test]
async fn a_worker_that_comes_back_late_makes_no_second_course() {
    let world = World::new().await;
    let id = started(&world, instructor(1), "k", &real_file("openedx-demo-course.tar.gz")).await;
    let mut late = Box::pin(world.authoring.run_next_import());
    until_files_are_stored(&world, &id, async {
        late.as_mut().await.unwrap();
    })
    .await;
    // It may stand within a transaction of its own, which no worker that is alive does for long.
    loop {
        world.pass_seconds(121);
        if world.authoring.run_next_import().await.unwrap() {
            break;
        }
        tokio::select! {
            ended = late.as_mut() => panic!("it ended: {ended:?}"),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
        }
    }
    let done = job(&world, instructor(1), &id).await;
    assert_eq!(done["state"], "done");
    let rows = world.everything().await;

    assert!(late.await.unwrap());
    assert_eq!(job(&world, instructor(1), &id).await, done);
    assert_eq!(world.everything().await, rows);
    assert_eq!(courses(&world).await, 1);
    assert_eq!(attempts(&world), ["2"], "it took its own files away, and no others");
}

#[tokio::test]
async fn storage_that_does_not_answer_is_tried_again() {
    let world = World::new().await;
    let id = started(&world, instructor(1), "k", &small_course()).await;
    // A file stands where the attempt's folder belongs.
    let folder =
        world.files.path().join(format!("tenants/{}/imports/{}", instructor(1).tenant, id.as_str().unwrap()));
    std::fs::write(folder.join("1"), "in the way").unwrap();
    assert!(world.authoring.run_next_import().await.unwrap());
    let queued = job(&world, instructor(1), &id).await;
    assert_eq!(
        (&queued["state"], &queued["message"]),
        (&json!("queued"), &json!("files could not be read or stored"))
    );
    assert_eq!(courses(&world).await, 0);
    world.pass_seconds(6);
    assert!(world.authoring.run_next_import().await.unwrap());
    assert_eq!(job(&world, instructor(1), &id).await["state"], "done");
    assert_eq!(courses(&world).await, 1);
}

#[tokio::test]
async fn an_archive_that_every_worker_dies_of_is_given_up_and_taken_away() {
    let world = World::new().await;
    let id = started(&world, instructor(1), "k", &small_course()).await;
    for _ in 0..5 {
        let mut platform = world.database.postgres().platform().await.unwrap();
        let claimed = platform.claim_job("olx_import", world.ports.now(), 1000).await.unwrap();
        platform.commit().await.unwrap();
        assert!(claimed.is_some());
        world.pass_seconds(2);
    }
    assert!(!world.authoring.run_next_import().await.unwrap());
    let failed = job(&world, instructor(1), &id).await;
    assert_eq!(
        (&failed["state"], &failed["message"]),
        (&json!("failed"), &json!("the import was begun too often without an end"))
    );
    assert_eq!(stored(&world, instructor(1).tenant), Vec::<String>::new());
}
