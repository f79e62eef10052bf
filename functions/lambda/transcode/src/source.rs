//! Opening a file that nobody vouches for.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use ffmpeg_next::{
    Dictionary, Error, Rational, Rescale, Stream, codec,
    codec::packet::side_data::Type as SideData,
    decoder, ffi,
    format::{
        context::{Input, StreamIo},
        input_from_stream,
        stream::Disposition,
    },
    media,
};

use crate::{
    Limits, TranscodeError,
    probe::{AudioTrack, Probe, Rotation, VideoTrack},
};

/// Demuxers that read one file and nothing else. No playlists (hls, dash, concat), no image sequences, no text.
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts";

const VIDEO_DECODERS: &[&str] = &[
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

const AUDIO_DECODERS: &[&str] = &[
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

const MICROSECONDS: Rational = Rational(1, 1_000_000);

/// An open file that has passed every check of [`crate::probe()`].
pub struct Source {
    pub input: Input,
    pub video: Track,
    pub audio: Option<Track>,
    pub probe: Probe,
}

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

impl Source {
    /// Opens the file through one descriptor: with no protocol allowed, no demuxer can open anything else.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, TranscodeError> {
        let storage = |error| TranscodeError::storage("source", &error);
        let mut file = File::open(path).map_err(storage)?;
        let bytes = file.metadata().map_err(storage)?.len();
        if bytes == 0 {
            return Err(TranscodeError::Empty);
        }
        let known_container = begins_like_a_video(&mut file).map_err(storage)?;
        if is_cut_off(&mut file, bytes).map_err(storage)? {
            return Err(TranscodeError::Damaged);
        }

        let decoders = [VIDEO_DECODERS.join(","), AUDIO_DECODERS.join(",")].join(",");
        let mut options = Dictionary::new();
        options.set("format_whitelist", CONTAINERS);
        options.set("codec_whitelist", &decoders);
        // Not a protocol, so none is allowed.
        options.set("protocol_whitelist", "none");
        options.set("max_streams", "64");
        let io = StreamIo::from_read_seek(file)
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
        let audio_stream = input.streams().best(media::Type::Audio);
        let video = Track::of(&video_stream, VIDEO_DECODERS)?;
        let audio = audio_stream.as_ref().map(|stream| Track::of(stream, AUDIO_DECODERS)).transpose()?;
        let duration_ms = u64::try_from(input.duration())
            .ok()
            .filter(|microseconds| *microseconds > 0)
            .map(|microseconds| microseconds / 1000);
        if duration_ms.is_some_and(|duration| duration > limits.duration_ms) {
            return Err(TranscodeError::TooLong { limit_ms: limits.duration_ms });
        }
        let probe = Probe {
            duration_ms,
            video: video_track(&video_stream, &video, limits)?,
            audio: audio_stream
                .as_ref()
                .zip(audio.as_ref())
                .map(|(stream, track)| audio_track(stream, track)),
        };
        Ok(Self { input, video, audio, probe })
    }

    /// Where the file's clock stands at its beginning, in microseconds. Sound that leads by less than a tenth of a
    /// second is an encoder's priming, not content: then the first picture is the beginning.
    pub fn start_microseconds(&self) -> i64 {
        let start = |track: &Track| track.start.map(|start| start.rescale(track.time_base, MICROSECONDS));
        let video = start(&self.video).unwrap_or(0);
        match self.audio.as_ref().and_then(start) {
            Some(audio) if audio < video.saturating_sub(100_000) => audio,
            _ => video,
        }
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

impl Track {
    fn of(stream: &Stream<'_>, allowed: &[&'static str]) -> Result<Self, TranscodeError> {
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
fn moving_pictures(input: &Input) -> Option<Stream<'_>> {
    let stream = input.streams().best(media::Type::Video)?;
    (!stream.disposition().contains(Disposition::ATTACHED_PIC)).then_some(stream)
}

fn video_track(stream: &Stream<'_>, track: &Track, limits: &Limits) -> Result<VideoTrack, TranscodeError> {
    let parameters = stream.parameters();
    // SAFETY: `parameters` keeps its AVCodecParameters alive; plain numbers are copied out.
    let (width, height, aspect) = unsafe {
        let parameters = &*parameters.as_ptr();
        (parameters.width, parameters.height, parameters.sample_aspect_ratio)
    };
    let (width, height) = (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0));
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

fn audio_track(stream: &Stream<'_>, track: &Track) -> AudioTrack {
    let parameters = stream.parameters();
    // SAFETY: `parameters` keeps its AVCodecParameters alive; plain numbers are copied out.
    let (sample_rate, channels) = unsafe {
        let parameters = &*parameters.as_ptr();
        (parameters.sample_rate, parameters.ch_layout.nb_channels)
    };
    AudioTrack {
        codec: track.decoder.to_owned(),
        sample_rate: u32::try_from(sample_rate).unwrap_or(0),
        channels: u16::try_from(channels).unwrap_or(0),
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

/// Whether the first bytes are those of an MP4 (a box `ftyp`), Matroska (EBML) or AVI (RIFF) file, so that a failure to
/// open it means damage.
fn begins_like_a_video(file: &mut File) -> std::io::Result<bool> {
    let mut head = Vec::with_capacity(12);
    file.take(12).read_to_end(&mut head)?;
    file.rewind()?;
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    Ok(at(4, b"ftyp") || at(0, &[0x1a, 0x45, 0xdf, 0xa3]) || (at(0, b"RIFF") && at(8, b"AVI ")))
}

/// Whether the file ends within a box of an MP4 or MOV file: an upload that broke off. A box begins with its length in
/// 32 bits and its type; length 1 means that 64 bits of length follow, and 0 that the box lasts to the end of the file
/// (ISO 14496-12 §4.2). What begins with no box that is known there is not judged.
fn is_cut_off(file: &mut File, bytes: u64) -> std::io::Result<bool> {
    const KNOWN: [&[u8; 4]; 10] =
        [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"styp", b"sidx", b"mfra"];
    let mut offset = 0_u64;
    let is_cut_off = loop {
        let mut header = [0; 16];
        file.seek(SeekFrom::Start(offset))?;
        let length = read_up_to(file, &mut header)?;
        let [a, b, c, d, kind @ .., _, _, _, _, _, _, _, _] = header;
        if length < 8 || !KNOWN.contains(&&kind) {
            break false;
        }
        let size = match u32::from_be_bytes([a, b, c, d]) {
            0 => break false,
            1 => u64::from_be_bytes(header.last_chunk().copied().unwrap_or_default()),
            size => u64::from(size),
        };
        // A size less than its own header would stand still.
        offset = offset.saturating_add(size.max(8));
        if offset > bytes {
            break true;
        }
    };
    file.rewind()?;
    Ok(is_cut_off)
}

/// Fills the buffer as far as the file goes; how far.
fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut content = Vec::with_capacity(buffer.len());
    let length = file.take(u64::try_from(buffer.len()).unwrap_or(0)).read_to_end(&mut content)?;
    buffer.iter_mut().zip(content).for_each(|(to, from)| *to = from);
    Ok(length)
}
