//! Which days a run reads, and what must stand in the reports that were read. Days are Istanbul's.

use akademi_domain::time::{Day, Timestamp};
use std::ops::Range;

/// A day's report is read three hours after its end, when it is complete.
const READY_SECONDS: i64 = 3 * 60 * 60;
/// How many days before the new ones are read again each night, for what was booked late.
const LATE_DAYS: i32 = 4;
/// How many days our books may lag behind the provider's: a payment is asked about for three days (`crate::asking`).
const NEWS_DAYS: i32 = 4;
/// The most days of one run; what lies longer ago is not read any more. Providers take a month at most.
pub const MOST_DAYS: i32 = 31;

/// The first and the last day of a period.
pub type Days = (Day, Day);

/// The last day whose reports are complete.
pub fn last_complete_day(now: Timestamp) -> Day {
    now.plus_seconds(-READY_SECONDS).day_in_istanbul().plus(-1)
}

/// The days that a night up to `last` reads, where these were read before.
pub fn due_days(read: Option<Days>, last: Day) -> Days {
    let first = match read {
        None => last.plus(1 - LATE_DAYS - NEWS_DAYS),
        Some((_, before)) => before.plus(1 - LATE_DAYS).max(last.plus(1 - MOST_DAYS)),
    };
    (first, last)
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
        assert_eq!(due_days(None, LAST), (LAST.plus(-7), LAST));
        let read = |last| Some((LAST.plus(-100), last));
        assert_eq!(due_days(read(LAST.plus(-1)), LAST), (LAST.plus(-4), LAST));
        assert_eq!(due_days(read(LAST), LAST), (LAST.plus(-3), LAST), "it broke off after reading");
        assert_eq!(due_days(read(LAST.plus(-90)), LAST), (LAST.plus(-30), LAST), "a month at most");
    }

    proptest! {
        #[test]
        fn days_are_read_without_a_gap_however_often_nights_fail(
            nights in proptest::collection::vec((0i32..40, any::<bool>()), 1..12),
        ) {
            let (mut read, mut last) = (None, LAST);
            let mut seen = std::collections::BTreeSet::new();
            for (pause, breaks_off) in nights {
                last = last.plus(pause);
                let (first, last) = due_days(read, last);
                prop_assert!(last.days_since(first) < MOST_DAYS);
                let until = if breaks_off { first.plus(last.days_since(first) / 2) } else { last };
                for after in 0..=until.days_since(first) {
                    let day = first.plus(after);
                    seen.insert(day);
                    read = Some(with_day(read, day));
                }
                let (from, to) = read.unwrap();
                prop_assert!((0..=to.days_since(from)).all(|after| seen.contains(&from.plus(after))));
                prop_assert!(to >= until);
            }
        }
    }
}
