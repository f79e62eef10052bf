//! One file into one folder: decoded once, encoded once per rendition.

use std::path::Path;

use ffmpeg_next::{Error, Packet, decoder, ffi};
use serde::{Deserialize, Serialize};

use crate::{
    Limits, Manifest, ManifestRendition, Plan, TranscodeError,
    folder::{self, Folder, PLAYLIST_TYPE},
    playlist::{self, AudioRendition, Segment},
    segment::MEDIA_PLAYLIST,
    source::Source,
};

mod sound;
mod video;

/// Path of the master playlist.
const MASTER_PLAYLIST: &str = "master.m3u8";

/// Folder of the audio rendition.
const AUDIO_FOLDER: &str = "audio";

/// How far a transcode has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Milliseconds of video that are decoded.
    pub done_ms: u64,
    /// Length of the video, where the container states it.
    pub total_ms: Option<u64>,
}

/// Transcodes the file into the folder, which must be absent or empty, and is empty again after an error.
///
/// This runs FFmpeg in the calling process: on a file that somebody uploaded, [`crate::child::run`] is the way.
/// `progress` is called at most once per second of video.
pub fn transcode(
    file: &Path,
    output: &Path,
    plan: &Plan,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, TranscodeError> {
    let folder = Folder::create(output, limits.output_bytes)?;
    run(Source::open(file, limits)?, folder, plan, limits, progress).inspect_err(|_| {
        // The error that is returned says more than this one would.
        let _ = folder::clear(output);
    })
}

fn run(
    mut source: Source,
    mut folder: Folder,
    plan: &Plan,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress),
) -> Result<Manifest, TranscodeError> {
    let mut video = video::VideoTrack::open(&source, plan, limits)?;
    let mut sound = match &source.audio {
        Some(track) if plan.audio => Some(sound::SoundTrack::open(&source, track, limits)?),
        _ => None,
    };
    let audio_index = source.audio.as_ref().map(|track| track.index);
    let mut next_report_ms = 0;
    loop {
        let mut packet = Packet::empty();
        match packet.read(&mut source.input) {
            Ok(()) if packet.stream() == source.video.index => {
                video.push(Some(&packet), &mut folder)?;
                let done_ms = video.done_ms();
                if done_ms >= next_report_ms {
                    progress(Progress { done_ms, total_ms: source.probe.duration_ms });
                    next_report_ms = done_ms + 1000;
                }
            }
            Ok(()) => {
                if let Some(sound) = sound.as_mut().filter(|_| Some(packet.stream()) == audio_index) {
                    sound.push(Some(&packet), &mut folder)?;
                }
            }
            // What could not be read is missed at the end, if it matters.
            Err(Error::Eof | Error::InvalidData) => break,
            Err(error) => return Err(TranscodeError::encoding("read", error, limits)),
        }
    }
    video.push(None, &mut folder)?;
    let sound = sound.map(|sound| sound.finish(&mut folder)).transpose()?.flatten();
    let sound_ms = sound.as_ref().map_or(0, |sound| sound.duration_ms);
    let video = video.finish(&mut folder)?;
    if ends_early(&source, video.duration_ms.max(sound_ms)) {
        return Err(TranscodeError::Damaged);
    }
    progress(Progress { done_ms: video.duration_ms, total_ms: Some(video.duration_ms) });
    write_master(video, sound, source.probe.video.frame_rate, folder)
}

/// Whether much less was decoded than the container states: more than a second and a fiftieth of the whole.
fn ends_early(source: &Source, decoded_ms: u64) -> bool {
    // SAFETY: the input is open; a plain number is read that libavformat wrote.
    let is_guess = unsafe { (*source.input.as_ptr()).duration_estimation_method }
        == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE;
    !is_guess && source.stated_end_ms().is_some_and(|stated| decoded_ms + stated / 50 + 1000 < stated)
}

