//! When the modules of a course open to a learner: prerequisites and dates.

use serde::{Deserialize, Serialize};

use crate::{
    ids::ModuleId,
    time::{Day, Timestamp},
};

const DAY_SECONDS: i64 = 24 * 3600;

/// What a module waits for; it opens once all that is given holds, and stays open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Opening {
    /// All that these modules require is fulfilled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<ModuleId>,
    /// In Istanbul it is this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// So many days of 24 hours have passed since the enrolment; at most [`Opening::MAX_DAYS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 3650)]
    pub days: Option<u16>,
}

impl Opening {
    /// The longest wait after an enrolment.
    pub const MAX_DAYS: u16 = 3650;

    /// The moment before which it is closed to somebody who enrolled then, whatever they have done.
    pub fn date(&self, enrolled_at: Timestamp) -> Option<Timestamp> {
        let waited = self.days.map(|days| enrolled_at.plus_seconds(i64::from(days) * DAY_SECONDS));
        self.from.map(Day::start_in_istanbul).max(waited)
    }

    /// Why it is closed to somebody who enrolled then; `None` if it is open. `is_done` tells of another module.
    pub fn closed(
        &self,
        enrolled_at: Timestamp,
        now: Timestamp,
        is_done: impl Fn(ModuleId) -> bool,
    ) -> Option<Closed> {
        match self.date(enrolled_at) {
            Some(date) if date > now => Some(Closed::Until(date)),
            _ => self.after.iter().copied().find(|module| !is_done(*module)).map(Closed::After),
        }
    }
}

/// Why a module is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Until this moment, whatever is done before.
    Until(Timestamp),
    /// Until all that this module requires is fulfilled.
    After(ModuleId),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Midnight in Istanbul.
    const ENROLLED: Timestamp = Timestamp::from_millis(1_789_938_000_000);

    fn module(number: u8) -> ModuleId {
        ModuleId::new(ENROLLED, [number; 10])
    }

    fn after_days(days: i64) -> Timestamp {
        ENROLLED.plus_seconds(days * DAY_SECONDS)
    }

    /// The enrolment's day, or one so many days after it.
    fn day(after: i64) -> Day {
        after_days(after).day_in_istanbul()
    }

    #[test]
    fn a_module_waits_for_its_date_its_days_and_the_modules_before_it() {
        let opening = Opening { after: vec![module(1), module(2)], from: Some(day(5)), days: Some(7) };
        let closed = |days, done: &[u8]| {
            opening.closed(ENROLLED, after_days(days), |other| {
                done.iter().any(|number| module(*number) == other)
            })
        };
        assert_eq!(closed(6, &[1, 2]), Some(Closed::Until(after_days(7))));
        assert_eq!(closed(7, &[2]), Some(Closed::After(module(1))));
        assert_eq!(closed(7, &[1]), Some(Closed::After(module(2))));
        assert_eq!(closed(7, &[1, 2]), None);
        let dated = Opening { from: Some(day(9)), ..opening.clone() };
        assert_eq!(dated.date(ENROLLED), Some(day(9).start_in_istanbul()), "the later of both");
        assert_eq!(Opening::default().closed(ENROLLED, ENROLLED, |_| false), None);
        assert_eq!(serde_json::to_string(&Opening::default()).unwrap(), "{}");
    }

    proptest! {
        #[test]
        fn what_is_open_stays_open(
            from in prop::option::of(0..60_i64), days in prop::option::of(0..60_u16), waits: bool,
            at in 0..70_i64, later in 0..70_i64, done: bool,
        ) {
            let after = if waits { vec![module(1)] } else { Vec::new() };
            let opening = Opening { after, from: from.map(day), days };
            if opening.closed(ENROLLED, after_days(at), |_| done).is_none() {
                prop_assert_eq!(opening.closed(ENROLLED, after_days(at + later), |_| true), None);
            } else {
                prop_assert!(from.is_some_and(|from| from > at) || days.is_some_and(|days| i64::from(days) > at)
                    || waits && !done);
            }
        }
    }
}
