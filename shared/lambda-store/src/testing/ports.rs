//! Ports of a function under test: time that stands still until it is moved, randomness that repeats itself in no run, wakes
//! that are counted, and a log that is kept.

use akademi_api::{
    Ports,
    ports::{Clock, Log, Rng, Wake},
};
use akademi_domain::time::Timestamp;
use sha2::{Digest, Sha256};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
};

/// 2026-09-21T14:13:20Z
pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Stands still until it is moved.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Never the same bytes twice.
struct Counter(AtomicU64);

impl Rng for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let digest = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes());
        for (byte, random) in bytes.iter_mut().zip(digest.iter().cycle()) {
            *byte = *random;
        }
    }
}

/// Its lines, in order.
#[derive(Default)]
pub struct KeptLog(pub Mutex<Vec<String>>);

impl Log for KeptLog {
    fn line(&self, json: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(json.to_owned());
    }
}

/// The ports, with their clock at [`NOW`], and what a test looks at of them.
pub fn ports() -> (Ports, Arc<TestClock>, Arc<KeptLog>) {
    let clock = Arc::new(TestClock(AtomicI64::new(NOW.as_millis())));
    let log = Arc::new(KeptLog::default());
    let rng = Arc::new(Counter(AtomicU64::new(1)));
    (Ports::new(clock.clone(), rng, log.clone()), clock, log)
}

/// How many there were.
#[derive(Default)]
pub struct Wakes(pub AtomicUsize);

impl Wake for Wakes {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
