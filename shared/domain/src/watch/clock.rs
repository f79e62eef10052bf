//! What is remembered of a learner's wall-clock time, over all lessons, tabs and devices at once.

use super::encoding::{InvalidEncoding, Reader, write_number};
use super::{SecondSet, credit::MAX_SLACK_SECONDS};
use crate::{ids::PlaybackId, time::Timestamp};

/// How far back, in seconds, a heartbeat may draw on wall-clock time: a day, the longest offline replay.
pub const HORIZON_SECONDS: u32 = 24 * 3600;

/// A learner's playbacks that are remembered: more than anybody has open. The one unheard of for longest
/// makes way for a new one, and begins anew if it is heard of again.
const MAX_PLAYBACKS: usize = 8;

/// The intervals in which spent time is kept. Beyond it the shortest stretches of unspent time are written
/// off, which can only refuse and never credit.
const MAX_SPENT_INTERVALS: usize = 32;

/// A whole wall-clock second, in microseconds.
pub(super) const SECOND_MICROS: i64 = 1_000_000;

const VERSION: u8 = 1;

/// A playback, in whole wall-clock seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Playback {
    id: PlaybackId,
    /// When its first heartbeat arrived, by the server's clock.
    opened: u32,
    /// The latest moment up to which it has reported.
    heard: u32,
}

/// Which wall-clock seconds of the last day a learner has already been credited for, and which playbacks are
/// open. One per learner, a few hundred bytes at most; it starts as [`LearnerClock::default`].
///
/// It changes only through [`credit`](super::credit()), and only together with the watched set: two heartbeats
/// that both start from the same clock would spend the same time twice, so it is written with an optimistic
/// version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LearnerClock {
    /// Wall-clock seconds since the epoch that have paid for something, at or after `floor`.
    pub(super) spent: SecondSet,
    /// Everything before this is spent. It never goes back, even if the server's clock does.
    floor: u32,
    /// What is left of a spent second (below one second), or if negative, what was borrowed from the slack.
    pub(super) balance_micros: i64,
    playbacks: Vec<Playback>,
}

/// From where to where, in wall-clock seconds since the epoch, a heartbeat may draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: u32,
    pub(super) to: u32,
    /// No earlier heartbeat of this playback is remembered.
    pub(super) first: bool,
    /// It was played before everything that still counts.
    pub(super) too_late: bool,
}

impl LearnerClock {
    /// Takes note of a heartbeat that arrives at `now` and says it was played up to `end`, and says on which
    /// time it may draw. `slack` is in seconds.
    pub(super) fn hear(
        &mut self,
        playback: PlaybackId,
        now: Timestamp,
        end: Timestamp,
        slack: u32,
    ) -> Window {
        // Rounded up where time begins and down where it ends: rounding never makes time.
        let opened = whole_seconds(Timestamp::from_millis(now.as_millis().saturating_add(999)));
        let end = whole_seconds(end);
        self.floor = self.floor.max(opened.saturating_sub(HORIZON_SECONDS));
        let floor = self.floor;
        self.spent = self.spent.clip(floor, u32::MAX);
        self.playbacks.retain(|known| known.heard >= floor);
        let too_late = end < floor;
        if let Some(known) = self.playbacks.iter_mut().find(|known| known.id == playback) {
            // One that arrives in the same second continues: else two at once could draw on all that was idle.
            let from = if end >= known.heard {
                // The slack before it evens out heartbeats that overtook each other on their way.
                known.heard.saturating_sub(slack).max(known.opened)
            } else {
                known.opened
            };
            known.heard = known.heard.max(end);
            return Window { from: from.max(floor), to: end, first: false, too_late };
        }
        if self.playbacks.len() >= MAX_PLAYBACKS
            && let Some((longest, _)) = self.playbacks.iter().enumerate().min_by_key(|(_, known)| known.heard)
        {
            self.playbacks.remove(longest);
        }
        // Opened now, whatever it says: time before it was known of cannot be checked.
        self.playbacks.push(Playback { id: playback, opened, heard: opened });
        Window { from: opened, to: opened, first: true, too_late }
    }

