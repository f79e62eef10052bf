//! The text of HLS playlists (RFC 8216), of the list of small pictures (WebVTT), and the bit rates that they state. Pure.

use std::fmt::Write;

use crate::{
    ManifestRendition,
    made::{Segment, Thumbnail, Track},
    plan::{AudioRendition, Stills},
};

/// Aim for the length of a segment, in seconds (Apple's HLS authoring specification).
pub const TARGET_SECONDS: u32 = 6;

/// Where the key of an encrypted video is, beside the master playlist.
const KEY: &str = "key";

/// A media playlist of a finished video (RFC 8216 §4.3.3), in the track's folder.
pub fn media(track: &Track) -> String {
    let segments = &track.segments;
    let beside = |path: &str| beside(&track.folder, path);
    // §4.3.3.1: no segment, rounded to whole seconds, may be longer than the target.
    let longest = segments.iter().map(|segment| (segment.duration_us + 500_000) / 1_000_000).max();
    let target = longest.unwrap_or(0).max(u64::from(TARGET_SECONDS));
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"{}\"\n",
        beside(&track.initialisation)
    );
    for Segment { path, duration_us, iv, .. } in segments {
        let (seconds, rest) = (duration_us / 1_000_000, duration_us % 1_000_000);
        if let Some(iv) = iv {
            // After the initialisation segment, which is not encrypted (§4.3.2.5).
            let (key, iv) = (beside(KEY), u128::from_be_bytes(*iv));
            let _ = writeln!(text, "#EXT-X-KEY:METHOD=AES-128,URI=\"{key}\",IV=0x{iv:032x}");
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "#EXTINF:{seconds}.{rest:06},\n{}", beside(path));
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// A path as a file in the folder refers to it.
fn beside(folder: &str, path: &str) -> String {
    let inside = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
    inside.map_or_else(|| format!("../{path}"), str::to_owned)
}

/// The master playlist (RFC 8216 §4.3.4). The audio renditions stand with the paths of their playlists, the one that plays
/// by default first. `frame_rate` is pictures per second as a fraction.
pub fn master(
    renditions: &[ManifestRendition],
    audio: &[(&AudioRendition, String)],
    frame_rate: (u32, u32),
) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    let group = if audio.is_empty() { "" } else { ",AUDIO=\"audio\"" };
    for (index, (AudioRendition { name, language, .. }, playlist)) in audio.iter().enumerate() {
        let language = language.as_ref().map_or_else(String::new, |tag| format!(",LANGUAGE=\"{tag}\""));
        let default = if index == 0 { "YES" } else { "NO" };
        let _ = writeln!(
            text,
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"{name}\"{language},DEFAULT={default},AUTOSELECT=YES,\
             CHANNELS=\"2\",URI=\"{playlist}\""
        );
    }
    let pictures_per_second = f64::from(frame_rate.0) / f64::from(frame_rate.1.max(1));
    for rendition in first_choice_first(renditions) {
        let ManifestRendition { playlist, width, height, bandwidth, average_bandwidth, codecs, .. } =
            rendition;
        let _ = writeln!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},AVERAGE-BANDWIDTH={average_bandwidth},CODECS=\"{codecs}\",\
             RESOLUTION={width}x{height},FRAME-RATE={pictures_per_second:.3}{group}\n{playlist}"
        );
    }
    text
}

/// Which part of which sheet shows what a moment looks like (W3C WebVTT §3.1, Media Fragments §4.2.2).
pub fn thumbnails(thumbnails: &[Thumbnail], stills: &Stills, duration_ms: u64) -> String {
    let Stills { width, height, .. } = stills;
    let mut text = "WEBVTT\n".to_owned();
    let ends = thumbnails.iter().skip(1).map(|next| next.at_ms).chain([duration_ms]);
    for (Thumbnail { at_ms, sheet, x, y }, end) in thumbnails.iter().zip(ends) {
        let (from, until) = (clock(*at_ms), clock(end.max(at_ms + 1)));
        let _ = write!(text, "\n{from} --> {until}\n{sheet}#xywh={x},{y},{width},{height}\n");
    }
    text
}

