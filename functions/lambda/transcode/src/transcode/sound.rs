//! An audio track: one decoder and resampler, and what takes its sound: a meter at first, then an encoder.

use ffmpeg_next::{Error, Packet, Rational, Rescale, frame};

use super::TolerantDecoder;
use crate::{
    Limits, TranscodeError,
    encode::AudioEncoder,
    encryption::ContentKey,
    filter::{Gain, Loudness, SAMPLE_RATE, SoundFilter, name_channels},
    folder::Folder,
    made,
    segment::{Segmenter, Target},
    source::{Source, Track},
};

const MICROSECONDS: Rational = Rational(1, 1_000_000);

/// Decodes a track and gives its sound as 48 kHz stereo, gapless from time zero.
struct Resampler<'a> {
    decoder: TolerantDecoder,
    filter: Option<SoundFilter>,
    purpose: Purpose,
    /// Samples given so far.
    samples: u64,
    limits: &'a Limits,
    source_clock: Rational,
    /// Where the source's clock stands at the beginning, in microseconds.
    origin_us: i64,
}

/// What sound is decoded for.
#[derive(Clone, Copy)]
enum Purpose {
    Measuring,
    /// In frames of so many samples.
    Encoding {
        frame_size: u32,
        gain: Gain,
    },
}

impl Purpose {
    /// The filter for sound like this, of which so many samples have been given.
    fn filter(self, sound: &frame::Audio, samples: u64) -> Result<SoundFilter, Error> {
        match self {
            Self::Measuring => SoundFilter::plain(sound, samples),
            Self::Encoding { frame_size, gain } => SoundFilter::new(sound, frame_size, samples, gain),
        }
    }
}

/// What takes sound.
type Take<'t> = &'t mut dyn FnMut(frame::Audio) -> Result<(), TranscodeError>;

impl<'a> Resampler<'a> {
    fn open(
        source: &Source,
        track: &Track,
        limits: &'a Limits,
        purpose: Purpose,
    ) -> Result<Self, TranscodeError> {
        Ok(Self {
            decoder: TolerantDecoder::new(track.open_decoder(&source.input, limits)?),
            filter: None,
            purpose,
            samples: 0,
            limits,
            source_clock: track.time_base,
            origin_us: source.start_microseconds(),
        })
    }

    /// Takes the next packet, or none at the end.
    fn push(&mut self, packet: Option<&Packet>, take: Take<'_>) -> Result<(), TranscodeError> {
        self.decoder.send(packet, self.limits)?;
        let mut sound = frame::Audio::empty();
        while self.decoder.receive(&mut sound, self.limits)? {
            self.resample(&mut sound, take)?;
        }
        if let (None, Some(filter)) = (packet, &mut self.filter) {
            filter.finish().map_err(|error| TranscodeError::encoding("resample", error, self.limits))?;
            self.give(take)?;
        }
        Ok(())
    }

    fn resample(&mut self, sound: &mut frame::Audio, take: Take<'_>) -> Result<(), TranscodeError> {
        let limits = self.limits;
        name_channels(sound);
        let clock = Rational(1, i32::try_from(sound.rate()).unwrap_or(i32::MAX).max(1));
        let moment_us = sound
            .timestamp()
            .map(|units| units.rescale(self.source_clock, MICROSECONDS).saturating_sub(self.origin_us));
        let limit_us = i64::try_from(limits.duration_ms).unwrap_or(i64::MAX).saturating_mul(1000);
        if moment_us.is_some_and(|moment| moment > limit_us) {
            return Err(TranscodeError::TooLong { limit_ms: limits.duration_ms });
        }
        sound.set_pts(moment_us.map(|moment| moment.rescale(MICROSECONDS, clock)));

        let filter = match self.filter.take() {
            Some(filter) if filter.takes(sound) => self.filter.insert(filter),
            // The few samples that the old filter still holds are less than a frame, and become silence.
            _ => {
                let filter = self.purpose.filter(sound, self.samples).map_err(|error| match error {
                    Error::InvalidData => TranscodeError::UnsupportedCodec {
                        codec: format!("of {} audio channels", sound.channels()),
                    },
                    error => TranscodeError::encoding("resample", error, limits),
                })?;
                self.filter.insert(filter)
            }
        };
        filter.push(sound).map_err(|error| TranscodeError::encoding("resample", error, limits))?;
        self.give(take)
    }

    fn give(&mut self, take: Take<'_>) -> Result<(), TranscodeError> {
        let limits = self.limits;
        while let Some(filter) = &mut self.filter {
            let pulled =
                filter.pull().map_err(|error| TranscodeError::encoding("resample", error, limits))?;
            let Some(sound) = pulled else { break };
            self.samples += u64::try_from(sound.samples()).unwrap_or(0);
            take(sound)?;
        }
        Ok(())
    }
}

/// Listens to a track.
pub struct Meter<'a> {
    resampler: Resampler<'a>,
    ear: Ear,
}

/// Measures all the sound of a track, whatever shapes it had before it was resampled.
#[derive(Default)]
struct Ear {
    filter: Option<SoundFilter>,
    /// Samples heard so far: the timestamp of the next one.
    samples: i64,
    loudness: Option<Loudness>,
}

