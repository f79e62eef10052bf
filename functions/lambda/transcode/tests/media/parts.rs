//! A video that several workers share is the video that one would have made.

use std::{fs, path::Path};

use akademi_transcode::{
    Limits, Made, Part, Task, TranscodeError,
    child::{Child, Survey},
    parts::cut,
};

use crate::oracle::{Transcoded, child, ffmpeg, loop_of_bunny, make, write_playlists};

/// Of 1080p, so twice as much of what is small.
const PART_MS: u64 = 3_000;

/// The video in parts, each made by a child of its own, and joined; and where it was cut, in seconds.
async fn in_parts(source: &Path) -> (Transcoded, Vec<f64>) {
    let child = child(source, &Limits::default());
    let survey = child.survey().await.unwrap();
    let parts = cut(&survey, PART_MS);
    assert!(parts.len() >= 2, "{parts:?}");
    let folder = tempfile::tempdir().unwrap();
    let mut made = Vec::new();
    for (part, number) in parts.iter().zip(0..) {
        let name = format!("part-{number}");
        let output = folder.path().join(&name);
        made.push((name, part_of(&child, &survey, *part, &output).await));
    }
    let task = Task { plan: survey.plan, part: Part::Whole, key: None };
    let manifest = write_playlists(&task, Made::joined(made).unwrap(), folder.path());
    let cuts = parts.iter().map(|part| part.span().0).filter(|from_ms| *from_ms > 0);
    (Transcoded { manifest, folder }, cuts.map(|from_ms| from_ms as f64 / 1000.0).collect())
}

async fn part_of(child: &Child, survey: &Survey, part: Part, output: &Path) -> Made {
    let task = Task { plan: survey.plan.clone(), part, key: None };
    child.make(&task, output, |_| ()).await.unwrap()
}

/// How alike each picture of two films is, in decibels.
fn likeness(one: &Path, other: &Path) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let stats = folder.path().join("stats");
    let graph =
        format!("[0]setpts=N/25/TB[a];[1]setpts=N/25/TB[b];[a][b]psnr=stats_file={}", stats.display());
    ffmpeg(&[
        "-i",
        one.to_str().unwrap(),
        "-i",
        other.to_str().unwrap(),
        "-lavfi",
        &graph,
        "-f",
        "null",
        "-",
    ]);
    let stats = fs::read_to_string(stats).unwrap();
    stats
        .lines()
        .map(|line| line.split("psnr_avg:").nth(1).unwrap().split(' ').next().unwrap())
        .map(|decibels| if decibels == "inf" { 100.0 } else { decibels.parse().unwrap() })
        .collect()
}

/// The decoded sound, as samples of 16 bits.
fn samples(film: &Transcoded) -> Vec<u8> {
    let raw = film.path("sound.raw");
    let playlist = film.path("audio/index.m3u8");
    ffmpeg(&["-i", playlist.to_str().unwrap(), "-f", "s16le", raw.to_str().unwrap()]);
    fs::read(raw).unwrap()
}

fn lengths(film: &Transcoded, playlist: &str) -> Vec<String> {
    film.text(playlist).lines().filter_map(|line| line.strip_prefix("#EXTINF:")).map(str::to_owned).collect()
}

/// What must be the same, however a video was made; and pictures at the joints are as good as there: above 40 dB nobody sees
/// a difference.
fn compare(joined: &Transcoded, whole: &Transcoded, source: &Path, cuts: &[f64]) {
    for (rendition, twin) in joined.manifest.renditions.iter().zip(&whole.manifest.renditions) {
        let playlist = &rendition.playlist;
        assert_eq!(
            joined.pictures(playlist),
            whole.pictures(playlist),
            "{playlist}: pictures, moments and keyframes"
        );
        assert_eq!(lengths(joined, playlist), lengths(whole, playlist), "{playlist}");
        assert_eq!(rendition.codecs, twin.codecs);
        // FFmpeg finds no fault, and no time goes backwards.
        let log = ffmpeg(&[
            "-v",
            "warning",
            "-i",
            joined.path(playlist).to_str().unwrap(),
            "-c",
            "copy",
            "-f",
            "null",
            "-",
        ]);
        assert_eq!(log, "", "{playlist}");
    }
    let largest = &joined.manifest.renditions[0].playlist;
    let moments: Vec<f64> = joined.pictures(largest).into_iter().map(|(moment, _)| moment).collect();
    let parts = likeness(&joined.path(largest), source);
    let whole = likeness(&whole.path(largest), source);
    assert_eq!((parts.len(), whole.len()), (moments.len(), moments.len()));
    for cut in cuts {
        let joint = moments.iter().position(|moment| moment >= cut).unwrap_or(moments.len());
        for picture in joint.saturating_sub(12)..(joint + 12).min(moments.len()) {
            let (got, expected) = (parts[picture], whole[picture]);
            assert!(
                got > 40.0 || got > expected - 3.0,
                "{got} dB at {}, and {expected} in one",
                moments[picture]
            );
        }
    }
}

