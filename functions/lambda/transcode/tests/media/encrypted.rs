//! Segments that only who has the key can read.

use std::fs;

use akademi_transcode::encryption::ContentKey;

use crate::oracle::{Transcoded, ffmpeg, ffprobe, real_file};

#[tokio::test]
async fn an_encrypted_film_plays_with_its_key_and_with_no_other() {
    let key = [7; 16];
    let film = Transcoded::encrypted(&real_file("bigbuckbunny.mp4"), ContentKey::new(key)).await;
    let plain = Transcoded::of(&real_file("bigbuckbunny.mp4")).await;
    for playlist in ["720p/index.m3u8", "audio/index.m3u8"] {
        let text = film.text(playlist);
        assert!(text.contains("#EXT-X-KEY:METHOD=AES-128,URI=\"../key\",IV=0x"), "{text}");
        assert!(text.find("#EXT-X-MAP").unwrap() < text.find("#EXT-X-KEY").unwrap());
        // FFmpeg decrypts as RFC 8216 has it, and finds the packets of the film that is not encrypted.
        fs::write(film.path("key"), key).unwrap();
        let hash = |film: &Transcoded| {
            let log = ffmpeg(&[
                "-v",
                "error",
                "-allowed_extensions",
                "ALL",
                "-i",
                film.path(playlist).to_str().unwrap(),
                "-map",
                "0",
                "-c",
                "copy",
                "-f",
                "framemd5",
                film.path("hash").to_str().unwrap(),
            ]);
            assert_eq!(log, "");
            fs::read_to_string(film.path("hash")).unwrap()
        };
        assert_eq!(hash(&film), hash(&plain));
    }
    let segment = fs::read(film.path("720p/segment-00000.m4s")).unwrap();
    assert_eq!(segment.len() % 16, 0);
    assert!(!segment.windows(4).any(|window| window == b"moof"));
    // The twin: with another key there is nothing to see.
    fs::write(film.path("key"), [8; 16]).unwrap();
    let playlist = film.path("720p/index.m3u8");
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-allowed_extensions", "ALL", "-i"])
        .arg(&playlist)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    // Only what stands in the clear is read: how large pictures are.
    ffprobe(&["-show_streams"], &plain.path("720p/index.m3u8"));
}
