//! Why seconds do not count, and how many did not: what a learner is told instead of silence.

use serde::{Deserialize, Serialize};

/// Why some of the claimed seconds do not count, in the order in which the first that fits is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// It arrived more than a day after it was played.
    TooLate,
    /// The playback had not been heard of before, so no time is known to have passed in it.
    NewPlayback,
    /// The player's rate was above the limit.
    TooFast,
    /// More seconds were claimed than have passed.
    NotElapsed,
    /// Enough time has passed, but it was already counted, mostly for another lesson, tab or device.
    TimeAlreadyCounted,
    /// The lesson asks for proof that they were handed to this session, and they were not.
    NotDelivered,
}

/// How many seconds did not count, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct RefusedSeconds {
    too_late: u32,
    new_playback: u32,
    too_fast: u32,
    not_elapsed: u32,
    time_already_counted: u32,
    not_delivered: u32,
}

impl RefusedSeconds {
    /// `self` with more seconds of one reason.
    #[must_use]
    pub const fn with(mut self, reason: Refusal, seconds: u32) -> Self {
        let count = match reason {
            Refusal::TooLate => &mut self.too_late,
            Refusal::NewPlayback => &mut self.new_playback,
            Refusal::TooFast => &mut self.too_fast,
            Refusal::NotElapsed => &mut self.not_elapsed,
            Refusal::TimeAlreadyCounted => &mut self.time_already_counted,
            Refusal::NotDelivered => &mut self.not_delivered,
        };
        *count = count.saturating_add(seconds);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn each_reason_is_counted_under_its_own_name() {
        let mut counted = RefusedSeconds::default();
        let names =
            ["too_late", "new_playback", "too_fast", "not_elapsed", "time_already_counted", "not_delivered"];
        for (number, name) in names.iter().enumerate() {
            let reason: Refusal = serde_json::from_value(json!(name)).unwrap();
            let before: Value = serde_json::to_value(counted).unwrap();
            counted = counted.with(reason, number as u32 + 1).with(reason, 10);
            let after: Value = serde_json::to_value(counted).unwrap();
            assert_eq!((&before[name], &after[name]), (&json!(0), &json!(number + 11)));
        }
        assert_eq!(serde_json::from_value::<RefusedSeconds>(json!({})).unwrap(), RefusedSeconds::default());
    }
}
