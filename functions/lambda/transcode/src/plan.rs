//! Which renditions a source gets. Pure.

use serde::{Deserialize, Serialize};

use crate::probe::{AudioTrack, Probe};

/// What is to be made of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Largest first; at least one.
    pub renditions: Vec<Rendition>,
    /// One for each audio track, the one that plays by default first.
    pub audio: Vec<AudioRendition>,
    /// Average number of pictures per second of the source, as a fraction.
    pub frame_rate: (u32, u32),
    pub stills: Stills,
}

/// Pictures that stand still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stills {
    /// When the picture is shown that stands for the video, unless it is nearly black or white, in milliseconds.
    pub poster_at_ms: u64,
    /// Time between the small pictures that one sees while one looks for a moment, in milliseconds.
    pub interval_ms: u64,
    /// Pixels of a small picture; even.
    pub width: u32,
    /// Pixels of a small picture; even.
    pub height: u32,
}

/// The sound of one track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioRendition {
    /// Name of its folder.
    pub folder: String,
    /// What a person chooses it by; unique within a plan.
    pub name: String,
    /// BCP 47, if the source says which.
    pub language: Option<String>,
}

/// One size of the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// The shorter side in pixels and a `p`; unique within a plan.
    pub name: String,
    /// Pixels; even, since 4:2:0 has one colour sample for two of them.
    pub width: u32,
    /// Pixels; even.
    pub height: u32,
    /// Bits per second that the encoder keeps under over any two seconds.
    pub max_bit_rate: u32,
}

/// A step of the ladder: the longer and the shorter side of a 16:9 picture, and the rate for 30 pictures a second.
struct Step {
    long: u32,
    short: u32,
    max_bit_rate: u32,
}

const LADDER: [Step; 6] = [
    Step { long: 3840, short: 2160, max_bit_rate: 14_000_000 },
    Step { long: 2560, short: 1440, max_bit_rate: 8_000_000 },
    Step { long: 1920, short: 1080, max_bit_rate: 5_000_000 },
    Step { long: 1280, short: 720, max_bit_rate: 2_800_000 },
    Step { long: 854, short: 480, max_bit_rate: 1_200_000 },
    Step { long: 426, short: 240, max_bit_rate: 400_000 },
];

/// The shorter side below which no smaller rendition is worth its bytes, in pixels.
const SMALLEST_SIDE: u32 = 64;

/// The longer side of a small picture, in pixels.
const SMALL_SIDE: u32 = 160;

/// What a person is shown of a track's title.
pub const TITLE_CHARACTERS: usize = 60;

/// The ladder for a source: its own size (reduced to 2160p where it is larger), then each smaller step that is at
/// most three quarters as wide as the one before. No rendition exceeds the source; the aspect ratio stays.
pub fn plan(probe: &Probe) -> Plan {
    let (width, height) = (probe.video.width, probe.video.height);
    let mut renditions: Vec<Rendition> = Vec::with_capacity(LADDER.len());
    for step in &LADDER {
        let (fitted_width, fitted_height) = fit(width, height, step);
        let worth_it = match renditions.last() {
            None => true,
            Some(above) => {
                4 * fitted_width.max(fitted_height) <= 3 * above.width.max(above.height)
                    && fitted_width.min(fitted_height) >= SMALLEST_SIDE
            }
        };
        if worth_it {
            renditions.push(Rendition {
                name: format!("{}p", fitted_width.min(fitted_height)),
                width: fitted_width,
                height: fitted_height,
                max_bit_rate: max_bit_rate(fitted_width, fitted_height, probe.video.frame_rate),
            });
        }
    }
    Plan {
        renditions,
        audio: audio_renditions(&probe.audio),
        frame_rate: probe.video.frame_rate,
        stills: stills(probe),
    }
}

/// The poster from a tenth of the video or its tenth second; about 120 small pictures, two to ten seconds apart.
fn stills(probe: &Probe) -> Stills {
    let duration_ms = probe.duration_ms.unwrap_or(0);
    let (width, height) = (probe.video.width, probe.video.height);
    let step = Step { long: SMALL_SIDE, short: SMALL_SIDE, max_bit_rate: 0 };
    let (width, height) = fit(width, height, &step);
    Stills {
        poster_at_ms: (duration_ms / 10).min(10_000),
        interval_ms: (duration_ms / 120).div_ceil(1000).clamp(2, 10) * 1000,
        width,
        height,
    }
}

