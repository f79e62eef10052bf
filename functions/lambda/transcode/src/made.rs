//! What was made of a video or of a part of it, before playlists name it.

use serde::{Deserialize, Serialize};

use crate::ManifestFile;

/// The result of transcoding a video or a part of one. Paths are relative to the output folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// When the last picture ends, in milliseconds from the beginning of the video.
    pub duration_ms: u64,
    /// In the order of the plan.
    pub pictures: Vec<Track>,
    /// In the order of the plan; tracks that held no sound are missing.
    pub sound: Vec<Track>,
    /// Path of the picture that stands for the video.
    pub poster: Option<String>,
    pub thumbnails: Vec<Thumbnail>,
    /// Every file.
    pub files: Vec<ManifestFile>,
}

/// One rendition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Track {
    /// Its name in the plan.
    pub folder: String,
    /// Path of the initialisation segment.
    pub initialisation: String,
    /// RFC 6381, as in `avc1.64001f`.
    pub codec: String,
    pub segments: Vec<Segment>,
}

/// One media segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    pub path: String,
    /// Microseconds.
    pub duration_us: u64,
    pub bytes: u64,
    /// Initialisation vector, where it is encrypted.
    pub iv: Option<[u8; 16]>,
}

/// One small picture on a sheet of many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thumbnail {
    /// When it is shown in the video, in milliseconds.
    pub at_ms: u64,
    /// Path of the sheet.
    pub sheet: String,
    /// Pixels from the left.
    pub x: u32,
    /// Pixels from the top.
    pub y: u32,
}

/// Why parts are not of one video.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parts of the video do not fit together")]
pub struct Mismatch;

impl Made {
    /// The parts of one video, in their order, as if they had been made at once. Each has its files in a folder of its own,
    /// which is named beside it.
    pub fn joined(parts: Vec<(String, Self)>) -> Result<Self, Mismatch> {
        let mut whole = Self::default();
        for (folder, part) in parts {
            let part = part.below(&folder);
            whole.duration_ms = whole.duration_ms.max(part.duration_ms);
            append(&mut whole.pictures, part.pictures)?;
            append(&mut whole.sound, part.sound)?;
            whole.poster = whole.poster.or(part.poster);
            whole.thumbnails.extend(part.thumbnails);
            whole.files.extend(part.files);
        }
        Ok(whole)
    }

    /// Every path that a playlist will name.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        let tracks = self.pictures.iter().chain(&self.sound);
        let segments = tracks.flat_map(|track| {
            let segments = track.segments.iter().map(|segment| segment.path.as_str());
            segments.chain([track.initialisation.as_str()])
        });
        let sheets = self.thumbnails.iter().map(|thumbnail| thumbnail.sheet.as_str());
        segments.chain(sheets).chain(self.poster.as_deref())
    }

    fn below(mut self, folder: &str) -> Self {
        let put = |path: &mut String| *path = format!("{folder}/{path}");
        for track in self.pictures.iter_mut().chain(&mut self.sound) {
            put(&mut track.initialisation);
            track.segments.iter_mut().for_each(|segment| put(&mut segment.path));
        }
        self.poster.iter_mut().for_each(put);
        self.thumbnails.iter_mut().for_each(|thumbnail| put(&mut thumbnail.sheet));
        self.files.iter_mut().for_each(|file| put(&mut file.path));
        self
    }
}

/// Each track goes on with the track of the same name; a part without pictures has none.
fn append(tracks: &mut Vec<Track>, next: Vec<Track>) -> Result<(), Mismatch> {
    if tracks.is_empty() {
        *tracks = next;
        return Ok(());
    }
    if !next.is_empty() && next.len() != tracks.len() {
        return Err(Mismatch);
    }
    for (track, next) in tracks.iter_mut().zip(next) {
        if (&track.folder, &track.codec) != (&next.folder, &next.codec) {
            return Err(Mismatch);
        }
        track.segments.extend(next.segments);
    }
    Ok(())
}
