//! Time that moves when the scheduler says so, randomness from the seed, and a network whose requests wait for it.

use akademi_api::{
    Ports,
    ports::{Clock, HttpClient, Log, Rng, Unreachable, Wake},
};
use akademi_domain::time::Timestamp;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};
use tokio::sync::oneshot;

use crate::{
    gate::{Gate, Owner, Work},
    random::Random,
};

/// Where every history begins.
pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

pub struct MovedClock(AtomicI64);

impl MovedClock {
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn reset(&self) {
        self.0.store(START.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub struct Seeded(Mutex<Random>);

impl Seeded {
    pub fn reset(&self, seed: u64) {
        *self.0.lock().unwrap() = Random::new(seed);
    }
}

impl Rng for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut random = self.0.lock().unwrap();
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&random.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

struct NoLog;

impl Log for NoLog {
    fn line(&self, _: &str) {}
}

pub fn ports() -> (Ports, Arc<MovedClock>, Arc<Seeded>) {
    let clock = Arc::new(MovedClock(AtomicI64::new(START.as_millis())));
    let rng = Arc::new(Seeded(Mutex::new(Random::new(0))));
    (Ports::new(clock.clone(), rng.clone(), Arc::new(NoLog)), clock, rng)
}

/// Wakes of `sync` that nobody has heeded yet.
#[derive(Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    pub fn take(&self) -> bool {
        self.0.swap(0, Ordering::SeqCst) > 0
    }

    pub fn waiting(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

impl Wake for Wakes {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// What an instance sends, when the scheduler lets it go.
pub struct SteppedNetwork {
    pub owner: Owner,
    pub gate: Gate,
}

impl HttpClient for SteppedNetwork {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let request = Box::new(request);
            self.gate.park(self.owner, Work::Http { request, answer });
            answered.await.unwrap_or_else(|_| Err(Unreachable("the other side is gone".into())))
        })
    }
}
