//! Opening a file that nobody vouches for.

mod container;
mod track;

use ffmpeg_next::{
    Dictionary, Error, Packet, Rational, Rescale, Stream,
    codec::packet::side_data::Type as SideData,
    ffi,
    format::{
        context::{Input, StreamIo},
        input_from_stream,
    },
    media,
};

use crate::{Limits, TranscodeError, origin::Origin, probe::Probe};
use container::{begins_like_a_video, is_cut_off};
pub use track::Track;
use track::{AUDIO_DECODERS, VIDEO_DECODERS, audio_track, moving_pictures, video_track};

/// Audio tracks that are taken of a file: languages, and the description for the blind.
pub const AUDIO_TRACKS: usize = 8;

/// Bytes that the demuxer asks for at a time.
const READ_BYTES: usize = 256 << 10;

/// How far before a moment decoding begins, where the container's index led past it, in seconds.
const STEPS_BACK: [i64; 4] = [0, 10, 60, 600];

/// Demuxers that read one file and nothing else. No playlists (hls, dash, concat), no image sequences, no text.
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts";

const MICROSECONDS: Rational = Rational(1, 1_000_000);

/// An open file that has passed every check of [`crate::probe()`].
pub struct Source {
    pub input: Input,
    pub video: Track,
    /// The one that plays by default first, as in the probe.
    pub audio: Vec<Track>,
    pub probe: Probe,
}

impl Source {
    /// Opens the video through one reader: with no protocol allowed, no demuxer can open anything else.
    pub fn open(origin: &Origin, limits: &Limits) -> Result<Self, TranscodeError> {
        let storage = |error| TranscodeError::storage("source", &error);
        let (mut reader, bytes) = origin.open().map_err(storage)?;
        if bytes == 0 {
            return Err(TranscodeError::Empty);
        }
        let known_container = begins_like_a_video(&mut reader).map_err(storage)?;
        if is_cut_off(&mut reader, bytes).map_err(storage)? {
            return Err(TranscodeError::Damaged);
        }

        let decoders = [VIDEO_DECODERS.join(","), AUDIO_DECODERS.join(",")].join(",");
        let mut options = Dictionary::new();
        options.set("format_whitelist", CONTAINERS);
        options.set("codec_whitelist", &decoders);
        // Not a protocol, so none is allowed.
        options.set("protocol_whitelist", "none");
        options.set("max_streams", "64");
        let io = StreamIo::from_read_seek_with_capacity(reader, READ_BYTES)
            .map_err(|error| TranscodeError::encoding("read buffer", error, limits))?;
        let input = input_from_stream(io, None, Some(options)).map_err(|error| match error {
            Error::Other { errno: ffmpeg_next::error::ENOMEM } => {
                TranscodeError::encoding("open", error, limits)
            }
            _ if known_container => TranscodeError::Damaged,
            _ => TranscodeError::NotVideo,
        })?;
        Self::check(input, limits)
    }

    fn check(input: Input, limits: &Limits) -> Result<Self, TranscodeError> {
        let Some(video_stream) = moving_pictures(&input) else {
            let has_streams = input.nb_streams() > 0;
            return Err(if has_streams { TranscodeError::NoVideoTrack } else { TranscodeError::NotVideo });
        };
        if is_encrypted(&video_stream) {
            return Err(TranscodeError::Encrypted);
        }
        let video = Track::of(&video_stream, VIDEO_DECODERS)?;
        let (audio, audio_tracks) = audio_of(&input)?;
        let duration_ms = u64::try_from(input.duration())
            .ok()
            .filter(|microseconds| *microseconds > 0)
            .map(|microseconds| microseconds / 1000);
        let probe =
            Probe { duration_ms, video: video_track(&video_stream, &video, limits)?, audio: audio_tracks };
        let source = Self { input, video, audio, probe };
        // The container and its video track may state different lengths.
        let is_too_long = |stated: Option<u64>| stated.is_some_and(|length| length > limits.duration_ms);
        if is_too_long(duration_ms) || is_too_long(source.stated_end_ms()) {
            return Err(TranscodeError::TooLong { limit_ms: limits.duration_ms });
        }
        Ok(source)
    }

    /// The next packet of the file; none at its end. What cannot be read is missed at the end, if it matters.
    pub fn next_packet(&mut self, limits: &Limits) -> Result<Option<Packet>, TranscodeError> {
        let mut packet = Packet::empty();
        match packet.read(&mut self.input) {
            Ok(()) if packet.side_data().any(|data| data.kind() == SideData::EncryptionInfo) => {
                Err(TranscodeError::Encrypted)
            }
            Ok(()) => Ok(Some(packet)),
            Err(Error::Eof | Error::InvalidData) => Ok(None),
            Err(error) => Err(TranscodeError::encoding("read", error, limits)),
        }
    }