impl<'a> Meter<'a> {
    pub fn open(source: &Source, track: &Track, limits: &'a Limits) -> Result<Self, TranscodeError> {
        let resampler = Resampler::open(source, track, limits, Purpose::Measuring)?;
        Ok(Self { resampler, ear: Ear::default() })
    }

    /// Takes the next packet, or none at the end.
    pub fn push(&mut self, packet: Option<&Packet>) -> Result<(), TranscodeError> {
        let Self { resampler, ear } = self;
        let limits = resampler.limits;
        let failed = |error| TranscodeError::encoding("measure", error, limits);
        resampler.push(packet, &mut |sound| ear.hear(sound).map_err(failed))?;
        if packet.is_none() { ear.finish().map_err(failed) } else { Ok(()) }
    }

    /// What brings the whole track to the loudness of all videos.
    pub fn gain(&self) -> Gain {
        self.ear.loudness.map(Loudness::gain).unwrap_or_default()
    }
}

impl Ear {
    /// Takes 48 kHz stereo that follows what was heard before without a gap.
    fn hear(&mut self, mut sound: frame::Audio) -> Result<(), Error> {
        name_channels(&mut sound);
        sound.set_pts(Some(self.samples));
        self.samples += i64::try_from(sound.samples()).unwrap_or(0);
        let filter = match self.filter.take() {
            Some(filter) => filter,
            None => SoundFilter::measuring(&sound)?,
        };
        self.filter.insert(filter).push(&sound)?;
        self.note()
    }

    /// No more sound comes.
    fn finish(&mut self) -> Result<(), Error> {
        if let Some(filter) = &mut self.filter {
            filter.finish()?;
        }
        self.note()
    }

    fn note(&mut self) -> Result<(), Error> {
        let Some(filter) = &mut self.filter else { return Ok(()) };
        while let Some(sound) = filter.pull()? {
            self.loudness = Loudness::of(&sound).or(self.loudness);
        }
        Ok(())
    }
}

/// Makes a rendition of a track.
pub struct SoundTrack<'a> {
    resampler: Resampler<'a>,
    output: Output<'a>,
}

struct Output<'a> {
    encoder: AudioEncoder,
    segmenter: Segmenter,
    limits: &'a Limits,
}

impl<'a> SoundTrack<'a> {
    /// A rendition in the folder of this name, louder by `gain`. `key` is what its segments are encrypted with, and its
    /// number among all tracks of the video.
    pub fn open(
        source: &Source,
        track: &Track,
        folder: &str,
        gain: Gain,
        key: Option<(&ContentKey, u32)>,
        limits: &'a Limits,
    ) -> Result<Self, TranscodeError> {
        let failed = |error| TranscodeError::encoding("open audio encoder", error, limits);
        let encoder = AudioEncoder::open().map_err(failed)?;
        let target = Target { folder, content_type: "audio/mp4", key, start: 0 };
        let segmenter = Segmenter::open(&target, encoder.context()).map_err(failed)?;
        let purpose = Purpose::Encoding { frame_size: encoder.frame_size(), gain };
        let resampler = Resampler::open(source, track, limits, purpose)?;
        Ok(Self { resampler, output: Output { encoder, segmenter, limits } })
    }

    /// Takes the next packet, or none at the end.
    pub fn push(&mut self, packet: Option<&Packet>, folder: &mut Folder) -> Result<(), TranscodeError> {
        let Self { resampler, output } = self;
        resampler.push(packet, &mut |sound| output.take(sound, folder))
    }

    /// Milliseconds of sound so far.
    pub fn done_ms(&self) -> u64 {
        self.resampler.samples * 1000 / u64::from(SAMPLE_RATE)
    }

    /// Ends the rendition; none if the track held no sound that could be decoded.
    pub fn finish(mut self, folder: &mut Folder) -> Result<Option<made::Track>, TranscodeError> {
        self.push(None, folder)?;
        let mut output = self.output;
        let limits = output.limits;
        let failed = |error| TranscodeError::encoding("encode audio", error, limits);
        let samples = output.encoder.samples();
        if samples == 0 {
            return Ok(None);
        }
        output.encoder.finish().map_err(failed)?;
        output.mux(folder)?;
        let Output { encoder, segmenter, .. } = output;
        let end = i64::try_from(samples).unwrap_or(i64::MAX);
        let codec = encoder.codec_string().map_err(failed)?;
        segmenter.finish(end, i64::from(encoder.frame_size()), folder, codec, limits).map(Some)
    }
}

impl Output<'_> {
    fn take(&mut self, sound: frame::Audio, folder: &mut Folder) -> Result<(), TranscodeError> {
        let limits = self.limits;
        self.encoder.send(sound).map_err(|error| TranscodeError::encoding("encode audio", error, limits))?;
        self.mux(folder)
    }

    /// Moves what the encoder has finished into segments.
    fn mux(&mut self, folder: &mut Folder) -> Result<(), TranscodeError> {
        let limits = self.limits;
        let failed = |error| TranscodeError::encoding("encode audio", error, limits);
        while let Some(packet) = self.encoder.receive().map_err(failed)? {
            self.segmenter.push(packet, folder, limits)?;
        }
        Ok(())
    }
}
