//! Sets of whole seconds as sorted, disjoint, half-open intervals.

use super::claim::LessonDuration;
use super::encoding::{InvalidEncoding, Reader, write_number};

/// The seconds `from`, `from + 1`, … `to − 1`; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: u32,
    to: u32,
}

/// A set of whole seconds. Second `k` is the time `[k, k + 1)`. Two sets with the same seconds are equal and
/// have the same encoding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecondSet {
    /// Ascending, and not even touching: `spans[i].to < spans[i + 1].from`.
    spans: Vec<Span>,
}

impl SecondSet {
    pub const EMPTY: Self = Self { spans: Vec::new() };

    /// The seconds from `from` up to and without `to`; none if `to ≤ from`.
    pub fn range(from: u32, to: u32) -> Self {
        Self::joined(std::iter::once(Span { from, to }))
    }

    /// The seconds of all these half-open intervals `(from, to)`, in any order, overlapping or not.
    pub fn from_intervals(intervals: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut spans: Vec<Span> = intervals.into_iter().map(|(from, to)| Span { from, to }).collect();
        spans.sort_unstable_by_key(|span| span.from);
        Self::joined(spans)
    }

    /// The intervals `(from, to)`, half-open, ascending and disjoint, in seconds.
    pub fn intervals(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.spans.iter().map(|span| (span.from, span.to))
    }

    /// How many seconds are in the set.
    pub fn seconds(&self) -> u32 {
        self.spans.iter().map(|span| span.to - span.from).sum()
    }

    /// How much of a lesson of this length is in the set, in basis points, rounded down: 10,000 means every
    /// second.
    pub fn coverage(&self, duration: LessonDuration) -> u16 {
        let seen = u64::from(self.clip(0, duration.seconds()).seconds());
        // At most 10,000, since the set was clipped to the lesson.
        u16::try_from(seen * 10_000 / u64::from(duration.seconds())).unwrap_or(10_000)
    }

