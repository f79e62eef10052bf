//! A clock that stands until it is moved.

use akademi_api::ports::Clock;
use akademi_domain::time::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

pub struct MovedClock(AtomicI64);

impl MovedClock {
    pub fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.as_millis()))
    }

    pub fn wait(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
