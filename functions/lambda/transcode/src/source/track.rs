//! The tracks of a file: which one plays, what it is, and how to decode it.

use ffmpeg_next::{
    Dictionary, Error, Rational, Stream, codec,
    codec::packet::side_data::Type as SideData,
    decoder, ffi,
    format::{context::Input, stream::Disposition},
    media,
};

use crate::{
    Limits, TranscodeError,
    plan::TITLE_CHARACTERS,
    probe::{AudioTrack, Rotation, VideoTrack},
};

pub const VIDEO_DECODERS: &[&str] = &[
    "h264",
    "hevc",
    "libdav1d",
    "av1",
    "vp8",
    "vp9",
    "mpeg4",
    "mpeg1video",
    "mpeg2video",
    "mjpeg",
    "prores",
    "dnxhd",
    "qtrle",
];

pub const AUDIO_DECODERS: &[&str] = &[
    "aac",
    "mp3",
    "mp3float",
    "ac3",
    "eac3",
    "opus",
    "libopus",
    "vorbis",
    "flac",
    "alac",
    "pcm_s16le",
    "pcm_s16be",
    "pcm_s24le",
    "pcm_s24be",
    "pcm_s32le",
    "pcm_f32le",
    "pcm_u8",
    "pcm_alaw",
    "pcm_mulaw",
];

/// Pictures smaller than this on a side are no video that anybody watches, and trip scalers.
const SMALLEST_SIDE: u32 = 16;

/// How many times longer than the other one side may be.
const NARROWEST: u32 = 32;

/// Where a stream of the file stands, and how to decode it.
pub struct Track {
    pub index: usize,
    pub time_base: Rational,
    /// First timestamp, in units of the time base, if the container states one.
    pub start: Option<i64>,
    /// Length in units of the time base, if the container states one.
    pub duration: Option<i64>,
    decoder: &'static str,
}

impl Track {
    pub fn of(stream: &Stream<'_>, allowed: &[&'static str]) -> Result<Self, TranscodeError> {
        let parameters = stream.parameters();
        let id = parameters.id();
        let unsupported = || TranscodeError::UnsupportedCodec { codec: id.name().to_owned() };
        let found = decoder::find(id).ok_or_else(unsupported)?;
        let decoder = allowed.iter().find(|name| **name == found.name()).ok_or_else(unsupported)?;
        let stated = |value: i64| (value != ffi::AV_NOPTS_VALUE).then_some(value);
        Ok(Self {
            index: stream.index(),
            time_base: stream.time_base(),
            start: stated(stream.start_time()),
            duration: stated(stream.duration()).filter(|duration| *duration > 0),
            decoder,
        })
    }

    /// A decoder for this track of `input`.
    pub fn open_decoder(&self, input: &Input, limits: &Limits) -> Result<decoder::Opened, TranscodeError> {
        let failed = |error| TranscodeError::encoding("open decoder", error, limits);
        let stream = input.stream(self.index).ok_or_else(|| failed(Error::StreamNotFound))?;
        let mut context = codec::Context::from_parameters(stream.parameters()).map_err(failed)?;
        context.set_threading(codec::threading::Config {
            kind: codec::threading::Type::Frame,
            count: usize::from(limits.threads),
            ..Default::default()
        });
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(self.time_base);
        let mut options = Dictionary::new();
        // The pictures within the stream may be larger than the container says.
        options.set("max_pixels", &limits.picture_pixels.to_string());
        decoder.open_as_with(self.decoder, options).map_err(failed)
    }
}

/// The video track that plays by default; a cover picture is none.
pub fn moving_pictures(input: &Input) -> Option<Stream<'_>> {
    let stream = input.streams().best(media::Type::Video)?;
    (!stream.disposition().contains(Disposition::ATTACHED_PIC)).then_some(stream)
}

