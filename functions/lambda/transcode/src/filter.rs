//! From decoded frames to what encoders take: pictures turned, scaled and in 4:2:0 of standard dynamic range; sound as
//! 48 kHz stereo.

mod sound;

use ffmpeg_next::{Error, ffi, filter, filter::Graph, format::Pixel, frame};

use crate::{plan::Rendition, probe::Rotation};
pub use sound::{Gain, Loudness, SAMPLE_RATE, SoundFilter, name_channels};

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
    range: DynamicRange,
}

impl PictureShape {
    fn of(picture: &frame::Video) -> Self {
        let (width, height, format) = (picture.width(), picture.height(), picture.format());
        Self { width, height, format, range: DynamicRange::of(picture) }
    }
}

/// How bright pictures may be (ITU-R BT.2100).
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum DynamicRange {
    Standard,
    /// Perceptual quantisation: HDR10, HDR10+, Dolby Vision with an HDR10 layer.
    Pq,
    /// Hybrid log-gamma: broadcasts, and the cameras of telephones.
    Hlg,
}

impl DynamicRange {
    fn of(picture: &frame::Video) -> Self {
        // SAFETY: `picture` holds a frame. The field is an enum that a hostile file may have filled with any number, so it
        // is read as one.
        let transfer = unsafe { *(&raw const (*picture.as_ptr()).color_trc).cast::<u32>() };
        if transfer == ffi::AVColorTransferCharacteristic::AVCOL_TRC_SMPTE2084 as u32 {
            Self::Pq
        } else if transfer == ffi::AVColorTransferCharacteristic::AVCOL_TRC_ARIB_STD_B67 as u32 {
            Self::Hlg
        } else {
            Self::Standard
        }
    }

    /// The filters that make BT.709 of BT.2020 with this transfer: to linear light with 203 cd/m² as white (ITU-R BT.2408
    /// §2.2), what is brighter rolled off, and back.
    fn mapping(self) -> Option<String> {
        let transfer = match self {
            Self::Standard => return None,
            Self::Pq => "smpte2084",
            Self::Hlg => "arib-std-b67",
        };
        Some(format!(
            "zscale=tin={transfer}:min=bt2020nc:pin=bt2020:t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,\
             tonemap=mobius:desat=0,zscale=t=bt709:m=bt709:p=bt709:r=limited,format=yuv420p,"
        ))
    }
}

impl PictureFilter {
    /// A filter for pictures like this one, which works with so many threads.
    pub fn new(
        picture: &frame::Video,
        rotation: Rotation,
        renditions: &[Rendition],
        threads: u16,
    ) -> Result<Self, Error> {
        let input = PictureShape::of(picture);
        let mut graph = Graph::new();
        // SAFETY: the graph is new; a plain number is set before filters are added to it.
        unsafe { (*graph.as_mut_ptr()).nb_threads = threads.into() };
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
        parser.parse(&description(rotation, input, renditions))?;
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

pub fn find(name: &str) -> Result<filter::Filter, Error> {
    filter::find(name).ok_or(Error::FilterNotFound)
}

/// The graph in FFmpeg's filter language.
fn description(rotation: Rotation, input: PictureShape, renditions: &[Rendition]) -> String {
    let turn = match rotation {
        Rotation::None => "",
        Rotation::Quarter => "transpose=clock,",
        Rotation::Half => "hflip,vflip,",
        Rotation::ThreeQuarters => "transpose=cclock,",
    };
    // Light is mapped in floating point, so on no more pixels than are shown.
    let mapping =
        renditions.first().zip(input.range.mapping()).map_or_else(String::new, |(largest, mapping)| {
            format!("scale={}:{}:flags=bicubic,{mapping}", largest.width, largest.height)
        });
    // RGB has no matrix to keep, so one must be named; what is YCbCr keeps the one that it states.
    let (matrix, stated) = if is_rgb(input.format) || input.range != DynamicRange::Standard {
        (":out_color_matrix=bt709", ",setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709")
    } else {
        ("", "")
    };
    let split: String = (0..renditions.len()).map(|index| format!("[scale{index}]")).collect();
    let mut graph = format!("[in]{turn}{mapping}split={}{split}", renditions.len());
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
