//! How full an academy's storage is.

use serde::{Deserialize, Serialize};

/// From this share of the limit on, staff is warned.
const WARNING_PERCENT: u128 = 80;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StorageState {
    Ok,
    /// From 80 % of the limit on.
    Warning,
    /// From the limit on: nothing more is taken.
    Full,
}

impl StorageState {
    /// `used` and `limit` are bytes; without a limit there is always room.
    pub fn of(used: u64, limit: Option<u64>) -> Self {
        let Some(limit) = limit else { return Self::Ok };
        if used >= limit {
            Self::Full
        } else if u128::from(used) * 100 >= u128::from(limit) * WARNING_PERCENT {
            Self::Warning
        } else {
            Self::Ok
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_warning_begins_at_80_percent_and_full_at_the_limit() {
        for (used, limit, state) in [
            (0, Some(10), StorageState::Ok),
            (799, Some(1000), StorageState::Ok),
            (800, Some(1000), StorageState::Warning),
            (999, Some(1000), StorageState::Warning),
            (1000, Some(1000), StorageState::Full),
            (1001, Some(1000), StorageState::Full),
            (0, Some(0), StorageState::Full),
            (u64::MAX, None, StorageState::Ok),
            (u64::MAX - 1, Some(u64::MAX), StorageState::Warning),
        ] {
            assert_eq!(StorageState::of(used, limit), state, "{used} of {limit:?}");
        }
    }

    proptest! {
        #[test]
        fn more_bytes_never_leave_more_room(used: u64, more: u64, limit: Option<u64>) {
            prop_assert!(StorageState::of(used, limit) <= StorageState::of(used.saturating_add(more), limit));
        }
    }
}
