//! Sound as 48 kHz stereo, of one loudness.

use ffmpeg_next::{Error, ffi, filter::Graph, frame};

use super::find;

/// Samples per second of the audio renditions.
pub const SAMPLE_RATE: u32 = 48_000;

/// What every step works on.
const FORMAT: &str = "aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo";

/// How loud every video is (ITU-R BS.1770; what streaming services use for speech and music), in LUFS.
const TARGET_LUFS: f64 = -16.0;

/// What no sample exceeds, in decibels below full scale: AAC adds a little.
const CEILING_DB: f64 = -1.5;

/// Sound is made louder by at most so much, in decibels: beyond that it is the room that one would hear.
const LARGEST_GAIN_DB: f64 = 24.0;

/// What a track was measured to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loudness {
    /// Integrated loudness, in LUFS.
    pub lufs: f64,
    /// The largest sample, in decibels below full scale.
    pub peak_db: f64,
}

/// What brings a track to the loudness of all videos.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Gain {
    decibels: f64,
    is_limited: bool,
}

impl Loudness {
    /// What [`SoundFilter::measuring`] says in a frame; none before it knows.
    pub fn of(sound: &frame::Audio) -> Option<Self> {
        let metadata = sound.metadata();
        let number = |key: &str| metadata.get(key)?.parse::<f64>().ok();
        let peak = (0..2).filter_map(|channel| number(&format!("lavfi.r128.sample_peaks_ch{channel}")));
        Some(Self { lufs: number("lavfi.r128.I")?, peak_db: 20.0 * peak.fold(0.0, f64::max).log10() })
    }

    /// The gain to the target. Silence stays silent: -70 LUFS is the gate of the measurement.
    pub fn gain(self) -> Gain {
        if !self.lufs.is_finite() || self.lufs <= -69.9 {
            return Gain::default();
        }
        let decibels = (TARGET_LUFS - self.lufs).min(LARGEST_GAIN_DB);
        Gain { decibels, is_limited: self.peak_db + decibels > CEILING_DB }
    }
}

impl Gain {
    /// In FFmpeg's filter language, after other filters.
    fn description(self) -> String {
        let Self { decibels, is_limited } = self;
        let ceiling = 10_f64.powf(CEILING_DB / 20.0);
        let limiter = format!(",alimiter=limit={ceiling:.4}:level=0:latency=1");
        format!(",volume={decibels:.2}dB{}", if is_limited { &limiter } else { "" })
    }
}

/// Decoded sound in, frames of the encoder's size out, gapless from time zero.
pub struct SoundFilter {
    graph: Graph,
    input: SoundShape,
}

#[derive(PartialEq, Eq, Clone, Copy)]
struct SoundShape {
    rate: u32,
    format: i32,
    channels: u16,
    layout: u64,
}

impl SoundShape {
    fn of(sound: &frame::Audio) -> Self {
        // SAFETY: `sound` holds a frame; the sample format is a plain number in it.
        let format = unsafe { (*sound.as_ptr()).format };
        Self { rate: sound.rate(), format, channels: sound.channels(), layout: sound.channel_layout().bits() }
    }
}

impl SoundFilter {
    /// A filter for sound like this, which must have a channel layout (see [`name_channels`]). `next_sample` is how
    /// much was already made of what came before: gaps up to the first sample are filled with silence, and what lies
    /// before it is cut off. What comes out is louder by `gain`.
    pub fn new(sound: &frame::Audio, frame_size: u32, next_sample: u64, gain: Gain) -> Result<Self, Error> {
        Self::with(sound, next_sample, &gain.description(), Some(frame_size))
    }

    /// The same, in frames of any size and as loud as before.
    pub fn plain(sound: &frame::Audio, next_sample: u64) -> Result<Self, Error> {
        Self::with(sound, next_sample, "", None)
    }