#[tokio::test]
async fn parts_join_to_what_one_worker_makes() {
    // Real pictures and sound, with B pictures and keyframes where the encoder wanted them.
    let (_folder, file) = loop_of_bunny(4);
    let (joined, cuts) = in_parts(&file).await;
    let whole = Transcoded::of(&file).await;
    let seconds = whole.manifest.duration_ms as f64 / 1000.0;
    joined.check(seconds, (640, 360), 0.04);
    assert_eq!((cuts.len(), joined.manifest.duration_ms), (3, whole.manifest.duration_ms));
    compare(&joined, &whole, &file, &cuts);
    // Sound is not cut: not a sample is missing, none is other.
    let sound = samples(&joined);
    assert!(sound == samples(&whole));
    // Nor is any of the source's missing: FFmpeg's own reading has as many, but for a frame of AAC at the end.
    let plain = file.with_file_name("sound.raw");
    let filter = "aresample=48000:async=1:first_pts=0";
    ffmpeg(&[
        "-i",
        file.to_str().unwrap(),
        "-af",
        filter,
        "-ac",
        "2",
        "-f",
        "s16le",
        plain.to_str().unwrap(),
    ]);
    let expected = fs::read(plain).unwrap().len() / 4;
    let got = sound.len() / 4;
    assert!(got.abs_diff(expected) <= 2048, "{got} samples, and {expected} in the source");
    // Small pictures go on from part to part.
    let times = |film: &Transcoded| -> Vec<String> {
        film.text("thumbnails.vtt").lines().filter(|line| line.contains("-->")).map(str::to_owned).collect()
    };
    assert_eq!(times(&joined), times(&whole));
    assert!(joined.manifest.poster.is_some());
}

#[tokio::test]
async fn parts_of_a_variable_frame_rate_join_at_the_same_moments() {
    // Pauses over two joints, one of them longer than a part.
    let (_folder, file) = make(
        "slides.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=640x360:rate=25:d=40,select='lt(t,5)+between(t,7.3,11)*not(mod(n,3))+gt(t,26.1)'",
            "-vsync",
            "vfr",
            "-c:v",
            "libx264",
        ],
    );
    let (joined, cuts) = in_parts(&file).await;
    let whole = Transcoded::of(&file).await;
    compare(&joined, &whole, &file, &cuts);
    joined.check(40.0, (640, 360), 0.04);
}

#[tokio::test]
async fn sound_that_goes_on_for_parts_after_the_pictures_leaves_them_whole() {
    // The container's only length is that of the sound: several parts have no picture, and the file goes on.
    let pictures = ["-f", "lavfi", "-i", "testsrc2=s=320x180:rate=25:d=14"];
    let sound = ["-f", "lavfi", "-i", "sine=d=40", "-c:v", "libx264", "-c:a", "aac"];
    let (_folder, file) = make("longer_sound.mkv", &[&pictures[..], &sound].concat());
    let (joined, cuts) = in_parts(&file).await;
    assert_eq!(cuts.last(), Some(&36.0));
    let whole = Transcoded::of(&file).await;
    compare(&joined, &whole, &file, &cuts);
    joined.check(14.0, (320, 180), 0.04);
    assert!(samples(&joined) == samples(&whole));
}

#[tokio::test]
async fn a_last_picture_that_stands_for_longer_than_a_part_is_the_end() {
    // A picture every ten seconds; the last part begins six seconds after the last of them.
    let slides = ["-f", "lavfi", "-i", "testsrc2=s=640x360:rate=1/10:d=40"];
    let options = ["-vsync", "cfr", "-c:v", "libx264", "-bf", "0"];
    let (_folder, file) = make("slides.mp4", &[&slides[..], &options].concat());
    let (joined, cuts) = in_parts(&file).await;
    assert_eq!(cuts.last(), Some(&36.0));
    let whole = Transcoded::of(&file).await;
    for rendition in &joined.manifest.renditions {
        let playlist = &rendition.playlist;
        assert_eq!(joined.pictures(playlist), whole.pictures(playlist), "{playlist}");
        // Where so few pictures are, one run may put two of them into a segment.
        let seconds = lengths(&joined, playlist);
        let seconds = seconds.iter().map(|length| length.trim_end_matches(',').parse::<f64>().unwrap());
        assert!((seconds.sum::<f64>() - 40.0).abs() < 0.001, "{playlist}");
    }
}

#[tokio::test]
async fn a_last_part_whose_file_breaks_off_before_it_is_damaged() {
    let pictures = ["-f", "lavfi", "-i", "testsrc2=s=320x180:rate=25:d=40"];
    let sound = ["-f", "lavfi", "-i", "sine=d=40", "-c:v", "libx264", "-c:a", "aac"];
    let (folder, file) = make("half.mkv", &[&pictures[..], &sound].concat());
    let content = fs::read(&file).unwrap();
    fs::write(&file, &content[..content.len() / 2]).unwrap();
    let child = child(&file, &Limits::default());
    let survey = child.survey().await.unwrap();
    let part = Part::Pictures { from_ms: 36_000, until_ms: None };
    assert!(cut(&survey, PART_MS).contains(&part));
    let task = Task { plan: survey.plan, part, key: None };
    let error = child.make(&task, &folder.path().join("part"), |_| ()).await.unwrap_err();
    assert_eq!(error, TranscodeError::Damaged);
}

#[tokio::test]
async fn parts_of_other_containers_and_open_groups_join_too() {
    for (name, options) in [
        (
            "open.mkv",
            &["-c:v", "libx264", "-bf", "3", "-x264-params", "open-gop=1:keyint=120:scenecut=0"][..],
        ),
        (
            "hevc.mp4",
            &[
                "-c:v",
                "libx265",
                "-preset",
                "ultrafast",
                "-x265-params",
                "log-level=error:keyint=90:open-gop=1:bframes=4",
            ],
        ),
        ("stream.ts", &["-c:v", "libx264", "-g", "100", "-bf", "2"]),
        (
            "vp9.webm",
            &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M", "-g", "200"],
        ),
    ] {
        let bars = "testsrc2=s=320x180:rate=25:d=20";
        let (_folder, file) =
            make(name, &[&["-f", "lavfi", "-i", bars, "-pix_fmt", "yuv420p"], options].concat());
        let (joined, cuts) = in_parts(&file).await;
        let whole = Transcoded::of(&file).await;
        println!("{name}: cut at {cuts:?}");
        compare(&joined, &whole, &file, &cuts);
    }
}
