//! Time, randomness, wakes, and a PayTR that gives out tokens or cannot be reached.

use akademi_api::{
    Ports,
    ports::{Clock, HttpClient, Log, Rng, Unreachable, Wake},
};
use akademi_domain::time::Timestamp;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use sha2::{Digest, Sha256};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;

pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

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

struct NoLog;

impl Log for NoLog {
    fn line(&self, _: &str) {}
}

pub fn ports() -> (Ports, Arc<TestClock>) {
    let clock = Arc::new(TestClock(AtomicI64::new(NOW.as_millis())));
    let rng = Arc::new(Counter(AtomicU64::new(1)));
    (Ports::new(clock.clone(), rng, Arc::new(NoLog)), clock)
}

#[derive(Default)]
pub struct Wakes(pub AtomicUsize);

impl Wake for Wakes {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// get-token as PayTR answers it, and what was sent.
pub struct Provider {
    pub reachable: AtomicBool,
    /// How many requests may pass; the others wait.
    pub gate: Semaphore,
    pub forms: Mutex<Vec<Vec<(String, String)>>>,
}

impl Provider {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            reachable: AtomicBool::new(true),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            forms: Mutex::default(),
        })
    }

    /// A field of the newest request.
    pub fn sent(&self, field: &str) -> String {
        let forms = self.forms.lock().unwrap();
        let (_, value) = forms.last().unwrap().iter().find(|(name, _)| name == field).unwrap();
        value.clone()
    }
}

impl HttpClient for Provider {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        Box::pin(async move {
            self.gate.acquire().await.unwrap().forget();
            if !self.reachable.load(Ordering::SeqCst) {
                return Err(Unreachable("connection refused".into()));
            }
            let form: Vec<(String, String)> = serde_urlencoded::from_bytes(request.body()).unwrap();
            let number = {
                let mut forms = self.forms.lock().unwrap();
                forms.push(form);
                forms.len()
            };
            let answer = format!("{{\"status\":\"success\",\"token\":\"token{number}\"}}");
            Ok(Response::new(Bytes::from(answer)))
        })
    }
}
