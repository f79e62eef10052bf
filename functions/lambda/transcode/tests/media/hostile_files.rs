//! Files that are no video, or want to harm: one clear reason each, and nothing left behind.

use std::{fs, path::Path};

use akademi_transcode::{Limits, Origin, TranscodeError, probe};

use crate::oracle::{child, ffmpeg, is_empty, make, real_file, run};

/// The error for these bytes, however they are named.
async fn refusal(name: &str, content: &[u8]) -> TranscodeError {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, content).unwrap();
    refusal_of(&file, &Limits::default()).await
}

async fn refusal_of(file: &Path, limits: &Limits) -> TranscodeError {
    let output = tempfile::tempdir().unwrap();
    let error = run(&child(file, limits), output.path(), |_| ()).await.unwrap_err();
    assert!(is_empty(output.path()), "{error:?} left something");
    error
}

#[tokio::test]
async fn what_is_no_video_is_refused_as_such() {
    assert_eq!(refusal("empty.mp4", b"").await, TranscodeError::Empty);
    assert_eq!(
        refusal("text.mp4", "Bu bir ders notudur.\n".repeat(500).as_bytes()).await,
        TranscodeError::NotVideo
    );
    assert_eq!(refusal("one.mp4", b"x").await, TranscodeError::NotVideo);
    let html = "<!DOCTYPE html><html><body><video src=\"file:///etc/passwd\"></video></body></html>";
    assert_eq!(refusal("page.mp4", html.as_bytes()).await, TranscodeError::NotVideo);
    // A generator of our own: the same bytes in each run.
    let mut state = 1_u32;
    let random: Vec<u8> = (0..300_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    assert_eq!(refusal("random.mp4", &random).await, TranscodeError::NotVideo);
    assert_eq!(
        refusal("picture.mp4", &fs::read(picture().path().join("p.png")).unwrap()).await,
        TranscodeError::NotVideo
    );
}

fn picture() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x64",
        "-frames:v",
        "1",
        folder.path().join("p.png").to_str().unwrap(),
    ]);
    folder
}

#[tokio::test]
async fn playlists_and_scripts_that_name_other_files_open_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("other.ts");
    let film = film.to_str().unwrap();
    ffmpeg(&["-i", real_file("bikes.mp4").to_str().unwrap(), "-c", "copy", film]);
    for (name, content) in [
        ("hls.mp4", format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{film}\n#EXT-X-ENDLIST\n")),
        (
            "hls.m3u8",
            format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:{film}\n#EXT-X-ENDLIST\n"),
        ),
        ("url.m3u8", "#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n".to_owned()),
        ("concat.txt", format!("ffconcat version 1.0\nfile '{film}'\n")),
        ("session.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 9 RTP/AVP 96\n".to_owned()),
    ] {
        // As a file beside the one that it names, which is where a relative reference would work.
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        assert_eq!(refusal_of(&file, &Limits::default()).await, TranscodeError::NotVideo, "{name}");
    }
    // The same playlist is a video to an FFmpeg that nobody restricted, so the refusal is ours.
    ffmpeg(&["-i", folder.path().join("hls.m3u8").to_str().unwrap(), "-t", "1", "-f", "null", "-"]);
}

#[tokio::test]
async fn a_video_that_is_cut_off_is_refused_as_damaged() {
    for name in ["bigbuckbunny.mp4", "bikes.mp4"] {
        let whole = fs::read(real_file(name)).unwrap();
        for part in [40, whole.len() / 3, whole.len() - 2000] {
            assert_eq!(refusal("cut.mp4", &whole[..part]).await, TranscodeError::Damaged, "{name} at {part}");
        }
    }
}

#[tokio::test]
async fn a_video_that_breaks_off_after_its_header_is_refused_as_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let film = real_file("bikes.mp4");
    for (name, options) in [
        ("header_first.mp4", &["-movflags", "faststart"][..]),
        ("fragments.mp4", &["-movflags", "frag_keyframe+empty_moov+global_sidx"]),
        ("matroska.mkv", &[]),
    ] {
        let file = folder.path().join(name);
        let arguments =
            [&["-i", film.to_str().unwrap(), "-c", "copy"], options, &[file.to_str().unwrap()]].concat();
        ffmpeg(&arguments);
        let whole = fs::read(&file).unwrap();
        assert_eq!(refusal(name, &whole[..whole.len() / 2]).await, TranscodeError::Damaged, "{name}");
    }
}

