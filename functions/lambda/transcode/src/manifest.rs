//! What was written.

use serde::{Deserialize, Serialize};

use crate::{Made, Plan, folder::PLAYLIST_TYPE, playlist};

/// Path of the master playlist.
const MASTER_PLAYLIST: &str = "master.m3u8";

/// Name of the media playlist within a rendition's folder.
const MEDIA_PLAYLIST: &str = "index.m3u8";

/// Path of the list of small pictures.
const THUMBNAILS: &str = "thumbnails.vtt";

/// Media type of WebVTT (W3C WebVTT §8.1).
const WEBVTT_TYPE: &str = "text/vtt";

/// The result of one transcode: what a function copies to object storage, and what the catalog says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Path of the master playlist.
    pub master: String,
    /// Length of the video track, in milliseconds.
    pub duration_ms: u64,
    /// Whether there is an audio rendition.
    pub audio: bool,
    /// In the order of the ladder, the largest first.
    pub renditions: Vec<ManifestRendition>,
    /// Path of the picture that stands for the video.
    pub poster: Option<String>,
    /// Path of the list of small pictures that one sees while one looks for a moment (WebVTT).
    pub thumbnails: Option<String>,
    /// Every file, the playlists included.
    pub files: Vec<ManifestFile>,
}

/// A file that is text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    pub file: ManifestFile,
    pub text: String,
}

impl Manifest {
    /// What plays what was made, and the files that are still to be written for it: playlists.
    pub fn of(plan: &Plan, made: Made) -> (Self, Vec<TextFile>) {
        let playlist_of = |folder: &str| format!("{folder}/{MEDIA_PLAYLIST}");
        let mut texts = Vec::new();
        let mut write = |path: String, content_type: &str, text: String| {
            let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
            texts.push(TextFile {
                file: ManifestFile { path, content_type: content_type.to_owned(), bytes },
                text,
            });
        };
        for track in made.pictures.iter().chain(&made.sound) {
            write(playlist_of(&track.folder), PLAYLIST_TYPE, playlist::media(track));
        }
        let loudest = |rate: fn(&[crate::made::Segment]) -> u64| {
            made.sound.iter().map(|track| rate(&track.segments)).max().unwrap_or(0)
        };
        let (sound_peak, sound_average) =
            (loudest(playlist::peak_bit_rate), loudest(playlist::average_bit_rate));
        let sound_codec = made.sound.first().map(|track| format!(",{}", track.codec)).unwrap_or_default();
        let renditions: Vec<_> = plan
            .renditions
            .iter()
            .zip(&made.pictures)
            .map(|(rendition, track)| ManifestRendition {
                name: rendition.name.clone(),
                playlist: playlist_of(&track.folder),
                width: rendition.width,
                height: rendition.height,
                bandwidth: playlist::peak_bit_rate(&track.segments) + sound_peak,
                average_bandwidth: playlist::average_bit_rate(&track.segments) + sound_average,
                codecs: format!("{}{sound_codec}", track.codec),
            })
            .collect();
        let audio: Vec<_> = plan
            .audio
            .iter()
            .filter(|audio| made.sound.iter().any(|track| track.folder == audio.folder))
            .map(|audio| (audio, playlist_of(&audio.folder)))
            .collect();
        let thumbnails = (!made.thumbnails.is_empty()).then(|| {
            let text = playlist::thumbnails(&made.thumbnails, &plan.stills, made.duration_ms);
            write(THUMBNAILS.to_owned(), WEBVTT_TYPE, text);
            THUMBNAILS.to_owned()
        });
        let text = playlist::master(&renditions, &audio, plan.frame_rate);
        write(MASTER_PLAYLIST.to_owned(), PLAYLIST_TYPE, text);
        let mut files = made.files;
        files.extend(texts.iter().map(|text| text.file.clone()));
        let manifest = Self {
            master: MASTER_PLAYLIST.to_owned(),
            duration_ms: made.duration_ms,
            audio: !audio.is_empty(),
            renditions,
            poster: made.poster,
            thumbnails,
            files,
        };
        (manifest, texts)
    }

    /// Sum of all files, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }
}

/// One video rendition as the master playlist states it (RFC 8216 §4.3.4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestRendition {
    /// Name of its folder: the shorter side in pixels and a `p`.
    pub name: String,
    /// Path of its media playlist.
    pub playlist: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Peak, in bits per second, the audio rendition and the container included.
    pub bandwidth: u64,
    /// Average, in bits per second, the audio rendition and the container included.
    pub average_bandwidth: u64,
    /// RFC 6381 codecs of video and audio, as in `avc1.64001f,mp4a.40.2`.
    pub codecs: String,
}

/// One file, relative to the output folder, with `/` between folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    pub path: String,
    /// Media type to serve it with (RFC 8216 §4, RFC 6381).
    pub content_type: String,
    pub bytes: u64,
}
