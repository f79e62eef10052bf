//! Sources with the oddities that cameras, phones and screen recorders have, made by the `ffmpeg` program.

use std::path::Path;

use akademi_transcode::{Limits, Origin, plan, probe, probe::Rotation};

use crate::oracle::{Transcoded, ffmpeg, ffprobe, make, real_file};

fn sizes(film: &Transcoded) -> Vec<(u32, u32)> {
    film.manifest.renditions.iter().map(|r| (r.width, r.height)).collect()
}

const BARS: &str = "testsrc2=size=640x360:rate=25:duration=3";

#[tokio::test]
async fn a_portrait_film_stays_portrait() {
    let (_folder, file) =
        make("portrait.mp4", &["-f", "lavfi", "-i", "testsrc2=s=360x640:d=3", "-c:v", "libx264"]);
    let film = Transcoded::of(&file).await;
    film.check(3.0, (360, 640), 0.04);
    assert_eq!(sizes(&film), [(360, 640), (240, 426)]);
}

#[tokio::test]
async fn a_film_that_a_phone_turned_is_shown_upright() {
    let (folder, upright) = make(
        "upright.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=red:s=320x180:d=2,drawbox=x=0:y=0:w=160:h=180:c=blue:t=fill",
            "-c:v",
            "libx264",
        ],
    );
    // FFmpeg 5.1 writes this tag as a matrix that turns the other way round; its own reading below is the judge.
    for (tag, rotation, shown) in [
        ("rotate=90", Rotation::ThreeQuarters, (180, 320)),
        ("rotate=180", Rotation::Half, (320, 180)),
        ("rotate=270", Rotation::Quarter, (180, 320)),
    ] {
        let turned = folder.path().join("turned.mp4");
        let arguments = ["-i", upright.to_str().unwrap(), "-c", "copy", "-metadata:s:v", tag];
        ffmpeg(&[&arguments[..], &[turned.to_str().unwrap()]].concat());
        let probed = probe(&Origin::File(turned.clone()), &Limits::default()).unwrap();
        assert_eq!(probed.video.rotation, rotation);
        assert_eq!((probed.video.width, probed.video.height), shown);
        let film = Transcoded::of(&turned).await;
        film.check(2.0, (shown.0.into(), shown.1.into()), 0.04);
        let similarity = psnr(&film.path(&film.manifest.renditions[0].playlist), &turned, "[0][1]psnr");
        assert!(similarity > 30.0, "{tag}: {similarity}");
    }
}

#[tokio::test]
async fn odd_sizes_become_even_ones() {
    let (_folder, file) = make(
        "odd.mp4",
        &["-f", "lavfi", "-i", "testsrc2=s=641x363:d=2", "-c:v", "libx264", "-pix_fmt", "yuv444p"],
    );
    let film = Transcoded::of(&file).await;
    film.check(2.0, (641, 363), 0.04);
    assert_eq!(sizes(&film)[0], (640, 362));
}

#[tokio::test]
async fn pixels_that_are_not_square_are_made_square() {
    let (_folder, file) = make(
        "anamorphic.mp4",
        &["-f", "lavfi", "-i", "testsrc2=s=720x576:d=1,setsar=16/15", "-c:v", "libx264"],
    );
    assert_eq!(sizes(&Transcoded::of(&file).await)[0], (768, 576));
}

#[tokio::test]
async fn other_pixel_formats_and_containers_come_out_the_same_to_look_at() {
    let plain = "scale=out_range=limited";
    for (name, arguments, scale) in [
        ("ten_bits.mov", &["-c:v", "prores", "-pix_fmt", "yuv422p10le"][..], plain),
        ("rgb.mov", &["-c:v", "qtrle", "-pix_fmt", "rgb24"], "scale=out_color_matrix=bt709"),
        ("full_range.avi", &["-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-q:v", "2"], plain),
        ("webm.webm", &["-c:v", "libvpx", "-deadline", "realtime", "-b:v", "4M"], plain),
        ("stream.ts", &["-c:v", "libx264", "-bf", "2"], plain),
    ] {
        let (_folder, file) = make(name, &[&["-f", "lavfi", "-i", BARS], arguments].concat());
        let film = Transcoded::of(&file).await;
        film.check(3.0, (640, 360), 0.041);
        let graph = format!("[0]setpts=N/25/TB[a];[1]{scale},format=yuv420p,setpts=N/25/TB[b];[a][b]psnr");
        let similarity = psnr(&film.path("360p/index.m3u8"), &file, &graph);
        assert!(similarity > 25.0, "{name}: {similarity}");
    }
}