#[tokio::test]
async fn a_video_overwritten_with_noise_is_refused_as_damaged() {
    let mut content = fs::read(real_file("bikes.mp4")).unwrap();
    let mut state = 7_u32;
    let end = content.len() * 4 / 5;
    for byte in &mut content[64..end] {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    assert_eq!(refusal("noise.mp4", &content).await, TranscodeError::Damaged);
}

#[tokio::test]
async fn sound_alone_is_no_video() {
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound.m4a");
    ffmpeg(&["-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", sound.to_str().unwrap()]);
    assert_eq!(refusal_of(&sound, &Limits::default()).await, TranscodeError::NoVideoTrack);
    // Nor does a cover picture make it one.
    let covered = folder.path().join("covered.m4a");
    ffmpeg(&[
        "-i",
        sound.to_str().unwrap(),
        "-i",
        picture().path().join("p.png").to_str().unwrap(),
        "-c",
        "copy",
        "-disposition:v",
        "attached_pic",
        covered.to_str().unwrap(),
    ]);
    assert_eq!(refusal_of(&covered, &Limits::default()).await, TranscodeError::NoVideoTrack);
}

#[tokio::test]
async fn too_long_too_large_and_too_narrow_are_refused_before_work_begins() {
    let film = real_file("bikes.mp4");
    let short = Limits { duration_ms: 9_000, ..Limits::default() };
    assert_eq!(refusal_of(&film, &short).await, TranscodeError::TooLong { limit_ms: 9_000 });
    for small in [
        Limits { side_pixels: 639, ..Limits::default() },
        Limits { picture_pixels: 640 * 271, ..Limits::default() },
    ] {
        assert_eq!(refusal_of(&film, &small).await, TranscodeError::Dimensions { width: 640, height: 272 });
    }
    let folder = tempfile::tempdir().unwrap();
    let strip = folder.path().join("strip.mp4");
    ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=1024x32:d=1", "-c:v", "libx264", strip.to_str().unwrap()]);
    assert_eq!(
        refusal_of(&strip, &Limits::default()).await,
        TranscodeError::Dimensions { width: 1024, height: 32 }
    );
}

/// Writes a number into the last box of this type, so many bytes after the type (ISO 14496-12 §4.2).
fn overwrite(content: &mut [u8], kind: &[u8; 4], offset: usize, number: u32) {
    let found = content.windows(4).rposition(|window| window == kind).unwrap() + 4 + offset;
    content[found..found + 4].copy_from_slice(&number.to_be_bytes());
}

#[tokio::test]
async fn a_track_that_states_seven_hours_in_a_container_of_a_second_is_too_long_before_it_is_cut() {
    let bars = ["-f", "lavfi", "-i", "testsrc2=s=320x180:rate=25:d=1"];
    let plain = ["-c:v", "libx264", "-bf", "0", "-use_editlist", "0", "-video_track_timescale", "12800"];
    let (_folder, file) = make("hours.mp4", &[&bars[..], &plain].concat());
    let mut content = fs::read(&file).unwrap();
    // A thousand seconds for each of 25 pictures: in the media's header (§8.4.2), and in the table of times (§8.6.1.2).
    overwrite(&mut content, b"mdhd", 16, 25 * 12_800_000);
    overwrite(&mut content, b"stts", 12, 12_800_000);
    fs::write(&file, content).unwrap();
    let limits = Limits::default();
    let error = child(&file, &limits).survey().await.unwrap_err();
    assert_eq!(error, TranscodeError::TooLong { limit_ms: limits.duration_ms });
    // It is the track that is refused: the container is short, as the same file under a higher limit says.
    let day = Limits { duration_ms: 24 * 3_600_000, ..limits };
    assert_eq!(probe(&Origin::File(file.clone()), &day).unwrap().duration_ms, Some(1000));
    assert_eq!(child(&file, &day).survey().await.unwrap().end_ms, Some(25_000_000));
}

#[tokio::test]
async fn a_codec_off_the_list_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flash.avi");
    ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-c:v", "flashsv", file.to_str().unwrap()]);
    let error = refusal_of(&file, &Limits::default()).await;
    assert_eq!(error, TranscodeError::UnsupportedCodec { codec: "flashsv".to_owned() });
    assert!(error.is_fault_of_source());
}

#[tokio::test]
async fn an_encrypted_video_is_refused_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("protected.mp4");
    // Common Encryption (ISO 23001-7), as services that sell films have it.
    let key = ["-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb"];
    let id = ["-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"];
    let scheme = ["-encryption_scheme", "cenc-aes-ctr"];
    let film = ["-f", "lavfi", "-i", "testsrc2=s=320x180:d=1", "-c:v", "libx264"];
    ffmpeg(&[&film[..], &scheme, &key, &id, &[file.to_str().unwrap()]].concat());
    let error = refusal_of(&file, &Limits::default()).await;
    assert_eq!(error, TranscodeError::Encrypted);
    assert!(error.is_fault_of_source());
}
