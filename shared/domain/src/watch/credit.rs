//! The decision: how many of the claimed seconds count.

use super::clock::{LearnerClock, SECOND_MICROS};
use super::{Claim, Refusal, SecondSet, Watched};
use crate::time::Timestamp;
use std::ops::RangeInclusive;

/// The most that [`Rules::slack_seconds`] can be.
pub const MAX_SLACK_SECONDS: u32 = 300;

/// What the rate limit can be, in percent of normal speed.
pub const RATE_LIMIT_PERCENT: RangeInclusive<u32> = 50..=300;

/// How fast watching may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    rate_percent: u32,
    slack_seconds: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRules {
    #[error("rate limit is not between 0.5 and 3")]
    RateLimit,
    #[error("slack is more than {MAX_SLACK_SECONDS} seconds")]
    Slack,
}

impl Rules {
    /// `rate_percent` is the rate limit, within [`RATE_LIMIT_PERCENT`]: at 150, a wall-clock second is
    /// worth one and a half seconds of media. `slack_seconds` of wall time can be borrowed ahead for what
    /// networks do to the moments at which heartbeats arrive, and are paid back out of time that is not
    /// used; more than the usual distance between two heartbeats is a good value (15 s for one every 10 s).
    pub fn new(rate_percent: u32, slack_seconds: u32) -> Result<Self, InvalidRules> {
        if !RATE_LIMIT_PERCENT.contains(&rate_percent) {
            return Err(InvalidRules::RateLimit);
        }
        if slack_seconds > MAX_SLACK_SECONDS {
            return Err(InvalidRules::Slack);
        }
        Ok(Self { rate_percent, slack_seconds })
    }

    /// 150 is one and a half times normal speed.
    pub const fn rate_percent(&self) -> u32 {
        self.rate_percent
    }

    /// In seconds of wall time.
    pub const fn slack_seconds(&self) -> u32 {
        self.slack_seconds
    }

    /// What this many seconds of media cost, in microseconds of wall time, rounded up.
    fn cost_micros(&self, seconds: u32) -> i64 {
        let numerator = u64::from(seconds) * 100 * SECOND_MICROS.unsigned_abs();
        // Below 2^63: at most 2^32 · 10^8 / 50.
        i64::try_from(numerator.div_ceil(u64::from(self.rate_percent))).unwrap_or(i64::MAX)
    }

    /// How many seconds of media this much wall time and the slack pay for.
    fn affordable_seconds(&self, balance_micros: i64, wall_seconds: u32) -> u32 {
        let wall = i64::from(wall_seconds) + i64::from(self.slack_seconds);
        let micros = u64::try_from(balance_micros + wall * SECOND_MICROS).unwrap_or(0);
        let seconds = micros * u64::from(self.rate_percent) / (100 * SECOND_MICROS.unsigned_abs());
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

/// What a heartbeat changes. `watched` and `clock` are stored in one atomic step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// The lesson's set with the seconds that count.
    pub watched: Watched,
    /// Seconds that are new in the set.
    pub gained: u32,
    /// Seconds that would have been new but do not count. A heartbeat that is sent again is refused again.
    pub refused_seconds: u32,
    /// Given when `refused_seconds` is above zero.
    pub refusal: Option<Refusal>,
    pub clock: LearnerClock,
    /// Where to resume, in whole seconds of media time. It is a convenience of the learner's own, so it is
    /// taken whether or not the seconds count.
    pub position_seconds: u32,
    /// When the learner was at that position; the newest wins.
    pub played_at: Timestamp,
}

/// Decides a heartbeat that arrives at `now`, the server's time. If only some of its new seconds can be paid
/// for, the earliest of the lesson count. The module says what is guaranteed.
pub fn credit(
    clock: &LearnerClock,
    watched: &Watched,
    claim: &Claim,
    rules: &Rules,
    now: Timestamp,
) -> Credit {
    let played_at = Timestamp::from_millis(now.as_millis().saturating_sub(claim.late_millis));
    let mut clock = clock.clone();
    let window = clock.hear(claim.playback, now, played_at, rules.slack_seconds);
    let time = SecondSet::range(window.from, window.to);
    let unspent = time.difference(&clock.spent);

    let new = claim.seconds.difference(watched);
    let claimed = new.seconds();
    let gained = claimed.min(rules.affordable_seconds(clock.balance_micros, unspent.seconds()));
    let refused_seconds = claimed - gained;
    let refusal = (refused_seconds > 0).then(|| {
        if window.too_late {
            Refusal::TooLate
        } else if window.first {
            Refusal::NewPlayback
        } else if claim.rate * 100.0 > f64::from(rules.rate_percent) {
            Refusal::TooFast
        } else if claimed > rules.affordable_seconds(clock.balance_micros, time.seconds()) {
            Refusal::NotElapsed
        } else {
            Refusal::TimeAlreadyCounted
        }
    });

    // What was borrowed is paid back out of the same time. The latest goes first: playing ended there, and
    // what lies before it may belong to a heartbeat that is still on its way.
    let cost = rules.cost_micros(gained);
    let due = u64::try_from(cost - clock.balance_micros).unwrap_or(0).div_ceil(SECOND_MICROS.unsigned_abs());
    let paid = unspent.latest(u32::try_from(due).unwrap_or(u32::MAX));
    clock.balance_micros += i64::from(paid.seconds()) * SECOND_MICROS - cost;
    clock.spend(&paid);

    Credit {
        watched: watched.merge(&new.earliest(gained)),
        gained,
        refused_seconds,
        refusal,
        clock,
        position_seconds: claim.position_seconds,
        played_at,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LessonDuration, Reported};
    use super::*;
    use crate::ids::PlaybackId;

    const START: i64 = 1_790_000_000_000;

    #[test]
    fn the_position_is_taken_with_its_own_time() {
        let start = Timestamp::from_millis(START);
        let reported = Reported {
            playback: PlaybackId::new(start, [1; 10]),
            intervals: &[],
            position: 71.9,
            rate: 1.0,
            late_seconds: 30.0,
        };
        let claim = Claim::parse(&reported, LessonDuration::from_seconds(100.0).unwrap()).unwrap();
        let rules = Rules::new(100, 5).unwrap();
        let credit = credit(&LearnerClock::default(), &Watched::EMPTY, &claim, &rules, start);
        assert_eq!((credit.position_seconds, credit.played_at), (71, start.plus_seconds(-30)));
    }

    #[test]
    fn rules_are_bounded() {
        assert_eq!(Rules::new(49, 0), Err(InvalidRules::RateLimit));
        assert_eq!(Rules::new(301, 0), Err(InvalidRules::RateLimit));
        assert_eq!(Rules::new(100, 301), Err(InvalidRules::Slack));
        assert!(Rules::new(50, 0).is_ok() && Rules::new(300, 300).is_ok());
    }
}
