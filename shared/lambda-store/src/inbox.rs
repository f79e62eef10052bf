//! The feed in: how far each source's events have been applied here.

use crate::{error::StoreError, platform::PlatformTransaction};

/// How far a source has been applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub epoch: String,
    pub number: u64,
}

/// What became of a batch's claim to move the cursor. Events are applied after `Advanced` only.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Advance {
    /// The cursor stands at the batch's end: apply its events in this transaction.
    Advanced,
    /// All of it has been applied before: commit nothing, answer as if it had been applied now.
    Repeated,
    /// The batch does not begin where the cursor stands: the sender begins again after `wanted`.
    Gap { wanted: u64 },
    /// The source was restored: rebuild the read copy, then [`PlatformTransaction::set_cursor`].
    OtherEpoch { known: String },
}

/// What a batch that covers the numbers after `from` up to and including `to` does to a cursor.
pub fn decide(cursor: &Cursor, epoch: &str, from: u64, to: u64) -> Advance {
    if cursor.epoch != epoch {
        Advance::OtherEpoch { known: cursor.epoch.clone() }
    } else if to <= cursor.number {
        Advance::Repeated
    } else if from == cursor.number {
        Advance::Advanced
    } else {
        Advance::Gap { wanted: cursor.number }
    }
}

/// Moves the cursor of `source` over a batch, in the transaction that applies its events. A second applier of the same
/// source waits for this one to end. A source never seen before stands at 0 in the epoch that it names.
pub async fn advance_cursor(
    platform: &mut PlatformTransaction,
    source: &str,
    epoch: &str,
    from: u64,
    to: u64,
) -> Result<Advance, StoreError> {
    let cursor = platform.lock_cursor(source, epoch).await?;
    let advance = decide(&cursor, epoch, from, to);
    if advance == Advance::Advanced {
        platform.set_cursor(source, epoch, to).await?;
    }
    Ok(advance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Batches cut from one feed, sent in any order and any number of times, are applied each number once and in
        /// order, as long as the sender follows what a gap wants.
        #[test]
        fn every_number_is_applied_once_and_in_order(batches in prop::collection::vec((0u64..30, 1u64..10), 1..60)) {
            let mut cursor = Cursor { epoch: "a".into(), number: 0 };
            let mut applied = Vec::new();
            for (from, length) in batches {
                let mut from = from;
                let to = from + length;
                loop {
                    match decide(&cursor, "a", from, to) {
                        Advance::Advanced => {
                            applied.extend(from + 1..=to);
                            cursor.number = to;
                            break;
                        }
                        Advance::Repeated => break,
                        Advance::Gap { wanted } => from = wanted,
                        Advance::OtherEpoch { .. } => unreachable!("one epoch"),
                    }
                }
            }
            prop_assert_eq!(applied, (1..=cursor.number).collect::<Vec<_>>());
        }
    }

    #[test]
    fn another_epoch_is_never_applied() {
        let cursor = Cursor { epoch: "a".into(), number: 7 };
        for (from, to) in [(0, 5), (7, 9), (20, 30)] {
            assert_eq!(decide(&cursor, "b", from, to), Advance::OtherEpoch { known: "a".into() });
        }
    }
}
