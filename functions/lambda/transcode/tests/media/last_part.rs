//! The last part of a long video ends just while a worker looks whether all parts are there.

use akademi_lambda_store::{
    jobs::{self, JobState},
    media::TRANSCODE,
};
use akademi_transcode::job::Ran;
use serde_json::Value;
use sqlx::Connection;
use std::{pin::pin, time::Duration};

use crate::long_videos::world;

const DAY_SECONDS: i64 = 24 * 60 * 60;

#[tokio::test]
async fn a_worker_that_looks_while_the_last_part_ends_waits_for_it_and_joins() {
    let (world, content) = world().await;
    let (asset, job) = world.with_video(content).await;
    let Ran::Cut { parts } = world.transcode.run_next().await.unwrap() else { panic!("it was not cut") };
    for _ in 0..parts {
        assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
    }
    // One part is as if its worker were about to end it.
    let mut superuser = world.database.superuser().await.unwrap();
    let (folder, made): (String, Value) =
        sqlx::query_as("SELECT folder, made FROM transcode_part WHERE number = 0")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
    sqlx::query("UPDATE transcode_part SET folder = NULL, made = NULL WHERE number = 0")
        .execute(&mut superuser)
        .await
        .unwrap();
    let mut last = superuser.begin().await.unwrap();
    sqlx::query("SELECT job_id FROM transcode_plan FOR UPDATE").execute(&mut *last).await.unwrap();
    // The video's own job is due already.
    {
        let mut worker = pin!(world.transcode.run_next());
        while !world.is_waiting().await {
            tokio::select! {
                ended = worker.as_mut() => panic!("it did not wait: {ended:?}"),
                () = tokio::time::sleep(Duration::from_millis(2)) => {}
            }
        }
        sqlx::query("UPDATE transcode_part SET folder = $1, made = $2 WHERE number = 0")
            .bind(folder)
            .bind(made)
            .execute(&mut *last)
            .await
            .unwrap();
        let taken_up = sqlx::query("UPDATE job SET due_at = 0 WHERE id = $1 AND state = 'queued'")
            .bind(job.as_uuid())
            .execute(&mut *last)
            .await
            .unwrap();
        assert_eq!(taken_up.rows_affected(), 0, "the worker has it");
        last.commit().await.unwrap();
        assert_eq!(worker.await.unwrap(), Ran::One);
    }
    assert_eq!(world.asset(asset).await.state, "ready");
    assert_eq!(world.job(job).await.state, JobState::Done);
}

/// The same without the lock, by hand: who looked puts the job aside after the last part found none to take up.
#[tokio::test]
async fn without_the_lock_the_video_waits_for_a_day() {
    let (world, content) = world().await;
    let (asset, job) = world.with_video(content).await;
    let Ran::Cut { parts } = world.transcode.run_next().await.unwrap() else { panic!("it was not cut") };
    for _ in 1..parts {
        assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
    }
    let mut superuser = world.database.superuser().await.unwrap();
    sqlx::query("UPDATE job SET due_at = 0 WHERE id = $1")
        .bind(job.as_uuid())
        .execute(&mut superuser)
        .await
        .unwrap();
    let now = world.transcode.ports.now();
    let mut platform = world.database.postgres().platform().await.unwrap();
    let film = platform.claim_job(TRANSCODE, now, 1_000_000_000).await.unwrap().unwrap();
    platform.commit().await.unwrap();
    let mut looking = world.database.postgres().tenant(world.tenant).await.unwrap();
    let missing: i64 = sqlx::query_scalar("SELECT count(*) FROM transcode_part WHERE made IS NULL")
        .fetch_one(looking.connection())
        .await
        .unwrap();
    assert_eq!(missing, 1);
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One, "the last part ends in between");
    jobs::put_aside(&mut looking, &film, now.plus_seconds(DAY_SECONDS), now).await.unwrap();
    looking.commit().await.unwrap();
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::Nothing);
    assert_eq!(world.asset(asset).await.state, "transcoding");
    world.pass_seconds(DAY_SECONDS);
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
    assert_eq!(world.asset(asset).await.state, "ready");
}
