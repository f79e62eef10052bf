//! What was written.

use serde::{Deserialize, Serialize};

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
    /// Every file, the playlists included.
    pub files: Vec<ManifestFile>,
}

impl Manifest {
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
