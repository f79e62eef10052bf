//! What the parent believes. A child that a hostile file has taken over may say anything.

use std::{collections::HashMap, fs, path::Path};

use super::Survey;
use crate::{
    Limits, Made, Plan, Probe, Task, TranscodeError,
    made::{Segment, Track},
    plan,
    source::AUDIO_TRACKS,
};

/// Media types of what a child writes.
const CONTENT_TYPES: [&str; 3] = ["video/mp4", "audio/mp4", "image/jpeg"];

/// How much longer than the source may be the result is at most, in milliseconds: the last picture, and rounding.
const SLACK_MS: u64 = 2_000;

/// The survey of a video that is this by what the child says. The plan is made here, so its folders, names and languages are
/// ours.
pub fn survey(probe: &Probe, end_ms: Option<u64>, limits: &Limits) -> Result<Survey, TranscodeError> {
    if [probe.duration_ms, end_ms].into_iter().flatten().any(|length| length > limits.duration_ms) {
        return Err(TranscodeError::TooLong { limit_ms: limits.duration_ms });
    }
    if probe.audio.len() > AUDIO_TRACKS {
        return Err(lie("it found more audio tracks than it may take", ""));
    }
    Ok(Survey { plan: plan(probe), end_ms })
}

/// Files must be in the folder, behind no link, of the size and a type that is said, and together within the limit; tracks are
/// those of the task, and playlists name no other files and hold nothing but what they are to hold.
pub fn check(made: &Made, task: &Task, output: &Path, limits: &Limits) -> Result<(), TranscodeError> {
    let root = fs::canonicalize(output).map_err(|error| TranscodeError::storage("output folder", &error))?;
    let is_there = |path: &str, bytes: u64| {
        let expected = root.join(path);
        fs::canonicalize(&expected).is_ok_and(|found| found == expected && found.starts_with(&root))
            && fs::metadata(&expected).is_ok_and(|file| file.is_file() && file.len() == bytes)
    };
    let bytes = made.files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
    if bytes > limits.output_bytes {
        return Err(TranscodeError::OutputTooLarge { limit_bytes: limits.output_bytes });
    }
    let listed: HashMap<&str, u64> = made.files.iter().map(|file| (file.path.as_str(), file.bytes)).collect();
    let absent =
        made.files.iter().find(|file| !is_there(&file.path, file.bytes)).map(|file| file.path.as_str());
    if let Some(path) = absent.or_else(|| made.paths().find(|path| !listed.contains_key(path))) {
        return Err(lie("it names a file that is not there", path));
    }
    if let Some(file) = made.files.iter().find(|file| !CONTENT_TYPES.contains(&file.content_type.as_str())) {
        return Err(lie("it made a file of a type that is not asked for", &file.content_type));
    }
    if !are_of_task(made, task) {
        return Err(lie("it made tracks that are not asked for", ""));
    }
    let mut tracks = made.pictures.iter().chain(&made.sound);
    if let Some(track) = tracks.find(|track| !is_codec(&track.codec)) {
        return Err(lie("it names a codec that is none", &track.codec));
    }
    if !are_lengths_possible(made, &listed, limits) {
        return Err(lie("it states lengths that cannot be", ""));
    }
    Ok(())
}

/// Whether the pictures are all renditions of the plan or none, and the sound some of its audio, in their order.
fn are_of_task(made: &Made, Task { plan: Plan { renditions, audio, .. }, part, .. }: &Task) -> bool {
    let pictures = made.pictures.iter().map(|track| &track.folder);
    let is_all_pictures = pictures.eq(renditions.iter().map(|rendition| &rendition.name));
    let mut planned = audio.iter();
    let is_planned_sound = made.sound.iter().all(|track| planned.any(|audio| audio.folder == track.folder));
    (made.pictures.is_empty() || part.has_pictures() && is_all_pictures)
        && (made.sound.is_empty() || part.has_sound() && is_planned_sound)
}

/// RFC 6381 §3.2, without lists: what encoders here are called.
fn is_codec(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

/// Whether no moment lies far behind the longest video, there are no more segments than seconds, and each is as large as its
/// file: so no sum over them overflows, and none takes long.
fn are_lengths_possible(made: &Made, listed: &HashMap<&str, u64>, limits: &Limits) -> bool {
    let longest_ms = limits.duration_ms.saturating_add(SLACK_MS);
    let most_segments = usize::try_from(longest_ms / 1000).unwrap_or(usize::MAX);
    let is_possible = |segment: &Segment| {
        segment.duration_us <= longest_ms.saturating_mul(1000)
            && listed.get(segment.path.as_str()) == Some(&segment.bytes)
    };
    let mut tracks = made.pictures.iter().chain(&made.sound);
    made.duration_ms <= longest_ms
        && made.thumbnails.iter().all(|thumbnail| thumbnail.at_ms <= longest_ms)
        && tracks
            .all(|Track { segments, .. }| segments.len() <= most_segments && segments.iter().all(is_possible))
}

fn lie(how: &str, log: &str) -> TranscodeError {
    TranscodeError::Crashed { how: how.to_owned(), log: log.to_owned() }
}
