//! The audio track: one decoder, one resampler, one encoder.

use ffmpeg_next::{Error, Packet, Rational, Rescale, frame};

use super::{AUDIO_FOLDER, FinishedSound, TolerantDecoder};
use crate::{
    Limits, TranscodeError,
    encode::AudioEncoder,
    filter::{SAMPLE_RATE, SoundFilter, name_channels},
    folder::Folder,
    segment::Segmenter,
    source::{Source, Track},
};

const MICROSECONDS: Rational = Rational(1, 1_000_000);

pub struct SoundTrack<'a> {
    decoder: TolerantDecoder,
    filter: Option<SoundFilter>,
    encoder: AudioEncoder,
    segmenter: Segmenter,
    limits: &'a Limits,
    source_clock: Rational,
    /// Where the source's clock stands at the beginning, in microseconds.
    origin_us: i64,
}

impl<'a> SoundTrack<'a> {
    pub fn open(source: &Source, track: &Track, limits: &'a Limits) -> Result<Self, TranscodeError> {
        let failed = |error| TranscodeError::encoding("open audio encoder", error, limits);
        let encoder = AudioEncoder::open().map_err(failed)?;
        let segmenter = Segmenter::open(AUDIO_FOLDER, "audio/mp4", encoder.context()).map_err(failed)?;
        Ok(Self {
            decoder: TolerantDecoder::new(track.open_decoder(&source.input, limits)?),
            filter: None,
            encoder,
            segmenter,
            limits,
            source_clock: track.time_base,
            origin_us: source.start_microseconds(),
        })
    }

    /// Takes the next packet, or none at the end.
    pub fn push(&mut self, packet: Option<&Packet>, folder: &mut Folder) -> Result<(), TranscodeError> {
        self.decoder.send(packet, self.limits)?;
        let mut sound = frame::Audio::empty();
        while self.decoder.receive(&mut sound, self.limits)? {
            self.resample(&mut sound, folder)?;
        }
        Ok(())
    }

    /// Ends the rendition and writes its playlist; none if the track held no sound that could be decoded.
    pub fn finish(mut self, folder: &mut Folder) -> Result<Option<FinishedSound>, TranscodeError> {
        let limits = self.limits;
        let failed = |error| TranscodeError::encoding("encode audio", error, limits);
        self.push(None, folder)?;
        if let Some(filter) = &mut self.filter {
            filter.finish().map_err(failed)?;
        }
        self.encode(folder)?;
        let samples = self.encoder.samples();
        if samples == 0 {
            return Ok(None);
        }
        self.encoder.finish().map_err(failed)?;
        self.mux(folder)?;
        let end = i64::try_from(samples).unwrap_or(i64::MAX);
        let last = i64::from(self.encoder.frame_size());
        Ok(Some(FinishedSound {
            duration_ms: samples * 1000 / u64::from(SAMPLE_RATE),
            codec: self.encoder.codec_string().map_err(failed)?,
            segments: self.segmenter.finish(end, last, folder, limits)?,
        }))
    }

    fn resample(&mut self, sound: &mut frame::Audio, folder: &mut Folder) -> Result<(), TranscodeError> {
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
                let filter = SoundFilter::new(sound, self.encoder.frame_size(), self.encoder.samples());
                let filter = filter.map_err(|error| match error {
                    Error::InvalidData => TranscodeError::UnsupportedCodec {
                        codec: format!("of {} audio channels", sound.channels()),
                    },
                    error => TranscodeError::encoding("resample", error, limits),
                })?;
                self.filter.insert(filter)
            }
        };
        filter.push(sound).map_err(|error| TranscodeError::encoding("resample", error, limits))?;
        self.encode(folder)
    }

    fn encode(&mut self, folder: &mut Folder) -> Result<(), TranscodeError> {
        let limits = self.limits;
        let failed = |error| TranscodeError::encoding("encode audio", error, limits);
        while let Some(filter) = &mut self.filter {
            let Some(sound) = filter.pull().map_err(failed)? else { break };
            self.encoder.send(sound).map_err(failed)?;
            self.mux(folder)?;
        }
        Ok(())
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
