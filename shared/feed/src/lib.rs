//! The change feed between the planes (design §5): one protocol in both directions.
//!
//! An owner appends events in the same atomic step as the change. A reader asks for what comes after its cursor
//! and gets a [`Batch`]; applying it and moving the cursor is one atomic step, so that applying twice changes
//! nothing and a gap is refused.

mod events;

pub use events::{EdgeEvent, LambdaEvent};

use akademi_domain::ids::TenantId;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A batch has at most this many events …
pub const MAX_EVENTS: usize = 100;
/// … and at most this many bytes of payload.
pub const MAX_BYTES: usize = 512 * 1024;

/// An event as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub number: i64,
    pub tenant: TenantId,
    pub kind: String,
    /// The version of the kind's shape.
    pub version: u32,
    /// The event's JSON, as text: a receiver keeps what it does not know.
    pub payload: String,
}

/// What an event is stored as before it has a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub kind: &'static str,
    pub version: u32,
    pub payload: String,
}

/// A stretch of a feed: all events with numbers in `(from, to]` that are not superseded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The database and its epoch: a restore starts a new one, and whoever sees one rebuilds.
    pub source: String,
    pub from: i64,
    pub to: i64,
    pub events: Vec<Envelope>,
}

/// Why a batch is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBatch {
    #[error("a batch has at most {MAX_EVENTS} events and {MAX_BYTES} bytes")]
    TooLarge,
    #[error("events are not in order within the batch's bounds")]
    Disordered,
}

impl Batch {
    /// # Errors
    /// [`InvalidBatch`] unless the batch is within its bounds and its numbers rise from above `from` to `to`.
    pub fn check(&self) -> Result<(), InvalidBatch> {
        let bytes: usize = self.events.iter().map(|event| event.payload.len()).sum();
        // A single large event travels alone.
        if self.events.len() > MAX_EVENTS || (bytes > MAX_BYTES && self.events.len() > 1) {
            return Err(InvalidBatch::TooLarge);
        }
        let mut before = self.from;
        for event in &self.events {
            if event.number <= before || event.number > self.to {
                return Err(InvalidBatch::Disordered);
            }
            before = event.number;
        }
        if self.to < self.from { Err(InvalidBatch::Disordered) } else { Ok(()) }
    }
}

/// What to do with a batch when the cursor stands at `cursor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Apply,
    /// All of it has been applied before.
    Repeat,
    /// Something is missing, or the cursor stands within it: send what comes after `wanted`.
    Refuse {
        wanted: i64,
    },
}

/// Decides on a batch of `(from, to]`.
pub const fn arrival(cursor: i64, from: i64, to: i64) -> Arrival {
    if from == cursor {
        Arrival::Apply
    } else if to <= cursor {
        Arrival::Repeat
    } else {
        Arrival::Refuse { wanted: cursor }
    }
}

/// What a receiver answers to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Where the receiver's cursor stands now.
    pub cursor: i64,
}

/// What a reader learns by asking for events: the batch, and how far this database is with the reader's own
/// feed, so that one call tells whether anything is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub batch: Batch,
    /// The number of the newest event.
    pub head: i64,
    /// Where this database's cursor of the reader's feed stands.
    pub cursor: i64,
}

/// An event decoded, or one of a kind or version that this build does not know: kept by whoever stores the
/// feed, skipped by whoever applies it.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded<E> {
    Known(E),
    Unknown,
}

/// A payload of a known kind and version that does not have its shape.
#[derive(Debug, thiserror::Error)]
#[error("event {number} of kind {kind} cannot be read: {reason}")]
pub struct Unreadable {
    pub number: i64,
    pub kind: String,
    pub reason: String,
}

impl Envelope {
    fn read<E: DeserializeOwned>(&self, known: &[(&str, u32, u32)]) -> Result<Decoded<E>, Unreadable> {
        let is_known = |(kind, oldest, newest): &(&str, u32, u32)| {
            *kind == self.kind && (*oldest..=*newest).contains(&self.version)
        };
        if !known.iter().any(is_known) {
            return Ok(Decoded::Unknown);
        }
        let tagged = format!("{{\"{}\":{}}}", self.kind, self.payload);
        serde_json::from_str(&tagged).map(Decoded::Known).map_err(|error| Unreadable {
            number: self.number,
            kind: self.kind.clone(),
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(from: i64, to: i64, numbers: &[i64]) -> Batch {
        let tenant: TenantId = "01890000-0000-7000-8000-000000000001".parse().unwrap();
        let event = |number: &i64| Envelope {
            number: *number,
            tenant,
            kind: "k".into(),
            version: 1,
            payload: "{}".into(),
        };
        Batch { source: "s".into(), from, to, events: numbers.iter().map(event).collect() }
    }

    #[test]
    fn a_batch_rises_within_its_bounds() {
        assert!(batch(3, 9, &[4, 9]).check().is_ok(), "superseded numbers are no gap");
        assert!(batch(3, 5, &[]).check().is_ok());
        for bad in [batch(3, 5, &[3]), batch(3, 5, &[5, 4]), batch(3, 5, &[6]), batch(3, 2, &[])] {
            assert_eq!(bad.check(), Err(InvalidBatch::Disordered));
        }
        let many: Vec<i64> = (1..=101).collect();
        assert_eq!(batch(0, 101, &many).check(), Err(InvalidBatch::TooLarge));
    }

    #[test]
    fn a_repeat_changes_nothing_and_a_gap_is_refused() {
        assert_eq!(arrival(5, 5, 9), Arrival::Apply);
        assert_eq!(arrival(9, 5, 9), Arrival::Repeat);
        assert_eq!(arrival(4, 5, 9), Arrival::Refuse { wanted: 4 });
        assert_eq!(arrival(7, 5, 9), Arrival::Refuse { wanted: 7 });
    }

    #[test]
    fn an_unknown_kind_is_no_error() {
        let mut envelope = batch(0, 1, &[1]).events.remove(0);
        assert_eq!(EdgeEvent::decode(&envelope).unwrap(), Decoded::Unknown);
        envelope.kind = "course_withdrawn".into();
        assert!(LambdaEvent::decode(&envelope).is_err(), "a known kind must have its shape");
        envelope.version = 99;
        assert_eq!(LambdaEvent::decode(&envelope).unwrap(), Decoded::Unknown);
    }

    /// What waits in a feed when lessons of new kinds become possible is still read.
    #[test]
    fn publications_of_before_are_read_and_new_ones_say_that_they_are_new() {
        let text = r#"{"course":"01890000-0000-7000-8000-0000000000a1","version":3,
            "lesson":"01890000-0000-7000-8000-0000000000b1","title":"Işık","duration_seconds":null,
            "requirement":{"rule":"opened"},"body":{"kind":"html","html":"<p>Işık</p>"},"answers":null,"words":"Işık"}"#;
        let mut envelope = batch(0, 1, &[1]).events.remove(0);
        (envelope.kind, envelope.payload) = ("lesson_published".into(), text.into());
        let Decoded::Known(event) = LambdaEvent::decode(&envelope).unwrap() else { panic!("{envelope:?}") };
        let Record { kind, version, payload } = event.record();
        assert_eq!((kind, version), ("lesson_published", 2));
        let again = Envelope { version, payload, ..envelope };
        assert_eq!(LambdaEvent::decode(&again).unwrap(), Decoded::Known(event));
    }
}
