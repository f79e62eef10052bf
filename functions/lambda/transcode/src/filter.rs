//! From decoded frames to what encoders take: pictures turned, scaled and in 4:2:0; sound as 48 kHz stereo.

use ffmpeg_next::{Error, ffi, filter, filter::Graph, format::Pixel, frame};

use crate::{plan::Rendition, probe::Rotation};

/// Samples per second of the audio rendition.
pub const SAMPLE_RATE: u32 = 48_000;

/// Ticks per second of every video timestamp after decoding (the clock of ISO 13818-1).
pub const VIDEO_CLOCK: i32 = 90_000;

/// One decoded picture in, one picture per rendition out.
pub struct PictureFilter {
    graph: Graph,
    input: PictureShape,
    outputs: usize,
}

/// What a graph was made for; a picture of another shape needs a new graph.
#[derive(PartialEq, Eq, Clone, Copy)]
struct PictureShape {
    width: u32,
    height: u32,
    format: Pixel,
}

impl PictureShape {
    fn of(picture: &frame::Video) -> Self {
        Self { width: picture.width(), height: picture.height(), format: picture.format() }
    }
}

impl PictureFilter {
    /// A filter for pictures like this one.
    pub fn new(picture: &frame::Video, rotation: Rotation, renditions: &[Rendition]) -> Result<Self, Error> {
        let input = PictureShape::of(picture);
        let mut graph = Graph::new();
        let arguments = format!(
            "video_size={}x{}:pix_fmt={}:time_base=1/{VIDEO_CLOCK}:pixel_aspect=1/1",
            input.width,
            input.height,
            ffi::AVPixelFormat::from(input.format) as i32,
        );
        graph.add(&find("buffer")?, "in", &arguments)?;
        for index in 0..renditions.len() {
            graph.add(&find("buffersink")?, &sink(index), "")?;
        }
        let mut parser = graph.output("in", 0)?;
        for index in 0..renditions.len() {
            parser = parser.input(&sink(index), 0)?;
        }
        parser.parse(&description(rotation, is_rgb(input.format), renditions))?;
        graph.validate()?;
        Ok(Self { graph, input, outputs: renditions.len() })
    }

    /// Whether this picture has the shape that the filter was made for.
    pub fn takes(&self, picture: &frame::Video) -> bool {
        PictureShape::of(picture) == self.input
    }

    /// The picture in the size of each rendition, in their order.
    pub fn run(&mut self, picture: &frame::Video) -> Result<Vec<frame::Video>, Error> {
        let mut input = self.graph.get("in").ok_or(Error::FilterNotFound)?;
        input.source().add(picture)?;
        (0..self.outputs)
            .map(|index| {
                let mut output = self.graph.get(&sink(index)).ok_or(Error::FilterNotFound)?;
                let mut scaled = frame::Video::empty();
                output.sink().frame(&mut scaled)?;
                Ok(scaled)
            })
            .collect()
    }
}

fn sink(index: usize) -> String {
    format!("out{index}")
}

fn find(name: &str) -> Result<filter::Filter, Error> {
    filter::find(name).ok_or(Error::FilterNotFound)
}

/// The graph in FFmpeg's filter language.
fn description(rotation: Rotation, rgb: bool, renditions: &[Rendition]) -> String {
    let turn = match rotation {
        Rotation::None => "",
        Rotation::Quarter => "transpose=clock,",
        Rotation::Half => "hflip,vflip,",
        Rotation::ThreeQuarters => "transpose=cclock,",
    };
    // RGB has no matrix to keep, so one must be named; what is YCbCr keeps the one that it states.
    let (matrix, stated) = if rgb {
        (":out_color_matrix=bt709", ",setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709")
    } else {
        ("", "")
    };
    let split: String = (0..renditions.len()).map(|index| format!("[scale{index}]")).collect();
    let mut graph = format!("[in]{turn}split={}{split}", renditions.len());
    for (index, rendition) in renditions.iter().enumerate() {
        let Rendition { width, height, .. } = rendition;
        graph.push_str(&format!(
            ";[scale{index}]scale={width}:{height}:flags=bicubic:out_range=limited{matrix},format=yuv420p,setsar=1{stated}[{}]",
            sink(index),
        ));
    }
    graph
}

fn is_rgb(format: Pixel) -> bool {
    // SAFETY: the descriptors are constants of libavutil; null is answered for a format that it does not know.
    let descriptor = unsafe { ffi::av_pix_fmt_desc_get(format.into()).as_ref() };
    let rgb = u64::try_from(ffi::AV_PIX_FMT_FLAG_RGB).unwrap_or(0);
    descriptor.is_some_and(|descriptor| descriptor.flags & rgb != 0)
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
    /// before it is cut off.
    pub fn new(sound: &frame::Audio, frame_size: u32, next_sample: u64) -> Result<Self, Error> {
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
            "[in]aresample={SAMPLE_RATE}:async=1:first_pts={first},aformat=sample_fmts=fltp:sample_rates={SAMPLE_RATE}:channel_layouts=stereo[out]"
        );
        graph.output("in", 0)?.input("out", 0)?.parse(&description)?;
        graph.validate()?;
        graph.get("out").ok_or(Error::FilterNotFound)?.sink().set_frame_size(frame_size);
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
