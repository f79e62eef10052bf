//! The guarantee of the module, held against random histories: hostile ones gain no more than the clock
//! allows, honest ones lose nothing.

use super::*;
use crate::{ids::PlaybackId, time::Timestamp};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

const START: i64 = 1_790_000_000_000;
const SLACK: u32 = 15;
/// Rate limits of the three lessons, in hundredths.
const RATES: [u32; 3] = [100, 150, 300];

fn playback(n: usize) -> PlaybackId {
    PlaybackId::new(Timestamp::from_millis(START), [n as u8; 10])
}

fn duration() -> LessonDuration {
    LessonDuration::from_seconds(4.0 * 3600.0).unwrap()
}

/// A heartbeat of a history, at `at_millis` after its start.
#[derive(Debug, Clone)]
struct Beat {
    at_millis: i64,
    player: usize,
    lesson: usize,
    late_seconds: f64,
    intervals: Vec<(f64, f64)>,
}

/// What one heartbeat gained, as wall time at its lesson's rate limit, and since when its playback had been
/// running, both in seconds.
struct Gain {
    at: f64,
    since: f64,
    wall: f64,
}

/// How heartbeats are decided: by the rule, and by two rules that leave something out.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Decision {
    Real,
    /// Everything that is well-formed is believed.
    WithoutClock,
    /// Every playback has a clock of its own.
    ClockPerPlayback,
}

fn run(history: &[Beat], decision: Decision) -> Vec<Gain> {
    let mut clocks = vec![LearnerClock::default(); 16];
    let mut watched = [Watched::EMPTY, Watched::EMPTY, Watched::EMPTY];
    let mut heard: Vec<Option<(f64, f64)>> = vec![None; 16];
    let mut gains = Vec::new();
    for beat in history {
        let now = Timestamp::from_millis(START + beat.at_millis);
        let reported = Reported {
            playback: playback(beat.player),
            intervals: &beat.intervals,
            position: 0.0,
            rate: 1.0,
            late_seconds: beat.late_seconds,
        };
        let claim = Claim::parse(&reported, duration()).unwrap();
        let rules = Rules::new(RATES[beat.lesson], SLACK).unwrap();
        let owner = if decision == Decision::ClockPerPlayback { beat.player } else { 0 };
        let set = &mut watched[beat.lesson];
        let gained = if decision == Decision::WithoutClock {
            let merged = set.merge(claim.seconds());
            let gained = merged.seconds() - set.seconds();
            *set = merged;
            gained
        } else {
            let credit = credit(&clocks[owner], set, &claim, &rules, now);
            assert_eq!(set.difference(&credit.watched), Watched::EMPTY, "nothing is ever lost");
            assert_eq!(credit.watched.difference(&set.merge(claim.seconds())), Watched::EMPTY);
            assert_eq!(LearnerClock::decode(&credit.clock.encode()).as_ref(), Ok(&credit.clock));
            clocks[owner] = credit.clock;
            *set = credit.watched;
            credit.gained
        };
        let at = beat.at_millis as f64 / 1000.0;
        let end = at - beat.late_seconds;
        let since = match heard[beat.player] {
            None => at,
            Some((_, last)) if end > last => last - f64::from(SLACK),
            Some((opened, _)) => opened,
        };
        let (opened, last) = heard[beat.player].unwrap_or((at, at));
        heard[beat.player] = Some((opened, last.max(end)));
        let wall = f64::from(gained) * 100.0 / f64::from(RATES[beat.lesson]);
        gains.push(Gain { at, since: since.max(at - f64::from(HORIZON_SECONDS) - 1.0), wall });
    }
    gains
}

/// By how many seconds of wall time the history gains more than it may: over all of it, and over any stretch.
fn excess(gains: &[Gain]) -> f64 {
    let slack = f64::from(SLACK);
    let opened = gains.first().map_or(0.0, |gain| gain.at);
    let all: f64 = gains.iter().map(|gain| gain.wall).sum();
    let mut excess = gains.last().map_or(0.0, |last| all - (last.at - opened) - slack);
    for first in 0..gains.len() {
        let (mut since, mut gained) = (f64::INFINITY, 0.0);
        for gain in &gains[first..] {
            since = since.min(gain.since);
            gained += gain.wall;
            excess = excess.max(gained - (gain.at - since.max(opened)) - slack - 2.0);
        }
    }
    excess
}

