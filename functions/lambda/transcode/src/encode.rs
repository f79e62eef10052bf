//! The encoders, and what their headers say of them.

use ffmpeg_next::{
    ChannelLayout, Dictionary, Error, Packet, Rational, codec, encoder, ffi, format::Pixel, format::Sample,
    format::sample, frame, picture,
};

use crate::{
    filter::{SAMPLE_RATE, VIDEO_CLOCK},
    plan::Rendition,
};

/// Time between keyframes, in ticks of the video clock (Apple's HLS authoring specification: two seconds).
const KEYFRAME_INTERVAL: i64 = 2 * VIDEO_CLOCK as i64;

/// Bits per second of the audio rendition.
const AUDIO_BIT_RATE: usize = 128_000;

/// H.264 High of one rendition.
pub struct VideoEncoder {
    encoder: encoder::video::Encoder,
    /// The first moment at which the next picture is a keyframe, in ticks.
    next_keyframe: i64,
    /// When the first picture is shown, in ticks.
    start: Option<i64>,
    /// Packets that are decoded before the first picture is shown, and are still to come.
    early: i64,
}

impl VideoEncoder {
    /// An encoder for pictures like this one, whose colours it states.
    pub fn open(
        picture: &frame::Video,
        rendition: &Rendition,
        (rate, per): (u32, u32),
        threads: u16,
    ) -> Result<Self, Error> {
        let codec = encoder::find_by_name("libx264").ok_or(Error::EncoderNotFound)?;
        let mut video = codec::Context::new_with_codec(codec).encoder().video()?;
        video.set_width(rendition.width);
        video.set_height(rendition.height);
        video.set_format(Pixel::YUV420P);
        video.set_aspect_ratio(Rational(1, 1));
        video.set_time_base(Rational(1, VIDEO_CLOCK));
        video.set_frame_rate(Some(Rational(
            i32::try_from(rate).unwrap_or(25),
            i32::try_from(per).unwrap_or(1),
        )));
        video.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::CLOSED_GOP);
        copy_colours(picture, &mut video);

        let mut options = Dictionary::new();
        options.set("preset", "veryfast");
        options.set("profile", "high");
        options.set("crf", "23");
        options.set("maxrate", &rendition.max_bit_rate.to_string());
        options.set("bufsize", &rendition.max_bit_rate.saturating_mul(2).to_string());
        options.set("threads", &threads.to_string());
        // A keyframe that is asked for is an IDR frame, and there are no others.
        options.set("forced-idr", "1");
        options.set("x264-params", "keyint=infinite:scenecut=0:open-gop=0");
        options.set("a53cc", "0");
        let encoder = video.open_with(options)?;
        // SAFETY: the encoder is open, and has set this plain number.
        let early = i64::from(unsafe { (*encoder.as_ptr()).has_b_frames });
        Ok(Self { encoder, next_keyframe: 0, start: None, early })
    }

    /// Takes a picture whose timestamp is in ticks of the video clock and later than the last one's.
    pub fn send(&mut self, mut picture: frame::Video) -> Result<(), Error> {
        let moment = picture.pts().unwrap_or(0);
        self.start.get_or_insert(moment);
        if moment >= self.next_keyframe {
            picture.set_kind(picture::Type::I);
            self.next_keyframe = (moment.div_euclid(KEYFRAME_INTERVAL) + 1) * KEYFRAME_INTERVAL;
        } else {
            // What the source's frame was says nothing to this encoder.
            picture.set_kind(picture::Type::None);
        }
        self.encoder.send_frame(&picture)
    }

    pub fn finish(&mut self) -> Result<(), Error> {
        self.encoder.send_eof()
    }

    /// The next packet. Those that are decoded before the first picture is shown are decoded a tick before each other, while
    /// x264 goes by how far the first pictures lie apart: so all parts of a video can share one initialisation segment, whose
    /// edit list has this delay, and no part begins to be decoded before the one before it has ended.
    pub fn receive(&mut self) -> Result<Option<Packet>, Error> {
        let Some(mut packet) = receive(&mut self.encoder)? else { return Ok(None) };
        if let (Some(start), Some(moment)) = (self.start, packet.dts())
            && moment < start
        {
            packet.set_dts(Some(start - self.early));
            self.early -= 1;
        }
        Ok(Some(packet))
    }

    pub fn context(&self) -> &codec::Context {
        &self.encoder
    }

    /// `avc1.PPCCLL` (RFC 6381 §3.3) from the profile, constraints and level in the encoder's sequence parameter set.
    pub fn codec_string(&self) -> Result<String, Error> {
        let header = extradata(&self.encoder);
        // An Annex B stream: the parameter set is the NAL unit of type 7, and its first three bytes say it all.
        header
            .windows(3)
            .enumerate()
            .filter(|(_, window)| *window == [0, 0, 1])
            .filter_map(|(offset, _)| header.get(offset + 3..offset + 7))
            .find_map(|unit| match unit {
                [kind, profile, constraints, level] if kind & 0x1f == 7 => {
                    Some(format!("avc1.{profile:02x}{constraints:02x}{level:02x}"))
                }
                _ => None,
            })
            .ok_or(Error::InvalidData)
    }
}