    /// Has the demuxer pass over all tracks but these: where the container has an index, their bytes are not even read.
    pub fn read_only(&mut self, tracks: &[usize]) {
        for mut stream in self.input.streams_mut().filter(|stream| !tracks.contains(&stream.index())) {
            // SAFETY: the stream belongs to the open input, and the field is there to be set by whoever reads it.
            unsafe { (*stream.as_mut_ptr()).discard = ffi::AVDiscard::AVDISCARD_ALL };
        }
    }

    /// Goes to a keyframe of the video that is shown at or before this moment (microseconds from the beginning), from
    /// where everything after the moment can be decoded.
    pub fn seek(&mut self, moment_us: i64, limits: &Limits) -> Result<(), TranscodeError> {
        let index = i32::try_from(self.video.index).unwrap_or(i32::MAX);
        let clock = |moment: i64| moment.rescale(MICROSECONDS, self.video.time_base);
        let target = clock(moment_us.saturating_add(self.start_microseconds()));
        let before = |seconds: i64| target.saturating_sub(clock(seconds * 1_000_000));
        for timestamp in STEPS_BACK.map(before).into_iter().chain([i64::MIN]) {
            self.seek_to(index, timestamp);
            while let Some(packet) = self.next_packet(limits)? {
                if packet.stream() != self.video.index {
                    continue;
                }
                if packet.is_key() && packet.pts().is_some_and(|moment| moment <= target) {
                    self.seek_to(index, timestamp);
                    return Ok(());
                }
                break;
            }
        }
        self.seek_to(index, i64::MIN);
        Ok(())
    }

    /// To the last keyframe of a track that the index has at or before this timestamp, or to the first there is.
    fn seek_to(&mut self, index: i32, timestamp: i64) {
        // SAFETY: the input is open, and the index is that of one of its streams. What the call says is not asked: where
        // it leads to is seen from the packets.
        unsafe {
            let input = self.input.as_mut_ptr();
            ffi::avformat_seek_file(input, index, i64::MIN, timestamp, timestamp, 0);
        }
    }

    /// Where the file's clock stands at its beginning, in microseconds. Sound that leads by less than a tenth of a
    /// second is an encoder's priming, not content: then the first picture is the beginning.
    pub fn start_microseconds(&self) -> i64 {
        let start = |track: &Track| track.start.map(|start| start.rescale(track.time_base, MICROSECONDS));
        let video = start(&self.video).unwrap_or(0);
        match self.audio.first().and_then(start) {
            Some(audio) if audio < video.saturating_sub(100_000) => audio,
            _ => video,
        }
    }

    /// When a packet ends, in milliseconds from the beginning, if it says so.
    pub fn end_of(&self, packet: &Packet) -> Option<u64> {
        let clock = self.input.stream(packet.stream())?.time_base();
        let end = packet.pts()?.saturating_add(packet.duration());
        let end_us = end.rescale(clock, MICROSECONDS).saturating_sub(self.start_microseconds());
        u64::try_from(end_us / 1000).ok()
    }

    /// When the film ends, in milliseconds from the beginning, as the video track or else the container states it.
    pub fn stated_end_ms(&self) -> Option<u64> {
        let Some(duration) = self.video.duration else { return self.probe.duration_ms };
        let end = self.video.start.unwrap_or(0).saturating_add(duration);
        let end_us =
            end.rescale(self.video.time_base, MICROSECONDS).saturating_sub(self.start_microseconds());
        u64::try_from(end_us / 1000).ok()
    }
}

/// The audio tracks that are taken, the one that plays by default first. A track that cannot be decoded is left out
/// where another can be.
fn audio_of(input: &Input) -> Result<(Vec<Track>, Vec<crate::probe::AudioTrack>), TranscodeError> {
    let default = input.streams().best(media::Type::Audio).map(|stream| stream.index());
    let others = input.streams().filter(|stream| stream.parameters().medium() == media::Type::Audio);
    let others = others.map(|stream| stream.index()).filter(|index| Some(*index) != default);
    let mut tracks = Vec::new();
    let mut failure = None;
    for stream in default.into_iter().chain(others).filter_map(|index| input.stream(index)) {
        match Track::of(&stream, AUDIO_DECODERS) {
            Ok(track) if tracks.len() < AUDIO_TRACKS => {
                let probed = audio_track(&stream, &track);
                tracks.push((track, probed));
            }
            Ok(_) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        Some(error) if tracks.is_empty() => Err(error),
        _ => Ok(tracks.into_iter().unzip()),
    }
}

/// Whether the container says that a key is needed: Common Encryption (ISO 23001-7), or Apple's own.
fn is_encrypted(stream: &Stream<'_>) -> bool {
    // SAFETY: the parameters belong to the stream; a plain number is copied out.
    let tag = unsafe { (*stream.parameters().as_ptr()).codec_tag };
    [b"encv", b"drmi"].contains(&&tag.to_le_bytes())
        || stream.side_data().any(|data| data.kind() == SideData::EncryptionInitInfo)
}