/// Anything that can be sent: every distance in time, lateness true or not, claims of any size, repeats.
fn hostile() -> impl Strategy<Value = Vec<Beat>> {
    let step = prop_oneof![4 => 0..12_000_i64, 2 => 0..300_000_i64, 1 => 0..100_000_000_i64];
    let late = prop_oneof![4 => Just(0.0), 2 => 0.0..60.0_f64, 1 => 0.0..100_000.0_f64];
    let interval = (0.0..14_000.0_f64, prop_oneof![2 => 0.5..20.0_f64, 1 => 0.5..3000.0_f64])
        .prop_map(|(from, length)| (from, (from + length).min(14_400.0)));
    let beat = (step, 0..12_usize, 0..3_usize, late, prop::collection::vec(interval, 0..6), any::<bool>());
    prop::collection::vec(beat, 1..60).prop_map(|steps| {
        let (mut at_millis, mut history) = (0, Vec::<Beat>::new());
        for (step, player, lesson, late_seconds, intervals, repeat) in steps {
            at_millis += step;
            // Most beats come from two players, so that they do have some time to spend.
            let player = if player > 8 { player } else { player % 2 };
            match history.last() {
                Some(last) if repeat && step % 3 == 0 => history.push(Beat { at_millis, ..last.clone() }),
                _ => history.push(Beat { at_millis, player, lesson, late_seconds, intervals }),
            }
        }
        history
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_history_gains_more_than_the_clock_allows(history in hostile()) {
        let excess = excess(&run(&history, Decision::Real));
        prop_assert!(excess <= 1e-6, "{excess} s too many");
    }

    #[test]
    fn an_honest_learner_loses_nothing(stretches in honest()) {
        let (history, played) = send(&stretches);
        let mut clock = LearnerClock::default();
        let mut watched = [Watched::EMPTY, Watched::EMPTY, Watched::EMPTY];
        for beat in &history {
            let reported = Reported {
                playback: playback(beat.player),
                intervals: &beat.intervals,
                position: 0.0,
                rate: 1.0,
                late_seconds: beat.late_seconds,
            };
            let claim = Claim::parse(&reported, duration()).unwrap();
            let rules = Rules::new(RATES[beat.lesson], SLACK).unwrap();
            let now = Timestamp::from_millis(START + beat.at_millis);
            let credit = credit(&clock, &watched[beat.lesson], &claim, &rules, now);
            prop_assert_eq!((credit.refused_seconds, credit.refusal), (0, None), "{:?}", beat);
            clock = credit.clock;
            watched[beat.lesson] = credit.watched;
        }
        prop_assert_eq!(watched, played);
    }
}

/// The same histories and the same check, without the rule and with one clock for each playback: both must
/// break the bound, or the check shows nothing.
#[test]
fn without_one_clock_for_the_learner_the_bound_breaks() {
    let mut runner = TestRunner::deterministic();
    let histories: Vec<_> = (0..300).map(|_| hostile().new_tree(&mut runner).unwrap().current()).collect();
    let broken = |decision| histories.iter().filter(|history| excess(&run(history, decision)) > 1e-6).count();
    let [real, without, separate] =
        [Decision::Real, Decision::WithoutClock, Decision::ClockPerPlayback].map(broken);
    println!(
        "bound broken in 300 histories: by the rule {real}, without {without}, a clock per playback {separate}"
    );
    assert_eq!(real, 0);
    assert!(without > 100, "{without}");
    assert!(separate > 20, "{separate}");
}

/// A stretch of playing on one device at the lesson's full rate.
#[derive(Debug, Clone)]
struct Stretch {
    player: usize,
    lesson: usize,
    /// Media time at which it starts, in seconds.
    from: f64,
    /// Wall time in seconds.
    length: f64,
    /// Wall time in seconds between the last stretch and this one.
    pause: f64,
    /// Offline stretches are sent when all is over, the newest first.
    offline: bool,
    /// Milliseconds that each heartbeat is under way, in turn.
    delays: Vec<i64>,
    /// Whether heartbeats are sent twice.
    twice: bool,
}

fn honest() -> impl Strategy<Value = Vec<Stretch>> {
    let delays = prop::collection::vec(0..3000_i64, 1..8);
    let stretch = (
        0..2_usize,
        0..3_usize,
        0.0..3000.0_f64,
        3.0..400.0_f64,
        0.0..100.0_f64,
        any::<bool>(),
        delays,
        any::<bool>(),
    )
        .prop_map(|(player, lesson, from, length, pause, offline, delays, twice)| Stretch {
            player,
            lesson,
            from,
            length,
            pause,
            offline,
            delays,
            twice,
        });
    prop::collection::vec(stretch, 1..8)
}

/// The heartbeats of these stretches, one every ten seconds of playing, in the order in which they arrive,
/// and what was played whole in each lesson.
fn send(stretches: &[Stretch]) -> (Vec<Beat>, [Watched; 3]) {
    let open = |player| Beat { at_millis: 0, player, lesson: 0, late_seconds: 0.0, intervals: Vec::new() };
    let mut history = vec![open(0), open(1)];
    let mut queue = Vec::new();
    let mut played = [Watched::EMPTY, Watched::EMPTY, Watched::EMPTY];
    let mut wall = 0.0;
    for stretch in stretches {
        wall += stretch.pause;
        let rate = f64::from(RATES[stretch.lesson]) / 100.0;
        let (mut done, mut media, mut delays) = (0.0, stretch.from, stretch.delays.iter().cycle());
        while done < stretch.length {
            let step = (stretch.length - done).min(10.0);
            let end = media + step * rate;
            done += step;
            let first = media == stretch.from;
            let beat = Beat {
                at_millis: ((wall + done) * 1000.0) as i64,
                player: stretch.player,
                lesson: stretch.lesson,
                late_seconds: 0.0,
                // What goes on begins at the whole second in which it stopped, as players are told to.
                intervals: vec![(if first { media } else { media.floor().max(stretch.from) }, end)],
            };
            media = end;
            if stretch.offline {
                queue.push(beat);
                continue;
            }
            for _ in 0..=usize::from(stretch.twice) {
                let delay = delays.next().copied().unwrap_or(0);
                history.push(Beat { at_millis: beat.at_millis + delay, ..beat.clone() });
            }
        }
        // To the millisecond, as heartbeats are read.
        let millis = |seconds: f64| (seconds * 1000.0).round() as u32;
        let whole = Watched::range(millis(stretch.from).div_ceil(1000), millis(media) / 1000);
        played[stretch.lesson] = played[stretch.lesson].merge(&whole);
        wall += stretch.length;
    }
    let online = ((wall + 5.0) * 1000.0) as i64;
    for (behind, beat) in queue.into_iter().rev().enumerate() {
        let at_millis = online + behind as i64 * 50;
        history.push(Beat { late_seconds: (at_millis - beat.at_millis) as f64 / 1000.0, at_millis, ..beat });
    }
    history.sort_by_key(|beat| beat.at_millis);
    (history, played)
}