#[tokio::test]
async fn a_variable_frame_rate_stays_variable() {
    // 25 pictures a second, of which those of the second and third second are mostly dropped.
    let (_folder, file) = make(
        "variable.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=640x360:rate=25:d=8,select='lt(t,1)+gt(t,3)+not(mod(n,10))'",
            "-vsync",
            "vfr",
            "-c:v",
            "libx264",
        ],
    );
    let film = Transcoded::of(&file).await;
    film.check(8.0, (640, 360), 0.04);
    assert_eq!(film.manifest.renditions.len(), 2);
    let source = Transcoded { manifest: film.manifest.clone(), folder: tempfile::tempdir().unwrap() };
    std::fs::copy(&file, source.path("source.mp4")).unwrap();
    let expected: Vec<f64> = source.pictures("source.mp4").into_iter().map(|(moment, _)| moment).collect();
    let got: Vec<f64> = film.pictures("360p/index.m3u8").into_iter().map(|(moment, _)| moment).collect();
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(&expected) {
        assert!((got - expected).abs() < 0.001, "{got} for {expected}");
    }
    assert!(got.windows(2).any(|pair| pair[1] - pair[0] > 0.3));
    // The first picture at or after 2 s, 4 s and 6 s.
    let first_after = |second: f64| *expected.iter().find(|moment| **moment >= second).unwrap();
    let keyframes = film.keyframes("360p/index.m3u8");
    for (got, expected) in keyframes.iter().zip([0.0, first_after(2.0), first_after(4.0), first_after(6.0)]) {
        assert!((got - expected).abs() < 0.001, "{keyframes:?}");
    }
    assert_eq!(keyframes.len(), 4);
}

/// Bars whose light was made as a camera with this transfer has it, with white at 203 cd/m².
fn high_dynamic_range(transfer: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let light = format!(
        "format=gbrpf32le,zscale=tin=bt709:pin=bt709:p=bt2020:t={transfer}:m=bt2020nc:r=limited:npl=203,format=yuv420p10le"
    );
    let colours = format!("log-level=error:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc");
    make(
        "hdr.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            BARS,
            "-vf",
            &light,
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            &colours,
        ],
    )
}

#[tokio::test]
async fn high_dynamic_range_looks_like_the_same_in_standard_range() {
    for transfer in ["smpte2084", "arib-std-b67"] {
        let (folder, file) = high_dynamic_range(transfer);
        let film = Transcoded::of(&file).await;
        film.check(3.0, (640, 360), 0.04);
        let stream = &ffprobe(&["-show_streams"], &film.path("360p/index.m3u8"))["streams"][0];
        for (property, value) in
            [("color_transfer", "bt709"), ("color_primaries", "bt709"), ("color_space", "bt709")]
        {
            assert_eq!(stream[property], value, "{transfer}");
        }
        let bars = folder.path().join("bars.mkv");
        ffmpeg(&[
            "-f",
            "lavfi",
            "-i",
            BARS,
            "-vf",
            "scale=out_color_matrix=bt709",
            "-c:v",
            "ffv1",
            "-pix_fmt",
            "yuv420p",
            bars.to_str().unwrap(),
        ]);
        let graph = "[0]format=yuv420p,setpts=N/25/TB[a];[1]format=yuv420p,setpts=N/25/TB[b];[a][b]psnr";
        let mapped = psnr(&film.path("360p/index.m3u8"), &bars, graph);
        let unmapped = psnr(&file, &bars, graph);
        println!("{transfer}: {mapped} dB mapped, {unmapped} dB as it was");
        assert!(
            mapped > 20.0 && mapped > unmapped + 3.0,
            "{transfer}: {mapped} dB mapped, {unmapped} dB as it was"
        );
    }
}