/// A finished video track: every rendition with its segments.
struct FinishedVideo {
    duration_ms: u64,
    renditions: Vec<FinishedRendition>,
}

struct FinishedRendition {
    plan: crate::plan::Rendition,
    codec: String,
    segments: Vec<Segment>,
}

struct FinishedSound {
    duration_ms: u64,
    codec: String,
    segments: Vec<Segment>,
}

fn write_master(
    video: FinishedVideo,
    sound: Option<FinishedSound>,
    frame_rate: (u32, u32),
    mut folder: Folder,
) -> Result<Manifest, TranscodeError> {
    let sound_segments = sound.as_ref().map_or(&[][..], |sound| &sound.segments);
    let renditions: Vec<_> = video
        .renditions
        .into_iter()
        .map(|FinishedRendition { plan, codec, segments }| ManifestRendition {
            playlist: format!("{}/{MEDIA_PLAYLIST}", plan.name),
            name: plan.name,
            width: plan.width,
            height: plan.height,
            bandwidth: playlist::peak_bit_rate(&segments) + playlist::peak_bit_rate(sound_segments),
            average_bandwidth: playlist::average_bit_rate(&segments)
                + playlist::average_bit_rate(sound_segments),
            codecs: sound.as_ref().map_or_else(|| codec.clone(), |sound| format!("{codec},{}", sound.codec)),
        })
        .collect();
    let audio = sound
        .as_ref()
        .map(|_| AudioRendition { playlist: format!("{AUDIO_FOLDER}/{MEDIA_PLAYLIST}"), channels: 2 });
    let text = playlist::master(&renditions, audio.as_ref(), frame_rate);
    folder.write(MASTER_PLAYLIST.to_owned(), PLAYLIST_TYPE, text.as_bytes())?;
    Ok(Manifest {
        master: MASTER_PLAYLIST.to_owned(),
        duration_ms: video.duration_ms,
        audio: audio.is_some(),
        renditions,
        files: folder.into_files(),
    })
}

/// Damaged packets that are skipped before the file is given up.
const DAMAGE_TOLERATED: u32 = 1000;

/// A decoder that skips what is damaged, and counts it.
struct TolerantDecoder {
    decoder: decoder::Opened,
    packets: u32,
    damaged: u32,
}

impl TolerantDecoder {
    fn new(decoder: decoder::Opened) -> Self {
        Self { decoder, packets: 0, damaged: 0 }
    }

    /// Takes the next packet, or none at the end.
    fn send(&mut self, packet: Option<&Packet>, limits: &Limits) -> Result<(), TranscodeError> {
        let sent = match packet {
            Some(packet) => {
                self.packets = self.packets.saturating_add(1);
                self.decoder.send_packet(packet)
            }
            None => self.decoder.send_eof(),
        };
        sent.or_else(|error| self.forgive(error, limits))
    }

    /// The next decoded frame, if there is one before the next packet.
    fn receive(&mut self, frame: &mut ffmpeg_next::Frame, limits: &Limits) -> Result<bool, TranscodeError> {
        loop {
            match self.decoder.receive_frame(frame) {
                Ok(()) => return Ok(true),
                Err(Error::Eof | Error::Other { errno: ffmpeg_next::error::EAGAIN }) => return Ok(false),
                Err(error) => self.forgive(error, limits)?,
            }
        }
    }

    fn forgive(&mut self, error: Error, limits: &Limits) -> Result<(), TranscodeError> {
        if matches!(error, Error::Other { errno: ffmpeg_next::error::ENOMEM }) {
            return Err(TranscodeError::encoding("decode", error, limits));
        }
        self.damaged += 1;
        if self.damaged > DAMAGE_TOLERATED { Err(TranscodeError::Damaged) } else { Ok(()) }
    }

    /// Whether more than a tenth of the packets were damaged.
    fn is_mostly_damaged(&self) -> bool {
        self.damaged > self.packets / 10
    }
}
