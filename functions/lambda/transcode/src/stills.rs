//! The poster of a video, and the small pictures that one sees while one looks for a moment, many on a sheet.

use ffmpeg_next::frame;

use crate::{
    Limits, TranscodeError,
    filter::VIDEO_CLOCK,
    folder::Folder,
    jpeg::{self, Shrinker},
    made::Thumbnail,
    plan,
};

/// Small pictures beside each other, and below each other.
const COLUMNS: u32 = 10;
const ROWS: u32 = 10;

/// The longer side of a poster, in pixels.
const POSTER_SIDE: u32 = 1280;

/// Between nearly black and nearly white, of 16 to 235.
const TELLING_LUMA: std::ops::RangeInclusive<u64> = 32..=224;

const TICKS_PER_MS: i64 = VIDEO_CLOCK as i64 / 1000;

pub struct StillMaker<'a> {
    plan: &'a plan::Stills,
    shrinker: Option<Shrinker>,
    sheet: Option<Sheet>,
    /// When the next small picture is due, in ticks.
    next_thumbnail: i64,
    thumbnails: Vec<Thumbnail>,
    /// When the next picture is looked at that may be the poster, in ticks; none once there is one, or where another part
    /// has it.
    next_poster: Option<i64>,
    /// The first of those, if none is better.
    fallback: Option<Vec<u8>>,
    poster: Option<String>,
}

/// Small pictures that are not yet a file.
struct Sheet {
    path: String,
    canvas: frame::Video,
    filled: u32,
}

impl<'a> StillMaker<'a> {
    /// For the pictures between two moments, in ticks.
    pub fn new(plan: &'a plan::Stills, from: i64, until: Option<i64>) -> Self {
        let ticks = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(TICKS_PER_MS);
        let poster_at = ticks(plan.poster_at_ms);
        let is_here = from <= poster_at && until.is_none_or(|until| poster_at < until);
        let interval = ticks(plan.interval_ms).max(1);
        Self {
            plan,
            shrinker: None,
            sheet: None,
            next_thumbnail: from.div_euclid(interval) * interval
                + if from % interval == 0 { 0 } else { interval },
            thumbnails: Vec::new(),
            next_poster: is_here.then_some(poster_at),
            fallback: None,
            poster: None,
        }
    }

    /// Looks at a moment in the size of each rendition, the largest first.
    pub fn see(
        &mut self,
        moment: i64,
        pictures: &[frame::Video],
        folder: &mut Folder,
        limits: &Limits,
    ) -> Result<(), TranscodeError> {
        let Some(smallest) = pictures.last() else { return Ok(()) };
        if moment >= self.next_thumbnail {
            let interval =
                i64::try_from(self.plan.interval_ms).unwrap_or(i64::MAX).saturating_mul(TICKS_PER_MS);
            self.next_thumbnail = (moment.div_euclid(interval.max(1)) + 1) * interval;
            self.add_thumbnail(moment, smallest, folder, limits)?;
        }
        if self.next_poster.is_some_and(|due| moment >= due) {
            let large = pictures.iter().find(|picture| picture.width().max(picture.height()) <= POSTER_SIDE);
            let tells = TELLING_LUMA.contains(&mean_luma(smallest));
            if tells || self.fallback.is_none() {
                let failed = |error| TranscodeError::encoding("poster", error, limits);
                let picture = large.unwrap_or(smallest);
                let (width, height) = (picture.width(), picture.height());
                let full = Shrinker::new(picture, width, height).and_then(|mut full| full.run(picture));
                self.fallback = Some(full.and_then(|picture| jpeg::encode(&picture)).map_err(failed)?);
            }
            // One picture a second is enough to look at.
            self.next_poster = (!tells).then_some(moment.saturating_add(i64::from(VIDEO_CLOCK)));
        }
        Ok(())
    }

    /// The path of the poster, and all small pictures.
    pub fn finish(
        mut self,
        folder: &mut Folder,
        limits: &Limits,
    ) -> Result<(Option<String>, Vec<Thumbnail>), TranscodeError> {
        if let Some(sheet) = self.sheet.take() {
            sheet.write(self.plan, folder, limits)?;
        }
        if let Some(content) = self.fallback.take() {
            folder.write("poster.jpg".to_owned(), jpeg::CONTENT_TYPE, &content)?;
            self.poster = Some("poster.jpg".to_owned());
        }
        Ok((self.poster, self.thumbnails))
    }

    fn add_thumbnail(
        &mut self,
        moment: i64,
        picture: &frame::Video,
        folder: &mut Folder,
        limits: &Limits,
    ) -> Result<(), TranscodeError> {
        let failed = |error| TranscodeError::encoding("small picture", error, limits);
        let (width, height) = (self.plan.width, self.plan.height);
        let shrinker = match self.shrinker.take() {
            Some(shrinker) => shrinker,
            None => Shrinker::new(picture, width, height).map_err(failed)?,
        };
        let small = self.shrinker.insert(shrinker).run(picture).map_err(failed)?;
        let number = self.thumbnails.len() / usize::try_from(COLUMNS * ROWS).unwrap_or(1);
        let sheet = self.sheet.get_or_insert_with(|| Sheet {
            path: format!("thumbnails/sheet-{number:03}.jpg"),
            canvas: jpeg::black(width * COLUMNS, height * ROWS),
            filled: 0,
        });
        let (x, y) = (sheet.filled % COLUMNS * width, sheet.filled / COLUMNS * height);
        jpeg::paste(&mut sheet.canvas, &small, x, y);
        sheet.filled += 1;
        let at_ms = u64::try_from(moment / TICKS_PER_MS).unwrap_or(0);
        self.thumbnails.push(Thumbnail { at_ms, sheet: sheet.path.clone(), x, y });
        if sheet.filled == COLUMNS * ROWS
            && let Some(sheet) = self.sheet.take()
        {
            sheet.write(self.plan, folder, limits)?;
        }
        Ok(())
    }
}

impl Sheet {
    /// As high as it is filled.
    fn write(self, plan: &plan::Stills, folder: &mut Folder, limits: &Limits) -> Result<(), TranscodeError> {
        let (rows, columns) = (self.filled.div_ceil(COLUMNS), self.filled.min(COLUMNS));
        let mut cut = jpeg::black(columns * plan.width, rows * plan.height);
        jpeg::paste(&mut cut, &self.canvas, 0, 0);
        let content = jpeg::encode(&cut).map_err(|error| TranscodeError::encoding("sheet", error, limits))?;
        folder.write(self.path, jpeg::CONTENT_TYPE, &content)
    }
}

/// How bright a picture in 4:2:0 is on average.
fn mean_luma(picture: &frame::Video) -> u64 {
    let width = usize::try_from(picture.width()).unwrap_or(0);
    let rows =
        picture.data(0).chunks(picture.stride(0).max(1)).take(usize::try_from(picture.height()).unwrap_or(0));
    let (sum, count) = rows
        .flat_map(|row| row.iter().take(width))
        .fold((0_u64, 0_u64), |(sum, count), luma| (sum + u64::from(*luma), count + 1));
    sum / count.max(1)
}
