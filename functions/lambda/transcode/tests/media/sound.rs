//! Sound: how loud it is, how many channels and tracks there are.

use std::{fs, path::Path};

use crate::oracle::{Transcoded, ffmpeg, ffprobe, make};

const BARS: &str = "testsrc2=size=320x180:rate=25:duration=12";

/// Integrated loudness in LUFS and the true peak in decibels below full scale, as FFmpeg's own meter has them.
fn loudness(file: &Path) -> (f64, f64) {
    let log = ffmpeg(&["-i", file.to_str().unwrap(), "-af", "ebur128=peak=true", "-f", "null", "-"]);
    let summary = log.split("Summary:").nth(1).expect(&log);
    let number = |name: &str| {
        let rest = summary.split(name).nth(1).expect(summary);
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    (number("I:"), number("Peak:"))
}

/// The volume of a band of a channel (0 left, 1 right), in decibels.
fn level(file: &Path, channel: u8, hertz: u32) -> f64 {
    let filter = format!(
        "pan=mono|c0=c{channel},bandpass=f={hertz}:width_type=h:w=20,bandpass=f={hertz}:width_type=h:w=20,volumedetect"
    );
    let log = ffmpeg(&["-i", file.to_str().unwrap(), "-af", &filter, "-f", "null", "-"]);
    log.split("mean_volume: ").nth(1).expect(&log).split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn quiet_and_loud_speech_come_out_equally_loud_and_nothing_clips() {
    // Speech-like: bursts of noise and pauses. The last one has a crack that would clip.
    let burst = "anoisesrc=d=12:c=pink:a=0.5:seed=7,tremolo=f=0.7:d=0.9";
    for (name, change) in [
        ("quiet", "volume=-10dB"),
        ("loud", "volume=4dB"),
        ("cracking", "volume=-8dB,volume='if(between(t,5,5.05),8,1)':eval=frame"),
    ] {
        let source = format!("{burst},{change}");
        let (_folder, file) = make(
            "speech.mp4",
            &["-f", "lavfi", "-i", BARS, "-f", "lavfi", "-i", &source, "-c:v", "libx264", "-c:a", "aac"],
        );
        let film = Transcoded::of(&file).await;
        let (lufs, peak) = loudness(&film.path("audio/index.m3u8"));
        println!("{name}: {:?} -> {lufs} LUFS, {peak} dBFS", loudness(&file));
        assert!((lufs + 16.0).abs() < 1.0, "{name}: {lufs} LUFS");
        assert!(peak < 0.0, "{name}: {peak} dBFS");
    }
}

#[tokio::test]
async fn sound_that_changes_its_shape_is_as_loud_as_all_of_it() {
    // Twelve seconds of mono, then as many of stereo that are twenty decibels quieter: too quiet to count (ITU-R BS.1770).
    let bars = ["-f", "lavfi", "-i", BARS];
    let noise = ["-f", "lavfi", "-i", "anoisesrc=d=12:c=pink:a=0.5:seed=7", "-c:v", "libx264", "-c:a", "aac"];
    let mono = ["-ac", "1", "-ar", "44100"];
    let stereo = ["-ac", "2", "-ar", "48000", "-af", "volume=-20dB", "-output_ts_offset", "12"];
    let (folder, first) = make("mono.ts", &[&bars[..], &noise, &mono].concat());
    let (_second, second) = make("stereo.ts", &[&bars[..], &noise, &stereo].concat());
    let joined = folder.path().join("joined.ts");
    fs::write(&joined, [fs::read(first).unwrap(), fs::read(second).unwrap()].concat()).unwrap();
    let film = Transcoded::of(&joined).await;
    let (lufs, peak) = loudness(&film.path("audio/index.m3u8"));
    assert!((lufs + 16.0).abs() < 1.0, "{lufs} LUFS");
    assert!(peak < 0.0, "{peak} dBFS");
}

#[tokio::test]
async fn silence_stays_silent() {
    let (_folder, file) = make(
        "silent.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            BARS,
            "-f",
            "lavfi",
            "-i",
            "anullsrc",
            "-shortest",
            "-c:v",
            "libx264",
            "-c:a",
            "aac",
        ],
    );
    let film = Transcoded::of(&file).await;
    assert!(film.manifest.audio);
    assert_eq!(loudness(&film.path("audio/index.m3u8")).0, -70.0);
}

#[tokio::test]
async fn five_channels_and_a_bass_become_two_with_all_that_was_said() {
    // The language is in the centre, a bell at the left, another one behind at the right.
    let channels = "sine=f=440:d=12[l];sine=f=600:d=12[r];sine=f=1000:d=12[c];sine=f=50:d=12[b];sine=f=1500:d=12[x];\
                    sine=f=2000:d=12[y];[l][r][c][b][x][y]join=inputs=6:channel_layout=5.1:map=0.0-FL|1.0-FR|2.0-FC|3.0-LFE|4.0-BL|5.0-BR[a]";
    let (_folder, file) = make(
        "surround.mkv",
        &[
            "-f",
            "lavfi",
            "-i",
            BARS,
            "-filter_complex",
            channels,
            "-map",
            "0:v",
            "-map",
            "[a]",
            "-c:v",
            "libx264",
            "-c:a",
            "ac3",
        ],
    );
    let film = Transcoded::of(&file).await;
    let audio = film.path("audio/index.m3u8");
    assert_eq!(ffprobe(&["-show_streams"], &audio)["streams"][0]["channels"], 2);
    for (what, channel, hertz) in [
        ("left", 0, 440),
        ("right", 1, 600),
        ("centre", 0, 1000),
        ("centre", 1, 1000),
        ("behind", 0, 1500),
        ("behind", 1, 2000),
    ] {
        assert!(
            level(&audio, channel, hertz) > -45.0,
            "{what} at {hertz} Hz: {}",
            level(&audio, channel, hertz)
        );
    }
    assert!(
        level(&audio, 1, 440) < level(&audio, 0, 440) - 20.0,
        "the left is only left: {}",
        level(&audio, 1, 440)
    );
    assert!(
        level(&audio, 0, 2000) < level(&audio, 1, 2000) - 20.0,
        "the right behind is only right: {}",
        level(&audio, 0, 2000)
    );
}

#[tokio::test]
async fn each_language_is_a_rendition_and_the_default_one_comes_first() {
    let (_folder, file) = make(
        "languages.mkv",
        &[
            "-f",
            "lavfi",
            "-i",
            BARS,
            "-f",
            "lavfi",
            "-i",
            "sine=f=440:d=12",
            "-f",
            "lavfi",
            "-i",
            "sine=f=1000:d=12",
            "-f",
            "lavfi",
            "-i",
            "sine=f=2000:d=9",
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "2",
            "-map",
            "3",
            "-c:v",
            "libx264",
            "-c:a",
            "aac",
            "-c:a:2",
            "libvorbis",
            "-metadata:s:a:0",
            "language=eng",
            "-metadata:s:a:1",
            "language=tur",
            "-metadata:s:a:2",
            "language=tur",
            "-metadata:s:a:2",
            "title=Betimleme",
            "-disposition:a",
            "0",
            "-disposition:a:1",
            "default",
        ],
    );
    let film = Transcoded::of(&file).await;
    film.check(12.0, (320, 180), 0.1);
    let master = film.text("master.m3u8");
    let media: Vec<_> = master.lines().filter(|line| line.starts_with("#EXT-X-MEDIA")).collect();
    for (line, expected) in media.iter().zip([
        "NAME=\"tr\",LANGUAGE=\"tr\",DEFAULT=YES",
        "NAME=\"en\",LANGUAGE=\"en\",DEFAULT=NO",
        "NAME=\"Betimleme\",LANGUAGE=\"tr\",DEFAULT=NO",
    ]) {
        assert!(line.contains(expected), "{line}");
    }
    assert_eq!(media.len(), 3);
    for (folder, hertz, seconds) in [("audio", 1000, 12.0), ("audio-2", 440, 12.0), ("audio-3", 2000, 9.0)] {
        let playlist = film.path(&format!("{folder}/index.m3u8"));
        assert!(level(&playlist, 0, hertz) > -25.0, "{folder}");
        let length = ffprobe(&["-show_format"], &playlist);
        let length: f64 = length["format"]["duration"].as_str().unwrap().parse().unwrap();
        assert!((length - seconds).abs() < 0.1, "{folder}: {length}");
    }
}

#[tokio::test]
async fn a_track_that_cannot_be_decoded_is_left_out_beside_one_that_can() {
    let (_folder, file) = make(
        "strange.mkv",
        &[
            "-f",
            "lavfi",
            "-i",
            BARS,
            "-f",
            "lavfi",
            "-i",
            "sine=f=440:d=12",
            "-f",
            "lavfi",
            "-i",
            "sine=f=1000:d=12",
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "2",
            "-c:v",
            "libx264",
            "-c:a:0",
            "aac",
            "-c:a:1",
            "wmav2",
            "-disposition:a:0",
            "default",
        ],
    );
    let film = Transcoded::of(&file).await;
    assert_eq!(film.text("master.m3u8").matches("#EXT-X-MEDIA").count(), 1);
    assert!(level(&film.path("audio/index.m3u8"), 0, 440) > -25.0);
}