fn audio_renditions(tracks: &[AudioTrack]) -> Vec<AudioRendition> {
    let mut renditions: Vec<AudioRendition> = Vec::with_capacity(tracks.len());
    for (index, track) in tracks.iter().enumerate() {
        let language = track.language.as_deref().and_then(language_tag);
        let stated = track.title.as_deref().map(plain).filter(|title| !title.is_empty());
        let name = stated.or_else(|| language.clone()).unwrap_or_else(|| "Audio".to_owned());
        let is_taken = renditions.iter().any(|other| other.name == name);
        let number = index + 1;
        renditions.push(AudioRendition {
            folder: if index == 0 { "audio".to_owned() } else { format!("audio-{number}") },
            name: if is_taken { format!("{name} {number}") } else { name },
            language,
        });
    }
    renditions
}

/// A title without what a quoted string of a playlist cannot hold (RFC 8216 §4.2).
fn plain(title: &str) -> String {
    let allowed = title.chars().filter(|character| *character != '"' && !character.is_control());
    allowed.take(TITLE_CHARACTERS).collect()
}

/// What BCP 47 calls a language of ISO 639-2: two letters where there are two (RFC 5646 §2.2.1).
fn language_tag(code: &str) -> Option<String> {
    const TWO_LETTERS: [(&str, &str); 16] = [
        ("tur", "tr"),
        ("eng", "en"),
        ("deu", "de"),
        ("ger", "de"),
        ("fra", "fr"),
        ("fre", "fr"),
        ("spa", "es"),
        ("ita", "it"),
        ("ara", "ar"),
        ("rus", "ru"),
        ("kur", "ku"),
        ("fas", "fa"),
        ("per", "fa"),
        ("aze", "az"),
        ("nld", "nl"),
        ("ell", "el"),
    ];
    let code = code.to_ascii_lowercase();
    let is_code = (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase());
    let short = TWO_LETTERS.iter().find(|(long, _)| *long == code).map(|(_, short)| (*short).to_owned());
    is_code.then(|| short.unwrap_or(code))
}

/// The largest even size with the source's aspect ratio that exceeds neither the source nor the step.
fn fit(width: u32, height: u32, step: &Step) -> (u32, u32) {
    let (long, short) = (width.max(height), width.min(height));
    // Whichever side meets its bound first decides; u64 since sides are multiplied.
    let (long64, short64) = (u64::from(long), u64::from(short));
    let (fitted_long, fitted_short) = if long <= step.long && short <= step.short {
        (long, short)
    } else if long64 * u64::from(step.short) >= short64 * u64::from(step.long) {
        (step.long, scaled(short, step.long, long))
    } else {
        (scaled(long, step.short, short), step.short)
    };
    let even = |fitted: u32, source: u32| {
        let nearest = fitted.div_ceil(2) * 2;
        (if nearest > source { source / 2 * 2 } else { nearest }).max(2)
    };
    let (even_long, even_short) = (even(fitted_long, long), even(fitted_short, short));
    if width >= height { (even_long, even_short) } else { (even_short, even_long) }
}

/// `side * numerator / denominator`, rounded to the nearest.
fn scaled(side: u32, numerator: u32, denominator: u32) -> u32 {
    let exact = u64::from(side) * u64::from(numerator) + u64::from(denominator / 2);
    u32::try_from(exact / u64::from(denominator.max(1))).unwrap_or(side)
}