#[tokio::test]
async fn a_size_that_changes_on_the_way_does_not_stop_it() {
    let (folder, first) =
        make("first.ts", &["-f", "lavfi", "-i", "testsrc2=s=320x180:d=2", "-c:v", "libx264"]);
    let second = folder.path().join("second.ts");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=480x270:d=2",
        "-c:v",
        "libx264",
        "-output_ts_offset",
        "2",
        second.to_str().unwrap(),
    ]);
    let joined = folder.path().join("joined.ts");
    std::fs::write(&joined, [std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap()].concat())
        .unwrap();
    let film = Transcoded::of(&joined).await;
    film.check(4.0, (320, 180), 0.1);
}

#[tokio::test]
async fn sound_that_starts_late_stays_late_and_mono_becomes_stereo() {
    let (_folder, file) = make(
        "late.mkv",
        &[
            "-f",
            "lavfi",
            "-i",
            BARS,
            "-itsoffset",
            "1",
            "-f",
            "lavfi",
            "-i",
            "sine=d=2:r=22050",
            "-c:v",
            "libx264",
            "-c:a",
            "pcm_s16le",
        ],
    );
    let film = Transcoded::of(&file).await;
    film.check(3.0, (640, 360), 0.04);
    assert!(film.manifest.audio);
    let log = ffmpeg(&[
        "-i",
        film.path("audio/index.m3u8").to_str().unwrap(),
        "-af",
        "silencedetect=n=-50dB:d=0.5",
        "-f",
        "null",
        "-",
    ]);
    let silence: f64 =
        log.split("silence_end: ").nth(1).expect(&log).split(' ').next().unwrap().parse().unwrap();
    assert!((silence - 1.0).abs() < 0.05, "{silence}");
}

#[tokio::test]
async fn nineteen_seconds_are_cut_into_segments_of_six_with_no_crumb_at_the_end() {
    let (_folder, file) = make(
        "long.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=640x360:rate=25:d=18.2",
            "-f",
            "lavfi",
            "-i",
            "sine=d=18.2:r=44100",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-c:a",
            "aac",
        ],
    );
    let film = Transcoded::of(&file).await;
    film.check(18.2, (640, 360), 0.04);
    for playlist in ["360p/index.m3u8", "240p/index.m3u8", "audio/index.m3u8"] {
        let text = film.text(playlist);
        let lengths: Vec<f64> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#EXTINF:")?.strip_suffix(',')?.parse().ok())
            .collect();
        assert_eq!(lengths.len(), 3, "{text}");
        for (length, expected) in lengths.iter().zip([6.0, 6.0, 6.2]) {
            assert!((length - expected).abs() < 0.1, "{text}");
        }
    }
}

#[test]
fn a_plan_of_a_real_file_keeps_its_size_and_sound() {
    let plan = plan(&probe(&Origin::File(real_file("bigbuckbunny.mp4")), &Limits::default()).unwrap());
    assert_eq!(plan.audio.len(), 1);
    assert_eq!((plan.renditions[0].width, plan.renditions[0].height), (1280, 720));
}

/// How alike two films are by this filter graph over both, in decibels; the same film at a good rate has 30 or more.
fn psnr(one: &Path, other: &Path, graph: &str) -> f64 {
    let (one, other) = (one.to_str().unwrap(), other.to_str().unwrap());
    let log = ffmpeg(&["-i", one, "-i", other, "-lavfi", graph, "-f", "null", "-"]);
    let average = log.split("average:").nth(1).and_then(|rest| rest.split(' ').next()).expect(&log);
    average.parse().unwrap()
}
