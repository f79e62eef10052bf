//! What players send in everyday situations, heartbeat by heartbeat, and what counts of it.

use super::*;
use crate::{ids::PlaybackId, time::Timestamp};

const START: i64 = 1_790_000_000_000;
const SLACK: u32 = 15;
const HOUR: i64 = 3_600;
const DAY: i64 = HORIZON_SECONDS as i64;

/// A heartbeat and what is to come of it. Times are in seconds.
#[derive(Debug, Clone)]
struct Beat {
    /// When it arrives.
    at: i64,
    player: u8,
    lesson: usize,
    rate: f64,
    late: f64,
    intervals: Vec<(f64, f64)>,
    counts: u32,
    refused: Option<(u32, Refusal)>,
}

/// The only player of the only lesson, at normal speed; it plays nothing yet.
fn at(at: i64) -> Beat {
    Beat { at, player: 1, lesson: 0, rate: 1.0, late: 0.0, intervals: Vec::new(), counts: 0, refused: None }
}

impl Beat {
    fn on(self, player: u8) -> Self {
        Self { player, ..self }
    }

    fn of(self, lesson: usize) -> Self {
        Self { lesson, ..self }
    }

    fn rate(self, rate: f64) -> Self {
        Self { rate, ..self }
    }

    fn late(self, late: i64) -> Self {
        Self { late: late as f64, ..self }
    }

    fn plays(mut self, from: i64, to: i64) -> Self {
        self.intervals.push((from as f64, to as f64));
        self
    }

    fn counts(self, counts: u32) -> Self {
        Self { counts, ..self }
    }

    fn refuses(self, seconds: u32, reason: Refusal) -> Self {
        Self { refused: Some((seconds, reason)), ..self }
    }
}

/// A player that beats every `every` seconds from `since` to `until`, playing `media` at its start; all of it counts.
fn playing(since: i64, until: i64, every: usize, media: i64) -> impl Iterator<Item = Beat> {
    (since..until).step_by(every).map(move |from| {
        let to = (from + every as i64).min(until);
        at(to).plays(media + from - since, media + to - since).counts((to - from) as u32)
    })
}

struct Trace {
    situation: &'static str,
    /// The rate limit in percent.
    limit: u32,
    beats: Vec<Beat>,
}

fn trace(situation: &'static str, limit: u32, beats: impl IntoIterator<Item = Beat>) -> Trace {
    Trace { situation, limit, beats: std::iter::once(at(0)).chain(beats).collect() }
}

fn traces() -> Vec<Trace> {
    use Refusal::*;
    vec![
        trace("playing", 100, playing(0, 600, 10, 0)),
        trace(
            "pausing: a player that stands still is heard of and gains nothing",
            100,
            playing(0, 30, 10, 0)
                .chain((60..600).step_by(30).map(at))
                .chain(playing(600, 630, 10, 30))
                // The pause was heard of: only the last ten seconds are there, and the slack.
                .chain([at(640).plays(60, 600).counts(25).refuses(515, NotElapsed)]),
        ),
        trace(
            "seeking: what was jumped over does not count",
            100,
            [
                at(10).plays(0, 10).counts(10),
                at(20).plays(4_000, 4_003).plays(20, 24).plays(7_000, 7_003).counts(10),
                at(30).plays(7_190, 7_200).counts(10),
            ],
        ),
        trace(
            "looping: a second counts once",
            100,
            [
                at(10).plays(0, 10).counts(10),
                at(20).plays(0, 10),
                at(30).plays(5, 15).counts(5),
                at(40).plays(0, 15),
            ],
        ),
        trace(
            "background tab: its timers run once a minute, and the video goes on",
            100,
            playing(0, 600, 60, 0),
        ),
        trace(
            "background tab: its timers stand still for an hour, and the video goes on",
            100,
            playing(0, 20, 10, 0).chain([at(20 + HOUR).plays(20, 20 + HOUR).counts(HOUR as u32)]),
        ),
        trace(
            "sleep: a laptop that was closed for eight hours goes on where it was",
            100,
            playing(0, 20, 10, 0).chain(playing(8 * HOUR, 8 * HOUR + 60, 10, 20)),
        ),
        trace(
            "clock skew: a device whose clock is years off says how long ago, not when",
            100,
            [at(30), at(600).late(570).plays(0, 30).counts(30), at(610).plays(30, 40).counts(10)],
        ),
        trace(
            "clock skew: lateness from before the player opened is worth the slack, and the next beat counts",
            100,
            [
                at(30).late(7_200).plays(0, 30).counts(15).refuses(15, NotElapsed),
                at(60).plays(15, 45).counts(30),
                at(120).plays(45, 105).counts(60),
            ],
        ),
        trace(
            "clock skew: the server's clock steps back by some seconds",
            100,
            playing(0, 60, 10, 0).chain([at(64).plays(60, 70).counts(10), at(74).plays(70, 80).counts(10)]),
        ),
        trace(
            "offline: an hour of heartbeats comes after the first new one, the newest first",
            100,
            std::iter::once(at(HOUR + 10).plays(HOUR, HOUR + 10).counts(10)).chain((0..60).rev().map(
                |minute| {
                    let (from, to) = (minute * 60, minute * 60 + 60);
                    at(HOUR + 10).late(HOUR + 10 - to).plays(from, to).counts(60)
                },
            )),
        ),
        trace("offline: a day is the longest", 100, [at(DAY).plays(0, 7_200).counts(7_200)]),
        trace(
            "offline: what was played more than a day ago is worth the slack at most",
            100,
            [
                at(600),
                at(DAY + 300).late(86_200).plays(0, 500).counts(215).refuses(285, NotElapsed),
                at(DAY + 400).late(86_401).plays(500, 510).refuses(10, TooLate),
            ],
        ),
        trace(
            "offline: two lessons at once in a train are one hour",
            100,
            [
                at(0).on(2).of(1),
                at(HOUR).plays(0, HOUR).counts(HOUR as u32),
                at(HOUR).on(2).of(1).plays(0, HOUR).counts(15).refuses(HOUR as u32 - 15, TimeAlreadyCounted),
            ],
        ),
        trace(
            "two tabs share one clock",
            100,
            [
                at(0).on(2).of(1),
                at(60).plays(0, 60).counts(60),
                at(60).on(2).of(1).plays(0, 60).counts(15).refuses(45, TimeAlreadyCounted),
            ],
        ),
        trace(
            "two tabs of one lesson merge",
            100,
            [
                at(0).on(2),
                at(60).plays(0, 60).counts(60),
                at(120).on(2).plays(30, 90).counts(30),
                at(120).plays(60, 90),
            ],
        ),
        trace(
            "two devices: the one that was offline loses nothing to the one that was online",
            100,
            std::iter::once(at(0).on(2).of(1)).chain(playing(1_000, 2_000, 10, 0)).chain([
                at(2_000).on(2).of(1).late(1_000).plays(0, 1_000).counts(1_000),
                at(2_000)
                    .on(2)
                    .of(1)
                    .late(1_010)
                    .plays(1_000, 1_100)
                    .counts(15)
                    .refuses(85, TimeAlreadyCounted),
            ]),
        ),
        trace(
            "half speed: where the limit is 0.5, a minute is worth half a minute",
            50,
            [at(60).rate(0.5).plays(0, 30).counts(30), at(120).plays(30, 90).counts(37).refuses(23, TooFast)],
        ),
        trace(
            "one and a half times normal speed, within the limit and above it",
            150,
            [
                at(60).rate(1.5).plays(0, 90).counts(90),
                at(120).rate(2.0).plays(90, 210).counts(112).refuses(8, TooFast),
                at(180).rate(2.0).plays(202, 322).counts(90).refuses(30, TooFast),
            ],
        ),
        trace(
            "triple speed, where the limit is 3",
            300,
            [at(60).rate(3.0).plays(0, 180).counts(180), at(120).rate(3.0).plays(180, 360).counts(180)],
        ),
        trace(
            "a heartbeat without an earlier one is worth the slack, which is paid back",
            100,
            [
                at(0).on(2).plays(0, HOUR).counts(15).refuses(HOUR as u32 - 15, NewPlayback),
                at(10).on(2).plays(15, HOUR).counts(10).refuses(HOUR as u32 - 25, NotElapsed),
            ],
        ),
        trace(
            "heartbeats that overtake each other lose nothing",
            100,
            [
                at(20).plays(10, 20).counts(10),
                at(21).late(11).plays(0, 10).counts(10),
                at(31).plays(20, 30).counts(10),
            ],
        ),
    ]
}

