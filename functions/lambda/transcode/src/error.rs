//! Why there is no video: one clear reason each, told apart by whose fault it is.

use serde::{Deserialize, Serialize};

/// Why a file was not transcoded. The texts are for the person who uploaded it; `detail` and `log` are for us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case", deny_unknown_fields)]
pub enum TranscodeError {
    #[error("the file is empty")]
    Empty,
    #[error(
        "the file is not a video in a container that is supported (MP4, MOV, WebM, Matroska, AVI, MPEG-TS)"
    )]
    NotVideo,
    #[error("the video is cut off or damaged")]
    Damaged,
    #[error("the video is encrypted: copy protection has to be taken off before it is uploaded")]
    Encrypted,
    #[error("the file has no video track")]
    NoVideoTrack,
    #[error("the codec {codec} is not supported")]
    UnsupportedCodec { codec: String },
    #[error("the video is longer than {limit_ms} ms")]
    TooLong { limit_ms: u64 },
    #[error("pictures of {width}x{height} are too small, too large or too narrow")]
    Dimensions { width: u32, height: u32 },

    #[error("transcoding took longer than {limit_ms} ms")]
    TimedOut { limit_ms: u64 },
    #[error("transcoding took more than {limit_seconds} s of processor time")]
    CpuExhausted { limit_seconds: u64 },
    #[error("transcoding needed more than {limit_bytes} bytes of memory")]
    OutOfMemory { limit_bytes: u64 },
    #[error("the transcoded video is larger than {limit_bytes} bytes")]
    OutputTooLarge { limit_bytes: u64 },
    #[error("transcoding ended before it was done ({how})")]
    Crashed { how: String, log: String },

    #[error("the video could not be encoded")]
    Encoding { detail: String },
    #[error("the video could not be read or written")]
    Storage { detail: String },
}

impl TranscodeError {
    /// Whether the file itself is at fault, so that another run on the same file ends the same way.
    pub const fn is_fault_of_source(&self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::NotVideo
                | Self::Damaged
                | Self::Encrypted
                | Self::NoVideoTrack
                | Self::UnsupportedCodec { .. }
                | Self::TooLong { .. }
                | Self::Dimensions { .. }
        )
    }

    pub(crate) fn storage(what: &str, error: &std::io::Error) -> Self {
        Self::Storage { detail: format!("{what}: {error}") }
    }

    /// An error of FFmpeg while `step` went on, which has no better name.
    pub(crate) fn encoding(step: &str, error: ffmpeg_next::Error, limits: &crate::Limits) -> Self {
        match error {
            ffmpeg_next::Error::Other { errno: ffmpeg_next::error::ENOMEM } => {
                Self::OutOfMemory { limit_bytes: limits.memory_bytes }
            }
            error => Self::Encoding { detail: format!("{step}: {error}") },
        }
    }
}
