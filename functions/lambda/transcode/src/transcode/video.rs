//! The video track: one decoder, one filter, an encoder per rendition.

use ffmpeg_next::{Packet, Rational, Rescale, frame};

use super::{Task, TolerantDecoder};
use crate::{
    Limits, TranscodeError,
    encode::VideoEncoder,
    encryption::ContentKey,
    filter::{PictureFilter, VIDEO_CLOCK},
    folder::Folder,
    made::{Thumbnail, Track},
    plan::Rendition,
    probe::Rotation,
    segment::{Segmenter, Target},
    source::Source,
    stills::StillMaker,
};

const MICROSECONDS: Rational = Rational(1, 1_000_000);
const TICKS: Rational = Rational(1, VIDEO_CLOCK);
pub const TICKS_PER_MS: i64 = VIDEO_CLOCK as i64 / 1000;

/// A finished video track, or a part of one.
pub struct FinishedVideo {
    /// When the last picture ends, in milliseconds from the beginning.
    pub duration_ms: u64,
    /// In the order of the plan; none where there was no picture.
    pub renditions: Vec<Track>,
    pub poster: Option<String>,
    pub thumbnails: Vec<Thumbnail>,
}

pub struct VideoTrack<'a> {
    decoder: TolerantDecoder,
    filter: Option<PictureFilter>,
    /// One per rendition of the plan, from the first picture on.
    outputs: Vec<Output>,
    stills: StillMaker<'a>,
    renditions: &'a [Rendition],
    key: Option<&'a ContentKey>,
    limits: &'a Limits,
    rotation: Rotation,
    frame_rate: (u32, u32),
    source_clock: Rational,
    /// Where the source's clock stands at the beginning, in ticks.
    origin: i64,
    /// Pictures before are decoded only, in ticks from the beginning.
    from: i64,
    /// Where the part ends, in ticks from the beginning.
    until: Option<i64>,
    /// Timestamp and duration of the last picture, in ticks from the beginning.
    last: Option<(i64, i64)>,
    /// Timestamp of the first picture of the next part.
    next: Option<i64>,
}

struct Output {
    encoder: VideoEncoder,
    segmenter: Segmenter,
}

impl<'a> VideoTrack<'a> {
    pub fn open(source: &Source, task: &'a Task, limits: &'a Limits) -> Result<Self, TranscodeError> {
        let (from_ms, until_ms) = task.part.span();
        let ticks = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(TICKS_PER_MS);
        Ok(Self {
            decoder: TolerantDecoder::new(source.video.open_decoder(&source.input, limits)?),
            filter: None,
            outputs: Vec::new(),
            stills: StillMaker::new(&task.plan.stills, ticks(from_ms), until_ms.map(ticks)),
            renditions: &task.plan.renditions,
            key: task.key.as_ref(),
            limits,
            rotation: source.probe.video.rotation,
            frame_rate: source.probe.video.frame_rate,
            source_clock: source.video.time_base,
            origin: source.start_microseconds().rescale(MICROSECONDS, TICKS),
            from: ticks(from_ms),
            until: until_ms.map(ticks),
            last: None,
            next: None,
        })
    }

    /// Takes the next packet, or none at the end.
    pub fn push(&mut self, packet: Option<&Packet>, folder: &mut Folder) -> Result<(), TranscodeError> {
        self.decoder.send(packet, self.limits)?;
        let mut picture = frame::Video::empty();
        while self.decoder.receive(&mut picture, self.limits)? {
            self.encode(&mut picture, folder)?;
        }
        Ok(())
    }

    /// Milliseconds from the beginning of the video up to the last decoded picture.
    pub fn done_ms(&self) -> u64 {
        self.last.and_then(|(moment, _)| u64::try_from(moment / TICKS_PER_MS).ok()).unwrap_or(0)
    }

    /// Whether the part has all its pictures.
    pub fn is_done(&self) -> bool {
        self.next.is_some()
    }

