//! Where learners stood after what they did last. A player beats every few seconds, and what it did last is what would
//! be read again. Nothing is believed because it is remembered: the batch is refused unless the learner's clock, the
//! enrolment and the course's version still are what the standing was made with ([`crate::store::move_clock`]).

use akademi_domain::{
    ids::{TenantId, UserId},
    time::Timestamp,
};
use lru::LruCache;
use std::sync::{Arc, Mutex, PoisonError};

use crate::record::{Learner, Place, Standing};

/// How many learners are remembered, each in the lesson of their last request, some 600 bytes each.
const MAX_LEARNERS: usize = 4096;
/// For how long: some heartbeats. A restored store, whose versions begin again, was away for longer.
const MAX_AGE_MILLIS: i64 = 60_000;

struct Last {
    place: Place,
    at: Timestamp,
    standing: Standing,
}

/// The standings that one instance remembers.
#[derive(Clone)]
pub struct Remembered(Arc<Mutex<LruCache<(TenantId, UserId), Last>>>);

impl Remembered {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(LruCache::unbounded())))
    }

    /// Where the learner stood in `place`, if that is what they did last; it is remembered no more.
    pub fn take(&self, learner: Learner, place: Place, now: Timestamp) -> Option<Standing> {
        let last = self.access(|known| known.pop(&(learner.tenant, learner.user)))?;
        let is_recent = (0..=MAX_AGE_MILLIS).contains(&now.millis_since(last.at));
        (last.place == place && is_recent).then_some(last.standing)
    }

    /// Remembers where the learner stands in `place` since `at`.
    pub fn keep(&self, learner: Learner, place: Place, at: Timestamp, standing: Standing) {
        self.access(|known| {
            known.put((learner.tenant, learner.user), Last { place, at, standing });
            if known.len() > MAX_LEARNERS {
                known.pop_lru();
            }
        });
    }

    fn access<T>(&self, access: impl FnOnce(&mut LruCache<(TenantId, UserId), Last>) -> T) -> T {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
