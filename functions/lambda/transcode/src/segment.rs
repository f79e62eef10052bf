//! Packets in, files of one rendition out: an initialisation segment and media segments (ISO 14496-12 §8.8, RFC 8216
//! §3.3), cut at the same moments in every rendition.

use std::{
    collections::VecDeque,
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use ffmpeg_next::{
    Dictionary, Error, Packet, Rational, Rescale, codec, ffi,
    format::{
        context::{Output, StreamIo},
        output_to_stream,
    },
};

use crate::{
    Limits, TranscodeError,
    encryption::ContentKey,
    folder::Folder,
    made::{Segment, Track},
    playlist::TARGET_SECONDS,
};

/// Name of the initialisation segment within a rendition's folder.
const INITIALISATION: &str = "init.mp4";

const MICROSECONDS: Rational = Rational(1, 1_000_000);

/// What one rendition is written as.
pub struct Target<'a> {
    /// Name of its folder.
    pub folder: &'a str,
    pub content_type: &'static str,
    /// What its segments are encrypted with, and its number among all tracks of the video.
    pub key: Option<(&'a ContentKey, u32)>,
    /// When it begins, in ticks of the encoder.
    pub start: i64,
}

/// Writes one rendition.
pub struct Segmenter {
    output: Output,
    written: Written,
    folder: String,
    content_type: &'static str,
    key: Option<(ContentKey, u32)>,
    /// Clock of the packets that come in.
    clock: Rational,
    /// Ticks between the moments at which a segment may end.
    target: i64,
    /// Length below which a segment is not begun, in ticks.
    shortest: i64,
    /// What is not muxed yet: at least the last packet, whose duration the next one tells.
    waiting: VecDeque<Packet>,
    /// First timestamp of the segment being filled, in ticks.
    start: i64,
    initialised: bool,
    segments: Vec<Segment>,
}

impl Segmenter {
    /// A rendition of what this encoder makes.
    pub fn open(target: &Target<'_>, encoder: &codec::Context) -> Result<Self, Error> {
        let clock = encoder.time_base();
        let written = Written::default();
        let mut output = output_to_stream(StreamIo::from_write(written.clone())?, None, Some("mp4"))?;
        output.add_stream_with(encoder)?.set_time_base(clock);
        let mut options = Dictionary::new();
        // Fragments end where we say. The header waits for the first packet, so that its edit list can cancel the
        // encoder's delay (reordered pictures, AAC's priming) and the first picture is shown at zero; a part of a video
        // begins as if what comes before it had been written already.
        options.set(
            "movflags",
            "frag_custom+delay_moov+default_base_moof+dash+frag_discont+skip_sidx+skip_trailer",
        );
        options.set("avoid_negative_ts", "disabled");
        output.write_header_with(options)?;
        Ok(Self {
            output,
            written,
            folder: target.folder.to_owned(),
            content_type: target.content_type,
            key: target.key.map(|(key, track)| (key.clone(), track)),
            clock,
            target: i64::from(TARGET_SECONDS).rescale(Rational(1, 1), clock),
            shortest: 1.rescale(Rational(1, 1), clock),
            waiting: VecDeque::new(),
            start: target.start,
            initialised: false,
            segments: Vec::new(),
        })
    }

    /// Takes the next packet in decoding order; a keyframe past the segment's end begins a new one.
    pub fn push(
        &mut self,
        packet: Packet,
        folder: &mut Folder,
        limits: &Limits,
    ) -> Result<(), TranscodeError> {
        let failed = |error| TranscodeError::encoding("mux", error, limits);
        self.waiting.push_back(packet);
        while let (Some(first), Some(second), Some(last)) =
            (self.waiting.front(), self.waiting.get(1), self.waiting.back())
        {
            let moment = first.pts().unwrap_or(self.start);
            if first.is_key() && moment.div_euclid(self.target) > self.start.div_euclid(self.target) {
                if span(first, last) < self.shortest {
                    break;
                }
                self.flush().map_err(failed)?;
                self.end_segment(moment, folder)?;
            } else {
                let duration = span(first, second);
                self.mux_first(duration).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Ends the rendition at the moment `end`, in ticks. What would be a last segment of less than a second belongs to the
    /// one before.
    pub fn finish(
        mut self,
        end: i64,
        last_duration: i64,
        folder: &mut Folder,
        codec: String,
        limits: &Limits,
    ) -> Result<Track, TranscodeError> {
        let failed = |error| TranscodeError::encoding("mux", error, limits);
        while let Some(first) = self.waiting.front() {
            let duration = self.waiting.get(1).map_or(last_duration, |second| span(first, second));
            self.mux_first(duration).map_err(failed)?;
        }
        self.flush().map_err(failed)?;
        self.end_segment(end, folder)?;
        self.output.write_trailer().map_err(failed)?;
        let initialisation = format!("{}/{INITIALISATION}", self.folder);
        Ok(Track { folder: self.folder, initialisation, codec, segments: self.segments })
    }

    /// Hands the first waiting packet to the muxer.
    fn mux_first(&mut self, duration: i64) -> Result<(), Error> {
        let Some(mut packet) = self.waiting.pop_front() else { return Ok(()) };
        packet.set_duration(duration);
        self.mux(packet)
    }

    fn mux(&mut self, mut packet: Packet) -> Result<(), Error> {
        let stream_clock = self.output.stream(0).ok_or(Error::StreamNotFound)?.time_base();
        packet.set_stream(0);
        packet.rescale_ts(self.clock, stream_clock);
        packet.write(&mut self.output).map(|_| ())
    }

    /// Makes the muxer write the packets that it holds as one fragment.
    fn flush(&mut self) -> Result<(), Error> {
        // The first call writes the header that was waiting, and perhaps no more.
        for _ in 0..2 {
            // SAFETY: the output is open and its header written; a null packet asks the muxer to flush.
            let result = unsafe {
                let output = self.output.as_mut_ptr();
                let result = ffi::av_write_frame(output, std::ptr::null_mut());
                ffi::avio_flush((*output).pb);
                result
            };
            if result < 0 {
                return Err(Error::from(result));
            }
            if self.initialised || self.written.holds_more_than_header() {
                return Ok(());
            }
        }
        Err(Error::Bug)
    }

    fn end_segment(&mut self, end: i64, folder: &mut Folder) -> Result<(), TranscodeError> {
        let mut content = self.written.take();
        if !self.initialised {
            let media = content.split_off(header_length(&content).unwrap_or(content.len()));
            folder.write(format!("{}/{INITIALISATION}", self.folder), self.content_type, &content)?;
            self.initialised = true;
            content = media;
        }
        // Numbered by time, so that the parts of a video go on where the one before ended.
        let number = self.start.div_euclid(self.target).max(0);
        let path = format!("{}/segment-{number:05}.m4s", self.folder);
        let mut iv = None;
        if let Some((key, track)) = &self.key {
            let vector = ContentKey::vector(*track, number.cast_unsigned());
            content = key.encrypt(&vector, &content);
            iv = Some(vector);
        }
        folder.write(path.clone(), self.content_type, &content)?;
        let microseconds = |ticks: i64| ticks.rescale(self.clock, MICROSECONDS);
        let duration_us = u64::try_from(microseconds(end) - microseconds(self.start)).unwrap_or(0);
        let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.segments.push(Segment { path, duration_us, bytes, iv });
        self.start = end;
        Ok(())
    }
}

/// Ticks from one packet to a later one, in decoding order.
fn span(first: &Packet, later: &Packet) -> i64 {
    match (first.dts(), later.dts()) {
        (Some(first), Some(later)) => later - first,
        _ => 0,
    }
}

/// What the muxer has written since it was last taken.
#[derive(Default, Clone)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Vec<u8> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn holds_more_than_header(&self) -> bool {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        header_length(&bytes).is_some_and(|header| bytes.len() > header)
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes up to the end of the box `moov`: a box begins with its length in 32 bits and its type (ISO 14496-12 §4.2).
fn header_length(bytes: &[u8]) -> Option<usize> {
    let mut offset = 0_usize;
    loop {
        let length = u32::from_be_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?);
        let kind = bytes.get(offset + 4..offset + 8)?;
        offset = offset.checked_add(usize::try_from(length).ok()?.max(8))?;
        if kind == b"moov" {
            return Some(offset);
        }
    }
}
