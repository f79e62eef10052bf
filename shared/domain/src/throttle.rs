//! How long somebody who has failed must wait before trying again.

use crate::time::Timestamp;

/// Growing delays after failures: none at first, then one that doubles up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// How many failures cost nothing.
    pub free: u32,
    /// The delay after the first failure beyond them.
    pub first_seconds: i64,
    pub longest_seconds: i64,
    /// Without a failure for so long, those before are forgotten.
    pub forget_seconds: i64,
}

/// What is known of those who try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    pub count: u32,
    /// Of the last one.
    pub at: Timestamp,
}

impl Delays {
    /// One person's account, tried from one address: a mistyped password is common, the twentieth is not.
    pub const ACCOUNT_FROM_ADDRESS: Self =
        Self { free: 5, first_seconds: 2, longest_seconds: 15 * 60, forget_seconds: 24 * 3600 };
    /// One address, whatever it tries: a school's whole class may share it.
    pub const ADDRESS: Self =
        Self { free: 100, first_seconds: 2, longest_seconds: 15 * 60, forget_seconds: 3600 };
    /// One account, from wherever. The delay stays short, and who waits it out is not counted: strangers who keep failing can
    /// slow its owner down on a new device, and lock nobody out. A device that signed in before does not wait.
    pub const ACCOUNT: Self = Self { free: 30, first_seconds: 1, longest_seconds: 30, forget_seconds: 3600 };
    /// Codes that could be guessed, by one person.
    pub const CODE: Self =
        Self { free: 5, first_seconds: 5, longest_seconds: 3600, forget_seconds: 24 * 3600 };

    /// Mail to one address that strangers can ask for.
    pub const MAIL: Self =
        Self { free: 3, first_seconds: 60, longest_seconds: 3600, forget_seconds: 24 * 3600 };

    /// What is known after one more failure, and until when the next attempt is refused.
    pub fn after(&self, before: Failures, now: Timestamp) -> (Failures, Timestamp) {
        let is_forgotten = now.millis_since(before.at) > self.forget_seconds * 1000;
        let count = if is_forgotten { 1 } else { before.count.saturating_add(1) };
        let wait = match count.checked_sub(self.free + 1) {
            None => 0,
            Some(doublings) => self
                .first_seconds
                .saturating_mul(1_i64.checked_shl(doublings).filter(|factor| *factor > 0).unwrap_or(i64::MAX))
                .min(self.longest_seconds),
        };
        (Failures { count, at: now }, now.plus_seconds(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn waits(delays: Delays, failures: u32) -> Vec<i64> {
        let (mut known, mut now) = (Failures::default(), START);
        (0..failures)
            .map(|_| {
                let until;
                (known, until) = delays.after(known, now);
                let wait = until.millis_since(now) / 1000;
                now = until;
                wait
            })
            .collect()
    }

    #[test]
    fn delays_begin_after_the_free_failures_and_double_up_to_their_bound() {
        assert_eq!(
            waits(Delays::ACCOUNT_FROM_ADDRESS, 16),
            [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
        );
        assert_eq!(waits(Delays::ACCOUNT, 37)[29..], [0, 1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn failures_are_forgotten() {
        let delays = Delays::CODE;
        let many = Failures { count: 40, at: START };
        let (_, until) = delays.after(many, START.plus_seconds(delays.forget_seconds));
        assert_eq!(until, START.plus_seconds(delays.forget_seconds + delays.longest_seconds));
        let later = START.plus_seconds(delays.forget_seconds + 1);
        assert_eq!(delays.after(many, later), (Failures { count: 1, at: later }, later));
    }

    proptest! {
        #[test]
        fn no_count_makes_a_delay_beyond_its_bound(count in 0_u32..=u32::MAX) {
            for delays in [Delays::ACCOUNT_FROM_ADDRESS, Delays::ADDRESS, Delays::ACCOUNT, Delays::CODE, Delays::MAIL] {
                let (_, until) = delays.after(Failures { count, at: START }, START);
                prop_assert!((0..=delays.longest_seconds * 1000).contains(&until.millis_since(START)));
            }
        }
    }
}