/// A moment as WebVTT has it: hours, minutes, seconds and thousandths.
fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    format!("{:02}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, ms % 1000)
}

/// Players begin with the first variant: the largest that needs at most 2 Mbit/s, else the smallest.
fn first_choice_first(renditions: &[ManifestRendition]) -> impl Iterator<Item = &ManifestRendition> {
    let first = renditions
        .iter()
        .position(|rendition| rendition.bandwidth <= 2_000_000)
        .unwrap_or(renditions.len().saturating_sub(1));
    let others = renditions.iter().enumerate().filter(move |(index, _)| *index != first);
    renditions.get(first).into_iter().chain(others.map(|(_, rendition)| rendition))
}

/// The largest bit rate of any run of segments that lasts between half and one and a half times the target duration
/// (draft-pantos-hls-rfc8216bis §4.1); of the whole, where it is shorter than that. Bits per second.
pub fn peak_bit_rate(segments: &[Segment]) -> u64 {
    let target_us = u64::from(TARGET_SECONDS) * 1_000_000;
    let run_of = |first: usize| {
        segments.iter().skip(first).scan((0, 0), |(duration, bytes), segment| {
            *duration += segment.duration_us;
            *bytes += segment.bytes;
            (*duration <= target_us * 3 / 2).then_some((*duration, *bytes))
        })
    };
    (0..segments.len())
        .flat_map(run_of)
        .filter(|(duration, _)| *duration >= target_us / 2)
        .map(|(duration, bytes)| bits_per_second(bytes, duration))
        .max()
        .unwrap_or_else(|| average_bit_rate(segments))
}

/// Bits per second over all segments.
pub fn average_bit_rate(segments: &[Segment]) -> u64 {
    let (duration, bytes) = segments
        .iter()
        .fold((0, 0), |(duration, bytes), segment| (duration + segment.duration_us, bytes + segment.bytes));
    bits_per_second(bytes, duration)
}