/// What came of a heartbeat: the seconds that counted, and those that did not.
type Told = (u32, Option<(u32, Refusal)>);

/// What comes of a trace: each heartbeat's gain, and the lessons' sets.
fn send(beats: &[Beat], limit: u32) -> (Vec<Told>, [Watched; 2]) {
    let rules = Rules::new(limit, SLACK).unwrap();
    let start = Timestamp::from_millis(START);
    let duration = LessonDuration::from_seconds(7_200.0).unwrap();
    let (mut clock, mut lessons) = (LearnerClock::default(), [Watched::EMPTY, Watched::EMPTY]);
    let told = beats.iter().map(|beat| {
        let reported = Reported {
            playback: PlaybackId::new(start, [beat.player; 10]),
            intervals: &beat.intervals,
            position: beat.intervals.last().map_or(0.0, |interval| interval.1),
            rate: beat.rate,
            late_seconds: beat.late,
        };
        let claim = Claim::parse(&reported, duration).unwrap();
        let watched = &mut lessons[beat.lesson];
        let credit = credit(&clock, watched, &claim, &rules, start.plus_seconds(beat.at));
        assert_eq!(credit.watched.seconds(), watched.seconds() + credit.gained);
        clock = credit.clock;
        *watched = credit.watched;
        (credit.gained, credit.refusal.map(|reason| (credit.refused_seconds, reason)))
    });
    (told.collect(), lessons)
}

#[test]
fn each_situation_counts_what_was_played() {
    let mut wrong = Vec::new();
    for Trace { situation, limit, beats } in traces() {
        let told = send(&beats, limit).0;
        let differing = beats.iter().zip(told).filter(|(beat, told)| *told != (beat.counts, beat.refused));
        wrong.extend(differing.map(|(beat, told)| format!("{situation}: {told:?} of {beat:?}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_situation_outruns_the_clock() {
    for Trace { situation, limit, beats } in traces() {
        let gained: u32 = send(&beats, limit).1.iter().map(Watched::seconds).sum();
        let wall = beats.iter().map(|beat| beat.at).max().unwrap() + i64::from(SLACK);
        assert!(i64::from(gained) * 100 <= wall * i64::from(limit), "{situation}: {gained} in {wall}");
    }
}

#[test]
fn heartbeats_that_are_sent_twice_change_nothing() {
    for Trace { situation, limit, beats } in traces() {
        let twice: Vec<_> = beats.iter().flat_map(|beat| [beat.clone(), beat.clone()]).collect();
        assert_eq!(send(&twice, limit).1, send(&beats, limit).1, "{situation}");
    }
}