/// The rate of the smallest step that holds as many pixels; half as much again above 30 pictures a second.
fn max_bit_rate(width: u32, height: u32, (numerator, denominator): (u32, u32)) -> u32 {
    let pixels = u64::from(width) * u64::from(height);
    let holds = |step: &&Step| u64::from(step.long) * u64::from(step.short) >= pixels;
    let rate = LADDER.iter().rev().find(holds).or(LADDER.first()).map_or(0, |step| step.max_bit_rate);
    if u64::from(numerator) > 30 * u64::from(denominator) { rate / 2 * 3 } else { rate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{Rotation, VideoTrack};
    use proptest::prelude::*;

    fn source(width: u32, height: u32) -> Probe {
        Probe {
            duration_ms: Some(1000),
            video: VideoTrack {
                codec: "h264".to_owned(),
                width,
                height,
                rotation: Rotation::None,
                frame_rate: (25, 1),
            },
            audio: vec![track(None, None)],
        }
    }

    fn track(language: Option<&str>, title: Option<&str>) -> AudioTrack {
        let (language, title) = (language.map(str::to_owned), title.map(str::to_owned));
        AudioTrack { codec: "aac".to_owned(), sample_rate: 48_000, channels: 2, language, title }
    }

    fn sizes(width: u32, height: u32) -> Vec<(u32, u32)> {
        plan(&source(width, height)).renditions.iter().map(|r| (r.width, r.height)).collect()
    }

    #[test]
    fn known_sources_get_the_ladders_that_people_expect() {
        assert_eq!(sizes(4096, 2160)[0], (3840, 2026));
        assert_eq!(
            sizes(3840, 2160),
            [(3840, 2160), (2560, 1440), (1920, 1080), (1280, 720), (854, 480), (426, 240)]
        );
        assert_eq!(sizes(1280, 720), [(1280, 720), (854, 480), (426, 240)]);
        assert_eq!(sizes(720, 1280), [(720, 1280), (480, 854), (240, 426)]);
        assert_eq!(sizes(640, 272), [(640, 272), (426, 182)]);
        assert_eq!(sizes(321, 241), [(320, 240)]);
        assert_eq!(sizes(100, 100), [(100, 100)]);
    }

    #[test]
    fn audio_tracks_have_names_of_their_own() {
        let mut source = source(640, 360);
        source.audio = vec![
            track(Some("tur"), None),
            track(Some("eng"), Some("Commentary \"loud\"\n")),
            track(Some("tur"), None),
            track(Some("Turkish!"), None),
        ];
        let plan = plan(&source);
        let told = plan.audio.iter().map(|audio| (&*audio.folder, &*audio.name, audio.language.as_deref()));
        let told = told.collect::<Vec<_>>();
        assert_eq!(
            told,
            [
                ("audio", "tr", Some("tr")),
                ("audio-2", "Commentary loud", Some("en")),
                ("audio-3", "tr 3", Some("tr")),
                ("audio-4", "Audio", None),
            ]
        );
    }

    #[test]
    fn small_pictures_are_two_to_ten_seconds_apart() {
        for (duration_ms, interval_ms, poster_at_ms) in [
            (None, 2_000, 0),
            (Some(60_000), 2_000, 6_000),
            (Some(600_000), 5_000, 10_000),
            (Some(14_400_000), 10_000, 10_000),
        ] {
            let plan = plan(&Probe { duration_ms, ..source(1080, 1920) });
            assert_eq!((plan.stills.interval_ms, plan.stills.poster_at_ms), (interval_ms, poster_at_ms));
            assert_eq!((plan.stills.width, plan.stills.height), (90, 160));
        }
    }

    proptest! {
        #[test]
        fn no_rendition_is_larger_than_its_source_or_of_another_shape(width in 16_u32..=4096, height in 16_u32..=4096) {
            prop_assume!(width.max(height) <= 32 * width.min(height));
            let plan = plan(&source(width, height));
            prop_assert!(!plan.renditions.is_empty());
            for rendition in &plan.renditions {
                prop_assert!(rendition.width <= width && rendition.height <= height);
                prop_assert!(rendition.width.max(rendition.height) <= 3840);
                prop_assert!(rendition.width.min(rendition.height) <= 2160);
                prop_assert!(rendition.width >= 2 && rendition.height >= 2);
                prop_assert_eq!((rendition.width % 2, rendition.height % 2), (0, 0));
                // Each side is within two pixels of the exact shape.
                let exact = f64::from(rendition.width) * f64::from(height) / f64::from(width);
                let slack = 2.0 + 2.0 * f64::from(height) / f64::from(width);
                prop_assert!((exact - f64::from(rendition.height)).abs() <= slack, "{:?}", rendition);
                prop_assert!(rendition.max_bit_rate > 0);
            }
            for pair in plan.renditions.windows(2) {
                prop_assert!(pair[1].width < pair[0].width && pair[1].height < pair[0].height);
                prop_assert!(pair[1].max_bit_rate <= pair[0].max_bit_rate);
                prop_assert_ne!(&pair[0].name, &pair[1].name);
            }
        }

        #[test]
        fn a_source_within_the_ladder_keeps_its_own_size(width in 16_u32..=3840, height in 16_u32..=2160) {
            let first = &plan(&source(width, height)).renditions[0];
            prop_assert_eq!((first.width, first.height), (width / 2 * 2, height / 2 * 2));
        }
    }
}
