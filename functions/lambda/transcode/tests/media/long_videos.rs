//! Long videos are cut, several workers share them, and whoever is killed leaves what was done.

use akademi_lambda_store::jobs::JobState;
use akademi_transcode::{Manifest, job::Ran};
use sqlx::types::Json;
use std::{fs, time::Duration};

use crate::{
    academy::World,
    oracle::{Transcoded, ffmpeg, loop_of_bunny},
};

/// Of an academy that cuts after seconds, since a test cannot wait for hours; and a video of a third of a minute.
pub async fn world() -> (World, Vec<u8>) {
    let mut world = World::new().await;
    // Of 1080p, so twice as much of what is small.
    world.transcode.part_ms = 3_000;
    let (_folder, file) = loop_of_bunny(4);
    (world, fs::read(file).unwrap())
}

/// The asset's files in a folder of this machine, as a player finds them.
async fn download(world: &World, manifest: &Manifest, folder: &str) -> Transcoded {
    let local = tempfile::tempdir().unwrap();
    let folder: akademi_lambda_store::object_key::ObjectKey = folder.parse().unwrap();
    for file in &manifest.files {
        let key = file.path.split('/').fold(folder.clone(), |key, part| key.join(part).unwrap());
        let path = local.path().join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, world.transcode.objects.read(&key, 1 << 30).await.unwrap()).unwrap();
    }
    Transcoded { manifest: manifest.clone(), folder: local }
}

#[tokio::test]
async fn workers_share_a_long_video_and_it_plays_as_one() {
    let (world, content) = world().await;
    let (asset, job) = world.with_video(content).await;
    let Ran::Cut { parts } = world.transcode.run_next().await.unwrap() else { panic!("it was not cut") };
    assert_eq!(parts, 5, "four of pictures and the sound");
    let waiting = world.job(job).await;
    assert_eq!((waiting.state, waiting.attempts), (JobState::Queued, 0));
    // As many workers as there are parts, at once; two find nothing.
    let workers = futures::future::join_all((0..parts + 2).map(|_| world.transcode.run_next())).await;
    let ran: Vec<Ran> = workers.into_iter().map(Result::unwrap).collect();
    assert_eq!(ran.iter().filter(|ran| **ran == Ran::One).count(), parts);
    let waiting = world.job(job).await;
    assert_eq!((waiting.state, waiting.message.as_str()), (JobState::Queued, "5 of 5 parts are transcoded"));
    assert_eq!(world.asset(asset).await.state, "transcoding");
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
    let ready = world.asset(asset).await;
    assert_eq!((ready.state.as_str(), ready.failure), ("ready", None));
    assert_eq!((world.job(job).await.state, world.draft().await.0[0]), (JobState::Done, Some(21)));
    let Json(manifest) = ready.manifest.unwrap();
    let mut expected: Vec<_> =
        manifest.files.iter().map(|file| (format!("parts/{}", file.path), file.bytes)).collect();
    expected.sort();
    assert_eq!(world.transcoded(asset).await, expected);
    let film = download(&world, &manifest, &ready.playback_key.unwrap()).await;
    film.check(manifest.duration_ms as f64 / 1000.0, (640, 360), 0.04);
    assert_eq!(world.left_of_parts().await, 0);
}

#[tokio::test]
async fn a_killed_worker_costs_its_part_and_nothing_else() {
    let (world, content) = world().await;
    let (asset, job) = world.with_video(content).await;
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::Cut { parts: 5 });
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
    let done_before = world.transcoded(asset).await;
    assert!(!done_before.is_empty());
    // The second one dies with a part in its hands: as soon as that is seen, since a part takes no long time.
    {
        let mut worker = std::pin::pin!(world.transcode.run_next());
        while world.running_message().await.is_none() {
            tokio::select! {
                ended = worker.as_mut() => panic!("it ended: {ended:?}"),
                () = tokio::time::sleep(Duration::from_millis(2)) => {}
            }
        }
    }
    while world.transcode.run_next().await.unwrap() != Ran::Nothing {}
    assert_eq!(world.job(job).await.message, "4 of 5 parts are transcoded");
    world.pass_seconds(61);
    while world.transcode.run_next().await.unwrap() != Ran::Nothing {}
    assert_eq!(world.asset(asset).await.state, "ready");
    let files = world.transcoded(asset).await;
    assert!(done_before.iter().all(|file| files.contains(file)), "what was done stays");
    let second_attempts = files.iter().filter(|(path, _)| path.split('/').nth(1).unwrap().ends_with("-2"));
    assert!(second_attempts.count() > 0);
}

#[tokio::test]
async fn a_part_that_cannot_be_made_ends_all_of_it_with_its_reason() {
    let (world, mut content) = world().await;
    // Noise over all but the beginning, which is what the survey reads; the index is at the end.
    let end = content.windows(4).rposition(|window| window == b"moov").unwrap() - 4;
    let start = end / 3;
    let mut state = 7_u32;
    for byte in &mut content[start..end] {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    let (asset, job) = world.with_video(content).await;
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::Cut { parts: 5 });
    for _ in 0..5 {
        if world.asset(asset).await.state == "failed" {
            break;
        }
        assert_eq!(world.transcode.run_next().await.unwrap(), Ran::One);
    }
    // The parts that nobody has begun have ended with it: no worker takes one in vain.
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::Nothing);
    assert!(world.count_part_jobs("failed").await > 1);
    let failed = world.asset(asset).await;
    assert_eq!(
        (failed.state.as_str(), failed.failure.as_deref()),
        ("failed", Some("the video is cut off or damaged"))
    );
    let told = world.job(job).await;
    assert_eq!((told.state, told.message.as_str()), (JobState::Failed, "the video is cut off or damaged"));
    assert_eq!(world.transcoded(asset).await, []);
    assert_eq!(world.left_of_parts().await, 0);
    world.pass_seconds(7 * 24 * 3600);
    assert_eq!(world.transcode.run_next().await.unwrap(), Ran::Nothing);
}

#[tokio::test]
async fn an_academy_that_wants_it_has_its_videos_encrypted_with_a_key_each() {
    let (world, content) = world().await;
    world.encrypt().await;
    let (asset, _) = world.with_video(content).await;
    while world.transcode.run_next().await.unwrap() != Ran::Nothing {}
    let ready = world.asset(asset).await;
    let Json(manifest) = ready.manifest.unwrap();
    let film = download(&world, &manifest, &ready.playback_key.unwrap()).await;
    fs::write(film.path("key"), ready.content_key.unwrap()).unwrap();
    for playlist in ["360p/index.m3u8", "audio/index.m3u8"] {
        assert!(film.text(playlist).contains("METHOD=AES-128"));
        let path = film.path(playlist);
        let arguments = [
            "-v",
            "error",
            "-xerror",
            "-allowed_extensions",
            "ALL",
            "-i",
            path.to_str().unwrap(),
            "-f",
            "null",
            "-",
        ];
        assert_eq!(ffmpeg(&arguments), "");
    }
}
