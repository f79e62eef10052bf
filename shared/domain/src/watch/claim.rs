//! What a player reports, checked.

use super::{HORIZON_SECONDS, SecondSet};
use crate::ids::PlaybackId;
use serde::{Deserialize, Serialize};

/// The most intervals that one heartbeat may report.
pub const MAX_INTERVALS: usize = 64;

/// The longest lesson, in seconds.
const MAX_DURATION_SECONDS: u32 = 12 * 3600;

/// The fastest rate that players know (the HTML standard asks for nothing beyond; browsers stop at 16).
const MAX_RATE: f64 = 16.0;

/// Beyond the horizon of what is credited, lateness makes no difference; bounding it keeps times sane.
const MAX_LATE_SECONDS: f64 = 2.0 * HORIZON_SECONDS as f64;

/// The length of a lesson in whole seconds, 1 to 43,200 (12 h). A last partial second does not count, since
/// it could never be watched whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "u32", into = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 43_200)]
pub struct LessonDuration(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a duration between 1 second and 12 hours")]
pub struct InvalidDuration;

impl LessonDuration {
    /// The longest that there can be: 12 hours.
    pub const LONGEST: Self = Self(MAX_DURATION_SECONDS);

    /// From a media file's duration in seconds; its last partial second is dropped.
    pub fn from_seconds(seconds: f64) -> Result<Self, InvalidDuration> {
        if (1.0..f64::from(MAX_DURATION_SECONDS + 1)).contains(&seconds) {
            Ok(Self(seconds as u32))
        } else {
            Err(InvalidDuration)
        }
    }

    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for LessonDuration {
    type Error = InvalidDuration;

    fn try_from(seconds: u32) -> Result<Self, InvalidDuration> {
        if (1..=MAX_DURATION_SECONDS).contains(&seconds) { Ok(Self(seconds)) } else { Err(InvalidDuration) }
    }
}

impl From<LessonDuration> for u32 {
    fn from(duration: LessonDuration) -> u32 {
        duration.0
    }
}

/// A heartbeat as the player sends it: numbers of seconds of which nothing is known yet.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    pub playback: PlaybackId,
    /// Played media time as `(from, to)` in seconds. A whole second counts when the intervals of one
    /// heartbeat cover all of it; so that none falls between two heartbeats, a player begins an interval that
    /// continues an earlier one at the whole second in which that ended.
    pub intervals: &'a [(f64, f64)],
    /// Where the player stands, in seconds of media time.
    pub position: f64,
    /// The player's rate; 1 is normal speed.
    pub rate: f64,
    /// How long ago, in seconds, the last of this was played: 0 from a player that is online. A difference,
    /// not a time of day, since learners' clocks are wrong. More than two days is taken as two days.
    pub late_seconds: f64,
}

/// Why a heartbeat is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeartbeat {
    #[error("has more than {MAX_INTERVALS} intervals")]
    TooManyIntervals,
    #[error("interval {0} is not two finite numbers")]
    IntervalNotFinite(usize),
    #[error("interval {0} begins before the lesson")]
    IntervalNegative(usize),
    #[error("interval {0} does not end after it begins")]
    IntervalBackwards(usize),
    #[error("interval {0} ends after the lesson")]
    IntervalBeyondEnd(usize),
    #[error("position is not within the lesson")]
    Position,
    #[error("rate is not between 0 and 16")]
    Rate,
    #[error("lateness is not a number of seconds from 0 up")]
    Lateness,
}

/// A heartbeat that is well-formed. Whether it is believed is decided by [`credit`](super::credit()).
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    pub(super) playback: PlaybackId,
    pub(super) seconds: SecondSet,
    pub(super) position_seconds: u32,
    pub(super) rate: f64,
    pub(super) late_millis: i64,
}

