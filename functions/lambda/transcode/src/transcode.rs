//! A video, or a part of one, into one folder: decoded once, encoded once per rendition.

use std::path::Path;

use ffmpeg_next::ffi;
use serde::{Deserialize, Serialize};

use crate::{
    Limits, Made, Origin, Plan, TranscodeError,
    encryption::ContentKey,
    filter::Gain,
    folder::{self, Folder},
    source::Source,
};

mod decoder;
mod sound;
mod video;

use decoder::TolerantDecoder;
use sound::{Meter, SoundTrack};
use video::VideoTrack;

/// What is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    pub plan: Plan,
    pub part: Part,
    /// What segments are encrypted with.
    pub key: Option<ContentKey>,
}

/// How much of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Part {
    /// All of it.
    Whole,
    /// The pictures that are shown from one moment until another or the end, in milliseconds.
    Pictures { from_ms: u64, until_ms: Option<u64> },
    /// The sound, of the whole video: so nothing of it has to be joined.
    Sound,
}

impl Part {
    /// From when until when pictures are made, in milliseconds.
    pub const fn span(self) -> (u64, Option<u64>) {
        match self {
            Self::Pictures { from_ms, until_ms } => (from_ms, until_ms),
            Self::Whole | Self::Sound => (0, None),
        }
    }

    pub(crate) const fn has_pictures(self) -> bool {
        !matches!(self, Self::Sound)
    }

    pub(crate) const fn has_sound(self) -> bool {
        !matches!(self, Self::Pictures { .. })
    }
}

/// How far the work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Milliseconds of the video, or of its part, that are done.
    pub done_ms: u64,
    /// Length of the video or its part, where the container states it.
    pub total_ms: Option<u64>,
}

/// Transcodes the video into the folder, which must be absent or empty, and is empty again after an error.
///
/// This runs FFmpeg in the calling process: on a video that somebody uploaded, [`crate::child`] is the way.
/// `progress` is called at most once per second of video.
pub fn transcode(
    origin: &Origin,
    output: &Path,
    task: &Task,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress),
) -> Result<Made, TranscodeError> {
    let folder = Folder::create(output, limits.output_bytes)?;
    run(origin, folder, task, limits, progress).inspect_err(|_| {
        // The error that is returned says more than this one would.
        let _ = folder::clear(output);
    })
}

fn run(
    origin: &Origin,
    mut folder: Folder,
    task: &Task,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress),
) -> Result<Made, TranscodeError> {
    let mut source = Source::open(origin, limits)?;
    let mut sound =
        if task.part.has_sound() { open_sound(origin, &source, task, limits)? } else { Vec::new() };
    let mut wanted: Vec<usize> = sound.iter().map(|(index, _)| *index).collect();
    wanted.extend(task.part.has_pictures().then_some(source.video.index));
    // Where the video track states no length of its own, the container's may be that of any other track: whether the file
    // breaks off is then seen from how far all of them go.
    let sees_all = task.part.has_pictures() && source.video.duration.is_none();
    if !sees_all {
        source.read_only(&wanted);
    }
    let (from_ms, until_ms) = task.part.span();
    if from_ms > 0 {
        let moment_us = i64::try_from(from_ms).unwrap_or(i64::MAX).saturating_mul(1000);
        source.seek(moment_us, limits)?;
    }
    let mut video = task.part.has_pictures().then(|| VideoTrack::open(&source, task, limits)).transpose()?;

    let total_ms = until_ms.or(source.probe.duration_ms).map(|end_ms| end_ms.saturating_sub(from_ms));
    let mut next_report_ms = 0;
    let mut others_end_ms = 0;
    while let Some(packet) = source.next_packet(limits)? {
        if let Some(video) = video.as_mut().filter(|_| packet.stream() == source.video.index) {
            video.push(Some(&packet), &mut folder)?;
            if video.is_done() {
                break;
            }
        } else if let Some((_, sound)) = sound.iter_mut().find(|(index, _)| *index == packet.stream()) {
            sound.push(Some(&packet), &mut folder)?;
        } else if sees_all {
            others_end_ms = others_end_ms.max(source.end_of(&packet).unwrap_or(0));
        }
        let done_ms = match (&video, sound.first()) {
            (Some(video), _) => video.done_ms().saturating_sub(from_ms),
            (None, sound) => sound.map_or(0, |(_, sound)| sound.done_ms()),
        };
        if done_ms >= next_report_ms {
            progress(Progress { done_ms, total_ms });
            next_report_ms = done_ms + 1000;
        }
    }

    let mut made = Made::default();
    let sound_ms = sound.iter().map(|(_, sound)| sound.done_ms()).max().unwrap_or(0);
    for (_, sound) in sound {
        made.sound.extend(sound.finish(&mut folder)?);
    }
    if let Some(mut video) = video {
        video.push(None, &mut folder)?;
        let is_done = video.is_done();
        let video = video.finish(&mut folder)?;
        if !is_done && ends_early(&source, video.duration_ms.max(sound_ms).max(others_end_ms)) {
            return Err(TranscodeError::Damaged);
        }
        made.duration_ms = video.duration_ms;
        (made.pictures, made.poster, made.thumbnails) = (video.renditions, video.poster, video.thumbnails);
        let done_ms = video.duration_ms.saturating_sub(from_ms);
        progress(Progress { done_ms, total_ms: Some(done_ms) });
    }
    made.files = folder.into_files();
    Ok(made)
}

/// A rendition for each audio track of the plan, with the track's index. All sound is heard once before, to know how loud it
/// is.
fn open_sound<'a>(
    origin: &Origin,
    source: &Source,
    task: &Task,
    limits: &'a Limits,
) -> Result<Vec<(usize, SoundTrack<'a>)>, TranscodeError> {
    if task.plan.audio.is_empty() {
        return Ok(Vec::new());
    }
    let gains = measure(Source::open(origin, limits)?, limits)?;
    let first_number = u32::try_from(task.plan.renditions.len()).unwrap_or(u32::MAX);
    let tracks = source.audio.iter().zip(&task.plan.audio).zip(gains).zip(first_number..);
    tracks
        .map(|(((track, rendition), gain), number)| {
            let key = task.key.as_ref().map(|key| (key, number));
            let sound = SoundTrack::open(source, track, &rendition.folder, gain, key, limits)?;
            Ok((track.index, sound))
        })
        .collect()
}

/// What brings each audio track to the loudness of all videos.
fn measure(mut source: Source, limits: &Limits) -> Result<Vec<Gain>, TranscodeError> {
    let indices: Vec<usize> = source.audio.iter().map(|track| track.index).collect();
    source.read_only(&indices);
    let meters = source.audio.iter().map(|track| Meter::open(&source, track, limits));
    let mut meters = meters.collect::<Result<Vec<_>, _>>()?;
    while let Some(packet) = source.next_packet(limits)? {
        let track = indices.iter().position(|index| *index == packet.stream());
        if let Some(meter) = track.and_then(|track| meters.get_mut(track)) {
            meter.push(Some(&packet))?;
        }
    }
    for meter in &mut meters {
        meter.push(None)?;
    }
    Ok(meters.iter().map(Meter::gain).collect())
}

/// Whether much less was decoded than the container states: more than a second and a fiftieth of the whole.
fn ends_early(source: &Source, decoded_ms: u64) -> bool {
    // SAFETY: the input is open; a plain number is read that libavformat wrote.
    let is_guess = unsafe { (*source.input.as_ptr()).duration_estimation_method }
        == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE;
    !is_guess && source.stated_end_ms().is_some_and(|stated| decoded_ms + stated / 50 + 1000 < stated)
}
