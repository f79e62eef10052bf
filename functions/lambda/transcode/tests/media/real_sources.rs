use std::fs;

use crate::oracle::{Transcoded, ffmpeg, ffprobe, real_file};

#[tokio::test]
async fn a_film_with_sound_becomes_three_aligned_renditions_and_one_of_audio() {
    let film = Transcoded::of(&real_file("bigbuckbunny.mp4")).await;
    film.check(5.28, (1280, 720), 0.04);
    let manifest = &film.manifest;
    let sizes: Vec<_> = manifest.renditions.iter().map(|r| (r.width, r.height)).collect();
    assert_eq!(sizes, [(1280, 720), (854, 480), (426, 240)]);
    assert_eq!(film.keyframes("720p/index.m3u8"), [0.0, 2.0, 4.0]);
    assert_eq!(film.pictures("720p/index.m3u8").len(), 132);

    assert!(manifest.audio);
    assert!(manifest.renditions.iter().all(|r| r.codecs.ends_with(",mp4a.40.2")));
    let audio = ffprobe(&["-show_streams", "-show_format"], &film.path("audio/index.m3u8"));
    assert_eq!(audio["streams"][0]["codec_name"], "aac");
    assert_eq!(audio["streams"][0]["profile"], "LC");
    assert_eq!(audio["streams"][0]["sample_rate"], "48000");
    assert_eq!(audio["streams"][0]["channels"], 2);
    let seconds: f64 = audio["format"]["duration"].as_str().unwrap().parse().unwrap();
    assert!((seconds - 5.312).abs() < 0.022, "{seconds}");
    let volume = ffmpeg(&[
        "-i",
        film.path("audio/index.m3u8").to_str().unwrap(),
        "-af",
        "volumedetect",
        "-f",
        "null",
        "-",
    ]);
    let mean: f64 = volume.split("mean_volume: ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(mean > -40.0, "the sound is lost: {mean} dB");
}

#[tokio::test]
async fn a_film_without_sound_has_no_audio_rendition() {
    let film = Transcoded::of(&real_file("bikes.mp4")).await;
    film.check(10.0, (640, 272), 0.04);
    assert!(!film.manifest.audio);
    assert!(!film.text("master.m3u8").contains("AUDIO"));
    assert!(film.manifest.renditions.iter().all(|r| !r.codecs.contains("mp4a")));
    assert_eq!(film.manifest.renditions[0].height, 272);
    assert!(film.manifest.renditions[1].height < 272);
    assert_eq!(film.keyframes("272p/index.m3u8"), [0.0, 2.0, 4.0, 6.0, 8.0]);
    // Cut at the same moment in each: 6 s and 4 s.
    for rendition in &film.manifest.renditions {
        let lines = film.text(&rendition.playlist);
        assert!(lines.contains("#EXTINF:6.000000,\nsegment-00000.m4s\n#EXTINF:4.000000,"), "{lines}");
        assert!(lines.contains("#EXT-X-VERSION:7\n") && lines.ends_with("#EXT-X-ENDLIST\n"));
    }
}

#[tokio::test]
async fn the_stated_bandwidth_is_what_the_files_weigh() {
    let film = Transcoded::of(&real_file("bikes.mp4")).await;
    for rendition in &film.manifest.renditions {
        let weigh = |segment: &str| {
            fs::metadata(film.path(&format!("{}/{segment}", rendition.name))).unwrap().len() as f64 * 8.0
        };
        let (first, second) = (weigh("segment-00000.m4s"), weigh("segment-00001.m4s"));
        let peak = (first / 6.0).max(second / 4.0).ceil();
        assert!(rendition.bandwidth as f64 >= peak, "{rendition:?} under {peak}");
        assert!(rendition.bandwidth as f64 <= peak * 1.1, "{rendition:?} over {peak}");
        let average = (first + second) / 10.0;
        assert!((rendition.average_bandwidth as f64 - average).abs() <= 1.0, "{rendition:?} not {average}");
    }
}

#[tokio::test]
async fn each_segment_begins_with_a_picture_that_needs_no_other() {
    let film = Transcoded::of(&real_file("bikes.mp4")).await;
    let folder = film.path("272p");
    let mut alone = fs::read(folder.join("init.mp4")).unwrap();
    alone.extend(fs::read(folder.join("segment-00001.m4s")).unwrap());
    let file = film.path("alone.mp4");
    fs::write(&file, alone).unwrap();
    ffmpeg(&["-v", "error", "-xerror", "-i", file.to_str().unwrap(), "-f", "null", "-"]);
    let packets = ffprobe(&["-show_packets", "-show_entries", "packet=pts_time,flags"], &file);
    let packets = packets["packets"].as_array().unwrap();
    assert_eq!(packets.len(), 100);
    assert_eq!(packets[0]["flags"], "K_");
}
