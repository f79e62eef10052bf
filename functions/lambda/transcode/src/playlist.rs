//! The text of HLS playlists (RFC 8216) and the bit rates that they state. Pure.

use std::fmt::Write;

use crate::ManifestRendition;

/// Aim for the length of a segment, in seconds (Apple's HLS authoring specification).
pub const TARGET_SECONDS: u32 = 6;

/// One media segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Relative to the playlist.
    pub file: String,
    /// Microseconds.
    pub duration_us: u64,
    pub bytes: u64,
}

/// The audio rendition that every video rendition refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioRendition {
    /// Path of its media playlist.
    pub playlist: String,
    pub channels: u8,
}

/// A media playlist of a finished video (RFC 8216 §4.3.3).
pub fn media(initialisation: &str, segments: &[Segment]) -> String {
    // §4.3.3.1: no segment, rounded to whole seconds, may be longer than the target.
    let longest = segments.iter().map(|segment| (segment.duration_us + 500_000) / 1_000_000).max();
    let target = longest.unwrap_or(0).max(u64::from(TARGET_SECONDS));
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"{initialisation}\"\n"
    );
    for Segment { file, duration_us, .. } in segments {
        let (seconds, rest) = (duration_us / 1_000_000, duration_us % 1_000_000);
        text.push_str(&format!("#EXTINF:{seconds}.{rest:06},\n{file}\n"));
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

/// The master playlist (RFC 8216 §4.3.4). `frame_rate` is pictures per second as a fraction.
pub fn master(
    renditions: &[ManifestRendition],
    audio: Option<&AudioRendition>,
    frame_rate: (u32, u32),
) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    let mut group = "";
    if let Some(AudioRendition { playlist, channels }) = audio {
        group = ",AUDIO=\"audio\"";
        text.push_str(&format!(
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Audio\",DEFAULT=YES,AUTOSELECT=YES,\
             CHANNELS=\"{channels}\",URI=\"{playlist}\"\n"
        ));
    }
    let pictures_per_second = f64::from(frame_rate.0) / f64::from(frame_rate.1.max(1));
    for rendition in first_choice_first(renditions) {
        let ManifestRendition { playlist, width, height, bandwidth, average_bandwidth, codecs, .. } =
            rendition;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},AVERAGE-BANDWIDTH={average_bandwidth},CODECS=\"{codecs}\",\
             RESOLUTION={width}x{height},FRAME-RATE={pictures_per_second:.3}{group}\n{playlist}"
        );
    }
    text
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
        Segment { file: format!("segment-{index:05}.m4s"), duration_us, bytes }
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
        let segments = [segment(0, 6_000_000, 10), segment(1, 4_160_000, 10)];
        assert_eq!(
            media("init.mp4", &segments),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n\
             #EXTINF:6.000000,\nsegment-00000.m4s\n#EXTINF:4.160000,\nsegment-00001.m4s\n#EXT-X-ENDLIST\n"
        );
    }

    #[test]
    fn a_segment_longer_than_the_target_raises_it() {
        let text = media("init.mp4", &[segment(0, 30_600_000, 10)]);
        assert!(text.contains("#EXT-X-TARGETDURATION:31\n"), "{text}");
    }

    #[test]
    fn the_first_variant_is_the_largest_that_two_megabits_carry() {
        let renditions =
            [rendition("1080p", 5_000_000), rendition("720p", 1_900_000), rendition("480p", 900_000)];
        let audio = AudioRendition { playlist: "audio/index.m3u8".to_owned(), channels: 2 };
        let text = master(&renditions, Some(&audio), (30_000, 1001));
        let playlists: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(playlists, ["720p/index.m3u8", "1080p/index.m3u8", "480p/index.m3u8"]);
        assert_eq!(text.matches("FRAME-RATE=29.970,AUDIO=\"audio\"").count(), 3);
        assert!(text.contains("CHANNELS=\"2\",URI=\"audio/index.m3u8\""));
    }

    #[test]
    fn a_master_playlist_without_sound_names_no_audio() {
        assert!(!master(&[rendition("240p", 300_000)], None, (25, 1)).contains("AUDIO"));
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