    /// The seconds that are in either set. Idempotent, commutative and associative.
    pub fn merge(&self, other: &Self) -> Self {
        let mut spans = Vec::with_capacity(self.spans.len() + other.spans.len());
        let (mut left, mut right) = (self.spans.iter().peekable(), other.spans.iter().peekable());
        while let Some(span) = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if b.from < a.from => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        } {
            spans.push(*span);
        }
        Self::joined(spans)
    }

    /// The seconds of this set that are not in the other.
    pub fn difference(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        let mut taken = other.spans.iter().peekable();
        for span in &self.spans {
            let mut from = span.from;
            while let Some(hole) = taken.peek() {
                if hole.from >= span.to {
                    break;
                }
                left.push(Span { from, to: hole.from });
                from = from.max(hole.to);
                if hole.to > span.to {
                    // It may reach into the next span too.
                    break;
                }
                taken.next();
            }
            left.push(Span { from, to: span.to });
        }
        Self::joined(left)
    }

    /// The seconds from `from` up to and without `to` that are in the set.
    pub fn clip(&self, from: u32, to: u32) -> Self {
        let inside = self.spans.iter().map(|span| Span { from: span.from.max(from), to: span.to.min(to) });
        Self::joined(inside)
    }

    /// The earliest `count` seconds, or all if there are fewer.
    pub fn earliest(&self, count: u32) -> Self {
        let mut left = count;
        let first = self.spans.iter().map(|span| {
            let taken = left.min(span.to - span.from);
            left -= taken;
            Span { from: span.from, to: span.from + taken }
        });
        Self::joined(first)
    }

    /// The latest `count` seconds, or all if there are fewer.
    pub fn latest(&self, count: u32) -> Self {
        let others = self.seconds().saturating_sub(count);
        self.difference(&self.earliest(others))
    }

    /// The set in at most `most` intervals (at least one): the shortest gaps are filled until it is so.
    pub(super) fn with_shortest_gaps_filled(mut self, most: usize) -> Self {
        while self.spans.len() > most.max(1) {
            let gaps = self.spans.windows(2).map(|pair| match pair {
                [left, right] => right.from - left.to,
                _ => u32::MAX,
            });
            let Some((shortest, _)) = gaps.enumerate().min_by_key(|(_, gap)| *gap) else { break };
            let right = self.spans.remove(shortest + 1);
            if let Some(left) = self.spans.get_mut(shortest) {
                left.to = right.to;
            }
        }
        self
    }

    /// Pairs of LEB128 numbers, one for each interval: the gap before it and its length, each less the least
    /// that it can be (0 for the first gap, else 1), so that a byte holds up to 128 of it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.spans.len() * 3);
        self.write(&mut out, 0);
        out
    }

    /// Reads what [`encode`](Self::encode) wrote for a lesson of this length. Total: whatever the bytes are,
    /// the answer is a set within the lesson or an error.
    pub fn decode(bytes: &[u8], duration: LessonDuration) -> Result<Self, InvalidEncoding> {
        let mut reader = Reader::new(bytes);
        let mut set = Self::EMPTY;
        while !reader.is_empty() {
            set.read_interval(&mut reader, 0, duration.seconds())?;
        }
        Ok(set)
    }

    pub(super) fn interval_count(&self) -> usize {
        self.spans.len()
    }

    /// Writes the intervals, counted from `start`, which is at or before the first of them.
    pub(super) fn write(&self, out: &mut Vec<u8>, start: u32) {
        let mut free = start;
        for span in &self.spans {
            write_number(out, span.from.saturating_sub(free));
            write_number(out, span.to - span.from - 1);
            free = span.to.saturating_add(1);
        }
    }

    /// Reads one more interval, which must end at `end` or before.
    pub(super) fn read_interval(
        &mut self,
        reader: &mut Reader,
        start: u32,
        end: u32,
    ) -> Result<(), InvalidEncoding> {
        let free = self.spans.last().map_or(u64::from(start), |span| u64::from(span.to) + 1);
        let from = free + u64::from(reader.number()?);
        let to = from + u64::from(reader.number()?) + 1;
        match (u32::try_from(from), u32::try_from(to)) {
            (Ok(from), Ok(to)) if to <= end => self.spans.push(Span { from, to }),
            _ => return Err(InvalidEncoding::OutOfBounds),
        }
        Ok(())
    }

    /// These spans, which ascend by `from`, without the empty ones and joined where they touch or overlap.
    fn joined(spans: impl IntoIterator<Item = Span>) -> Self {
        let mut set = Self::EMPTY;
        for span in spans {
            if span.from >= span.to {
                continue;
            }
            match set.spans.last_mut() {
                Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
                _ => set.spans.push(span),
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const LENGTH: u32 = 400;

    fn intervals() -> impl Strategy<Value = Vec<(u32, u32)>> {
        prop::collection::vec((0..LENGTH, 0..60_u32), 0..12)
            .prop_map(|pairs| pairs.into_iter().map(|(from, len)| (from, (from + len).min(LENGTH))).collect())
    }

    fn set() -> impl Strategy<Value = SecondSet> {
        intervals().prop_map(SecondSet::from_intervals)
    }

    /// The seconds one by one: the plain meaning of a set.
    fn one_by_one(set: &SecondSet) -> BTreeSet<u32> {
        set.intervals().flat_map(|(from, to)| from..to).collect()
    }

    fn duration() -> LessonDuration {
        LessonDuration::from_seconds(f64::from(LENGTH)).unwrap()
    }

    proptest! {
        #[test]
        fn merging_is_idempotent_commutative_and_associative(a in set(), b in set(), c in set()) {
            prop_assert_eq!(a.merge(&a), a.clone());
            prop_assert_eq!(a.merge(&b), b.merge(&a));
            prop_assert_eq!(a.merge(&b).merge(&c), a.merge(&b.merge(&c)));
            prop_assert_eq!(a.merge(&SecondSet::EMPTY), a);
        }

        #[test]
        fn operations_mean_what_they_mean_second_by_second(a in set(), b in set(), n in 0..LENGTH, m in 0..LENGTH) {
            let (xs, ys) = (one_by_one(&a), one_by_one(&b));
            prop_assert_eq!(one_by_one(&a.merge(&b)), &xs | &ys);
            prop_assert_eq!(one_by_one(&a.difference(&b)), &xs - &ys);
            prop_assert_eq!(one_by_one(&a.clip(n, m)), xs.iter().copied().filter(|x| (n..m).contains(x)).collect());
            prop_assert_eq!(one_by_one(&a.earliest(n)), xs.iter().copied().take(n as usize).collect());
            prop_assert_eq!(one_by_one(&a.latest(n)), xs.iter().rev().copied().take(n as usize).collect());
            prop_assert_eq!(a.seconds() as usize, xs.len());
        }

        #[test]
        fn the_same_seconds_are_the_same_set(parts in intervals()) {
            let whole = SecondSet::from_intervals(parts.iter().copied());
            let single = SecondSet::from_intervals(one_by_one(&whole).into_iter().map(|second| (second, second + 1)));
            prop_assert_eq!(&single, &whole);
            prop_assert_eq!(single.encode(), whole.encode());
        }

        #[test]
        fn an_encoded_set_comes_back(a in set()) {
            prop_assert_eq!(SecondSet::decode(&a.encode(), duration()), Ok(a));
        }

        #[test]
        fn any_bytes_are_a_set_within_the_lesson_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(set) = SecondSet::decode(&bytes, duration()) {
                prop_assert!(set.intervals().all(|(from, to)| from < to && to <= LENGTH));
                // One set has one encoding, so what was accepted is what would be written.
                prop_assert_eq!(set.encode(), bytes);
            }
        }

        #[test]
        fn filling_gaps_only_adds_and_fills_the_shortest(a in set(), most in 1..6_usize) {
            let filled = a.clone().with_shortest_gaps_filled(most);
            prop_assert!(filled.interval_count() <= most);
            prop_assert_eq!(a.difference(&filled), SecondSet::EMPTY);
            let gaps = |set: &SecondSet| {
                let spans: Vec<_> = set.intervals().collect();
                spans.windows(2).map(|pair| pair[1].0 - pair[0].1).collect::<Vec<_>>()
            };
            let (before, after) = (gaps(&a), gaps(&filled));
            let longest_filled = before.iter().filter(|gap| !after.contains(gap)).max();
            prop_assert!(longest_filled <= after.iter().min() || after.is_empty());
        }
    }

    #[test]
    fn coverage_is_whole_only_with_every_second() {
        let duration = LessonDuration::from_seconds(36_000.0).unwrap();
        assert_eq!(SecondSet::EMPTY.coverage(duration), 0);
        assert_eq!(SecondSet::range(0, 18_000).coverage(duration), 5_000);
        assert_eq!(SecondSet::range(0, 35_999).coverage(duration), 9_999);
        assert_eq!(SecondSet::range(0, 36_000).coverage(duration), 10_000);
        assert_eq!(SecondSet::range(0, 40_000).coverage(duration), 10_000);
    }

    #[test]
    fn hostile_bytes_have_their_own_errors() {
        for (bytes, error) in [
            (&[0x00][..], InvalidEncoding::Truncated),
            (&[0x00, 0x80], InvalidEncoding::Truncated),
            (&[0x80, 0x00, 0x01], InvalidEncoding::NotShortest),
            (&[0xff, 0xff, 0xff, 0xff, 0x1f, 0x01], InvalidEncoding::Overflow),
            (&[0xff, 0xff, 0xff, 0xff, 0x0f, 0x01], InvalidEncoding::OutOfBounds),
            (&[0x00, 0x90, 0x03], InvalidEncoding::OutOfBounds),
        ] {
            assert_eq!(SecondSet::decode(bytes, duration()), Err(error), "{bytes:?}");
        }
        assert_eq!(SecondSet::decode(&[0x00, 0x8f, 0x03], duration()), Ok(SecondSet::range(0, LENGTH)));
    }

    /// A three-hour lesson, watched with 200 seeks to places all over it: stretches of 20 to 79 seconds.
    #[test]
    fn three_hours_with_two_hundred_seeks_take_under_700_bytes() {
        let mut place = 7_u32;
        let mut played = Vec::new();
        for _ in 0..200 {
            place = place.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let from = (place >> 8) % 10_700;
            played.push((from, from + 20 + (place >> 24) % 60));
        }
        let scattered = SecondSet::from_intervals(played);
        // The worst that 200 seeks can do: no two stretches touch.
        let apart = SecondSet::from_intervals((0..200).map(|k| (k * 54, k * 54 + 27)));
        let duration = LessonDuration::from_seconds(10_800.0).unwrap();
        for (name, set) in [("scattered", scattered), ("apart", apart)] {
            let bytes = set.encode();
            let json = format!("{:?}", set.intervals().map(|(from, to)| [from, to]).collect::<Vec<_>>());
            println!(
                "{name}: {} intervals, {} of 10800 s watched: {} bytes (as JSON {})",
                set.interval_count(),
                set.seconds(),
                bytes.len(),
                json.len()
            );
            assert!(bytes.len() < 700);
            assert_eq!(SecondSet::decode(&bytes, duration), Ok(set));
        }
        // Every other second of the longest lesson: nothing takes more.
        let worst = SecondSet::from_intervals((0..21_600).map(|k| (k * 2, k * 2 + 1)));
        println!("every other second of 12 h: {} bytes", worst.encode().len());
        assert_eq!(worst.encode().len(), 43_200);
    }
}