impl Claim {
    /// Checks a heartbeat against the length of its lesson. Times are rounded to milliseconds, then a whole
    /// second counts if it is covered without a gap, so rounding never claims more than was reported. The
    /// lesson's last partial second may be reported and is cut off.
    pub fn parse(reported: &Reported, duration: LessonDuration) -> Result<Self, InvalidHeartbeat> {
        // The media's own end lies somewhere in the partial second after the last whole one.
        let end = f64::from(duration.seconds() + 1);
        if reported.intervals.len() > MAX_INTERVALS {
            return Err(InvalidHeartbeat::TooManyIntervals);
        }
        let mut millis = Vec::with_capacity(reported.intervals.len());
        for (index, &(from, to)) in reported.intervals.iter().enumerate() {
            if !from.is_finite() || !to.is_finite() {
                return Err(InvalidHeartbeat::IntervalNotFinite(index));
            }
            if from < 0.0 {
                return Err(InvalidHeartbeat::IntervalNegative(index));
            }
            if from >= to {
                return Err(InvalidHeartbeat::IntervalBackwards(index));
            }
            if to > end {
                return Err(InvalidHeartbeat::IntervalBeyondEnd(index));
            }
            millis.push(((from * 1000.0).round() as u32, (to * 1000.0).round() as u32));
        }
        if !(0.0..=end).contains(&reported.position) {
            return Err(InvalidHeartbeat::Position);
        }
        if !(0.0..=MAX_RATE).contains(&reported.rate) {
            return Err(InvalidHeartbeat::Rate);
        }
        // An infinite lateness would be as good as a long one, but no player sends it.
        if !(0.0..f64::INFINITY).contains(&reported.late_seconds) {
            return Err(InvalidHeartbeat::Lateness);
        }
        // Joined as milliseconds first, so that two halves of a second make one.
        let played = SecondSet::from_intervals(millis);
        let whole = played.intervals().map(|(from, to)| (from.div_ceil(1000), to / 1000));
        Ok(Self {
            playback: reported.playback,
            seconds: SecondSet::from_intervals(whole).clip(0, duration.seconds()),
            position_seconds: (reported.position as u32).min(duration.seconds()),
            rate: reported.rate,
            late_millis: (reported.late_seconds.min(MAX_LATE_SECONDS) * 1000.0).round() as i64,
        })
    }

    /// The whole seconds that the heartbeat says were played.
    pub const fn seconds(&self) -> &SecondSet {
        &self.seconds
    }

