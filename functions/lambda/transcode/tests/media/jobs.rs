//! Videos in storage become HLS in storage, and the lessons that play them learn their length.

use akademi_lambda_store::{jobs::JobState, media::TRANSCODE, object_key::ObjectKey};
use akademi_transcode::job::Ran;
use serde_json::json;
use sqlx::types::Json;
use std::{fs, time::Duration};

use crate::{
    academy::World,
    oracle::{ffmpeg, real_file},
};

#[tokio::test]
async fn a_video_becomes_ready_with_its_files_and_its_lessons_learn_its_length() {
    for (file, duration_ms, renditions) in [("bikes.mp4", 10_000, 2), ("bigbuckbunny.mp4", 5_280, 3)] {
        let world = World::new().await;
        let (asset, job) = world.with_video(fs::read(real_file(file)).unwrap()).await;
        assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
        let ready = world.asset(asset).await;
        assert_eq!((ready.state.as_str(), ready.failure), ("ready", None));
        assert_eq!(ready.duration_ms, Some(duration_ms));
        let Json(manifest) = ready.manifest.unwrap();
        assert_eq!(manifest.renditions.len(), renditions);
        let folder = ObjectKey::new(world.tenant, ["media", &asset.to_string(), "1"]).unwrap();
        assert_eq!(ready.playback_key.as_deref(), Some(folder.as_str()));
        let mut expected: Vec<_> =
            manifest.files.iter().map(|file| (format!("1/{}", file.path), file.bytes)).collect();
        expected.sort();
        assert_eq!(world.transcoded(asset).await, expected);
        let done = world.job(job).await;
        assert_eq!((done.state, done.progress_permille), (JobState::Done, 1000));
        let result = done.result.unwrap();
        assert_eq!(
            (&result["duration_ms"], &result["bytes"]),
            (&json!(duration_ms), &json!(manifest.bytes()))
        );
        // The lesson of another video learns nothing.
        assert_eq!(world.draft().await, (vec![Some(duration_ms as u64 / 1000), None], 2));
        assert_eq!(world.transcode.run_next().await.unwrap(), Ran::Nothing);
        println!("{file}: {} files, {} bytes", manifest.files.len(), manifest.bytes());
    }
}

#[tokio::test]
async fn what_is_no_video_fails_at_once_with_its_reason_and_leaves_nothing() {
    let film = fs::read(real_file("bikes.mp4")).unwrap();
    for (content, reason) in [
        (b"not a video at all".to_vec(), "the file is not a video in a container that is supported"),
        (Vec::new(), "the file is empty"),
        (film[..film.len() / 2].to_vec(), "the video is cut off or damaged"),
    ] {
        let world = World::new().await;
        let (asset, job) = world.with_video(content).await;
        assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
        let failed = world.asset(asset).await;
        assert_eq!((failed.state.as_str(), failed.manifest.is_none()), ("failed", true));
        let told = world.job(job).await;
        assert_eq!(told.state, JobState::Failed);
        assert!(told.message.starts_with(reason), "{}", told.message);
        assert_eq!(failed.failure, Some(told.message));
        assert_eq!(world.transcoded(asset).await, []);
        assert_eq!(world.draft().await, (vec![None, None], 1));
        world.pass_seconds(3600);
        assert_eq!(world.transcode.run_next().await.unwrap(), Ran::Nothing);
    }
}

#[tokio::test]
async fn a_worker_that_vanishes_is_replaced_and_its_files_go() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("long.mp4");
    let bunny = real_file("bigbuckbunny.mp4");
    ffmpeg(&["-stream_loop", "2", "-i", bunny.to_str().unwrap(), "-c", "copy", film.to_str().unwrap()]);
    let (asset, job) = world.with_video(fs::read(&film).unwrap()).await;
    // What an attempt left that was killed while it stored.
    let left = ObjectKey::new(world.tenant, ["media", &asset.to_string(), "1", "master.m3u8"]).unwrap();
    world.transcode.objects.put(&left, &"text/plain".parse().unwrap(), "x".into()).await.unwrap();
    {
        let mut worker = std::pin::pin!(world.transcode.run_next());
        loop {
            tokio::select! {
                ended = worker.as_mut() => panic!("it ended: {ended:?}"),
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
            let running = world.job(job).await;
            if running.message == "transcoding" && running.progress_permille > 50 {
                break;
            }
        }
    }
    assert_eq!(world.asset(asset).await.state, "transcoding");
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::Nothing, "the lease holds");
    world.pass_seconds(61);
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
    let ready = world.asset(asset).await;
    assert_eq!(ready.state, "ready");
    let transcoded = world.transcoded(asset).await;
    assert_eq!(transcoded.len(), ready.manifest.unwrap().files.len());
    assert!(transcoded.iter().all(|(path, _)| path.starts_with("2/")), "{transcoded:?}");
    assert!(world.files.path().exists());
}

#[tokio::test]
async fn a_video_that_every_worker_dies_of_is_given_up() {
    let world = World::new().await;
    let (asset, job) = world.with_video(b"x".to_vec()).await;
    for _ in 0..3 {
        let mut platform = world.database.postgres().platform().await.unwrap();
        let claimed = platform.claim_job(TRANSCODE, world.transcode.ports.now(), 1000).await.unwrap();
        platform.commit().await.unwrap();
        assert!(claimed.is_some());
        world.pass_seconds(2);
    }
    let left = ObjectKey::new(world.tenant, ["media", &asset.to_string(), "3", "master.m3u8"]).unwrap();
    world.transcode.objects.put(&left, &"text/plain".parse().unwrap(), "x".into()).await.unwrap();
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::Nothing);
    let failed = world.asset(asset).await;
    assert_eq!(failed.state, "failed");
    assert_eq!(failed.failure.as_deref(), Some("transcoding was begun too often without an end"));
    assert_eq!(world.job(job).await.state, JobState::Failed);
    assert_eq!(world.transcoded(asset).await, []);
}