    /// Marks these wall-clock seconds as spent.
    pub(super) fn spend(&mut self, seconds: &SecondSet) {
        self.spent = self.spent.merge(seconds).with_shortest_gaps_filled(MAX_SPENT_INTERVALS);
    }

    /// The clock in bytes, for one column of the learner's row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.spent.interval_count() * 4 + self.playbacks.len() * 24);
        out.push(VERSION);
        write_number(&mut out, self.floor);
        write_number(&mut out, self.balance_offset());
        write_number(&mut out, self.spent.interval_count() as u32);
        self.spent.write(&mut out, self.floor);
        for known in &self.playbacks {
            out.extend_from_slice(known.id.as_uuid().as_bytes());
            write_number(&mut out, known.opened);
            write_number(&mut out, known.heard.saturating_sub(known.opened));
        }
        out
    }

    /// Reads what [`encode`](Self::encode) wrote; no bytes are a clock that has heard nothing yet. Total: any
    /// other bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidEncoding> {
        let mut reader = Reader::new(bytes);
        if reader.is_empty() {
            return Ok(Self::default());
        }
        if reader.array()? != [VERSION] {
            return Err(InvalidEncoding::UnknownVersion);
        }
        let floor = reader.number()?;
        let balance_micros = i64::from(reader.number()?) - LOWEST_BALANCE;
        if balance_micros >= SECOND_MICROS {
            return Err(InvalidEncoding::OutOfBounds);
        }
        let intervals = reader.number()? as usize;
        if intervals > MAX_SPENT_INTERVALS {
            return Err(InvalidEncoding::OutOfBounds);
        }
        let mut spent = SecondSet::EMPTY;
        for _ in 0..intervals {
            spent.read_interval(&mut reader, floor, u32::MAX)?;
        }
        let mut playbacks = Vec::new();
        while !reader.is_empty() {
            if playbacks.len() == MAX_PLAYBACKS {
                return Err(InvalidEncoding::TrailingBytes);
            }
            let id = PlaybackId::from_uuid(uuid::Uuid::from_bytes(reader.array()?));
            let opened = reader.number()?;
            let heard = opened.checked_add(reader.number()?).ok_or(InvalidEncoding::OutOfBounds)?;
            playbacks.push(Playback { id, opened, heard });
        }
        Ok(Self { spent, floor, balance_micros, playbacks })
    }

    /// The balance above the lowest that there can be, so that it is written without a sign.
    fn balance_offset(&self) -> u32 {
        u32::try_from(self.balance_micros + LOWEST_BALANCE).unwrap_or(0)
    }
}

/// Whole seconds since the epoch, rounded down; what lies outside 1970 to 2106 is its nearest end.
fn whole_seconds(moment: Timestamp) -> u32 {
    u32::try_from(moment.as_seconds().max(0)).unwrap_or(u32::MAX)
}