    /// The claim to those of its seconds that were handed out, and the others.
    pub fn delivered(self, handed_out: &SecondSet) -> (Self, SecondSet) {
        let others = self.seconds.difference(handed_out);
        let seconds = self.seconds.difference(&others);
        (Self { seconds, ..self }, others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use proptest::prelude::*;

    fn playback() -> PlaybackId {
        PlaybackId::new(Timestamp::from_millis(1_790_000_000_000), [1; 10])
    }

    fn reported(intervals: &[(f64, f64)]) -> Reported<'_> {
        Reported { playback: playback(), intervals, position: 0.0, rate: 1.0, late_seconds: 0.0 }
    }

    fn minute() -> LessonDuration {
        LessonDuration::from_seconds(60.48).unwrap()
    }

    fn seconds(intervals: &[(f64, f64)]) -> Vec<(u32, u32)> {
        Claim::parse(&reported(intervals), minute()).unwrap().seconds.intervals().collect()
    }

    #[test]
    fn a_second_counts_when_it_is_covered_whole() {
        assert_eq!(seconds(&[(0.0, 10.0)]), [(0, 10)]);
        assert_eq!(seconds(&[(0.2, 9.97)]), [(1, 9)]);
        assert_eq!(seconds(&[(3.5, 4.4)]), []);
        assert_eq!(seconds(&[(4.4, 8.0), (0.0, 4.4)]), [(0, 8)], "two halves make one second");
        assert_eq!(
            seconds(&[(0.1 + 0.2, 0.9), (0.0, 0.3), (0.9, 2.0000000001)]),
            [(0, 2)],
            "binary fractions"
        );
        assert_eq!(seconds(&[(0.0, 0.4), (0.6, 1.0)]), [], "a gap is a gap");
    }

    #[test]
    fn the_last_partial_second_is_cut_off() {
        assert_eq!(minute().seconds(), 60);
        assert_eq!(seconds(&[(55.0, 60.48)]), [(55, 60)]);
        assert_eq!(seconds(&[(55.0, 61.0)]), [(55, 60)]);
        let at_the_end = Reported { position: 60.48, ..reported(&[]) };
        assert_eq!(Claim::parse(&at_the_end, minute()).unwrap().position_seconds, 60);
    }

    #[test]
    fn what_is_malformed_has_its_own_error() {
        use InvalidHeartbeat::*;
        for (from, to, error) in [
            (f64::NAN, 1.0, IntervalNotFinite(1)),
            (0.0, f64::INFINITY, IntervalNotFinite(1)),
            (-0.001, 1.0, IntervalNegative(1)),
            (5.0, 5.0, IntervalBackwards(1)),
            (5.0, 4.0, IntervalBackwards(1)),
            (5.0, 61.1, IntervalBeyondEnd(1)),
            (1e300, 2e300, IntervalBeyondEnd(1)),
        ] {
            assert_eq!(
                Claim::parse(&reported(&[(0.0, 1.0), (from, to)]), minute()),
                Err(error),
                "{from} {to}"
            );
        }
        assert!(Claim::parse(&reported(&[(0.0, 1.0); MAX_INTERVALS]), minute()).is_ok());
        let too_many = Claim::parse(&reported(&[(0.0, 1.0); MAX_INTERVALS + 1]), minute());
        assert_eq!(too_many, Err(TooManyIntervals));
        let fine = reported(&[]);
        for (bad, error) in [
            (Reported { position: f64::NAN, ..fine }, Position),
            (Reported { position: 61.5, ..fine }, Position),
            (Reported { position: -1.0, ..fine }, Position),
            (Reported { rate: f64::INFINITY, ..fine }, Rate),
            (Reported { rate: -1.0, ..fine }, Rate),
            (Reported { rate: 16.5, ..fine }, Rate),
            (Reported { late_seconds: -1.0, ..fine }, Lateness),
            (Reported { late_seconds: f64::NAN, ..fine }, Lateness),
            (Reported { late_seconds: f64::INFINITY, ..fine }, Lateness),
        ] {
            assert_eq!(Claim::parse(&bad, minute()), Err(error), "{bad:?}");
        }
    }

    #[test]
    fn a_lesson_lasts_from_one_second_to_twelve_hours() {
        for seconds in [0.0, 0.99, -1.0, 43_201.0, f64::NAN, f64::INFINITY] {
            assert_eq!(LessonDuration::from_seconds(seconds), Err(InvalidDuration), "{seconds}");
        }
        for (seconds, whole) in [(1.0, 1), (43_200.9, 43_200)] {
            assert_eq!(LessonDuration::from_seconds(seconds).map(LessonDuration::seconds), Ok(whole));
        }
    }

    proptest! {
        #[test]
        fn rounding_never_claims_more_than_was_reported(
            parts in prop::collection::vec((0.0..60.0_f64, 0.001..15.0_f64), 0..MAX_INTERVALS),
        ) {
            let intervals: Vec<_> = parts.iter().map(|(from, length)| (*from, (from + length).min(60.48))).collect();
            let claim = Claim::parse(&reported(&intervals), minute()).unwrap();
            let total: f64 = intervals.iter().map(|(from, to)| to - from).sum();
            // Half a millisecond at each end of each interval.
            prop_assert!(f64::from(claim.seconds.seconds()) <= total + 0.001 * intervals.len() as f64);
        }

        #[test]
        fn any_numbers_are_a_claim_within_the_lesson_or_an_error(
            parts in prop::collection::vec((any::<f64>(), any::<f64>()), 0..4),
            position: f64, rate: f64, late_seconds: f64,
        ) {
            let wild = Reported { intervals: &parts, position, rate, late_seconds, ..reported(&[]) };
            if let Ok(claim) = Claim::parse(&wild, minute()) {
                prop_assert!(claim.seconds.intervals().all(|(_, to)| to <= 60));
                prop_assert!(claim.position_seconds <= 60 && claim.late_millis >= 0);
            }
        }
    }
}
