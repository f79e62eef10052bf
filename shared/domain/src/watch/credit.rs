//! The decision: how many of the claimed seconds count.

use super::clock::{LearnerClock, SECOND_MICROS};
use super::{Claim, SecondSet, Watched};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The most that [`Rules::slack_seconds`] can be.
pub const MAX_SLACK_SECONDS: u32 = 300;

/// How fast watching may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    rate_hundredths: u32,
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
    /// `rate_hundredths` is the lesson's rate limit in hundredths, 50 to 300: at 150, a wall-clock second is
    /// worth one and a half seconds of media. `slack_seconds` of wall time can be borrowed ahead for what
    /// networks do to the moments at which heartbeats arrive, and are paid back out of time that is not
    /// used; more than the usual distance between two heartbeats is a good value (15 s for one every 10 s).
    pub const fn new(rate_hundredths: u32, slack_seconds: u32) -> Result<Self, InvalidRules> {
        if rate_hundredths < 50 || rate_hundredths > 300 {
            return Err(InvalidRules::RateLimit);
        }
        if slack_seconds > MAX_SLACK_SECONDS {
            return Err(InvalidRules::Slack);
        }
        Ok(Self { rate_hundredths, slack_seconds })
    }

    /// In hundredths: 150 is one and a half times normal speed.
    pub const fn rate_hundredths(&self) -> u32 {
        self.rate_hundredths
    }

    /// In seconds of wall time.
    pub const fn slack_seconds(&self) -> u32 {
        self.slack_seconds
    }

    /// What this many seconds of media cost, in microseconds of wall time, rounded up.
    fn cost_micros(&self, seconds: u32) -> i64 {
        let numerator = u64::from(seconds) * 100 * SECOND_MICROS.unsigned_abs();
        // Below 2^63: at most 2^32 · 10^8 / 50.
        i64::try_from(numerator.div_ceil(u64::from(self.rate_hundredths))).unwrap_or(i64::MAX)
    }

    /// How many seconds of media this much wall time and the slack pay for.
    fn affordable_seconds(&self, balance_micros: i64, wall_seconds: u32) -> u32 {
        let wall = i64::from(wall_seconds) + i64::from(self.slack_seconds);
        let micros = u64::try_from(balance_micros + wall * SECOND_MICROS).unwrap_or(0);
        let seconds = micros * u64::from(self.rate_hundredths) / (100 * SECOND_MICROS.unsigned_abs());
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

/// Why some of the claimed seconds do not count, in the order in which the first that fits is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It arrived more than a day after it was played.
    TooLate,
    /// The playback had not been heard of before, so no time is known to have passed in it.
    NewPlayback,
    /// The player's rate was above the lesson's limit.
    TooFast,
    /// More seconds were claimed than have passed.
    NotElapsed,
    /// Enough time has passed, but it was already counted, mostly for another lesson, tab or device.
    TimeAlreadyCounted,
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
        } else if claim.rate * 100.0 > f64::from(rules.rate_hundredths) {
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
    use super::super::{HORIZON_SECONDS, LessonDuration, Reported};
    use super::*;
    use crate::ids::PlaybackId;

    const START: i64 = 1_790_000_000_000;
    const DAY: i64 = HORIZON_SECONDS as i64;

    /// A learner with a clock, two lessons of two hours, and as many players as there are numbers.
    struct Learner {
        clock: LearnerClock,
        lessons: [Watched; 2],
        rules: Rules,
    }

    struct Beat {
        player: u8,
        lesson: usize,
        rate: f64,
        late: f64,
    }

    const PLAYER_1: Beat = Beat { player: 1, lesson: 0, rate: 1.0, late: 0.0 };

    impl Learner {
        fn new(rate_hundredths: u32, slack_seconds: u32) -> Self {
            let rules = Rules::new(rate_hundredths, slack_seconds).unwrap();
            Self { clock: LearnerClock::default(), lessons: [Watched::EMPTY, Watched::EMPTY], rules }
        }

        /// Sends a heartbeat `at` seconds after the start; answers what was gained, refused, and why.
        fn beat(&mut self, at: i64, beat: Beat, intervals: &[(f64, f64)]) -> (u32, u32, Option<Refusal>) {
            let start = Timestamp::from_millis(START);
            let reported = Reported {
                playback: PlaybackId::new(start, [beat.player; 10]),
                intervals,
                position: intervals.last().map_or(0.0, |interval| interval.1),
                rate: beat.rate,
                late_seconds: beat.late,
            };
            let claim = Claim::parse(&reported, LessonDuration::from_seconds(7200.0).unwrap()).unwrap();
            let watched = &self.lessons[beat.lesson];
            let credit = credit(&self.clock, watched, &claim, &self.rules, start.plus_seconds(at));
            assert_eq!(credit.watched.seconds(), watched.seconds() + credit.gained);
            assert_eq!(credit.refusal.is_some(), credit.refused_seconds > 0);
            let answer = (credit.gained, credit.refused_seconds, credit.refusal);
            self.clock = credit.clock;
            self.lessons[beat.lesson] = credit.watched;
            answer
        }
    }

    #[test]
    fn more_seconds_than_have_passed_are_not_believed() {
        let mut learner = Learner::new(100, 5);
        assert_eq!(learner.beat(0, PLAYER_1, &[(0.0, 3600.0)]), (5, 3595, Some(Refusal::NewPlayback)));
        // The five borrowed seconds are paid back first.
        assert_eq!(learner.beat(10, PLAYER_1, &[(5.0, 3600.0)]), (10, 3585, Some(Refusal::NotElapsed)));
        assert_eq!(learner.lessons[0], Watched::range(0, 15), "the earliest count");
    }

    #[test]
    fn a_repeated_heartbeat_changes_nothing() {
        let mut learner = Learner::new(100, 5);
        learner.beat(0, PLAYER_1, &[]);
        assert_eq!(learner.beat(60, PLAYER_1, &[(0.0, 60.0)]), (60, 0, None));
        let before = learner.clock.clone();
        for _ in 0..3 {
            assert_eq!(learner.beat(60, PLAYER_1, &[(0.0, 60.0)]), (0, 0, None));
        }
        assert_eq!(learner.clock, before);
        assert_eq!(
            learner.beat(120, PLAYER_1, &[(0.0, 120.0)]),
            (60, 0, None),
            "watching again costs nothing"
        );
    }

    #[test]
    fn two_players_share_one_clock() {
        let mut learner = Learner::new(100, 0);
        let player_2 = || Beat { player: 2, lesson: 1, ..PLAYER_1 };
        learner.beat(0, PLAYER_1, &[]);
        learner.beat(0, player_2(), &[]);
        assert_eq!(learner.beat(60, PLAYER_1, &[(0.0, 60.0)]), (60, 0, None));
        assert_eq!(learner.beat(60, player_2(), &[(0.0, 60.0)]), (0, 60, Some(Refusal::TimeAlreadyCounted)));
        let mut fast = Learner::new(200, 0);
        fast.beat(0, PLAYER_1, &[]);
        fast.beat(0, player_2(), &[]);
        assert_eq!(fast.beat(60, PLAYER_1, &[(0.0, 60.0)]), (60, 0, None));
        assert_eq!(fast.beat(60, player_2(), &[(0.0, 60.0)]), (60, 0, None), "at 2, an hour holds two");
    }

    #[test]
    fn a_rate_up_to_the_limit_counts_and_one_above_counts_at_the_limit() {
        let mut learner = Learner::new(150, 0);
        learner.beat(0, PLAYER_1, &[]);
        assert_eq!(learner.beat(60, Beat { rate: 1.5, ..PLAYER_1 }, &[(0.0, 90.0)]), (90, 0, None));
        let double = Beat { rate: 2.0, ..PLAYER_1 };
        assert_eq!(learner.beat(120, double, &[(90.0, 210.0)]), (90, 30, Some(Refusal::TooFast)));
    }

    #[test]
    fn pausing_seeking_looping_and_sleeping_cost_nothing() {
        let mut learner = Learner::new(100, 5);
        learner.beat(0, PLAYER_1, &[]);
        assert_eq!(learner.beat(10, PLAYER_1, &[(0.0, 10.0)]), (10, 0, None));
        assert_eq!(learner.beat(300, PLAYER_1, &[]), (0, 0, None), "paused");
        let seeks = [(4000.0, 4003.0), (20.0, 24.0), (7000.0, 7003.0)];
        assert_eq!(learner.beat(310, PLAYER_1, &seeks), (10, 0, None));
        assert_eq!(learner.beat(320, PLAYER_1, &[(20.0, 24.0); 2]), (0, 0, None), "looped");
        assert_eq!(learner.beat(9000, PLAYER_1, &[(24.0, 34.0)]), (10, 0, None), "slept");
    }

    #[test]
    fn a_pause_that_was_heard_of_cannot_be_claimed_afterwards() {
        let mut learner = Learner::new(100, 5);
        for at in 0..60 {
            learner.beat(at * 10, PLAYER_1, &[]);
        }
        // Ten seconds since the last one, five of slack before it, five borrowed.
        assert_eq!(learner.beat(600, PLAYER_1, &[(0.0, 590.0)]), (20, 570, Some(Refusal::NotElapsed)));
    }

    #[test]
    fn what_was_played_offline_counts_up_to_a_day_and_no_further() {
        let mut learner = Learner::new(100, 0);
        learner.beat(0, PLAYER_1, &[]);
        // Back after an hour: first a new heartbeat, then the queue, the newest first.
        assert_eq!(learner.beat(3610, PLAYER_1, &[(3600.0, 3610.0)]), (10, 0, None));
        for minute in (1..=60).rev() {
            let (from, to) = (f64::from(minute - 1) * 60.0, f64::from(minute) * 60.0);
            let late = Beat { late: 3610.0 - to, ..PLAYER_1 };
            assert_eq!(learner.beat(3610, late, &[(from, to)]), (60, 0, None), "minute {minute}");
        }
        assert_eq!(learner.lessons[0], Watched::range(0, 3610));

        let mut learner = Learner::new(100, 0);
        learner.beat(0, PLAYER_1, &[]);
        assert_eq!(learner.beat(DAY, PLAYER_1, &[(0.0, 7200.0)]), (7200, 0, None));
        let mut learner = Learner::new(100, 0);
        learner.beat(0, PLAYER_1, &[]);
        assert_eq!(learner.beat(600, PLAYER_1, &[]), (0, 0, None));
        let old = Beat { late: 86_200.0, ..PLAYER_1 };
        assert_eq!(learner.beat(DAY + 300, old, &[(0.0, 500.0)]), (200, 300, Some(Refusal::NotElapsed)));
        let older = Beat { late: 86_401.0, ..PLAYER_1 };
        assert_eq!(learner.beat(DAY + 400, older, &[(500.0, 510.0)]), (0, 10, Some(Refusal::TooLate)));
    }

    #[test]
    fn an_offline_device_loses_nothing_to_one_that_is_online() {
        let mut learner = Learner::new(100, 0);
        let tablet = |late| Beat { player: 2, lesson: 1, late, ..PLAYER_1 };
        learner.beat(0, PLAYER_1, &[]);
        learner.beat(0, tablet(0.0), &[]);
        // The tablet plays on a train from 0 to 1000, then the laptop from 1000 to 2000, then the tablet is back.
        for at in (1010..=2000).step_by(10) {
            let (from, to) = ((at - 1010) as f64, (at - 1000) as f64);
            assert_eq!(learner.beat(at, PLAYER_1, &[(from, to)]), (10, 0, None));
        }
        assert_eq!(learner.beat(2000, tablet(1000.0), &[(0.0, 1000.0)]), (1000, 0, None));
        assert_eq!(
            learner.beat(2000, tablet(1010.0), &[(1000.0, 1001.0)]).2,
            Some(Refusal::TimeAlreadyCounted)
        );
    }

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
