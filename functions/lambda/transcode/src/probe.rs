//! What a file is.

use serde::{Deserialize, Serialize};

use crate::{Limits, Origin, TranscodeError, source::Source};

/// What a video file holds, as far as transcoding cares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Milliseconds, as the container states them; absent where it does not (a browser's recording).
    pub duration_ms: Option<u64>,
    pub video: VideoTrack,
    /// The track that plays by default first.
    pub audio: Vec<AudioTrack>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoTrack {
    /// FFmpeg's name of the codec.
    pub codec: String,
    /// Pixels as shown: square, and turned as the file asks.
    pub width: u32,
    /// Pixels as shown: square, and turned as the file asks.
    pub height: u32,
    pub rotation: Rotation,
    /// Average number of pictures per second as a fraction; both are at least 1.
    pub frame_rate: (u32, u32),
}

/// How far pictures are turned clockwise before they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rotation {
    None,
    Quarter,
    Half,
    ThreeQuarters,
}

impl Rotation {
    /// The nearest quarter turn to a clockwise angle in degrees.
    pub fn from_degrees(degrees: f64) -> Self {
        match (degrees / 90.0).round().rem_euclid(4.0) {
            1.0 => Self::Quarter,
            2.0 => Self::Half,
            3.0 => Self::ThreeQuarters,
            _ => Self::None,
        }
    }

    /// Whether width and height change places.
    pub const fn is_sideways(self) -> bool {
        matches!(self, Self::Quarter | Self::ThreeQuarters)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioTrack {
    /// FFmpeg's name of the codec.
    pub codec: String,
    /// Samples per second.
    pub sample_rate: u32,
    pub channels: u16,
    /// As the file states it: mostly three letters of ISO 639-2.
    pub language: Option<String>,
    /// As the file states it.
    pub title: Option<String>,
}

/// Reads what the video is. It may be anybody's: call this in the child process only (see [`crate::child`]).
pub fn probe(origin: &Origin, limits: &Limits) -> Result<Probe, TranscodeError> {
    Source::open(origin, limits).map(|source| source.probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_become_quarter_turns() {
        let turns = [(0.0, Rotation::None), (90.0, Rotation::Quarter), (-90.0, Rotation::ThreeQuarters)];
        for (degrees, rotation) in turns {
            assert_eq!(Rotation::from_degrees(degrees), rotation, "{degrees}");
        }
        assert_eq!(Rotation::from_degrees(-180.0), Rotation::Half);
        assert_eq!(Rotation::from_degrees(-360.0), Rotation::None);
        assert_eq!(Rotation::from_degrees(f64::NAN), Rotation::None);
    }
}