/// The most that can be borrowed, in microseconds.
const LOWEST_BALANCE: i64 = MAX_SLACK_SECONDS as i64 * SECOND_MICROS;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u32 = 1_790_000_000;

    fn playback(n: u8) -> PlaybackId {
        PlaybackId::new(Timestamp::from_millis(1_790_000_000_000), [n; 10])
    }

    fn hear(clock: &mut LearnerClock, playback: PlaybackId, now: u32, end: u32) -> Window {
        let [now, end] = [now, end].map(|seconds| Timestamp::from_millis(i64::from(seconds) * 1000));
        clock.hear(playback, now, end, 5)
    }

    #[test]
    fn only_time_since_the_playback_was_heard_of_can_be_drawn_on() {
        let mut clock = LearnerClock::default();
        let window = hear(&mut clock, playback(1), NOW, NOW - 500);
        assert_eq!((window.from, window.to, window.first), (NOW, NOW, true), "it cannot date itself back");
        let live = hear(&mut clock, playback(1), NOW + 30, NOW + 30);
        assert_eq!((live.from, live.to, live.first), (NOW, NOW + 30, false));
        let next = hear(&mut clock, playback(1), NOW + 60, NOW + 60);
        assert_eq!((next.from, next.to), (NOW + 25, NOW + 60), "since the last one, and the slack before it");
        let late = hear(&mut clock, playback(1), NOW + 61, NOW + 20);
        assert_eq!((late.from, late.to), (NOW, NOW + 20), "a late one draws on what lies before it");
        let fraction = Timestamp::from_millis(i64::from(NOW) * 1000 + 1);
        assert_eq!(clock.hear(playback(3), fraction, fraction, 5).from, NOW + 1, "rounded up");
        let other = hear(&mut clock, playback(2), NOW + 90, NOW + 90);
        assert!(other.first, "another device begins for itself");
    }

    #[test]
    fn nothing_reaches_back_beyond_a_day_even_if_the_servers_clock_goes_back() {
        let mut clock = LearnerClock::default();
        hear(&mut clock, playback(1), NOW, NOW);
        let day = hear(&mut clock, playback(1), NOW + HORIZON_SECONDS, NOW + HORIZON_SECONDS);
        assert_eq!((day.from, day.to), (NOW, NOW + HORIZON_SECONDS));
        let back = hear(&mut clock, playback(1), NOW + 100, NOW + 100);
        assert_eq!((back.from, back.to), (NOW, NOW + 100));
        hear(&mut clock, playback(1), NOW + HORIZON_SECONDS + 50, NOW + HORIZON_SECONDS + 50);
        let back = hear(&mut clock, playback(1), NOW + 100, NOW + 100);
        assert_eq!((back.from, back.to), (NOW + 50, NOW + 100));
        let forgotten = hear(&mut clock, playback(1), NOW + 3 * HORIZON_SECONDS, NOW + 3 * HORIZON_SECONDS);
        assert!(forgotten.first);
    }

    #[test]
    fn the_playback_unheard_of_for_longest_makes_way() {
        let mut clock = LearnerClock::default();
        for n in 0..9 {
            assert!(hear(&mut clock, playback(n), NOW + u32::from(n), NOW + u32::from(n)).first);
        }
        assert!(!hear(&mut clock, playback(1), NOW + 20, NOW + 20).first);
        assert!(hear(&mut clock, playback(0), NOW + 21, NOW + 21).first);
    }

    #[test]
    fn a_full_clock_takes_under_400_bytes() {
        let mut clock = LearnerClock { balance_micros: -300 * SECOND_MICROS, ..LearnerClock::default() };
        for n in 0..8 {
            hear(&mut clock, playback(n), NOW, NOW);
            hear(&mut clock, playback(n), NOW + 80_000, NOW + 80_000);
        }
        let usual = LearnerClock::decode(&{
            let mut one = LearnerClock::default();
            hear(&mut one, playback(1), NOW, NOW);
            hear(&mut one, playback(1), NOW + 1200, NOW + 1200);
            one.spend(&SecondSet::range(NOW, NOW + 1200));
            one.encode()
        });
        for k in 0..100 {
            clock.spend(&SecondSet::range(NOW + k * 800, NOW + k * 800 + 300));
        }
        println!(
            "one playback: {} bytes; full: {} bytes",
            usual.unwrap().encode().len(),
            clock.encode().len()
        );
        assert!(clock.encode().len() < 400);
        assert_eq!(LearnerClock::decode(&clock.encode()), Ok(clock));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_clock_that_is_written_the_same_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            valid_start: bool,
        ) {
            let bytes = if valid_start { [&[VERSION, 9, 9, 1], &bytes[..]].concat() } else { bytes };
            if let Ok(clock) = LearnerClock::decode(&bytes) {
                prop_assert!(clock.balance_micros < SECOND_MICROS && clock.playbacks.len() <= MAX_PLAYBACKS);
                if !bytes.is_empty() {
                    prop_assert_eq!(clock.encode(), bytes);
                }
            }
        }
    }
}