    /// Ends every rendition. A part may have no pictures, where the one before it stands still until the next part or the end,
    /// or the pictures have ended before the video has.
    pub fn finish(mut self, folder: &mut Folder) -> Result<FinishedVideo, TranscodeError> {
        if self.decoder.is_mostly_damaged() {
            return Err(TranscodeError::Damaged);
        }
        let (moment, duration) = match (self.last.filter(|_| !self.outputs.is_empty()), self.next) {
            (Some((moment, _)), Some(next)) => (moment, next - moment),
            (Some(last), None) => last,
            (None, Some(_)) => (self.from, 0),
            (None, None) => self.last.ok_or(TranscodeError::Damaged)?,
        };
        let limits = self.limits;
        let mut renditions = Vec::with_capacity(self.outputs.len());
        for mut output in self.outputs.drain(..) {
            output.encoder.finish().map_err(|error| TranscodeError::encoding("encode", error, limits))?;
            output.mux(folder, limits)?;
            let Output { encoder, segmenter } = output;
            let codec = encoder
                .codec_string()
                .map_err(|error| TranscodeError::encoding("video header", error, limits))?;
            renditions.push(segmenter.finish(moment + duration, duration, folder, codec, limits)?);
        }
        let duration_ms = u64::try_from((moment + duration) / TICKS_PER_MS).unwrap_or(0);
        let (poster, thumbnails) = self.stills.finish(folder, limits)?;
        Ok(FinishedVideo { duration_ms, renditions, poster, thumbnails })
    }

    fn encode(&mut self, picture: &mut frame::Video, folder: &mut Folder) -> Result<(), TranscodeError> {
        let limits = self.limits;
        let failed = |error| TranscodeError::encoding("encode", error, limits);
        let Some(moment) = self.place(picture)? else { return Ok(()) };
        if moment < self.from || self.is_done() {
            return Ok(());
        }
        if self.until.is_some_and(|until| moment >= until) {
            self.next = Some(moment);
            return Ok(());
        }
        picture.set_pts(Some(moment));
        let filter = match self.filter.take() {
            Some(filter) if filter.takes(picture) => self.filter.insert(filter),
            _ => {
                let filter = PictureFilter::new(picture, self.rotation, self.renditions, limits.threads);
                self.filter.insert(filter.map_err(failed)?)
            }
        };
        let pictures = filter.run(picture).map_err(failed)?;
        if self.outputs.is_empty() {
            for ((picture, rendition), track) in pictures.iter().zip(self.renditions).zip(0..) {
                let encoder = VideoEncoder::open(picture, rendition, self.frame_rate, limits.threads);
                let encoder = encoder.map_err(failed)?;
                let target = Target {
                    folder: &rendition.name,
                    content_type: "video/mp4",
                    key: self.key.map(|key| (key, track)),
                    start: moment,
                };
                let segmenter = Segmenter::open(&target, encoder.context()).map_err(failed)?;
                self.outputs.push(Output { encoder, segmenter });
            }
        }
        self.stills.see(moment, &pictures, folder, limits)?;
        for (picture, output) in pictures.into_iter().zip(&mut self.outputs) {
            output.encoder.send(picture).map_err(failed)?;
            output.mux(folder, limits)?;
        }
        Ok(())
    }

    /// When the picture is shown, in ticks from the beginning; none if that is not after the picture before it. The
    /// first picture is shown from the beginning, however late it comes.
    fn place(&mut self, picture: &frame::Video) -> Result<Option<i64>, TranscodeError> {
        let ticks = |units: i64| units.rescale(self.source_clock, TICKS);
        let (rate, per) = self.frame_rate;
        let usual = i64::from(VIDEO_CLOCK) * i64::from(per) / i64::from(rate.max(1));
        let stated = picture.packet().duration;
        let duration = if stated > 0 { ticks(stated) } else { usual }.max(1);
        let moment = match (self.last, picture.timestamp()) {
            (None, _) if self.from == 0 => 0,
            (None, None) => return Ok(None),
            (_, Some(units)) => ticks(units).saturating_sub(self.origin),
            (Some((moment, duration)), None) => moment.saturating_add(duration),
        };
        let limit = i64::try_from(self.limits.duration_ms).unwrap_or(i64::MAX).saturating_mul(TICKS_PER_MS);
        if moment.saturating_add(duration) > limit.saturating_add(i64::from(VIDEO_CLOCK)) {
            return Err(TranscodeError::TooLong { limit_ms: self.limits.duration_ms });
        }
        if self.last.is_some_and(|(last, _)| moment <= last) {
            return Ok(None);
        }
        if self.until.is_none_or(|until| moment < until) {
            self.last = Some((moment, duration));
        }
        Ok(Some(moment))
    }
}

impl Output {
    /// Moves what the encoder has finished into segments.
    fn mux(&mut self, folder: &mut Folder, limits: &Limits) -> Result<(), TranscodeError> {
        let failed = |error| TranscodeError::encoding("encode", error, limits);
        while let Some(packet) = self.encoder.receive().map_err(failed)? {
            self.segmenter.push(packet, folder, limits)?;
        }
        Ok(())
    }
}