pub fn video_track(
    stream: &Stream<'_>,
    track: &Track,
    limits: &Limits,
) -> Result<VideoTrack, TranscodeError> {
    let parameters = stream.parameters();
    // SAFETY: `parameters` keeps its AVCodecParameters alive; plain numbers are copied out.
    let (width, height, aspect) = unsafe {
        let parameters = &*parameters.as_ptr();
        (parameters.width, parameters.height, parameters.sample_aspect_ratio)
    };
    let (width, height) = (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0));
    if is_dolby_vision_alone(stream) {
        return Err(TranscodeError::UnsupportedCodec { codec: "Dolby Vision profile 5".to_owned() });
    }
    let rotation = rotation(stream);
    let (width, height) = square_pixels(width, height, Rational::from(aspect));
    let (width, height) = if rotation.is_sideways() { (height, width) } else { (width, height) };
    let (long, short) = (width.max(height), width.min(height));
    if short < SMALLEST_SIDE
        || long / short.max(1) >= NARROWEST
        || long > limits.side_pixels
        || u64::from(width) * u64::from(height) > limits.picture_pixels
    {
        return Err(TranscodeError::Dimensions { width, height });
    }
    Ok(VideoTrack {
        codec: track.decoder.to_owned(),
        width,
        height,
        rotation,
        frame_rate: frame_rate(stream),
    })
}

pub fn audio_track(stream: &Stream<'_>, track: &Track) -> AudioTrack {
    let parameters = stream.parameters();
    // SAFETY: `parameters` keeps its AVCodecParameters alive; plain numbers are copied out.
    let (sample_rate, channels) = unsafe {
        let parameters = &*parameters.as_ptr();
        (parameters.sample_rate, parameters.ch_layout.nb_channels)
    };
    let metadata = stream.metadata();
    let stated = |key| metadata.get(key).map(str::trim).filter(|text| !text.is_empty());
    AudioTrack {
        codec: track.decoder.to_owned(),
        sample_rate: u32::try_from(sample_rate).unwrap_or(0),
        channels: u16::try_from(channels).unwrap_or(0),
        language: stated("language").filter(|code| *code != "und").map(str::to_owned),
        title: stated("title").map(|title| title.chars().take(TITLE_CHARACTERS).collect()),
    }
}

/// The size at which pixels are square. An aspect that no camera writes is taken for a mistake.
fn square_pixels(width: u32, height: u32, aspect: Rational) -> (u32, u32) {
    let ratio = f64::from(aspect);
    if !(0.25..=4.0).contains(&ratio) {
        return (width, height);
    }
    // Within u32, since the ratio is at most four and `as` saturates.
    let wide = (f64::from(width) * ratio).round() as u32;
    (wide, height)
}

/// Average pictures per second, else the base rate, else 25.
fn frame_rate(stream: &Stream<'_>) -> (u32, u32) {
    [stream.avg_frame_rate(), stream.rate()]
        .into_iter()
        .find_map(|rate| {
            let numerator = u32::try_from(rate.numerator()).ok().filter(|n| *n > 0)?;
            let denominator = u32::try_from(rate.denominator()).ok().filter(|n| *n > 0)?;
            Some((numerator, denominator))
        })
        .unwrap_or((25, 1))
}

/// The turn that the track's display matrix asks for (ISO 14496-12 §8.3.2.3): nine 32-bit fixed-point numbers.
fn rotation(stream: &Stream<'_>) -> Rotation {
    let Some(matrix) = stream.side_data().find(|data| data.kind() == SideData::DisplayMatrix) else {
        return Rotation::None;
    };
    let mut cells = matrix.data().chunks_exact(4).map(|cell| match cell.try_into() {
        Ok(bytes) => f64::from(i32::from_ne_bytes(bytes)),
        Err(_) => 0.0,
    });
    match (cells.next(), cells.next()) {
        (Some(cosine), Some(sine)) => Rotation::from_degrees(sine.atan2(cosine).to_degrees()),
        _ => Rotation::None,
    }
}

/// Whether the pictures are in Dolby's own colours, with no layer that others can show: profile 5 (Dolby Vision streams
/// within the ISO base media file format, §3.1). The third byte of the configuration record, as FFmpeg keeps it.
fn is_dolby_vision_alone(stream: &Stream<'_>) -> bool {
    let record = stream.side_data().find(|data| data.kind() == SideData::DOVI_CONF);
    record.is_some_and(|record| record.data().get(2) == Some(&5))
}
