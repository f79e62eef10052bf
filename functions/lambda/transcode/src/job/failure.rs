//! Why an attempt ended without a video, and whether another may do better.

use akademi_lambda_store::{error::StoreError, jobs::Failure, object_key::InvalidKey, objects::ObjectError};
use std::{error::Error, io};

use crate::TranscodeError;

/// The message is for the person whose video it is; what stands behind it is for the log.
#[derive(Debug, thiserror::Error)]
pub enum JobFailure {
    #[error(transparent)]
    Video(#[from] TranscodeError),
    #[error("the video is not there any more")]
    Gone,
    #[error("files could not be read or stored")]
    Storage(#[from] ObjectError),
    #[error("the result could not be saved")]
    Store(#[from] StoreError),
    #[error("the disk could not be read or written")]
    Disk(#[source] io::Error),
    /// A value of ours is not as it must be.
    #[error("transcoding broke: {0}")]
    Defect(String),
}

impl From<InvalidKey> for JobFailure {
    fn from(error: InvalidKey) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<serde_json::Error> for JobFailure {
    fn from(error: serde_json::Error) -> Self {
        Self::Defect(error.to_string())
    }
}

impl JobFailure {
    pub const fn kind(&self) -> Failure {
        match self {
            Self::Gone => Failure::Lasting,
            // The same limits would be met again.
            Self::Video(
                TranscodeError::TimedOut { .. }
                | TranscodeError::CpuExhausted { .. }
                | TranscodeError::OutOfMemory { .. }
                | TranscodeError::OutputTooLarge { .. },
            ) => Failure::Lasting,
            Self::Video(error) if error.is_fault_of_source() => Failure::Lasting,
            _ => Failure::Passing,
        }
    }

    /// A broken video is its owner's affair, as is one that was deleted or given up while a worker had a part of it; the rest
    /// is ours.
    pub const fn level(&self) -> &'static str {
        match self {
            Self::Gone => "warning",
            Self::Video(error) if error.is_fault_of_source() => "warning",
            _ => "error",
        }
    }
}

/// For the log: what stands behind an error.
pub fn with_sources(error: &JobFailure) -> String {
    let mut text = match error {
        JobFailure::Video(error) => format!("{error}: {error:?}"),
        error => error.to_string(),
    };
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_video_is_not_tried_again_and_a_busy_machine_is() {
        for lasting in
            [TranscodeError::NotVideo, TranscodeError::Damaged, TranscodeError::TimedOut { limit_ms: 1 }]
        {
            assert_eq!(JobFailure::from(lasting).kind(), Failure::Lasting);
        }
        let crashed = TranscodeError::Crashed { how: "signal 9".into(), log: String::new() };
        assert_eq!(JobFailure::from(crashed).kind(), Failure::Passing);
        assert_eq!(JobFailure::from(ObjectError::NotFound).kind(), Failure::Passing);
    }

    #[test]
    fn only_what_is_ours_to_mend_is_logged_as_an_error() {
        assert_eq!(JobFailure::Gone.level(), "warning");
        assert_eq!(JobFailure::from(TranscodeError::Damaged).level(), "warning");
        assert_eq!(JobFailure::from(ObjectError::NotFound).level(), "error");
    }
}
