//! The poster and the small pictures.

use std::path::Path;

use crate::oracle::{Transcoded, ffmpeg, ffprobe, make, real_file};

/// The mean of each colour of a part of a picture, from 0 to 255.
fn colour(file: &Path, (x, y, width, height): (u32, u32, u32, u32)) -> [u8; 3] {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("pixel.rgb");
    let filter = format!("crop={width}:{height}:{x}:{y},scale=1:1:flags=area,format=rgb24");
    ffmpeg(&["-i", file.to_str().unwrap(), "-vf", &filter, "-f", "rawvideo", raw.to_str().unwrap()]);
    std::fs::read(raw).unwrap().try_into().unwrap()
}

fn is_near(got: [u8; 3], expected: [u8; 3]) -> bool {
    got.iter().zip(expected).all(|(got, expected)| got.abs_diff(expected) < 24)
}

/// Seven colours of two seconds each, and sound that lasts as long.
const COLOURS: [(&str, [u8; 3]); 7] = [
    ("red", [255, 0, 0]),
    ("lime", [0, 255, 0]),
    ("blue", [0, 0, 255]),
    ("yellow", [255, 255, 0]),
    ("cyan", [0, 255, 255]),
    ("magenta", [255, 0, 255]),
    ("gray", [128, 128, 128]),
];

#[tokio::test]
async fn each_small_picture_shows_what_is_seen_then() {
    let inputs: Vec<String> =
        COLOURS.iter().map(|(name, _)| format!("color={name}:s=320x180:r=25:d=2")).collect();
    let mut arguments: Vec<&str> = inputs.iter().flat_map(|input| ["-f", "lavfi", "-i", input]).collect();
    arguments.extend(["-filter_complex", "concat=n=7", "-c:v", "libx264", "-pix_fmt", "yuv420p"]);
    let (_folder, file) = make("colours.mp4", &arguments);
    let film = Transcoded::of(&file).await;
    assert_eq!(film.manifest.thumbnails.as_deref(), Some("thumbnails.vtt"));
    let text = film.text("thumbnails.vtt");
    let cues: Vec<&str> = text.split("\n\n").skip(1).map(str::trim_end).collect();
    assert_eq!(cues.len(), 7, "{text}");
    assert_eq!(cues[0], "00:00:00.000 --> 00:00:02.000\nthumbnails/sheet-000.jpg#xywh=0,0,160,90");
    assert_eq!(cues[6], "00:00:12.000 --> 00:00:14.000\nthumbnails/sheet-000.jpg#xywh=960,0,160,90");
    let sheet = film.path("thumbnails/sheet-000.jpg");
    let stream = &ffprobe(&["-show_streams"], &sheet)["streams"][0];
    assert_eq!(
        (&stream["codec_name"], &stream["width"], &stream["height"]),
        (&"mjpeg".into(), &1120.into(), &90.into())
    );
    for (number, (name, expected)) in (0..).zip(COLOURS) {
        let got = colour(&sheet, (number * 160, 0, 160, 90));
        assert!(is_near(got, expected), "{name}: {got:?}");
    }
    // A tenth of fourteen seconds.
    assert!(is_near(colour(&film.path("poster.jpg"), (0, 0, 320, 180)), [255, 0, 0]));
}

#[tokio::test]
async fn a_poster_is_not_the_darkness_that_a_film_begins_with() {
    let (_folder, file) = make(
        "dark.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=black:s=320x180:r=25:d=5",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x180:r=25:d=5",
            "-filter_complex",
            "concat=n=2",
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let film = Transcoded::of(&file).await;
    assert!(colour(&film.path("poster.jpg"), (0, 0, 320, 180)).iter().any(|colour| *colour > 60));
    // And of a film that is dark from end to end there is a poster all the same.
    let (_folder, file) =
        make("night.mp4", &["-f", "lavfi", "-i", "color=black:s=320x180:r=25:d=5", "-c:v", "libx264"]);
    let film = Transcoded::of(&file).await;
    assert!(is_near(colour(&film.path("poster.jpg"), (0, 0, 320, 180)), [0, 0, 0]));
}

#[tokio::test]
async fn a_poster_is_as_large_as_a_page_needs_and_looks_like_the_film() {
    let film = Transcoded::of(&real_file("bigbuckbunny.mp4")).await;
    let poster = film.path(film.manifest.poster.as_deref().unwrap());
    let stream = &ffprobe(&["-show_streams"], &poster)["streams"][0];
    assert_eq!((&stream["width"], &stream["height"]), (&1280.into(), &720.into()));
    let picture = film.path("picture.png");
    let film_file = real_file("bigbuckbunny.mp4");
    ffmpeg(&["-ss", "0.528", "-i", film_file.to_str().unwrap(), "-frames:v", "1", picture.to_str().unwrap()]);
    for part in [(0, 0, 640, 360), (640, 360, 640, 360)] {
        let (got, expected) = (colour(&poster, part), colour(&picture, part));
        assert!(is_near(got, expected), "{got:?} for {expected:?}");
    }
}
