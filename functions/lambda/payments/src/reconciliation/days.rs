//! Which days a run reads, and what must stand in the reports that were read. Days are Istanbul's.

use akademi_domain::time::{Day, Timestamp};
use std::ops::Range;

/// A day's report is read three hours after its end, when it is complete.
const READY_SECONDS: i64 = 3 * 60 * 60;
/// How many days before the new ones are read again each night, for what was booked late.
const LATE_DAYS: i32 = 4;
/// How many days our books may lag behind the provider's: a payment is asked about for three days (`crate::asking`).
const NEWS_DAYS: i32 = 4;
/// The most days that a night goes back; what lies longer ago is not read any more. Providers take a month at most.
pub const MOST_DAYS: i32 = 31;
/// How many days are read before they are compared, so that a run that is killed in the midst of a month has done a part.
const DAYS_AT_ONCE: i32 = LATE_DAYS + 7;

/// The first and the last day of a period.
pub type Days = (Day, Day);

/// The last day whose reports are complete.
pub fn last_complete_day(now: Timestamp) -> Day {
    now.plus_seconds(-READY_SECONDS).day_in_istanbul().plus(-1)
}

/// The days that a night up to `last` reads and compares next, where these were read before and all up to `done` was compared.
pub fn due_days(read: Option<Days>, done: Option<Day>, last: Day) -> Days {
    let first = match (read, done) {
        (None, _) => last.plus(1 - LATE_DAYS - NEWS_DAYS),
        (Some((first, _)), None) => first,
        (Some((_, before)), Some(done)) => before.min(done).plus(1 - LATE_DAYS),
    };
    let first = first.max(last.plus(1 - MOST_DAYS));
    (first, last.min(first.plus(DAYS_AT_ONCE - 1)))
}

/// What is read without a gap, once `day` is read too: a day beyond the next one begins anew.
pub fn with_day(read: Option<Days>, day: Day) -> Days {
    match read {
        Some((first, last)) if day <= last.plus(1) => {
            (if day == first.plus(-1) { day } else { first }, last.max(day))
        }
        _ => (day, day),
    }
}

/// When something must have been booked here for its day at the provider to be among those that were read.
pub fn expected((first, last): Days) -> Range<Timestamp> {
    first.plus(NEWS_DAYS).start_in_istanbul()..last.plus(1).start_in_istanbul()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LAST: Day = Day::from_epoch_days(20_000);

    #[test]
    fn a_report_is_complete_at_three_in_the_morning() {
        let midnight = LAST.plus(1).start_in_istanbul();
        assert_eq!(last_complete_day(midnight.plus_seconds(3 * 3600 - 1)), LAST.plus(-1));
        assert_eq!(last_complete_day(midnight.plus_seconds(3 * 3600)), LAST);
    }

    #[test]
    fn a_night_reads_what_is_new_and_what_may_have_come_late() {
        let due = |read: Option<(i32, i32)>, done: Option<i32>| {
            let read = read.map(|(first, last)| (LAST.plus(first), LAST.plus(last)));
            let (first, last) = due_days(read, done.map(|day| LAST.plus(day)), LAST);
            (first.days_since(LAST), last.days_since(LAST))
        };
        assert_eq!(due(None, None), (-7, 0));
        assert_eq!(due(Some((-100, -1)), Some(-1)), (-4, 0));
        assert_eq!(due(Some((-7, -1)), None), (-7, 0), "it broke off before it had compared");
        assert_eq!(due(Some((-100, 0)), Some(-6)), (-9, 0), "so did what came after these");
        assert_eq!(due(Some((-100, -90)), Some(-90)), (-30, -20), "a month at most, and not all at once");
    }

    proptest! {
        #[test]
        fn days_are_read_without_a_gap_however_often_nights_fail(
            nights in proptest::collection::vec((0i32..40, 0u8..4), 1..12),
        ) {
            let (mut read, mut done, mut last) = (None, None, LAST);
            let mut seen = std::collections::BTreeSet::new();
            let mut compared = std::collections::BTreeSet::new();
            for (pause, breaks_off) in nights {
                last = last.plus(pause);
                loop {
                    let (first, due) = due_days(read, done, last);
                    prop_assert!(first <= due && due <= last && due.days_since(first) < DAYS_AT_ONCE);
                    prop_assert!(last.days_since(first) < MOST_DAYS);
                    let is_half = breaks_off == 0;
                    let until = if is_half { first.plus(due.days_since(first) / 2) } else { due };
                    for after in 0..=until.days_since(first) {
                        let day = first.plus(after);
                        seen.insert(day);
                        read = Some(with_day(read, day));
                    }
                    let (from, to) = read.unwrap();
                    prop_assert!((0..=to.days_since(from)).all(|after| seen.contains(&from.plus(after))));
                    prop_assert!(to >= until);
                    // Broken off while it read, or before it had compared.
                    if breaks_off < 2 {
                        break;
                    }
                    compared.extend((0..=due.days_since(first)).map(|after| first.plus(after)));
                    done = done.max(Some(due));
                    if due == last {
                        break;
                    }
                }
                if done == Some(last) {
                    let from = read.unwrap().0.max(last.plus(1 - MOST_DAYS));
                    prop_assert!((0..=last.days_since(from)).all(|after| compared.contains(&from.plus(after))));
                }
            }
        }
    }
}