/// AAC-LC stereo at 48 kHz.
pub struct AudioEncoder {
    encoder: encoder::audio::Encoder,
    /// Samples sent so far: the timestamp of the next one.
    samples: u64,
}

impl AudioEncoder {
    pub fn open() -> Result<Self, Error> {
        let codec = encoder::find_by_name("aac").ok_or(Error::EncoderNotFound)?;
        let mut audio = codec::Context::new_with_codec(codec).encoder().audio()?;
        audio.set_rate(i32::try_from(SAMPLE_RATE).unwrap_or(i32::MAX));
        audio.set_format(Sample::F32(sample::Type::Planar));
        audio.set_channel_layout(ChannelLayout::STEREO);
        audio.set_bit_rate(AUDIO_BIT_RATE);
        audio.set_time_base(Rational(1, i32::try_from(SAMPLE_RATE).unwrap_or(i32::MAX)));
        audio.set_flags(codec::Flags::GLOBAL_HEADER);
        Ok(Self { encoder: audio.open()?, samples: 0 })
    }

    /// Samples that the encoder takes at a time.
    pub fn frame_size(&self) -> u32 {
        self.encoder.frame_size()
    }

    /// Samples taken so far.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Takes sound that follows what was sent before without a gap.
    pub fn send(&mut self, mut sound: frame::Audio) -> Result<(), Error> {
        sound.set_pts(i64::try_from(self.samples).ok());
        self.samples += u64::try_from(sound.samples()).unwrap_or(0);
        self.encoder.send_frame(&sound)
    }

    pub fn finish(&mut self) -> Result<(), Error> {
        self.encoder.send_eof()
    }

    pub fn receive(&mut self) -> Result<Option<Packet>, Error> {
        receive(&mut self.encoder)
    }

    pub fn context(&self) -> &codec::Context {
        &self.encoder
    }

    /// `mp4a.40.N` (RFC 6381 §3.3), where N is the object type in the first five bits of the AudioSpecificConfig
    /// (ISO 14496-3 §1.6.2.1).
    pub fn codec_string(&self) -> Result<String, Error> {
        let first = extradata(&self.encoder).first().ok_or(Error::InvalidData)?;
        Ok(format!("mp4a.40.{}", first >> 3))
    }
}

fn receive(encoder: &mut encoder::Encoder) -> Result<Option<Packet>, Error> {
    let mut packet = Packet::empty();
    match encoder.receive_packet(&mut packet) {
        Ok(()) => Ok(Some(packet)),
        Err(Error::Eof | Error::Other { errno: ffmpeg_next::error::EAGAIN }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn extradata(context: &codec::Context) -> &[u8] {
    // SAFETY: an open encoder's extradata is `extradata_size` bytes that live as long as the context and are not
    // written after it was opened.
    unsafe {
        let context = &*context.as_ptr();
        match usize::try_from(context.extradata_size) {
            Ok(length) if !context.extradata.is_null() => {
                std::slice::from_raw_parts(context.extradata, length)
            }
            _ => &[],
        }
    }
}

/// Lets the encoder state the colours that the filtered picture states.
fn copy_colours(picture: &frame::Video, context: &mut codec::Context) {
    // SAFETY: both pointers are valid for the call. The fields are enums that a hostile file may have filled with any
    // number, so they are copied as memory and compared as numbers, never read as enums.
    unsafe {
        let (from, to) = (picture.as_ptr(), context.as_mut_ptr());
        (&raw mut (*to).color_range).copy_from_nonoverlapping(&raw const (*from).color_range, 1);
        (&raw mut (*to).color_primaries).copy_from_nonoverlapping(&raw const (*from).color_primaries, 1);
        (&raw mut (*to).color_trc).copy_from_nonoverlapping(&raw const (*from).color_trc, 1);
        // 4:2:0 with the matrix of RGB is a contradiction that the encoder refuses.
        let matrix = &raw const (*from).colorspace;
        if *matrix.cast::<u32>() == ffi::AVColorSpace::AVCOL_SPC_RGB as u32 {
            (*to).colorspace = ffi::AVColorSpace::AVCOL_SPC_UNSPECIFIED;
        } else {
            (&raw mut (*to).colorspace).copy_from_nonoverlapping(matrix, 1);
        }
    }
}