    /// A filter from time zero that has the loudness of all sound so far in the metadata of what comes out.
    pub fn measuring(sound: &frame::Audio) -> Result<Self, Error> {
        Self::with(sound, 0, ",ebur128=metadata=1:peak=sample:framelog=verbose", None)
    }

    fn with(
        sound: &frame::Audio,
        next_sample: u64,
        processing: &str,
        frame_size: Option<u32>,
    ) -> Result<Self, Error> {
        let input = SoundShape::of(sound);
        if input.rate == 0 || input.layout == 0 {
            return Err(Error::InvalidData);
        }
        let mut graph = Graph::new();
        let SoundShape { rate, format, layout, .. } = input;
        let arguments =
            format!("time_base=1/{rate}:sample_rate={rate}:sample_fmt={format}:channel_layout=0x{layout:x}");
        graph.add(&find("abuffer")?, "in", &arguments)?;
        graph.add(&find("abuffersink")?, "out", "")?;
        let first = u128::from(next_sample) * u128::from(rate) / u128::from(SAMPLE_RATE);
        let description = format!(
            "[in]aresample={SAMPLE_RATE}:async=1:first_pts={first},{FORMAT}{processing},{FORMAT}[out]"
        );
        graph.output("in", 0)?.input("out", 0)?.parse(&description)?;
        graph.validate()?;
        if let Some(frame_size) = frame_size {
            graph.get("out").ok_or(Error::FilterNotFound)?.sink().set_frame_size(frame_size);
        }
        Ok(Self { graph, input })
    }

    /// Whether this sound has the shape that the filter was made for.
    pub fn takes(&self, sound: &frame::Audio) -> bool {
        SoundShape::of(sound) == self.input
    }

    /// Takes sound whose timestamp is in samples of its own rate.
    pub fn push(&mut self, sound: &frame::Audio) -> Result<(), Error> {
        self.graph.get("in").ok_or(Error::FilterNotFound)?.source().add(sound)
    }

    /// No more sound comes: what is left will be pulled, the last frame shorter.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.graph.get("in").ok_or(Error::FilterNotFound)?.source().flush()
    }

    /// The next frame, if enough sound was pushed for one.
    pub fn pull(&mut self) -> Result<Option<frame::Audio>, Error> {
        let mut sound = frame::Audio::empty();
        match self.graph.get("out").ok_or(Error::FilterNotFound)?.sink().frame(&mut sound) {
            Ok(()) => Ok(Some(sound)),
            Err(Error::Eof | Error::Other { errno: ffmpeg_next::error::EAGAIN }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Gives sound that says only how many channels it has (raw PCM) the usual layout of that number.
pub fn name_channels(sound: &mut frame::Audio) {
    if sound.channel_layout().bits() != 0 {
        return;
    }
    // SAFETY: `sound` holds a frame of its own; the default layouts are masks, which own no memory.
    unsafe {
        let frame = sound.as_mut_ptr();
        let channels = (*frame).ch_layout.nb_channels;
        ffi::av_channel_layout_uninit(&raw mut (*frame).ch_layout);
        ffi::av_channel_layout_default(&raw mut (*frame).ch_layout, channels);
        if (*frame).ch_layout.order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_NATIVE {
            (*frame).channel_layout = (*frame).ch_layout.u.mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loud_and_quiet_tracks_meet_and_silence_stays() {
        let gain = |lufs, peak_db| Loudness { lufs, peak_db }.gain();
        assert_eq!(gain(-23.0, -12.0), Gain { decibels: 7.0, is_limited: false });
        assert_eq!(gain(-23.0, -3.0), Gain { decibels: 7.0, is_limited: true });
        assert_eq!(gain(-9.0, 0.0), Gain { decibels: -7.0, is_limited: false });
        assert_eq!(gain(-60.0, -50.0).decibels, LARGEST_GAIN_DB);
        assert_eq!(gain(-70.0, f64::NEG_INFINITY), Gain::default());
        assert_eq!(gain(f64::NAN, 0.0), Gain::default());
    }
}
