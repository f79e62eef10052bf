//! What whoever stores a video and whoever transcodes it agree on.

use akademi_domain::ids::AssetId;
use serde::{Deserialize, Serialize};

/// The kind of the job that makes HLS of an asset. Its dedupe key is the asset's id.
pub const TRANSCODE: &str = "transcode";

/// The kind of the jobs that make the parts of a long video.
pub const TRANSCODE_PART: &str = "transcode_part";

/// The payload of a [`TRANSCODE`] job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscodeOrder {
    pub asset: AssetId,
}

/// The payload of a [`TRANSCODE_PART`] job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranscodePartOrder {
    pub asset: AssetId,
    /// Which part of it, from 0.
    pub number: i32,
}

/// The result of a [`TRANSCODE`] job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcoded {
    pub asset: AssetId,
    /// Length of the video, in milliseconds.
    pub duration_ms: u64,
    pub renditions: usize,
    /// All files of the HLS, in bytes.
    pub bytes: u64,
}