fn bits_per_second(bytes: u64, duration_us: u64) -> u64 {
    let bits = u128::from(bytes) * 8 * 1_000_000;
    u64::try_from(bits.div_ceil(u128::from(duration_us.max(1)))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segment(index: usize, duration_us: u64, bytes: u64) -> Segment {
        Segment { path: format!("720p/segment-{index:05}.m4s"), duration_us, bytes, iv: None }
    }

    fn track(segments: Vec<Segment>) -> Track {
        let (folder, initialisation) = ("720p".to_owned(), "720p/init.mp4".to_owned());
        Track { folder, initialisation, codec: "avc1.64001f".to_owned(), segments }
    }

    fn rendition(name: &str, bandwidth: u64) -> ManifestRendition {
        ManifestRendition {
            name: name.to_owned(),
            playlist: format!("{name}/index.m3u8"),
            width: 1280,
            height: 720,
            bandwidth,
            average_bandwidth: bandwidth / 2,
            codecs: "avc1.64001f,mp4a.40.2".to_owned(),
        }
    }

    #[test]
    fn a_media_playlist_reads_as_rfc_8216_has_it() {
        let track = track(vec![segment(0, 6_000_000, 10), segment(1, 4_160_000, 10)]);
        assert_eq!(
            media(&track),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n\
             #EXTINF:6.000000,\nsegment-00000.m4s\n#EXTINF:4.160000,\nsegment-00001.m4s\n#EXT-X-ENDLIST\n"
        );
    }

    #[test]
    fn a_segment_longer_than_the_target_raises_it() {
        let text = media(&track(vec![segment(0, 30_600_000, 10)]));
        assert!(text.contains("#EXT-X-TARGETDURATION:31\n"), "{text}");
    }

    #[test]
    fn the_first_variant_is_the_largest_that_two_megabits_carry() {
        let renditions =
            [rendition("1080p", 5_000_000), rendition("720p", 1_900_000), rendition("480p", 900_000)];
        let tracks = [("audio", "Türkçe", Some("tr")), ("audio-2", "Audio 2", None)];
        let tracks = tracks.map(|(folder, name, language)| AudioRendition {
            folder: folder.to_owned(),
            name: name.to_owned(),
            language: language.map(str::to_owned),
        });
        let audio: Vec<_> =
            tracks.iter().map(|audio| (audio, format!("{}/index.m3u8", audio.folder))).collect();
        let text = master(&renditions, &audio, (30_000, 1001));
        let playlists: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(playlists, ["720p/index.m3u8", "1080p/index.m3u8", "480p/index.m3u8"]);
        assert_eq!(text.matches("FRAME-RATE=29.970,AUDIO=\"audio\"").count(), 3);
        let media: Vec<_> = text.lines().filter(|line| line.starts_with("#EXT-X-MEDIA:")).collect();
        assert_eq!(
            media,
            [
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Türkçe\",LANGUAGE=\"tr\",DEFAULT=YES,AUTOSELECT=YES,\
                 CHANNELS=\"2\",URI=\"audio/index.m3u8\"",
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Audio 2\",DEFAULT=NO,AUTOSELECT=YES,\
                 CHANNELS=\"2\",URI=\"audio-2/index.m3u8\"",
            ]
        );
    }

    #[test]
    fn an_encrypted_playlist_names_the_key_and_a_vector_for_each_segment() {
        let mut segments = vec![segment(0, 6_000_000, 10), segment(7, 6_000_000, 10)];
        segments[0].iv = Some([0; 16]);
        segments[1].iv = Some(crate::encryption::ContentKey::vector(1, 7));
        segments[1].path = "part-1/720p/segment-00007.m4s".to_owned();
        let text = media(&track(segments));
        assert!(
            text.ends_with(
                "#EXT-X-MAP:URI=\"init.mp4\"\n\
                 #EXT-X-KEY:METHOD=AES-128,URI=\"../key\",IV=0x00000000000000000000000000000000\n\
                 #EXTINF:6.000000,\nsegment-00000.m4s\n\
                 #EXT-X-KEY:METHOD=AES-128,URI=\"../key\",IV=0x00000000000000010000000000000007\n\
                 #EXTINF:6.000000,\n../part-1/720p/segment-00007.m4s\n#EXT-X-ENDLIST\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn small_pictures_are_told_by_time_and_place() {
        let at = |at_ms, x| Thumbnail { at_ms, sheet: "thumbnails/sheet-000.jpg".to_owned(), x, y: 0 };
        let stills = Stills { poster_at_ms: 0, interval_ms: 2000, width: 160, height: 90 };
        assert_eq!(
            thumbnails(&[at(0, 0), at(3_602_000, 160)], &stills, 3_603_500),
            "WEBVTT\n\n00:00:00.000 --> 01:00:02.000\nthumbnails/sheet-000.jpg#xywh=0,0,160,90\n\n\
             01:00:02.000 --> 01:00:03.500\nthumbnails/sheet-000.jpg#xywh=160,0,160,90\n"
        );
    }

    #[test]
    fn a_master_playlist_without_sound_names_no_audio() {
        assert!(!master(&[rendition("240p", 300_000)], &[], (25, 1)).contains("AUDIO"));
    }

    #[test]
    fn a_short_last_segment_does_not_make_the_peak() {
        let segments = [segment(0, 6_000_000, 600_000), segment(1, 40_000, 100_000)];
        // 700,000 bytes in 6.04 s, not 100,000 bytes in 0.04 s.
        assert_eq!(peak_bit_rate(&segments), 927_153);
        assert_eq!(peak_bit_rate(&[segment(0, 1_000_000, 1000)]), 8000);
    }

    proptest! {
        #[test]
        fn the_peak_is_at_least_the_average_where_segments_are_regular(
            bytes in proptest::collection::vec(1_u64..10_000_000, 1..40),
        ) {
            let segments: Vec<_> =
                bytes.iter().enumerate().map(|(index, bytes)| segment(index, 6_000_000, *bytes)).collect();
            prop_assert!(peak_bit_rate(&segments) >= average_bit_rate(&segments));
        }
    }
}
