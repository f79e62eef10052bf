//! Pictures that stand still: of full range, as JPEG has them.

use ffmpeg_next::{Error, Packet, Rational, codec, encoder, ffi, filter::Graph, format::Pixel, frame};

use crate::filter::{VIDEO_CLOCK, find};

pub const CONTENT_TYPE: &str = "image/jpeg";

/// From 2 (best) to 31.
const QUALITY: usize = 5;

/// Makes pictures of one size smaller.
pub struct Shrinker {
    graph: Graph,
}

impl Shrinker {
    /// For pictures like this one, in 4:2:0.
    pub fn new(picture: &frame::Video, width: u32, height: u32) -> Result<Self, Error> {
        let mut graph = Graph::new();
        let arguments = format!(
            "video_size={}x{}:pix_fmt=yuv420p:time_base=1/{VIDEO_CLOCK}:pixel_aspect=1/1",
            picture.width(),
            picture.height()
        );
        graph.add(&find("buffer")?, "in", &arguments)?;
        graph.add(&find("buffersink")?, "out", "")?;
        let description = format!(
            "[in]scale={width}:{height}:flags=bicubic:in_range=limited:out_range=full,format=yuvj420p[out]"
        );
        graph.output("in", 0)?.input("out", 0)?.parse(&description)?;
        graph.validate()?;
        Ok(Self { graph })
    }

    pub fn run(&mut self, picture: &frame::Video) -> Result<frame::Video, Error> {
        // A picture is a reference; the encoder gets another one.
        self.graph.get("in").ok_or(Error::FilterNotFound)?.source().add(&picture.clone())?;
        let mut shrunk = frame::Video::empty();
        self.graph.get("out").ok_or(Error::FilterNotFound)?.sink().frame(&mut shrunk)?;
        Ok(shrunk)
    }
}

/// The file of a picture.
pub fn encode(picture: &frame::Video) -> Result<Vec<u8>, Error> {
    let codec = encoder::find_by_name("mjpeg").ok_or(Error::EncoderNotFound)?;
    let mut video = codec::Context::new_with_codec(codec).encoder().video()?;
    video.set_width(picture.width());
    video.set_height(picture.height());
    video.set_format(Pixel::YUVJ420P);
    video.set_time_base(Rational(1, 25));
    video.set_flags(codec::Flags::QSCALE);
    video.set_quality(QUALITY * usize::try_from(ffi::FF_QP2LAMBDA).unwrap_or(1));
    let mut encoder = video.open()?;
    let mut still = picture.clone();
    still.set_pts(Some(0));
    // SAFETY: both are valid for the call; plain numbers are copied. The encoder takes the quality from each picture.
    unsafe { (*still.as_mut_ptr()).quality = (*encoder.as_ptr()).global_quality };
    still.set_kind(ffmpeg_next::picture::Type::None);
    encoder.send_frame(&still)?;
    encoder.send_eof()?;
    let mut packet = Packet::empty();
    encoder.receive_packet(&mut packet)?;
    Ok(packet.data().unwrap_or_default().to_vec())
}

/// A black picture.
pub fn black(width: u32, height: u32) -> frame::Video {
    let mut picture = frame::Video::new(Pixel::YUVJ420P, width, height);
    for (plane, value) in [(0, 0), (1, 128), (2, 128)] {
        picture.data_mut(plane).fill(value);
    }
    picture
}

/// Lays a picture upon another one, as far as it reaches, at an even place.
pub fn paste(onto: &mut frame::Video, picture: &frame::Video, x: u32, y: u32) {
    for plane in 0..3 {
        let halved = u32::from(plane > 0);
        let size = |pixels: u32| usize::try_from(pixels.div_ceil(1 + halved)).unwrap_or(0);
        let width = size(picture.width()).min(size(onto.width()).saturating_sub(size(x)));
        let (to_stride, from_stride) = (onto.stride(plane), picture.stride(plane));
        let rows = onto.data_mut(plane).chunks_mut(to_stride.max(1)).skip(size(y));
        for (to, from) in
            rows.zip(picture.data(plane).chunks(from_stride.max(1)).take(size(picture.height())))
        {
            let to = to.get_mut(size(x)..).and_then(|rest| rest.get_mut(..width));
            if let (Some(to), Some(from)) = (to, from.get(..width)) {
                to.copy_from_slice(from);
            }
        }
    }
}
